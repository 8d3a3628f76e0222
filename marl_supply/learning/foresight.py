"""What critics may know in training and nobody else: the demand that is still to come, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.learning.streams import Streams
from marl_supply.simulation.state import State

Floats = NDArray[np.float32]


class Foresight:
    """Realised demand of this and the coming periods, relative to its mean, and the share of the horizon played.

    Of a market whose demand answers to decisions the chance numbers alone are settled: their mean, standardised, stands
    for them. It says how many customers come at any price.

    A hindsight critic: the return hangs on demand that no action changes, so a critic that knows it explains more of
    the return, and advantages are less noisy. They stay unbiased, since what is to come does not depend on the action.

    Parameters
    ----------
    streams
        The same demand as that of the chains, read ahead of them; nobody else may read it.
    ahead
        Periods, this one included.
    limit
        Scaled numbers lie between minus this and this.

    Attributes
    ----------
    size : int
        Numbers: markets x periods, and the time.
    """

    def __init__(self, game: Game, streams: Streams, ahead: int, limit: float) -> None:
        means = np.array([process.mean for process in game.processes.values()])
        self._streams, self._ahead, self._limit = streams, ahead, limit
        self._answering = [(market, span) for market, _, span in game.network.responsive if span.stop > span.start]
        self._means = np.where(means > 0, means, 1.0)[:, None]
        self._horizon = game.horizon
        self.size = ahead * len(means) + 1
        self._coming: list[Floats] = []
        self._fill(0)

    def _fill(self, clock: int) -> None:
        self._coming = [self._at(clock + period) for period in range(self._ahead)]

    def _at(self, clock: int) -> Floats:
        chance = self._streams.chance(clock) if self._answering else None
        return self._scaled(self._streams.at(clock), chance)

    def _scaled(self, demand: NDArray[np.float64], chance: NDArray[np.float64] | None) -> Floats:
        scaled = (demand - self._means) / self._means
        for market, span in self._answering:
            assert chance is not None
            scaled[market] = (chance[span].mean(0) - 0.5) * np.sqrt(12 * (span.stop - span.start))
        return np.clip(scaled, -self._limit, self._limit).astype(np.float32)

    def move(self, clock: int) -> None:
        """A period is over, and `clock` is the next."""
        self._coming = [*self._coming[1:], self._at(clock + self._ahead - 1)]

    def begin(self, group: int, clock: int) -> None:
        """The chains of a group start anew now."""
        self._streams.begin(group, clock)
        columns = self._streams.columns(group)
        for period in range(self._ahead):
            chance = self._streams.chance_at_group(group, clock + period) if self._answering else None
            demand = self._streams.at_group(group, clock + period)
            self._coming[period][:, columns] = self._scaled(demand, chance)

    def set_state(self, streams: Mapping[str, Any], clock: int) -> None:
        """Go on from a state of the chains' own streams."""
        self._streams.set_state(streams)
        self._fill(clock)

    def read(self, state: State) -> Floats:
        """(size, K B) what is to come, period by period, then the time."""
        columns = self._coming[0].shape[1]
        time = np.broadcast_to(np.asarray(state.period, dtype=np.float32) / self._horizon, (1, columns))
        return np.concatenate([*self._coming, time.astype(np.float32)])
