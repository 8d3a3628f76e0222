"""`exposure`: the action is how a market's attention is shared among its customer groups."""

from __future__ import annotations

import numpy as np

from marl_supply.game.decisions.action import FloatArray, Steering
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

GRID = 10


class Exposure(Steering):
    """Weights from 0 to 1 for each group of each market, made shares of their sum; equal shares where all are 0.

    Where units are whole a weight is one of 11 choices, 0 to 10 tenths.
    """

    aspect = "exposure"
    grid = 1 / GRID

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        size = sum(self._groups)
        return np.zeros(size), np.ones(size)

    def decide(self, values: Array) -> Decisions:
        shares, start = [], 0
        for size in self._groups:
            weights = values[start : start + size]
            total = weights.sum(0)
            shares.append(np.where(total > 0, weights / np.where(total > 0, total, 1.0), 1.0 / size))
            start += size
        return Decisions(exposure=tuple(shares))

    @property
    def _groups(self) -> list[int]:
        return [self.seat.network.groups[int(market)] for market in self.seat.scope.exposed_markets]

    @property
    def labels(self) -> tuple[str, ...]:
        names = [self.seat.network.markets[market] for market in self.seat.scope.exposed_markets]
        return tuple(f"{name}[{g}]" for name, size in zip(names, self._groups, strict=True) for g in range(size))
