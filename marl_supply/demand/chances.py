"""Chance numbers of things that have names, keyed like demand and drawn a stretch of periods at a time."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from marl_supply.demand.noise import Noise
from marl_supply.demand.process import BLOCK, Array

LARGEST_BUFFER = 256 * 2**20
"""Bytes of chance numbers kept; where 64 periods of them are more, fewer periods are drawn at a time."""


class ChanceNumbers(Protocol):
    """What chance numbers are for: `stream` says the kind, `name` whose they are, `size` how many a period."""

    @property
    def stream(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


class ChanceFeed:
    """Uniform numbers of a slice of the replications of a seed.

    A number depends on the seed, on its chance's stream and name, on the replication and on the period alone: not
    on the batch, on the other chances, or on when and how often it is asked. Only the stretch of periods asked last
    is kept, 64 of them unless that is too much memory.

    Parameters
    ----------
    chances : sequence of ChanceNumbers
        In the order of the rows that `at` returns.
    seed : int
    replications : int
        Number of replications (B).
    first_replication : int
        The slice is `first_replication` to `first_replication + replications - 1`.
    streams : mapping of str to str
        The stream of each market that shares its noise with others; used for chances of the stream "demand".
    """

    def __init__(
        self,
        chances: Sequence[ChanceNumbers],
        seed: int,
        replications: int,
        first_replication: int = 0,
        *,
        streams: Mapping[str, str] | None = None,
    ) -> None:
        shared = streams or {}
        self._keys = [(c.stream, shared.get(c.name, c.name) if c.stream == "demand" else c.name) for c in chances]
        self._sizes = [chance.size for chance in chances]
        self.size = sum(self._sizes)
        self.replications = replications
        self.first_replication = first_replication
        self._noise = Noise(seed)
        self._periods = self._periods_kept()
        self._generators: list[np.random.Generator] = []
        self._next = -1  # the period that the generators stand at
        self._start = -BLOCK
        self._buffer = np.empty((0, self.size, replications))

    def _periods_kept(self) -> int:
        """The largest power of two of periods, at most 64, whose numbers fit into the buffer."""
        periods = BLOCK
        while periods > 1 and 8 * periods * self.size * self.replications > LARGEST_BUFFER:
            periods //= 2
        return periods

    def at(self, period: int) -> Array:
        """Numbers in [0, 1) of one period, shape (size, replications); a view that must not be written to."""
        number = period - self._start
        if not 0 <= number < self._periods:
            self._fill(period - period % self._periods)
            number = period - self._start
        numbers: Array = self._buffer[number]
        return numbers

    def _fill(self, start: int) -> None:
        """Draw the stretch of periods that begins at `start`."""
        self._buffer = np.empty((0, self.size, self.replications))  # frees the old one before the new is made
        if start % BLOCK == 0 or start != self._next:
            self._generators = self._generators_of(start // BLOCK)
            self._skip(start % BLOCK)
        self._buffer, self._start, self._next = self._drawn(), start, start + self._periods
        if self._next % BLOCK == 0:
            self._generators = []

    def _blocks(self) -> range:
        """The blocks of replications that the slice touches."""
        return range(self.first_replication // BLOCK, (self.first_replication + self.replications - 1) // BLOCK + 1)

    def _generators_of(self, period_block: int) -> list[np.random.Generator]:
        return [
            self._noise.generator(stream, name, block, period_block)
            for stream, name in self._keys
            for block in self._blocks()
        ]

    def _skip(self, periods: int) -> None:
        generators = iter(self._generators)
        for size in self._sizes:
            for _ in self._blocks():
                next(generators).random((periods, size, BLOCK))

    def _drawn(self) -> Array:
        """The next numbers of all generators, shape (periods kept, size, replications)."""
        buffer = np.empty((self._periods, self.size, self.replications))
        generators, row = iter(self._generators), 0
        for size in self._sizes:
            for block in self._blocks():
                numbers = next(generators).random((self._periods, size, BLOCK))
                low = block * BLOCK - self.first_replication
                columns = slice(max(low, 0), low + BLOCK)
                buffer[:, row : row + size, columns] = numbers[:, :, max(-low, 0) : self.replications - low]
            row += size
        buffer.flags.writeable = False
        return buffer
