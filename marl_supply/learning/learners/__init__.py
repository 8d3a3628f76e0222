"""Learners, one file each; a file holds the settings of one learner and the name of its update."""
