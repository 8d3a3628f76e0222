"""The one simulator: a state, what is decided, what flows, and the step from one decision point to the next."""

from marl_supply.simulation.ordering import decide
from marl_supply.simulation.positions import echelon_inventory_position, inventory_position
from marl_supply.simulation.restart import restart
from marl_supply.simulation.scope import Scope
from marl_supply.simulation.state import Decisions, Flows, State
from marl_supply.simulation.step import begin, finish, step

__all__ = [
    "Decisions",
    "Flows",
    "Scope",
    "State",
    "begin",
    "decide",
    "echelon_inventory_position",
    "finish",
    "inventory_position",
    "restart",
    "step",
]
