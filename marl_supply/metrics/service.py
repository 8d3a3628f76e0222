"""How well the market was served.

Both measures are ratios of totals, so they take totals for each replication, gathered over the counted
periods, and add them up exactly: batches of any size give the same figure.
"""

import math

import numpy as np
from numpy.typing import ArrayLike


def fill_rate(served: ArrayLike, demanded: ArrayLike) -> float | None:
    """The share of market demand that is served in the period it occurs; None when there was no demand.

    Parameters
    ----------
    served : array_like
        Demand served in its own period, units: a total for each replication (and market), warm-up removed.
    demanded : array_like
        Demand, units, gathered in the same way.
    """
    return _ratio(served, demanded)


def cycle_service_level(without_shortage: ArrayLike, periods: ArrayLike) -> float | None:
    """The share of periods that end without unmet demand; None when no period was counted.

    Parameters
    ----------
    without_shortage : array_like
        Number of periods in which all demand was served: a count for each replication (and market).
    periods : array_like
        Number of counted periods, gathered in the same way; one number stands for every replication.
    """
    return _ratio(without_shortage, np.broadcast_to(periods, np.shape(without_shortage)))


def _ratio(part: ArrayLike, whole: ArrayLike) -> float | None:
    if np.shape(part) != np.shape(whole):
        raise ValueError(f"totals of shape {np.shape(part)} against {np.shape(whole)}; gather both in the same way")
    total = math.fsum(np.ravel(whole))
    return math.fsum(np.ravel(part)) / total if total else None
