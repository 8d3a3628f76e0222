"""Laws of demand: what exact solvers compute with, so that they never sample.

`Distribution` is a law on finitely many values, such as whole numbers; `RealDistribution` is a law of real numbers
whose draws are moved into bounds. Both answer the same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, signal

from marl_supply.demand.process import Array
from marl_supply.errors import InputError

NEGLIGIBLE = 2.0**-53
"""Probability below which a tail is cut: what a double-precision uniform cannot hit."""
TIE = 1e-12
"""Slack of `quantile`: a distribution function that is this close below a probability reaches it."""
LARGEST_LATTICE = 10_000_000
CELLS_PER_DEVIATION = 2000


@dataclass(frozen=True, eq=False)
class Distribution:
    """A law on finitely many values.

    Parameters
    ----------
    values : (n,) ndarray
        Rising, units.
    probabilities : (n,) ndarray
        Sum to 1.
    """

    values: Array
    probabilities: Array

    @classmethod
    def of(cls, values: ArrayLike, probabilities: ArrayLike) -> Distribution:
        """From values in any order, repeated ones too; tails below 2^-53 are cut and the rest sums to 1."""
        distinct, place = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True)
        mass = np.bincount(place.ravel(), np.asarray(probabilities, dtype=np.float64).ravel()).clip(min=0)
        mass /= mass.sum()
        low = int(np.searchsorted(np.cumsum(mass), NEGLIGIBLE, side="right"))
        high = len(mass) - int(np.searchsorted(np.cumsum(mass[::-1]), NEGLIGIBLE, side="right"))
        kept = mass[low:high]
        return cls(distinct[low:high], kept / kept.sum())

    @classmethod
    def point(cls, value: float) -> Distribution:
        """The law of a number without chance."""
        return cls(np.array([float(value)]), np.ones(1))

    @classmethod
    def of_whole_numbers(cls, cdf: Callable[[Array], Array]) -> Distribution:
        """From the distribution function of a law on 0, 1, 2, ..."""
        top = 16.0
        while cdf(np.array([top]))[0] < 1 - NEGLIGIBLE:
            top *= 2
        values: Array = np.arange(top + 1)
        return cls.of(values, np.diff(cdf(values), prepend=0.0))

    @classmethod
    def of_cells(cls, cdf: Callable[[Array], Array], bounds: tuple[float, float], width: float = 1.0) -> Distribution:
        """The multiples of `width` that real draws round to, after they were moved into the bounds.

        `bounds` are finite; their rounded values hold the mass beyond them.
        """
        first, last = (float(np.rint(bound / width)) for bound in bounds)
        cells: Array = np.arange(first, last + 1)
        return cls.of(cells * width, np.diff(cdf((cells[:-1] + 0.5) * width), prepend=0.0, append=1.0))

    @cached_property
    def _cumulative(self) -> Array:
        return np.minimum(np.cumsum(self.probabilities), 1.0)

    @property
    def mean(self) -> float:
        """Units."""
        return float(self.probabilities @ self.values)

    @property
    def variance(self) -> float:
        """Units squared."""
        return float(self.probabilities @ (self.values - self.mean) ** 2)

    def cdf(self, value: ArrayLike) -> Array:
        """P(demand <= value), element by element."""
        number = np.searchsorted(self.values, np.asarray(value, dtype=np.float64), side="right")
        return np.where(number == 0, 0.0, self._cumulative[number - 1])

    def quantile(self, probability: ArrayLike) -> Array:
        """The smallest value whose distribution function reaches a probability, element by element.

        At b / (b + h) it is the newsvendor's level. A distribution function 1e-12 below counts as reaching it, so
        that ties do not hang on rounding.
        """
        number = np.searchsorted(self._cumulative, np.asarray(probability, dtype=np.float64) - TIE)
        return self.values[np.minimum(number, len(self.values) - 1)]

    def shortage(self, level: ArrayLike) -> Array:
        """E max(demand - level, 0), units, element by element."""
        above = self.values - np.asarray(level, dtype=np.float64)[..., None]
        return np.asarray(np.maximum(above, 0.0) @ self.probabilities, dtype=np.float64)

    def plus(self, other: Distribution) -> Distribution:
        """The law of the sum with an independent number."""
        lattices = _common_lattice(self, other)
        if lattices is None:
            if len(self.values) * len(other.values) > LARGEST_LATTICE:
                sizes = f"{len(self.values):,} and {len(other.values):,} values"
                raise InputError(
                    f"demand: a sum of {sizes} without a common step is too large; round all to multiples of one."
                )
            sums = np.add.outer(self.values, other.values)
            return Distribution.of(sums, np.outer(self.probabilities, other.probabilities))
        width, own, others = lattices
        size = len(own) * len(others)
        mass = np.convolve(own, others) if size < 1_000_000 else signal.fftconvolve(own, others)
        first = self.values[0] + other.values[0]
        return Distribution.of(first + width * np.arange(len(mass)), mass)

    def over(self, periods: int) -> Distribution:
        """The law of the sum of `periods` independent periods, 0 for none."""
        return _power(self, periods)


def _common_lattice(first: Distribution, second: Distribution) -> tuple[float, Array, Array] | None:
    """A width of which all distances are multiples, and both laws' probabilities on it; None where there is none."""
    distances = np.concatenate([np.diff(first.values), np.diff(second.values)])
    width = float(distances.min(initial=np.inf))
    if not np.isfinite(width):
        return 1.0, first.probabilities, second.probabilities
    longest = max(float(law.values[-1] - law.values[0]) for law in (first, second))
    width = longest / np.rint(longest / width)  # a single distance has lost digits where the values are large
    dense: list[Array] = []
    for law in (first, second):
        places = (law.values - law.values[0]) / width
        if places[-1] > LARGEST_LATTICE or np.abs(places - np.rint(places)).max() > 1e-6:
            return None
        mass = np.zeros(int(np.rint(places[-1])) + 1)
        mass[np.rint(places).astype(np.int64)] = law.probabilities
        dense.append(mass)
    return width, dense[0], dense[1]


def _power(law: Distribution, periods: int) -> Distribution:
    """A law's convolution with itself, by doubling."""
    if periods < 0:
        raise InputError(f"periods: {periods} is negative; ask for the demand of 0 periods or more")
    total, doubled = Distribution.point(0.0), law
    while periods:
        if periods % 2:
            total = total.plus(doubled)
        periods //= 2
        if periods:
            doubled = doubled.plus(doubled)
    return total


@dataclass(frozen=True, eq=False)
class RealDistribution:
    """A law of real numbers whose draws are moved into bounds, which hold what lies beyond them.

    Parameters
    ----------
    law : frozen scipy.stats distribution
        Of the draws before they are moved.
    low, high : float
        The bounds, units.
    total : callable or None
        Gives the frozen law of the sum of so many unmoved draws, where it has a name.
    """

    law: Any
    low: float = 0.0
    high: float = np.inf
    total: Callable[[int], Any] | None = None

    @cached_property
    def _reach(self) -> tuple[float, float]:
        """Within the bounds, the interval that holds practically all draws."""
        low, high = float(self.law.ppf(1e-18)), float(self.law.isf(1e-18))
        return float(np.clip(low, self.low, self.high)), float(np.clip(high, self.low, self.high))

    def _integral(self, function: Callable[[float], float], low: float, high: float) -> float:
        if high <= low:
            return 0.0
        inside = [float(self.law.ppf(p)) for p in (1e-9, 0.001, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9)]
        cuts = [low, *(cut for cut in inside if low < cut < high), high]
        parts = zip(cuts[:-1], cuts[1:], strict=True)
        return float(sum(integrate.quad(function, *part, epsabs=1e-13, epsrel=1e-12)[0] for part in parts))

    @cached_property
    def mean(self) -> float:
        """Units: what is sure, and the integral of the survival function above it."""
        low, high = self._reach
        return low + self._integral(self.law.sf, low, high)

    @cached_property
    def variance(self) -> float:
        """Units squared."""
        low, high = self._reach
        centre = self.mean
        rest = self._integral(lambda x: 2 * (x - centre) * float(self.law.sf(x)), low, high)
        return max((low - centre) ** 2 + rest, 0.0)

    def cdf(self, value: ArrayLike) -> Array:
        """P(demand <= value), element by element."""
        value = np.asarray(value, dtype=np.float64)
        return np.where(value < self.low, 0.0, np.where(value >= self.high, 1.0, self.law.cdf(value)))

    def quantile(self, probability: ArrayLike) -> Array:
        """The smallest value whose distribution function reaches a probability, element by element."""
        return np.clip(np.asarray(self.law.ppf(probability), dtype=np.float64), self.low, self.high)

    def shortage(self, level: ArrayLike) -> Array:
        """E max(demand - level, 0), units, element by element."""
        low, high = self._reach
        levels = np.asarray(level, dtype=np.float64)
        found = [
            self.mean - one if one <= low else self._integral(self.law.sf, one, high) for one in levels.ravel().tolist()
        ]
        return np.array(found).reshape(levels.shape)

    def cells(self, width: float) -> Distribution:
        """The law rounded to multiples of `width`, units."""
        return Distribution.of_cells(self.law.cdf, self._reach, width)

    def over(self, periods: int) -> Distribution | RealDistribution:
        """The law of the sum of `periods` independent periods.

        Where moving the draws changes their mean by less than a millionth of their deviation, it is the law of
        the sum of unmoved draws; elsewhere a law on cells of 1/2000 of the deviation, whose expectations of smooth
        functions are wrong by about a millionth.
        """
        if periods < 1:
            return _power(Distribution.point(0.0), periods)
        if periods == 1:
            return self
        deviation = float(self.law.std())
        if self.total is not None and abs(self.mean - float(self.law.mean())) < 1e-6 * deviation:
            total = self.total
            return RealDistribution(
                total(periods), periods * self.low, periods * self.high, lambda more: total(periods * more)
            )
        return self.cells(deviation / CELLS_PER_DEVIATION).over(periods)


Law: TypeAlias = "Distribution | RealDistribution"
