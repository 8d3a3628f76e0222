"""What actors remember: the claims on their rows and the demand of their markets, smoothed and as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.simulation.arrays import NUMPY
from marl_supply.topology.incidence import Sum

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Signals:
    """S signals, each a sum of numbers that are seen, remembered in R smoothed forms and H latest values.

    Attributes
    ----------
    members : tuple of tuple of int
        For each signal the positions of its numbers in what is seen.
    means : (S,) float
        Mean of each signal, units a period: what is remembered before anything has been seen.
    smoothing : tuple of float
        Weights of exponential smoothing (Brown 1959).
    history : int
        Latest values kept, the newest first.
    """

    members: tuple[tuple[int, ...], ...]
    means: tuple[float, ...]
    smoothing: tuple[float, ...]
    history: int

    def __post_init__(self) -> None:
        positions = [position for own in self.members for position in own]
        target = [signal for signal, own in enumerate(self.members) for _ in own]
        object.__setattr__(self, "_positions", np.array(positions, dtype=np.int64))
        object.__setattr__(self, "_sum", Sum(np.array(target, dtype=np.int64), len(self.members)))

    @property
    def size(self) -> int:
        """Numbers that are remembered: (R + H) S, form by form."""
        return (len(self.smoothing) + self.history) * len(self.members)

    def first(self, replications: int) -> Array:
        """(size, B) what is remembered at the first decision, from which nothing can be learnt yet."""
        forms = len(self.smoothing) + self.history
        return np.repeat(np.tile(np.array(self.means), forms)[:, None], replications, axis=1)

    def after(self, remembered: Array, seen: Array) -> Array:
        """(size, B) what is remembered once (k, B) numbers are seen, units."""
        if not self.size:
            return remembered
        signals = NUMPY.add_up(self._sum, seen[self._positions])  # type: ignore[attr-defined]
        size, rates = len(self.members), len(self.smoothing)
        smoothed = remembered[: rates * size].reshape(rates, size, remembered.shape[1])
        weight = np.array(self.smoothing)[:, None, None]
        parts = [(smoothed + weight * (signals - smoothed)).reshape(rates * size, remembered.shape[1])]
        if self.history:
            parts += [signals, remembered[rates * size : len(remembered) - size]]
        return np.concatenate(parts)


def signals_of_chain(game: Game, smoothing: Sequence[float], history: int) -> Signals:
    """Claims on every row and demand of every market, read from the table of everything."""
    network, start = game.network, game.table.start
    lines = [np.flatnonzero(network.line_place == row) for row in range(len(network.rows))]
    claims: list[Any] = [start["incoming_orders"] + own for own in lines]
    markets: list[Any] = [[start["market_demand"] + market] for market in range(len(network.markets))]
    means = np.concatenate([network.mean_demand, [process.mean for process in network.processes.values()]]).tolist()
    members = tuple(tuple(int(position) for position in own) for own in [*claims, *markets])
    return Signals(members, tuple(means), tuple(smoothing), history)


def signals_of_seat(game: Game, agent: str) -> NDArray[np.int64]:
    """(s,) which signals of the chain an agent may remember: those of numbers that it sees."""
    seat = game.seats[agent]
    own = seat.scope.rows
    if "market_demand" not in seat.visible:
        return np.asarray(own, dtype=np.int64)
    return np.concatenate([own, len(game.network.rows) + seat.markets_downstream]).astype(np.int64)
