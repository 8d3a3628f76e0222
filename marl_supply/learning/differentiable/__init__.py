"""Learning by derivatives of the simulator: policies are torch networks, episodes are differentiable; no ray."""
