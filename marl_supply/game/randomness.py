"""The randomness of a game: market demand, and the numbers that policies may use, both keyed so that batches agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from marl_supply.demand.noise import DemandFeed, Noise
from marl_supply.demand.process import BLOCK, DemandProcess
from marl_supply.simulation.arrays import Array


class Randomness:
    """Noise of replications ``first_replication .. first_replication + replications - 1`` of one seed.

    Parameters
    ----------
    markets
        The demand processes by market.
    last
        The last period that is played. Demand beyond it, which an episode's very last decision point would show where
        demand is visible before ordering, is not drawn: that point repeats the last period's.
    """

    def __init__(
        self,
        markets: Mapping[str, DemandProcess],
        seed: int,
        replications: int,
        first_replication: int,
        last: int,
    ) -> None:
        self._demand = DemandFeed(markets, seed, replications, first_replication)
        self._noise = Noise(seed)
        self._replications = replications
        self._first = first_replication
        self._last = last
        self._blocks: dict[str, tuple[int, int, Array]] = {}

    def at(self, clock: int) -> Array:
        """(K, B) demand of a period, units."""
        return self._demand.at(min(clock, self._last))

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, B) uniform numbers on [0, 1) of an agent and period."""
        block = clock // BLOCK
        held = self._blocks.get(agent)
        if held is None or held[:2] != (block, size):
            held = (block, size, self._draw(agent, block, size))
            self._blocks[agent] = held
        return held[2][clock % BLOCK]

    def _draw(self, agent: str, period_block: int, size: int) -> Any:
        """(64, size, B) the numbers of one block of periods."""
        first, end = self._first, self._first + self._replications
        parts = []
        for block in range(first // BLOCK, (end - 1) // BLOCK + 1):
            drawn = self._noise.generator("policy", agent, block, period_block).random((BLOCK, size, BLOCK))
            parts.append(drawn[:, :, max(first - block * BLOCK, 0) : end - block * BLOCK])
        return np.concatenate(parts, axis=2)
