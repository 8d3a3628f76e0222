"""`demand_plus`: the action is added to the claims that reached the row since its previous decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from marl_supply.game.decisions.action import Action, FloatArray, one_supplier_each
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class DemandPlus(Action):
    """``order = max(0, claims + x)`` with x from -spread to spread (default: twice the mean demand, rounded up).

    The action space of the beer game agents of Oroojlooyjadid et al. (2022).
    """

    of = "rows"
    known = frozenset({"step", "spread"})

    def __init__(self, seat: Seat, parameters: Mapping[str, Any]) -> None:
        one_supplier_each(seat, "demand_plus")
        super().__init__(seat, parameters)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        spread = np.ceil(2 * self.seat.mean_demand)
        if "spread" in self.parameters:
            spread = np.full(len(self.seat.rows), float(self.parameters["spread"]))
        return -spread, spread

    def decide(self, values: Array) -> Decisions:
        return Decisions(demand_plus=values)
