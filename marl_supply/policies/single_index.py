"""Single-index rules for two suppliers: two order-up-to levels, both of the whole inventory position."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.two_suppliers import EXPRESS_LEVEL, REGULAR_LEVEL, TwoSuppliers, express_orders, place
from marl_supply.simulation.state import Decisions


class SingleIndex(TwoSuppliers):
    """``express = max(0, express_level - position)``, then ``regular = max(0, regular_level - position - express)``.

    The position counts everything on order. Optimal where the lead times differ by one period (Fukuda 1964), simple and
    often poor where they differ by more (Scheller-Wolf, Veeraraghavan & van Houtum 2007).
    """

    needs = frozenset({"inventory_position"})
    parameters = (EXPRESS_LEVEL, REGULAR_LEVEL)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        position = observation.inventory_position
        express = express_orders(observation.seat, self.value("express_level") - position)
        regular = np.maximum(self.value("regular_level") - position - express, 0)
        return place(observation.seat, express, regular), memory
