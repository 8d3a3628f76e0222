"""Searches for the least of a cost that can only be played out: over a box of numbers, some of them whole."""
