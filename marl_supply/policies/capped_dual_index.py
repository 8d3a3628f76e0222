"""Capped dual-index rules for two suppliers: a dual index whose regular orders are smoothed by a cap."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.rule import Parameter, zeros
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


class CappedDualIndex(TwoSuppliers):
    """A dual index whose regular orders are never above a cap.

    ``express = max(0, express_level - express position)`` and
    ``regular = min(regular_cap, max(0, regular_level - position))``.
    The position leaves this period's express order out; the literature has both readings. Optimal for a robust version
    of the problem, and close to optimal on average (Sun & Van Mieghem 2019, Robust dual sourcing inventory management,
    Manufacturing & Service Operations Management 21(4)). A low cap makes it tailored base-surge.
    """

    needs = POSITION | {"inventory_position"}
    parameters = (
        EXPRESS_LEVEL,
        REGULAR_LEVEL,
        Parameter(
            "regular_cap",
            "units/period",
            lambda seat: np.ceil(seat.mean_demand),
            zeros,
            lambda seat: np.ceil(2 * seat.mean_demand + 4 * seat.demand_deviation),
            integer=True,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        express = express_orders(observation.seat, self.value("express_level") - express_position(observation))
        shortfall = np.maximum(self.value("regular_level") - observation.inventory_position, 0)
        return place(observation.seat, express, np.minimum(shortfall, self.value("regular_cap"))), memory
