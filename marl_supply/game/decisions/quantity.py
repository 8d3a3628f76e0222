"""`quantity`: the action is the order on each inbound edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.decisions.action import Action, FloatArray
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class Quantity(Action):
    """Order 0 up to the order limit, on every edge into the seat's rows; unstated limits as `Network.order_bound`."""

    of = "edges"

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        return np.zeros(len(self.seat.edges)), self.seat.order_bound

    def decide(self, values: Array) -> Decisions:
        return Decisions(order=values)

    @property
    def component_rows(self) -> NDArray[np.int64]:
        return self.seat.edge_rows

    @property
    def labels(self) -> tuple[str, ...]:
        return self.seat.edges
