"""Orders drawn at random: the floor that anything has to beat."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.rule import Parameter, Rule, zeros
from marl_supply.simulation.state import Decisions


class RandomOrder(Rule):
    """On every edge an order uniform on 0 to `highest_order`, both included."""

    parameters = (
        Parameter(
            "highest_order",
            "units/period",
            lambda seat: np.ceil(2 * seat.mean_demand),
            zeros,
            lambda seat: np.ceil(4 * seat.mean_demand),
            integer=True,
            tuned=False,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        highest = self.value("highest_order")[seat.edge_rows]
        drawn = observation.noise(len(seat.edges))
        return Decisions(order=np.floor(drawn * (highest + 1)) if seat.integer else drawn * highest), memory
