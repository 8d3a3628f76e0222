"""Dual-index rules for two suppliers: express orders look at what arrives soon, regular orders at everything."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.two_suppliers import (
    EXPRESS_LEVEL,
    POSITION,
    REGULAR_LEVEL,
    TwoSuppliers,
    express_orders,
    express_position,
    place,
)
from marl_supply.simulation.state import Decisions


class DualIndex(TwoSuppliers):
    """Express orders up to a level of what arrives soon, then regular orders up to a level of everything.

    ``express = max(0, express_level - express position)``, then
    ``regular = max(0, regular_level - position - express)``.
    The express position is net stock and what arrives within the express lead time; the position counts everything on
    order (Veeraraghavan & Scheller-Wolf 2008, Now or later, Operations Research 56(4)). Optimal where the lead times
    differ by one period.
    """

    needs = POSITION | {"inventory_position"}
    parameters = (EXPRESS_LEVEL, REGULAR_LEVEL)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        express = express_orders(observation.seat, self.value("express_level") - express_position(observation))
        regular = np.maximum(self.value("regular_level") - observation.inventory_position - express, 0)
        return place(observation.seat, express, regular), memory
