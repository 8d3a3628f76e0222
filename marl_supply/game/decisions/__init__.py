"""How an action becomes a decision: one file a kind."""

from marl_supply.game.decisions.action import Action

__all__ = ["Action"]
