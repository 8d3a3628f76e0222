"""The same order every period; good for long lead times with lost sales (Goldberg et al. 2016)."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.rule import Parameter, Rule, on_first_edge, zeros
from marl_supply.simulation.state import Decisions


class ConstantOrder(Rule):
    """``order = order_quantity``."""

    parameters = (
        Parameter(
            "order_quantity",
            "units/period",
            lambda seat: np.rint(seat.mean_demand),
            zeros,
            lambda seat: np.ceil(2 * seat.mean_demand),
            integer=True,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        shape = (len(observation.seat.rows), observation.replications)
        return on_first_edge(observation.seat, np.broadcast_to(self.value("order_quantity"), shape)), memory
