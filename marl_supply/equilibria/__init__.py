"""Equilibria: best responses, how far a profile is from one, and where they lie."""
