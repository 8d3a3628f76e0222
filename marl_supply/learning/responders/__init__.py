"""Learners as responders: what one agent learns to play against fixed others."""
