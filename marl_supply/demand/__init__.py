"""Demand: one process per file, and the noise it is drawn from."""
