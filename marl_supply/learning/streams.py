"""The randomness of a training batch: K copies, each with its own seed, of B chains that start anew group by group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.chances import ChanceFeed
from marl_supply.demand.noise import DemandFeed
from marl_supply.game.game import Game
from marl_supply.topology.chances import Chance

Array = NDArray[np.float64]

GROUP = 16
"""Chains that start anew together."""
TRAINING = 1 << 40
"""Added to the seeds of training, so that no evaluation meets a training stream."""
HELD_OUT = 2 << 40
"""Added to the seeds of the evaluations during training."""


class Streams:
    """Demand and action noise of a batch; columns are copy by copy, replications within.

    The numbers of a copy depend on its seed and the replication alone: they are those of a run of that seed alone, and
    of any other division of the replications among workers.

    Parameters
    ----------
    game
        Whose markets and chances they are.
    seeds : (K,) int
        One for each copy.
    replications : int
        B, of each copy.
    first_replication, total : int
        Which B of how many replications these are.
    """

    def __init__(
        self,
        game: Game,
        seeds: Sequence[int],
        replications: int,
        first_replication: int = 0,
        total: int | None = None,
    ) -> None:
        self.game = game
        self.seeds = tuple(seeds)
        self.replications = replications
        self.first = first_replication
        self.total = replications if total is None else total
        first_group, end = self.first // GROUP, -(-(self.first + replications) // GROUP)
        bounds = [max(g * GROUP - self.first, 0) for g in range(first_group, end)] + [replications]
        self.groups = tuple(slice(low, high) for low, high in zip(bounds, bounds[1:], strict=False))
        self.group_numbers = tuple(range(first_group, end))
        self.begun = [0] * len(self.groups)
        self.episode = [0] * len(self.groups)
        self._whole: list[_Feed] | None = [self._feed(seed, 0, slice(0, replications)) for seed in self.seeds]
        self._feeds: list[list[_Feed]] = []
        self._uniforms: dict[tuple[str, int], list[ChanceFeed]] = {}

    def _feed(self, seed: int, episode: int, columns: slice) -> _Feed:
        return _Feed(self.game, seed, columns.stop - columns.start, episode * self.total + self.first + columns.start)

    def at(self, clock: int) -> Array:
        """(markets, K B) demand of a period, units."""
        return self._joined(clock, lambda feed, period: feed.demand(period))

    def chance(self, clock: int) -> Array:
        """(C, K B) chance numbers of a period."""
        return self._joined(clock, lambda feed, period: feed.chances.at(period))

    def _joined(self, clock: int, read: Callable[[_Feed, int], Array]) -> Array:
        """The columns of all copies and groups, each group in the period that it has reached."""
        if self._whole is not None:
            return np.concatenate([read(feed, clock) for feed in self._whole], axis=1)
        parts = []
        for copy in range(len(self.seeds)):
            for group, feeds in enumerate(self._feeds):
                parts.append(read(feeds[copy], clock - self.begun[group]))
        return np.concatenate(parts, axis=1)

    def at_group(self, group: int, clock: int) -> Array:
        """(markets, K b) demand of a period of one group, copy by copy; for groups that have begun anew."""
        return np.concatenate([feed.demand(clock - self.begun[group]) for feed in self._feeds[group]], axis=1)

    def chance_at_group(self, group: int, clock: int) -> Array:
        """(C, K b) chance numbers, likewise."""
        return np.concatenate([feed.chances.at(clock - self.begun[group]) for feed in self._feeds[group]], axis=1)

    def begin(self, group: int, clock: int) -> None:
        """Give the chains of a group new demand, whose first period is now."""
        self._split()
        self.begun[group] = clock
        self.episode[group] += 1
        self._feeds[group] = self._feeds_of(group)

    def _split(self) -> None:
        if self._whole is not None:
            self._feeds = [self._feeds_of(group) for group in range(len(self.groups))]
            self._whole = None

    def _feeds_of(self, group: int) -> list[_Feed]:
        return [self._feed(seed, self.episode[group], self.groups[group]) for seed in self.seeds]

    def columns(self, group: int) -> NDArray[np.int64]:
        """(K b,) the columns of a group, copy by copy."""
        members = np.arange(self.replications)[self.groups[group]]
        return (np.arange(len(self.seeds))[:, None] * self.replications + members).ravel()

    def uniform(self, name: str, clock: int, size: int) -> Array:
        """(size, K B) uniform numbers on [0, 1) of a name and period."""
        feeds = self._uniforms.get((name, size))
        if feeds is None:
            chance = (Chance("policy", name, size),)
            feeds = [ChanceFeed(chance, seed, self.replications, self.first) for seed in self.seeds]
            self._uniforms[name, size] = feeds
        return np.concatenate([feed.at(clock) for feed in feeds], axis=1)

    def get_state(self) -> dict[str, list[int]]:
        """When each group began and how many episodes it had; with the seeds this is all."""
        return {"begun": list(self.begun), "episode": list(self.episode)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.begun, self.episode = [int(x) for x in state["begun"]], [int(x) for x in state["episode"]]
        self._uniforms.clear()
        self._whole, self._feeds = None, [self._feeds_of(group) for group in range(len(self.groups))]


class _Feed:
    """Demand and chance numbers of some replications of a seed."""

    def __init__(self, game: Game, seed: int, replications: int, first: int) -> None:
        network, streams = game.network, game.network.streams
        correlation = game.topology.correlation
        self._demand = DemandFeed(game.processes, seed, replications, first, streams=streams, correlation=correlation)
        self.chances = ChanceFeed(network.chances, seed, replications, first, streams=streams)

    def demand(self, period: int) -> Array:
        """Demand of a period; past the end of a recorded series, where a chain is about to be cut, its last."""
        horizon = self._demand.horizon
        return self._demand.at(period if horizon is None else min(period, horizon - 1))
