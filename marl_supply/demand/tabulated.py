"""Fast draws from a law on whole numbers, by its inverse distribution function.

A guide table (Chen and Asau 1974, "On generating random variates from an empirical distribution", AIIE
Transactions 6:163-166) answers most uniforms with one look-up; the few whose cell a step of the distribution
function crosses are searched. One uniform makes one demand, so demand is monotone in the noise and in the
law's parameters.
"""

from functools import lru_cache
from typing import Protocol

import numpy as np

from marl_supply.demand.process import BLOCK, Array, GeneratorOf

CELLS = 4096


class IntegerLaw(Protocol):
    """A hashable law on 0, 1, 2, ... that knows its distribution function."""

    @property
    def mean(self) -> float: ...

    @property
    def variance(self) -> float | None: ...

    def cdf(self, value: Array) -> Array: ...

    def __hash__(self) -> int: ...


class GuideTable:
    """Inverts a distribution function on whole numbers; the uniforms it takes lie in [0, 1).

    Parameters
    ----------
    cumulative : ndarray
        P(demand <= 0), P(demand <= 1), ..., non-decreasing; the last one counts as 1.
    """

    def __init__(self, cumulative: Array) -> None:
        self.steps = cumulative[:-1]
        edges = np.searchsorted(self.steps, np.arange(CELLS + 1) / CELLS, side="right")
        crossed = edges[:-1] != edges[1:]
        self.table = np.where(crossed, -1.0, edges[:-1])

    def invert(self, uniform: Array) -> Array:
        """The smallest whole number whose distribution function exceeds `uniform`, element by element."""
        value: Array = self.table.take((uniform * CELLS).astype(np.int32))
        crossed = np.flatnonzero(value < 0)
        value.flat[crossed] = np.searchsorted(self.steps, uniform.flat[crossed], side="right")
        return value


@lru_cache(maxsize=1024)
def guide_table(law: IntegerLaw) -> GuideTable:
    """The table of a law, up to the value that a double-precision uniform cannot exceed."""
    top = 16.0
    while law.cdf(np.array([top]))[0] < 1 - 2.0**-53:
        top *= 2
    return GuideTable(law.cdf(np.arange(top + 1)))


def draw_independent(law: IntegerLaw, generator: GeneratorOf, replications: int) -> Array:
    """A block of independent demands, shape (64, replications)."""
    return guide_table(law).invert(generator("").random((BLOCK, replications)))
