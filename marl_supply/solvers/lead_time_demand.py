"""The demand of a lead time as a table: its distribution function and expected shortage, ready for many levels at once.

A law on whole numbers is tabulated exactly. A law of real numbers is tabulated on some ten thousand points between
which its distribution function is taken as straight: it is wrong by less than a millionth, and draws that were moved to
a bound stay there as a lump of probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marl_supply.demand.distribution import CELLS_PER_DEVIATION, TIE, Distribution, Law, RealDistribution
from marl_supply.errors import InputError

FloatArray = NDArray[np.float64]
POINTS = 20_000
"""Of an even grid over a law of real numbers."""
NODES = 6_000
"""Of expectations over a law of real numbers."""


@dataclass(frozen=True, eq=False)
class LeadTimeDemand:
    """The law of the demand of some periods.

    Attributes
    ----------
    points : (n,) ndarray
        Rising, units; no demand lies outside them.
    cumulative : (n,) ndarray
        P(demand <= point).
    nodes, weights : (m,) ndarray
        Demands, units, and their probabilities: what expectations are summed over.
    whole : bool
        Whether the points are all that demand can be; otherwise `cumulative` is straight between them.
    shortages : (n,) ndarray
        E max(0, demand - point), units.
    """

    points: FloatArray
    cumulative: FloatArray
    nodes: FloatArray
    weights: FloatArray
    whole: bool
    shortages: FloatArray

    @property
    def lowest(self) -> float:
        """The least demand, units."""
        return float(self.points[0])

    @property
    def highest(self) -> float:
        """The largest demand, units, up to what is practically impossible."""
        return float(self.points[-1])

    @property
    def mean(self) -> float:
        """Units."""
        return self.lowest + float(self.shortages[0])

    def cdf(self, level: ArrayLike) -> FloatArray:
        """P(demand <= level), element by element."""
        levels = np.asarray(level, dtype=np.float64)
        if not self.whole:
            return np.asarray(np.interp(levels, self.points, self.cumulative, left=0.0))
        number = np.searchsorted(self.points, levels + TIE, side="right")
        return np.where(number == 0, 0.0, self.cumulative[number - 1])

    def shortage(self, level: ArrayLike) -> FloatArray:
        """E max(0, demand - level), units, element by element."""
        levels = np.asarray(level, dtype=np.float64)
        beyond = np.maximum(self.lowest - levels, 0.0)
        return np.asarray(np.interp(levels, self.points, self.shortages) + beyond)

    def quantile(self, probability: float) -> float:
        """The smallest level whose distribution function reaches a probability, units."""
        if self.whole:
            number = int(np.searchsorted(self.cumulative, probability - TIE))
            return float(self.points[min(number, len(self.points) - 1)])
        return float(np.interp(probability, self.cumulative, self.points))


def lead_time_demand(demand: Law, periods: int) -> LeadTimeDemand:
    """Tabulate the demand of independent periods.

    Parameters
    ----------
    demand
        The law of one period.
    periods : int
        How many; for 0 the demand is 0.

    Raises
    ------
    InputError
        Where a law on finitely many values is not one on whole numbers.
    """
    if periods == 0:
        return _of_values(Distribution.point(0.0))
    if isinstance(demand, Distribution):
        if not np.array_equal(demand.values, np.rint(demand.values)):
            raise InputError("demand: its law is on fractions of a unit; use whole units or a law of real numbers.")
        return _of_values(demand.over(periods))
    total = demand.over(periods)
    return _of_real_law(total) if isinstance(total, RealDistribution) else _of_moved_draws(demand, periods)


def _of_values(law: Distribution) -> LeadTimeDemand:
    """The table of a law on whole numbers, which needs no approximation."""
    cumulative = np.minimum(np.cumsum(law.probabilities), 1.0)
    shortages = _from_above(np.diff(law.values) * (1 - cumulative[:-1]))
    return LeadTimeDemand(law.values, cumulative, law.values, law.probabilities, True, shortages)


def _of_real_law(law: RealDistribution) -> LeadTimeDemand:
    """The table of a law with a distribution function: an even grid, and points of equal probability between."""
    low, high = float(max(law.low, law.law.ppf(1e-18))), float(min(law.high, law.law.isf(1e-18)))
    even, likely = np.linspace(low, high, POINTS), law.law.ppf(np.linspace(0, 1, POINTS // 2)[1:-1])
    points = np.unique(np.concatenate([even, [np.nextafter(high, low)], likely.clip(low, high)]))
    return _of_table(points, np.append(law.cdf(points[:-1]), 1.0))


def _of_moved_draws(demand: RealDistribution, periods: int) -> LeadTimeDemand:
    """The table of a sum of draws moved to bounds: a sum of cells from the lower bound on, and a lump at each bound."""
    law = demand.law
    low, high = float(max(demand.low, law.ppf(1e-18))), float(min(demand.high, law.isf(1e-18)))
    steps = max(int(np.ceil(CELLS_PER_DEVIATION * (high - low) / float(law.std()))), POINTS // 2)
    width = (high - low) / steps
    total = Distribution.of_cells(lambda value: law.cdf(value + low), (0.0, high - low), width).over(periods)
    first, last = total.values[0], total.values[-1]
    reaches_low, reaches_high = first < width / 2, last > (periods * steps - 0.5) * width
    at_low = float(demand.cdf(low)) ** periods if reaches_low else 0.0
    at_high = float(1 - law.cdf(np.nextafter(high, low))) ** periods if reaches_high else 0.0
    start, end = (first if reaches_low else first - width / 2), (last if reaches_high else last + width / 2)
    inner, below = total.values[:-1] + width / 2, np.cumsum(total.probabilities)[:-1]
    every = -(-len(inner) // (2 * POINTS))
    points = np.concatenate([[start], inner[::every], [np.nextafter(end, start), end]]) + periods * low
    return _of_table(points, np.concatenate([[at_low], below[::every], [1 - at_high, 1.0]]))


def _of_table(points: FloatArray, cumulative: FloatArray) -> LeadTimeDemand:
    """A law whose distribution function is straight between points."""
    cumulative = np.maximum.accumulate(np.minimum(cumulative, 1.0))
    middles, masses = (points[:-1] + points[1:]) / 2, np.diff(cumulative)
    shortages = _from_above(np.diff(points) * (1 - (cumulative[:-1] + cumulative[1:]) / 2))
    starts = np.arange(0, len(masses), -(-len(masses) // NODES))
    weights = np.add.reduceat(masses, starts)
    moments = np.add.reduceat(masses * middles, starts)
    there = weights > 0
    nodes = np.append(points[0], moments[there] / weights[there])
    return LeadTimeDemand(
        points, cumulative, nodes, np.append(cumulative[0], weights[there]), whole=False, shortages=shortages
    )


def _from_above(pieces: FloatArray) -> FloatArray:
    """The sum of all pieces from each point on."""
    return np.append(np.cumsum(pieces[::-1])[::-1], 0.0)
