"""Deep Q-learning on RLlib: a runner with epsilon-greedy actions, a replay of arrays, and a stacked learner."""
