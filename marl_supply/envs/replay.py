"""Noise put together anew: that of successive episodes played one by one, that of several seeds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from marl_supply.demand.process import BLOCK
from marl_supply.game import Game
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Columns

HELD = 4_000_000
"""Numbers that are kept at most (32 MB); where an episode has more, each is drawn by itself."""


class EpisodeNoise:
    """The noise of the replications of one seed, one replication at a time.

    Noise is drawn in blocks of 64 replications, of which an environment plays one in an episode: those of the other 63
    are kept for the episodes to come. What is played is the same.

    Parameters
    ----------
    game
        What is played.
    seed : int
        Of the game's noise.
    """

    def __init__(self, game: Game, seed: int) -> None:
        self._game = game
        self._seed = seed
        numbers = len(game.network.markets) + game.network.chance_size
        self._small = numbers * game.horizon * BLOCK <= HELD
        self._block = -1
        self._held: Held | None = None

    def of(self, replication: int) -> Any:
        """The noise of one replication, as `Game.start` takes it; None where the game shall draw it."""
        if not self._small:
            return None
        if self._held is None or replication // BLOCK != self._block:
            self._block = replication // BLOCK
            self._held = Held(self._game.randomness(BLOCK, self._seed, self._block * BLOCK))
        column = replication % BLOCK
        return Columns(self._held, slice(column, column + 1))


class Held:
    """Noise of which every period is kept.

    Parameters
    ----------
    noise
        Gives `at`, `chance` and `uniform`; periods are asked in order.
    """

    def __init__(self, noise: Any) -> None:
        self._noise = noise
        self._demand: list[Array] = []
        self._chances: list[Array] = []
        self._uniform: dict[tuple[str, int, int], Array] = {}

    def at(self, clock: int) -> Array:
        """(K, B) demand of a period, units."""
        while len(self._demand) <= clock:
            self._demand.append(self._noise.at(len(self._demand)))
        return self._demand[clock]

    def chance(self, clock: int) -> Array:
        """(C, B) chance numbers of a period."""
        while len(self._chances) <= clock:
            self._chances.append(self._noise.chance(len(self._chances)))
        return self._chances[clock]

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, B) uniform numbers on [0, 1) of an agent and period."""
        key = (agent, clock, size)
        if key not in self._uniform:
            self._uniform[key] = self._noise.uniform(agent, clock, size)
        return self._uniform[key]


class SideBySide:
    """Noise whose replications are those of several noises, one after another.

    Parameters
    ----------
    noises
        Each gives `at`, `chance` and `uniform` of one or more replications.
    """

    def __init__(self, noises: Sequence[Any]) -> None:
        self._noises = list(noises)

    def at(self, clock: int) -> Array:
        """(K, B) demand of a period, units."""
        return np.concatenate([noise.at(clock) for noise in self._noises], axis=1)

    def chance(self, clock: int) -> Array:
        """(C, B) chance numbers of a period."""
        return np.concatenate([noise.chance(clock) for noise in self._noises], axis=1)

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, B) uniform numbers on [0, 1) of an agent and period."""
        return np.concatenate([noise.uniform(agent, clock, size) for noise in self._noises], axis=1)
