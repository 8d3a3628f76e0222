"""Asynchronous advantage actor-critic on RLlib: workers compute gradients, which are applied as they arrive."""
