"""`price`: the action is what a unit costs at each market whose file states a `price_range`."""

from __future__ import annotations

import numpy as np

from marl_supply.game.decisions.action import FloatArray, Steering
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class Price(Steering):
    """Prices between the ends of each market's range, in steps of 1 unless `step` says otherwise; money a unit."""

    aspect = "price"

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        markets = list(self.seat.network.topology.markets.values())
        ranges = [markets[number].price_range or (0.0, 0.0) for number in self.seat.scope.priced_markets]
        return np.array([low for low, _ in ranges]), np.array([high for _, high in ranges])

    def decide(self, values: Array) -> Decisions:
        return Decisions(price=values)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.seat.network.markets[number] for number in self.seat.scope.priced_markets)
