"""`choose_one`: of several edges into a row the action picks one, and says how much to order on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.decisions.action import Action, FloatArray
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class ChooseOne(Action):
    """For each row the number of an edge, in file order, then a quantity from 0 to the largest bound of its edges.

    A production method is an edge from a source with a cost, a lead time and a capacity of its own. Where units are
    continuous the number of the edge is rounded down.
    """

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        seat = self.seat
        count = np.bincount(seat.edge_rows, minlength=len(seat.rows)).astype(float)
        largest = np.zeros(len(seat.rows))
        np.maximum.at(largest, seat.edge_rows, seat.order_bound)
        high = np.stack([count - 1 if seat.integer else count, largest], axis=1).ravel()
        return np.zeros(len(high)), high

    def decide(self, values: Array) -> Decisions:
        seat = self.seat
        chosen = np.minimum(np.floor(values[0::2] / self._spacing), self._last[:, None])
        quantity = np.round(values[1::2]) if seat.integer else values[1::2]
        here = chosen[seat.edge_rows] == self._place[:, None]
        return Decisions(order=np.where(here, quantity[seat.edge_rows], 0.0))

    @property
    def _spacing(self) -> float:
        return self.step if self.seat.integer else 1.0

    @property
    def _last(self) -> NDArray[np.int64]:
        return np.bincount(self.seat.edge_rows, minlength=len(self.seat.rows)) - 1

    @property
    def _place(self) -> NDArray[np.int64]:
        """(e,) the number of each edge among those of its row."""
        rows = self.seat.edge_rows
        return np.array([int((rows[:edge] == rows[edge]).sum()) for edge in range(len(rows))], dtype=np.int64)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{row} ({what})" for row in self.seat.rows for what in ("edge", "quantity"))

    @property
    def component_rows(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.seat.rows)), 2)
