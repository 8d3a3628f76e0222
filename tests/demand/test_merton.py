"""The Merton law of Liu, Hu, Peng and Yang: base 10, cap 20, sequences with a mean in (0, 20)."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from marl_supply.demand.merton import Merton
from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.process import Array

LIU = Merton(base=10, cap=20)


def sequences(process: Merton, count: int, seed: int = 5) -> Array:
    return process.sequences(np.random.default_rng(seed), count)


def literal_sequences(count: int) -> Array:
    """The law as the reference words it, a normal for the diffusion and one for the jumps of a period."""
    generator = np.random.default_rng(11)
    found: list[Array] = []
    while len(found) < count:
        moves = generator.poisson(15, 199)
        steps = np.sqrt(15) * 0.01 * generator.standard_normal(199)
        steps = steps + 0.01 * np.sqrt(moves) * generator.normal(0, 2, 199)
        values = np.floor(10 * np.exp(np.concatenate([[0], np.cumsum(steps)])))
        if 0 < values.mean() < 20:
            found.append(np.minimum(values, 20))
    return np.array(found)


@pytest.mark.parametrize("period", [1, 20, 199])
def test_law_of_a_period_is_the_literal_one(period: int) -> None:
    ours, literal = sequences(LIU, 3000)[:, period], literal_sequences(3000)[:, period]
    seen = np.array([np.bincount(part.astype(int), minlength=21) for part in (ours, literal)])
    seen = seen[:, seen.sum(axis=0) > 20]
    assert stats.chi2_contingency(seen).pvalue > 0.001


def test_a_sequence_starts_at_the_base_and_ends_under_the_cap() -> None:
    demand = sequences(LIU, 500)
    assert np.all(demand[:, 0] == 10)
    assert demand.max() == 20
    assert demand.min() == 0


def test_sequences_with_a_high_mean_are_redrawn() -> None:
    free = LIU.uncapped(np.random.default_rng(5), 2000)
    assert 0.1 < (free.mean(axis=1) >= 20).mean() < 0.4
    assert np.array_equal(LIU.sequences(np.random.default_rng(5), 2000)[0], np.minimum(free[0], 20)) == (
        free[0].mean() < 20
    )
    uncapped = Merton(base=10, cap=1e9)
    assert np.all(sequences(uncapped, 2000).mean(axis=1) < 20)


def test_the_limit_is_twice_the_base_unless_stated() -> None:
    assert LIU.limit == 20
    assert Merton(base=2, cap=4).limit == 4
    assert Merton(base=2, cap=4, mean_limit=20).limit == 20
    assert sequences(Merton(base=2, cap=1e9), 500).mean(axis=1).max() < 4
    assert sequences(Merton(base=2, cap=1e9, mean_limit=20), 500).mean(axis=1).max() > 4


def test_a_new_sequence_starts_after_length_periods() -> None:
    process = Merton(base=10, cap=20, length=50)
    feed = DemandFeed({"market": process}, 2, 300)
    demand = np.stack([feed.at(period)[0].copy() for period in range(201)])
    assert np.all(demand[[0, 50, 100, 150, 200]] == 10)
    assert np.all(demand[[0, 50, 100, 150]] == 10)
    assert np.mean(demand[[25, 75, 125, 175]] == 10) < 0.2
    successive = np.corrcoef(demand[49], demand[99])[0, 1]
    assert abs(successive) < 0.2


def test_short_sequences_fill_a_block() -> None:
    feed = DemandFeed({"market": Merton(base=10, cap=20, length=10)}, 2, 40)
    assert [period for period in range(64) if np.all(feed.at(period) == 10)] == [0, 10, 20, 30, 40, 50, 60]


def test_moments_are_those_of_other_sequences() -> None:
    demand = sequences(LIU, 4000, seed=9)
    error = demand.mean(axis=1).std() / np.sqrt(4000)
    assert LIU.mean == pytest.approx(demand.mean(), abs=4 * np.sqrt(2) * error)
    assert LIU.variance == pytest.approx(demand.var(), rel=0.1)


def test_an_unattainable_limit_is_refused() -> None:
    with pytest.raises(ValidationError, match="mean_limit: 5.0 must exceed base, 10.0"):
        Merton(base=10, cap=20, mean_limit=5)
