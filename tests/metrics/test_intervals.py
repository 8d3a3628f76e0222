"""Intervals against scipy.stats and against how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from marl_supply.metrics.intervals import (
    Interval,
    over_periods,
    over_replications,
    over_seeds,
    paired_difference,
    period_difference,
    seed_difference,
)

SEEDS = [7.320, 7.353, 7.341, 7.350, 7.318]


def test_seeds_give_a_t_interval_with_one_degree_of_freedom_less() -> None:
    interval = over_seeds(SEEDS)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(SEEDS), scale=stats.sem(SEEDS))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert interval.standard_error == pytest.approx(stats.sem(SEEDS))
    assert interval.mean == pytest.approx(np.mean(SEEDS))
    assert interval.count == 5 and interval.method == "t over seeds"
    assert interval.half_width == pytest.approx((high - low) / 2)


@pytest.mark.parametrize("count", [1, 2])
def test_two_seeds_give_points(count: int) -> None:
    interval = over_seeds(SEEDS[:count])
    assert (interval.low, interval.high, interval.standard_error, interval.half_width) == (None,) * 4
    assert interval.mean == pytest.approx(np.mean(SEEDS[:count]))
    assert not interval.significant
    assert "points" in interval.method


def test_replications_have_a_standard_error() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    interval = over_replications(values)
    assert interval.standard_error == pytest.approx(stats.sem(values))
    assert interval.low is not None and interval.low < 5 < (interval.high or 0)
    assert over_replications([3.0]) == Interval(3.0, None, None, None, 1, "t over replications: one value, no interval")


def test_pairing_sees_what_common_noise_hides() -> None:
    noise = np.random.default_rng(2).normal(0, 100, 200)
    effect = np.random.default_rng(3).normal(1, 0.5, 200)
    difference = paired_difference(noise + effect, noise)
    assert difference.significant
    assert difference.mean == pytest.approx(effect.mean())
    expected = stats.ttest_rel(noise + effect, noise).confidence_interval()
    assert (difference.low, difference.high) == pytest.approx(tuple(expected))
    assert not paired_difference(noise, noise).significant


def test_a_pair_needs_two_of_each() -> None:
    with pytest.raises(ValueError, match="2 values against 3"):
        paired_difference([1, 2], [1, 2, 3])


def test_difference_over_seeds_is_welch() -> None:
    other = [8.8, 8.7, 8.75, 8.81]
    difference = seed_difference(SEEDS, other)
    expected = stats.ttest_ind(SEEDS, other, equal_var=False).confidence_interval()
    assert (difference.low, difference.high) == pytest.approx(tuple(expected))
    assert difference.significant
    assert not seed_difference(SEEDS, other[:2]).significant
    assert seed_difference([1, 1, 1], [2, 2, 2]).significant


def test_bootstrap_of_independent_periods_agrees_with_t() -> None:
    path = np.random.default_rng(4).normal(10, 3, 2000)
    bootstrap, student = over_periods(path, block=5), over_replications(path)
    assert bootstrap.standard_error == pytest.approx(student.standard_error, rel=0.1)
    assert bootstrap.low == pytest.approx(student.low, abs=0.03)
    assert bootstrap.mean == pytest.approx(path.mean())


def test_bootstrap_keeps_the_correlation_of_successive_periods() -> None:
    """The variance of the mean of an AR(1) path is (1 + r) / (1 - r) times that of independent periods."""
    generator = np.random.default_rng(5)
    path = np.zeros(20_000)
    for period, shock in enumerate(generator.normal(size=len(path) - 1), start=1):
        path[period] = 0.7 * path[period - 1] + shock
    long_run = 1 / (1 - 0.7) / np.sqrt(len(path))
    assert over_periods(path, block=100).standard_error == pytest.approx(long_run, rel=0.15)
    assert over_periods(path, block=1).standard_error < 0.6 * long_run


def test_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(6)
    held = 0
    for _ in range(200):
        shocks = generator.normal(size=601)
        interval = over_periods(shocks[1:] + 0.5 * shocks[:-1], block=20, resamples=300)
        held += interval.low <= 0 <= interval.high  # type: ignore[operator]
    assert 0.88 <= held / 200 <= 0.99


def test_bootstrap_repeats_with_its_seed_and_ignores_where_zero_is() -> None:
    path = np.random.default_rng(7).gamma(2, 3, 150)
    assert over_periods(path) == over_periods(path)
    assert over_periods(path) != over_periods(path, seed=8)
    shifted = over_periods(path + 100)
    assert shifted.low == pytest.approx((over_periods(path).low or 0) + 100)
    assert period_difference(path + 1, path).low == pytest.approx(1)


def test_bootstrap_refuses_a_short_series() -> None:
    with pytest.raises(ValueError, match="55 periods is too short for blocks of 28"):
        over_periods(np.ones(55))
    over_periods(np.arange(56.0))


@pytest.mark.parametrize("values", [[], [[1, 2]], 3.0])
def test_only_lists_of_numbers(values: object) -> None:
    with pytest.raises(ValueError, match="list of at least one number"):
        over_seeds(values)  # type: ignore[arg-type]


def test_no_interval_over_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="not finite"):
        over_seeds([1.0, np.nan, 2.0])
