"""Making a real-valued law into demand: draws are moved into bounds and rounded, and the moments follow."""

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import Field, StrictFloat, field_validator
from scipy import special

from marl_supply.demand.distribution import Distribution, Law, RealDistribution
from marl_supply.demand.process import Array, DemandProcess

Bounds = StrictFloat | tuple[StrictFloat, StrictFloat]
"""The field `clip`: a lower bound, or a lower and an upper one."""

ROUND_DESCRIPTION = "round every draw to whole units, half to even (needed where units are integer)"


def bounds(clip: Bounds) -> tuple[float, float]:
    """The lower and the upper bound of demand; an error if they are negative or out of order."""
    low, high = clip if isinstance(clip, tuple) else (clip, np.inf)
    if low < 0:
        raise ValueError(f"clip: the least demand is {low}; demand cannot be negative, so give 0 or more")
    if high < low:
        raise ValueError(f"clip: the largest demand {high} is below the least, {low}; exchange them")
    return float(low), float(high)


def shape_demand(draws: Array, clip: Bounds, rounded: bool) -> Array:
    """Clip, then round if asked; works in place on `draws` and returns it."""
    np.clip(draws, *bounds(clip), out=draws)
    return np.rint(draws, out=draws) if rounded else draws


def normal_cdf(mean: float, sd: float) -> Callable[[Array], Array]:
    """The distribution function of a normal law."""
    return lambda value: special.ndtr((value - mean) / sd)


def clipped_moments(
    cdf: Callable[[Array], Array], reach: tuple[float, float], clip: Bounds, rounded: bool
) -> tuple[float, float]:
    """Mean and variance of a law after clipping and rounding.

    Parameters
    ----------
    cdf : callable
        Distribution function of the draws before clipping.
    reach : tuple of float
        An interval that holds practically all of the law's mass.
    clip, rounded
        As in `shape_demand`.

    Returns
    -------
    tuple of float
        Mean and variance, by summation over cells: whole numbers if rounded, else 20,000 cells.
    """
    low, high = reach
    width = 1.0 if rounded else (high - low) / 20_000
    first = np.floor(low) if rounded else low + width / 2
    centres: Array = np.arange(first, high + width, width)
    mass = np.diff(cdf(np.append(centres - width / 2, centres[-1] + width / 2)))
    demand = shape_demand(centres, clip, rounded)
    mean = float(mass @ demand / mass.sum())
    return mean, float(mass @ (demand - mean) ** 2 / mass.sum())


def shaped_law(law: Any, clip: Bounds, rounded: bool, total: Callable[[int], Any] | None = None) -> Law:
    """The law of demand that `shape_demand` makes from draws of a frozen scipy law.

    `total` gives the frozen law of the sum of so many draws, where it has a name.
    """
    low, high = bounds(clip)
    if not rounded:
        return RealDistribution(law, low, high, total)
    return Distribution.of_cells(law.cdf, (low, float(np.clip(law.isf(1e-18), low, high))))


def normal_law(mean: float, sd: float, clip: Bounds, rounded: bool) -> Law:
    """The law of normal draws that were clipped, and rounded if asked."""
    from scipy import stats

    return shaped_law(stats.norm(mean, sd), clip, rounded, lambda n: stats.norm(n * mean, n**0.5 * sd))


def clipped_normal_mean(mean: Array, sd: Array, clip: Bounds) -> Array:
    """The mean of normal draws that are moved into bounds, element by element."""
    low, high = bounds(clip)

    def excess(score: Array) -> Array:
        """E max(0, Z + score) for a standard normal Z."""
        density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
        mean: Array = score * special.ndtr(score) + density
        return mean

    above = excess((mean - high) / sd) if np.isfinite(high) else 0.0
    moved: Array = low + sd * (excess((mean - low) / sd) - above)
    return moved


class RealValued(DemandProcess):
    """A law of real numbers that is made into demand by rounding; its moments are those of the demand."""

    round: bool = Field(True, description=ROUND_DESCRIPTION)

    @abstractmethod
    def moments(self) -> tuple[float, float]:
        """Mean and variance of demand, units per period and units squared."""

    @cached_property
    def _moments(self) -> tuple[float, float]:
        return self.moments()

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def variance(self) -> float:
        return self._moments[1]

    @property
    def integer(self) -> bool:
        return self.round


class ClippedNormal(RealValued):
    """A law whose draws are normal in the long run, and are moved into bounds and then rounded."""

    centre: float = Field(alias="mean", description="mean of the draws before clipping and rounding (units per period)")
    sd: float = Field(gt=0, le=1e5, description="standard deviation of the draws before clipping and rounding (units)")
    clip: Bounds = Field(
        0.0, description="least demand, or [least, largest]: draws outside are moved to the bound (units per period)"
    )

    @field_validator("clip")
    @classmethod
    def _bounded(cls, clip: Bounds) -> Bounds:
        bounds(clip)
        return clip

    @property
    def long_run_sd(self) -> float:
        """Long-run standard deviation of the draws, in units."""
        return self.sd

    def moments(self) -> tuple[float, float]:
        """Mean and variance of demand, by summation over the normal law."""
        sd = self.long_run_sd
        return clipped_moments(
            normal_cdf(self.centre, sd), (self.centre - 9 * sd, self.centre + 9 * sd), self.clip, self.round
        )
