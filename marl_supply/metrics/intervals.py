"""Means with confidence intervals, for seeds, for replications and for recorded series.

What varies decides the method. A trained row varies over training seeds: `over_seeds`. A rule varies over
replications: `over_replications`, and two rules on common replications differ by `paired_difference`. On a
recorded series there is one realised path, and its days are resampled in blocks: `over_periods`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEVEL = 0.95
BLOCK = 28
"""Days in a block of the bootstrap: four weeks, so that a weekly pattern survives."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean and how far it may be from the truth.

    Attributes
    ----------
    mean : float
        The estimate.
    low, high : float or None
        Ends of the confidence interval; None where there are too few values for one.
    standard_error : float or None
        Of the mean; None where there are too few values.
    count : int
        Number of values: seeds, replications or periods.
    method : str
        What was done, in a few words for the foot of a table.
    """

    mean: float
    low: float | None
    high: float | None
    standard_error: float | None
    count: int
    method: str

    @property
    def significant(self) -> bool:
        """Whether a difference is told from zero: there is an interval, and zero lies outside it."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def over_seeds(values: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean over training seeds, with a t interval of n - 1 degrees of freedom from three seeds on.

    Parameters
    ----------
    values : array_like, shape (seeds,)
        One number for each seed, evaluation noise being negligible.
    level : float
        Probability that the interval holds the mean.
    """
    seeds = _vector(values)
    if len(seeds) <= 2:
        return Interval(float(seeds.mean()), None, None, None, len(seeds), "points: too few seeds for an interval")
    return _student(seeds, level, "t over seeds")


def over_replications(values: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean over independent replications, its standard error and a t interval.

    Parameters
    ----------
    values : array_like, shape (replications,)
        One number for each replication.
    level : float
        Probability that the interval holds the mean.
    """
    return _student(_vector(values), level, "t over replications")


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean of first - second, replication by replication, on common replications.

    Parameters
    ----------
    first, second : array_like, shape (replications,)
        Numbers of two policies that met the same noise, in the same order.
    level : float
        Probability that the interval holds the mean difference.

    Raises
    ------
    ValueError
        If the two are of different length, so not common.
    """
    return _student(_difference(first, second), level, "paired t over common replications")


def seed_difference(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean of first less the mean of second over independent training seeds (Welch 1947).

    Parameters
    ----------
    first, second : array_like, shape (seeds,)
        One number for each seed; the two may have different numbers of seeds. With two seeds or fewer on a
        side there are points and no interval.
    level : float
        Probability that the interval holds the difference.
    """
    left, right = _vector(first), _vector(second)
    mean, count = float(left.mean() - right.mean()), min(len(left), len(right))
    if count <= 2:
        return Interval(mean, None, None, None, count, "points: too few seeds for an interval")
    parts = np.array([left.var(ddof=1) / len(left), right.var(ddof=1) / len(right)])
    error = float(np.sqrt(parts.sum()))
    freedom = parts.sum() ** 2 / (parts**2 / np.array([len(left) - 1, len(right) - 1])).sum() if error else 1.0
    return _around(mean, error, float(freedom), level, count, "Welch t over seeds")


def over_periods(
    series: ArrayLike, block: int = BLOCK, resamples: int = 2000, seed: int = 7, level: float = LEVEL
) -> Interval:
    """The mean of one realised path with a moving-block bootstrap interval (Kunsch 1989).

    Resampled paths are as long as the series and made of blocks of successive periods, every start equally
    likely; their means are centred on the series' own, since a moving-block mean weighs the ends less (Lahiri
    2003, "Resampling Methods for Dependent Data", section 2.5).

    Parameters
    ----------
    series : array_like, shape (periods,)
        A number for each period, in order, such as the cost of a day.
    block : int
        Length of a block, periods.
    resamples : int
        Number of resampled paths.
    seed : int
        Seed of the resampling.
    level : float
        Probability between the ends.

    Raises
    ------
    ValueError
        If the series is shorter than two blocks.
    """
    path = _vector(series)
    if len(path) < 2 * block:
        raise ValueError(f"a series of {len(path)} periods is too short for blocks of {block}; use at most half")
    means = _resampled_means(path, block, resamples, np.random.default_rng(seed))
    mean = float(path.mean())
    low, high = mean + np.quantile(means - means.mean(), [(1 - level) / 2, (1 + level) / 2])
    method = f"moving-block bootstrap of one realised path, blocks of {block}"
    return Interval(mean, float(low), float(high), float(means.std(ddof=1)), len(path), method)


def period_difference(
    first: ArrayLike,
    second: ArrayLike,
    block: int = BLOCK,
    resamples: int = 2000,
    seed: int = 7,
    level: float = LEVEL,
) -> Interval:
    """The mean of first - second, period by period, on one realised path; otherwise as `over_periods`."""
    return over_periods(_difference(first, second), block, resamples, seed, level)


def _resampled_means(path: Array, block: int, resamples: int, generator: np.random.Generator) -> Array:
    whole, rest = divmod(len(path), block)
    running = np.concatenate([[0.0], np.cumsum(path - path.mean())])
    starts = generator.integers(0, len(path) - block + 1, (resamples, whole + 1))
    lengths = np.append(np.full(whole, block), rest)
    totals: Array = (running[starts + lengths] - running[starts]).sum(axis=1)
    return totals / len(path)


def _student(values: Array, level: float, method: str) -> Interval:
    count = len(values)
    if count < 2:
        return Interval(float(values.mean()), None, None, None, count, f"{method}: one value, no interval")
    error = float(values.std(ddof=1) / np.sqrt(count))
    return _around(float(values.mean()), error, count - 1, level, count, method)


def _around(mean: float, error: float, freedom: float, level: float, count: int, method: str) -> Interval:
    reach = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    return Interval(mean, mean - reach, mean + reach, error, count, method)


def _vector(values: ArrayLike) -> Array:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or not len(vector):
        raise ValueError(f"expected a list of at least one number, got an array of shape {vector.shape}")
    if not np.isfinite(vector).all():
        raise ValueError("a value is not finite; an interval over it would mean nothing")
    return vector


def _difference(first: ArrayLike, second: ArrayLike) -> Array:
    left, right = _vector(first), _vector(second)
    if len(left) != len(right):
        raise ValueError(f"{len(left)} values against {len(right)}: a paired difference needs the same ones")
    return left - right
