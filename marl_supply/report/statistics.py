"""Intervals and differences of rows: what varies decides the method.

A trained row varies over training seeds; a rule over replications, and two rules are paired on common ones. On one
realised path days are resampled in blocks; a trained row has its interval over seeds beside that one, and a difference
counts as significant only if no interval holds zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from marl_supply.metrics.intervals import (
    Interval,
    over_periods,
    over_replications,
    over_seeds,
    paired_difference,
    period_difference,
    seed_difference,
)
from marl_supply.report.results import Array, Row


@dataclass(frozen=True)
class Estimate:
    """A mean with the intervals that apply to it, the first the one to print.

    Attributes
    ----------
    mean : float
    intervals : tuple of Interval
        Over the realised path, over training seeds, over replications.
    """

    mean: float
    intervals: tuple[Interval, ...]

    @property
    def significant(self) -> bool:
        """Whether every interval leaves zero out; False where there is none."""
        known = [interval for interval in self.intervals if interval.low is not None]
        return bool(known) and all(interval.significant for interval in known)


def estimate(row: Row) -> Estimate:
    """A row's figure with its intervals."""
    intervals = []
    if row.one_path and row.record["block"]:
        intervals.append(over_periods(row.path, row.record["block"]))
    if row.trained:
        intervals.append(over_seeds(row.figures))
    elif not row.one_path:
        intervals.append(over_replications(row.sample))
    return Estimate(float(row.figures.mean()), tuple(intervals))


def difference(row: Row, other: Row) -> Estimate:
    """The figure of a row less that of another, with its intervals."""
    intervals = []
    if row.one_path and row.record["block"]:
        intervals.append(period_difference(row.path, other.path, row.record["block"]))
    if row.trained and other.trained:
        intervals.append(seed_difference(row.figures, other.figures))
    elif row.trained:
        intervals.append(over_seeds(row.figures - other.figures[0]))
    elif other.trained:
        intervals.append(over_seeds(row.figures[0] - other.figures))
    elif not row.one_path:
        intervals.append(paired_difference(row.sample, other.sample))
    return Estimate(float(row.figures.mean() - other.figures.mean()), tuple(intervals))


def above(row: Row, known: float) -> Estimate:
    """The figure of a row less a known number, with its intervals."""
    found = estimate(row)
    return Estimate(found.mean - known, tuple(_shifted(interval, known) for interval in found.intervals))


def times(found: Estimate, factor: float) -> Estimate:
    """An estimate in other units, `factor` above 0 of them for each of its own."""
    return Estimate(found.mean * factor, tuple(_scaled(interval, factor) for interval in found.intervals))


def share_below(row: Row, other: Row) -> float | None:
    """The share of common replications in which a row costs less than another; None on one realised path.

    Seeds of trained rows are pooled: each seed of the one meets each of the other in every replication.
    """
    if row.one_path:
        return None
    return float((row.by_seed[:, None] < other.by_seed[None]).mean())


def ratio(row: Row, other: Row | float, constant: float = 0.0) -> Estimate | None:
    """A row's figure over another's (or over a known number), less a constant in both; None unless all are positive.

    The interval of trained rows is that of the difference of logarithms over training seeds; of two rules that of the
    ratio of means over common replications, by linearisation (Cochran 1977, section 2.11).
    """
    lower = np.array([other]) if isinstance(other, float) else other.figures
    trained_below = not isinstance(other, float) and other.trained
    if not (isinstance(other, float) or row.trained or trained_below or row.one_path):
        return _ratio_of_rules(row.sample - constant, other.sample - constant)
    return _ratio(row.figures - constant, lower - constant, row.trained, trained_below)


def _ratio_of_rules(upper: Array, lower: Array) -> Estimate | None:
    """The ratio of the means of (R,) figures with its interval over replications."""
    if upper.mean() <= 0 or lower.mean() <= 0:
        return None
    mean = float(upper.mean() / lower.mean())
    spread = over_replications(mean + (upper - mean * lower) / lower.mean())
    return Estimate(mean, (spread,))


def training_ratio(row: Row, other: Row) -> Estimate | None:
    """The same on the demand that both were tuned or trained on; None where that is not told."""
    if row.training_figures is None or other.training_figures is None:
        return None
    return _ratio(row.training_figures, other.training_figures, row.trained, other.trained)


def _ratio(upper: Array, lower: Array, trained: bool, trained_below: bool) -> Estimate | None:
    """The ratio of the means of (S,) figures with its interval over training seeds."""
    if (upper <= 0).any() or (lower <= 0).any():
        return None
    if trained and trained_below:
        logs = seed_difference(np.log(upper), np.log(lower))
    elif trained:
        logs = over_seeds(np.log(upper) - np.log(lower[0]))
    elif trained_below:
        logs = over_seeds(np.log(upper[0]) - np.log(lower))
    else:
        return Estimate(float(upper.mean() / lower.mean()), ())
    return Estimate(float(upper.mean() / lower.mean()), (_raised(logs),))


def _shifted(interval: Interval, known: float) -> Interval:
    low, high = (None if end is None else end - known for end in (interval.low, interval.high))
    return replace(interval, mean=interval.mean - known, low=low, high=high)


def _scaled(interval: Interval, factor: float) -> Interval:
    low, high, error = (
        None if known is None else known * factor for known in (interval.low, interval.high, interval.standard_error)
    )
    return replace(interval, mean=interval.mean * factor, low=low, high=high, standard_error=error)


def _raised(logs: Interval) -> Interval:
    """The interval of a ratio from that of its logarithm."""
    low, high = (None if end is None else float(np.exp(end)) for end in (logs.low, logs.high))
    return Interval(float(np.exp(logs.mean)), low, high, None, logs.count, f"{logs.method}, of logarithms")
