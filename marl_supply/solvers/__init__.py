"""What finds good policies without learning: for now the search for a rule's parameters."""

from marl_supply.solvers.tune import Tuned, tune

__all__ = ["Tuned", "tune"]
