"""Chains as Markov decision processes, straight from the simulator: the best policy, and the exact cost of any."""
