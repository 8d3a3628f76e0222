"""The bullwhip ratio: how much more orders vary than the demand they are meant to serve.

Variances are over the periods of a replication, pooled over replications: sums of squared deviations from
each replication's own mean, added up and divided by their degrees of freedom. They are worked out from sums
gathered for each replication, so that batches of any size give the same figure, and levels that differ
between replications do not count as variation over time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from marl_supply.metrics.intervals import Interval, over_replications

Array = NDArray[np.float64]

NEGLIGIBLE = 1e-12
"""A variance below this share of the mean square is rounding error, not variation."""
GROUPS = 20
"""Groups of replications of a jackknife."""


@dataclass(frozen=True)
class PeriodSums:
    """What is kept of a flow over time: sums over the counted periods, shape (rows, replications).

    Attributes
    ----------
    periods : int
        Number of periods added.
    total : ndarray
        Sum over periods, units.
    squares : ndarray
        Sum over periods of the squares, units squared.
    """

    periods: int
    total: Array
    squares: Array

    @classmethod
    def start(cls, rows: int, replications: int) -> PeriodSums:
        """Sums over no period yet."""
        return cls(0, np.zeros((rows, replications)), np.zeros((rows, replications)))

    @classmethod
    def join(cls, batches: Sequence[PeriodSums]) -> PeriodSums:
        """The sums of several batches of replications as one, in the order given."""
        lengths = {batch.periods for batch in batches}
        if len(lengths) != 1:
            raise ValueError(f"batches cover {sorted(lengths)} periods; only batches of one length can be joined")
        return cls(
            lengths.pop(),
            np.concatenate([batch.total for batch in batches], axis=1),
            np.concatenate([batch.squares for batch in batches], axis=1),
        )

    def add(self, flow: Array) -> PeriodSums:
        """The sums with one more period's flow, shape (rows, replications), units."""
        return PeriodSums(self.periods + 1, self.total + flow, self.squares + flow * flow)

    def mean(self) -> Array:
        """Mean over periods and replications of each row, shape (rows,), units per period."""
        count = self.periods * self.total.shape[1]
        return np.array([math.fsum(row) / count if count else math.nan for row in self.total])

    def variance(self) -> Array:
        """Variance over periods, pooled over replications, shape (rows,); NaN below two periods."""
        if self.periods < 2:
            return np.full(len(self.total), math.nan)
        deviations = self.squares - self.total * self.total / self.periods
        freedom = (self.periods - 1) * self.total.shape[1]
        return np.array([max(math.fsum(row), 0.0) / freedom for row in deviations])

    def varies(self) -> NDArray[np.bool_]:
        """Whether each row varies over time by more than rounding error, shape (rows,)."""
        count = max(self.periods * self.total.shape[1], 1)
        mean_square = np.array([math.fsum(row) for row in self.squares]) / count
        varies: NDArray[np.bool_] = self.variance() > NEGLIGIBLE * mean_square
        return varies


def bullwhip_ratio(orders: PeriodSums, demand: PeriodSums) -> list[float | None]:
    """Variance of the orders a node places over that of the market demand downstream of it, for each node.

    Parameters
    ----------
    orders : PeriodSums
        What each node ordered in a period, all its suppliers together; a row for each node, warm-up removed.
    demand : PeriodSums
        The demand of all markets that each node reaches, added up; the same rows, periods and replications.

    Returns
    -------
    list of float or None
        A ratio for each node; None where demand downstream does not vary (Lee, Padmanabhan and Whang 1997).
    """
    if orders.periods != demand.periods or orders.total.shape != demand.total.shape:
        raise ValueError("orders and demand must cover the same nodes, periods and replications")
    varies = demand.varies()
    ratio = np.divide(orders.variance(), demand.variance(), out=np.full(len(varies), math.nan), where=varies)
    return [float(value) if known else None for value, known in zip(ratio, varies, strict=True)]


def bullwhip_intervals(orders: PeriodSums, demand: PeriodSums, groups: int = GROUPS) -> list[Interval | None]:
    """The same ratios with intervals: a jackknife over groups of replications (Miller 1974), None likewise.

    Raises
    ------
    ValueError
        If there are fewer replications than groups.
    """
    replications = orders.total.shape[1]
    if replications < groups:
        raise ValueError(f"{replications} replications in {groups} groups; play at least one for each group")
    group = np.arange(replications) * groups // replications
    whole = bullwhip_ratio(orders, demand)
    left_out = [
        bullwhip_ratio(_without(orders, group == number), _without(demand, group == number)) for number in range(groups)
    ]
    return [_jackknife(ratio, [part[row] for part in left_out]) for row, ratio in enumerate(whole)]


def _without(sums: PeriodSums, out: NDArray[np.bool_]) -> PeriodSums:
    return PeriodSums(sums.periods, sums.total[:, ~out], sums.squares[:, ~out])


def _jackknife(ratio: float | None, left_out: Sequence[float | None]) -> Interval | None:
    known = [value for value in left_out if value is not None]
    if ratio is None or len(known) < len(left_out):
        return None
    count = len(known)
    found = over_replications([count * ratio - (count - 1) * value for value in known])
    return replace(found, method=f"jackknife over {count} groups of replications")
