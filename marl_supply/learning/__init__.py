"""Learning: games become arrays for a learner, learners become policies. Only `rllib/` imports ray."""
