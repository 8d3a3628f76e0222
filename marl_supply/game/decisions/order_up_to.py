"""`order_up_to`: the action is the inventory position after ordering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from marl_supply.game.decisions.action import Action, FloatArray, one_supplier_each
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class OrderUpTo(Action):
    """A level from 0 to `highest` (default: mean demand over lead time plus one period, and one order bound)."""

    of = "rows"
    known = frozenset({"step", "highest"})

    def __init__(self, seat: Seat, parameters: Mapping[str, Any]) -> None:
        one_supplier_each(seat, "order_up_to")
        super().__init__(seat, parameters)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        seat = self.seat
        highest = np.ceil(seat.mean_demand * (seat.total_lead_time + 1)) + seat.order_bound[seat.first_edge]
        if "highest" in self.parameters:
            highest = np.full(len(seat.rows), float(self.parameters["highest"]))
        return np.zeros(len(seat.rows)), highest

    def decide(self, values: Array) -> Decisions:
        return Decisions(order_up_to=values)
