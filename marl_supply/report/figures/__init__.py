"""Figures, one file each: ``CAPTION`` and ``draw(results)``, which gives None where there is nothing to draw."""
