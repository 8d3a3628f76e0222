"""Chance numbers: uniform, keyed by name alone, the same however they are asked, and forgotten when passed."""

import pickle
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand import chances as module
from marl_supply.demand.chances import ChanceFeed
from marl_supply.demand.noise import DemandFeed, Noise
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import Array


@dataclass(frozen=True)
class Chance:
    stream: str
    name: str
    size: int


DELAY, LOSS, SALE = Chance("delay", "a-b", 3), Chance("loss", "a-b", 1), Chance("demand", "shop", 2)
ALL = (DELAY, LOSS, SALE)


def sample(feed: ChanceFeed, periods: int) -> Array:
    return np.stack([feed.at(period).copy() for period in range(periods)])


def test_numbers_are_uniform_and_independent() -> None:
    numbers = sample(ChanceFeed(ALL, 3, 128), 128)
    assert numbers.shape == (128, 6, 128)
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 0.001
    flat = numbers.transpose(1, 0, 2).reshape(6, -1)
    correlations = np.corrcoef(flat)[~np.eye(6, dtype=bool)]
    assert np.abs(correlations).max() < 4 / np.sqrt(flat.shape[1])


def test_a_number_is_that_of_its_key() -> None:
    expected = Noise(3).generator("delay", "a-b", 1, 2).random((64, 3, 64))
    feed = ChanceFeed((LOSS, DELAY), 3, 10, 70)
    for period in (128, 150, 191):
        assert np.array_equal(feed.at(period)[1:], expected[period - 128, :, 6:16])


@pytest.mark.parametrize(("replications", "first"), [(1, 0), (1, 199), (7, 60), (100, 100)])
def test_slices_of_replications_agree(replications: int, first: int) -> None:
    everything = sample(ChanceFeed(ALL, 3, 200), 70)
    part = sample(ChanceFeed(ALL, 3, replications, first), 70)
    assert np.array_equal(part, everything[:, :, first : first + replications])


def test_other_chances_change_nothing() -> None:
    assert np.array_equal(sample(ChanceFeed((LOSS,), 3, 5), 70)[:, 0], sample(ChanceFeed(ALL, 3, 5), 70)[:, 3])


def test_periods_may_be_asked_twice_and_in_any_order() -> None:
    feed = ChanceFeed(ALL, 3, 5)
    numbers = sample(ChanceFeed(ALL, 3, 5), 200)
    for period in (0, 0, 130, 3, 130, 64, 63, 199):
        assert np.array_equal(feed.at(period), numbers[period])


@pytest.mark.parametrize("kept", [1, 8, 32])
def test_keeping_fewer_periods_changes_nothing(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = sample(ChanceFeed(ALL, 3, 70, 5), 150)
    monkeypatch.setattr(module, "LARGEST_BUFFER", 8 * 6 * 70 * (kept + 0.5))
    feed = ChanceFeed(ALL, 3, 70, 5)
    assert np.array_equal(sample(feed, 150), numbers)
    for period in (149, 20, 20, 21, 3, 64, 130, 147):
        assert np.array_equal(feed.at(period), numbers[period])
    assert feed._buffer.shape[0] == kept


def test_a_pickled_feed_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BUFFER", 8 * 6 * 5 * 4)
    feed = ChanceFeed(ALL, 3, 5)
    feed.at(70)
    copy = pickle.loads(pickle.dumps(feed))
    for period in (71, 73, 130):
        assert np.array_equal(feed.at(period), copy.at(period))


def test_markets_of_one_stream_share_the_numbers_of_their_demand_only() -> None:
    pair = (SALE, Chance("demand", "stall", 2), Chance("expedite", "shop", 1), Chance("expedite", "stall", 1))
    numbers = ChanceFeed(pair, 3, 5, streams={"stall": "shop"}).at(7)
    assert np.array_equal(numbers[:2], numbers[2:4])
    assert not np.array_equal(numbers[4], numbers[5])


def test_a_chain_without_chances_has_none() -> None:
    feed = ChanceFeed((), 3, 5)
    assert feed.at(0).shape == (0, 5) and feed.at(100).shape == (0, 5)


def test_what_a_feed_gives_cannot_be_overwritten() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ChanceFeed(ALL, 3, 5).at(0)[0] = 3


def test_memory_does_not_grow_over_ten_thousand_periods() -> None:
    chances, demand = ChanceFeed(ALL, 3, 100), DemandFeed({"a": Poisson(mean=5)}, 3, 100)
    tracemalloc.start()
    for period in range(300):
        chances.at(period), demand.at(period)
    early = tracemalloc.get_traced_memory()[0]
    for period in range(300, 10_000):
        chances.at(period), demand.at(period)
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert late < early + 20_000
