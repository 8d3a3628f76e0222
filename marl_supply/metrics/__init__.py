"""Numbers about a simulated chain, with the intervals that say how far to trust them."""
