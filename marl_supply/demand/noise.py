"""Noise keyed by what it is for, and the feed that turns it into demand.

The key of a block is (seed, stream, crc32 of a name, replication // 64, period // 64, crc32 of a label), so
numbers do not depend on the batch size, on the number of workers, on the policies compared or on which other
markets exist.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from marl_supply.demand.copula import Group, GroupNoise, factor, matrix
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.errors import InputError


class _HashedKey(ISeedSequence):
    """A seed sequence that is a hash of a key: six times faster to make than numpy's own."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        size = n_words * np.dtype(dtype).itemsize
        return np.frombuffer(hashlib.shake_128(self.key).digest(size), dtype=dtype)


class Noise:
    """Random generators of one seed, one for each key.

    Parameters
    ----------
    seed : int
        Any whole number that is not negative.
    """

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise InputError(f"seed: {seed} is negative; give a whole number that is 0 or more")
        self.seed = int(seed)

    def generator(
        self, stream: str, name: str, replication_block: int, period_block: int, label: str = ""
    ) -> np.random.Generator:
        """A fresh generator; equal arguments give equal numbers, any difference gives independent ones.

        Parameters
        ----------
        stream : str
            What the noise is for: "demand", "policy", ...
        name : str
            The name of the row or market it belongs to.
        replication_block, period_block : int
            Index of the replication and of the period, each divided by 64 and rounded down.
        label : str
            Tells several generators of one block apart.
        """
        words = (
            crc32(stream.encode()),
            crc32(name.encode()),
            replication_block,
            period_block,
            crc32(label.encode()),
        )
        key = f"{self.seed:x}:".encode() + struct.pack("<5q", *words)
        return np.random.Generator(np.random.SFC64(_HashedKey(key)))  # type: ignore[arg-type]


class DemandFeed:
    """The demand of some markets over a slice of the replications of a seed, a period at a time.

    Replication r of a seed meets the same demand whatever slice it is asked in. Periods are asked in order.

    Parameters
    ----------
    markets : mapping of str to DemandProcess
        The markets, in the order of the rows that `at` returns.
    seed : int
        Seed of the noise.
    replications : int
        Number of replications (B).
    first_replication : int
        The slice is `first_replication` to `first_replication + replications - 1`.
    streams : mapping of str to str
        The stream of each market that shares its noise with others; the others have a stream of their own name.
    correlation : sequence of Group
        Groups of markets with correlated demand (see `copula`).
    """

    def __init__(
        self,
        markets: Mapping[str, DemandProcess],
        seed: int,
        replications: int,
        first_replication: int = 0,
        *,
        streams: Mapping[str, str] | None = None,
        correlation: Sequence[Group] = (),
    ) -> None:
        if replications < 1:
            raise InputError(f"replications: {replications} is too few; ask for at least 1")
        if first_replication < 0:
            raise InputError(f"first_replication: {first_replication} is negative; the first one is 0")
        self.markets = dict(markets)
        self.replications = replications
        self.first_replication = first_replication
        self.horizon = min((p.periods for p in self.markets.values() if p.periods is not None), default=None)
        self._noise = Noise(seed)
        self._streams = dict(streams or {})
        self._groups = [(tuple(group.markets), factor(matrix(group))) for group in correlation]
        self._member = {name: (g, m) for g, (names, _) in enumerate(self._groups) for m, name in enumerate(names)}
        self._carries: dict[tuple[str, int], Any] = {}
        self._block = -1
        self._buffer = np.empty((0, 0, 0))

    def at(self, period: int) -> Array:
        """Demand of one period, shape (markets, replications), units; a view that must not be written to.

        Raises
        ------
        InputError
            When a market's recorded series has ended.
        ValueError
            When the period lies in a block that was already dropped.
        """
        block = period // BLOCK
        if block != self._block:
            self._advance(period, block)
        if self.horizon is not None and period >= self.horizon:
            raise InputError(self._ended(period))
        demand: Array = self._buffer[period - block * BLOCK]
        return demand

    def _advance(self, period: int, block: int) -> None:
        if block < self._block:
            raise ValueError(f"period {period} was asked after period {self._block * BLOCK}; demand is fed in order")
        while self._block < block:
            self._block += 1
            self._buffer = np.empty((0, 0, 0))  # frees the old one before the new one is made
            self._buffer = self._draw(self._block)

    def _draw(self, block: int) -> Array:
        buffer = np.empty((BLOCK, len(self.markets), self.replications))
        first, end = self.first_replication, self.first_replication + self.replications
        for replication_block in range(first // BLOCK, (end - 1) // BLOCK + 1):
            start = replication_block * BLOCK
            low, high = max(first, start), min(end, start + BLOCK)
            groups = self._group_noise(replication_block, block)
            for row, (name, process) in enumerate(self.markets.items()):
                key = (name, replication_block)
                generator = self._generator_of(name, replication_block, block)
                if name in self._member:
                    group, member = self._member[name]
                    generator = groups[group].generators(member, process)
                demand, self._carries[key] = process.draw(generator, BLOCK, block, self._carries.get(key))
                buffer[:, row, low - first : high - first] = demand[:, low - start : high - start]
        buffer.flags.writeable = False
        return buffer

    def _generator_of(self, name: str, replication_block: int, block: int) -> GeneratorOf:
        return partial(self._noise.generator, "demand", self._streams.get(name, name), replication_block, block)

    def _group_noise(self, replication_block: int, block: int) -> list[GroupNoise]:
        return [
            GroupNoise([self._generator_of(name, replication_block, block) for name in names], lower)
            for names, lower in self._groups
        ]

    def _ended(self, period: int) -> str:
        name = next(name for name, process in self.markets.items() if process.periods == self.horizon)
        return (
            f"markets.{name}: its series has {self.horizon} values and period {period} was asked; "
            f"set game.horizon to {self.horizon} at most, or use mode: windows or bootstrap"
        )
