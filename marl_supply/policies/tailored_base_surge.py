"""Tailored base-surge rules for two suppliers: a constant base from the slow one, surges from the fast one."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.rule import Parameter, zeros
from marl_supply.policies.two_suppliers import EXPRESS_LEVEL, POSITION, TwoSuppliers, express_position, place
from marl_supply.simulation.state import Decisions


class TailoredBaseSurge(TwoSuppliers):
    """``express = max(0, express_level - express position)`` and ``regular = regular_quantity``.

    Allon & Van Mieghem 2010; asymptotically optimal as the regular lead time grows (Xin & Goldberg 2018). Stock is
    stable only where `regular_quantity` is below mean demand.
    """

    needs = POSITION
    parameters = (
        EXPRESS_LEVEL,
        Parameter(
            "regular_quantity",
            "units/period",
            lambda seat: np.floor(seat.mean_demand / 2),
            zeros,
            lambda seat: np.ceil(seat.mean_demand),
            integer=True,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        express = np.maximum(self.value("express_level") - express_position(observation), 0)
        regular = np.broadcast_to(self.value("regular_quantity"), express.shape)
        return place(observation.seat, express, regular), memory
