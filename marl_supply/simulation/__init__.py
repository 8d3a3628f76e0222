"""The one simulator: a state, what is decided, what flows, and the step from one decision point to the next."""

from marl_supply.simulation.scope import Scope
from marl_supply.simulation.state import Decisions, Flows, State
from marl_supply.simulation.step import begin, decide, finish, inventory_position, restart, step

__all__ = [
    "Decisions",
    "Flows",
    "Scope",
    "State",
    "begin",
    "decide",
    "finish",
    "inventory_position",
    "restart",
    "step",
]
