"""Making a real-valued law into demand: draws are moved into bounds and rounded, and the moments follow."""

from collections.abc import Callable

import numpy as np
from pydantic import StrictFloat
from scipy import special

from marl_supply.demand.process import Array

Bounds = StrictFloat | tuple[StrictFloat, StrictFloat]
"""The field `clip`: a lower bound, or a lower and an upper one."""

ROUND_DESCRIPTION = "round every draw to whole units, half to even (needed where units are integer)"
CLIP_DESCRIPTION = (
    "least demand, or [least, largest]: draws outside are moved to the bound (units per period)"
)


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
