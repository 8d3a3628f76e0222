"""A chain as a Markov game: seats, observations, actions, the `Policy` that plays, and how play is scored."""

from marl_supply.game.game import Game, Outcome
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Policy
from marl_supply.game.seat import Seat

__all__ = ["Game", "Observation", "Outcome", "Policy", "Seat"]
