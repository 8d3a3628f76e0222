"""`exposure`: the action is how a market's attention is shared among its customer groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.decisions.action import FloatArray, Steering
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions
from marl_supply.topology.incidence import IntArray
from marl_supply.topology.network import Network

GRID = 10


def wholes(network: Network, markets: IntArray, weights: Sequence[Array]) -> list[tuple[Array, int]]:
    """Market by market the sum that its weights are shares of, and of how many weights it is the sum.

    Parameters
    ----------
    markets : (n,)
        Their numbers; of those exposed together all or none.
    weights : n arrays of shape (groups, B)

    Returns
    -------
    list of (array, int)
        The sum over the groups, (B,), or group by group over the markets exposed together, (groups, B).
    """
    of = {int(market): own for market, own in zip(markets, weights, strict=True)}
    found = []
    for market, own in of.items():
        together = network.exposed_together.get(market)
        if together is None:
            found.append((own.sum(0), len(own)))
        else:
            total = of[int(together[0])]
            for other in together[1:]:
                total = total + of[int(other)]
            found.append((total, len(together)))
    return found


def shares_of_attention(seat: Seat, weights: Sequence[Array]) -> tuple[Array, ...]:
    """Weights (groups, B) of each market that a seat exposes as shares; equal shares where all are 0."""
    totals = wholes(seat.network, seat.scope.exposed_markets, weights)
    return tuple(
        np.where(total > 0, own / np.where(total > 0, total, 1.0), 1.0 / count)
        for own, (total, count) in zip(weights, totals, strict=True)
    )


class Exposure(Steering):
    """Weights from 0 to 1 for each group of each market, made shares of their sum; equal shares where all are 0.

    The sum is that of all groups of a market; where the customers of several markets divide their attention among
    them, that of all these markets for each group.

    Where units are whole a weight is one of 11 choices, 0 to 10 tenths.
    """

    aspect = "exposure"
    grid = 1 / GRID

    def __init__(self, seat: Seat, parameters: Mapping[str, Any]) -> None:
        own = set(seat.scope.exposed_markets.tolist())
        for market in seat.scope.exposed_markets:
            for other in seat.network.exposed_together.get(int(market), ()):
                if int(other) not in own:
                    names = (seat.network.markets[number] for number in (int(market), int(other)))
                    raise InputError(
                        f"game.agents.{seat.agent}.decides: the exposure of '{next(names)}' adds up to 1 with that of "
                        f"'{next(names)}', which it does not decide; give one agent both."
                    )
        super().__init__(seat, parameters)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        size = sum(self._groups)
        return np.zeros(size), np.ones(size)

    def decide(self, values: Array) -> Decisions:
        weights, start = [], 0
        for size in self._groups:
            weights.append(values[start : start + size])
            start += size
        return Decisions(exposure=shares_of_attention(self.seat, weights))

    @property
    def _groups(self) -> list[int]:
        return [self.seat.network.groups[int(market)] for market in self.seat.scope.exposed_markets]

    @property
    def labels(self) -> tuple[str, ...]:
        names = [self.seat.network.markets[market] for market in self.seat.scope.exposed_markets]
        return tuple(f"{name}[{g}]" for name, size in zip(names, self._groups, strict=True) for g in range(size))
