"""Correlated markets: the correlation asked is met, each market keeps its law, and noise still depends on its key."""

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from demand.samples import example, sample
from scipy import stats

from marl_supply.demand.ar1 import AR1
from marl_supply.demand.copula import factor, matrix
from marl_supply.demand.correlation import verify
from marl_supply.demand.gamma import Gamma
from marl_supply.demand.linear_price import LinearPrice
from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.seasonal import Seasonal
from marl_supply.demand.trace import Trace
from marl_supply.errors import InputError


@dataclass(frozen=True)
class Group:
    markets: tuple[str, ...]
    coefficient: Any


NORMAL = Normal(mean=100, sd=10, round=False)
MATRIX = ((1.0, 0.8, -0.3), (0.8, 1.0, 0.1), (-0.3, 0.1, 1.0))


def demand_of(process: DemandProcess, group: Group, periods: int = 128, replications: int = 256) -> Any:
    """(periods, markets, replications)."""
    return sample(dict.fromkeys(group.markets, process), periods, replications, correlation=[group])


@pytest.mark.parametrize("coefficient", [0.0, 0.6, 0.99, -0.4, MATRIX], ids=str)
def test_normal_demand_has_the_correlations_asked(coefficient: Any) -> None:
    group = Group(("a", "b", "c"), coefficient)
    demand = demand_of(NORMAL, group).transpose(1, 0, 2).reshape(3, -1)
    asked, seen = matrix(group), np.corrcoef(demand)
    standard_error = (1 - asked**2) / np.sqrt(demand.shape[1])
    assert np.all(np.abs(seen - asked) <= 4 * standard_error + 1e-12)


@pytest.mark.parametrize("coefficient", [0.7, -0.7])
def test_ranks_of_other_laws_have_the_correlation_of_the_copula(coefficient: float) -> None:
    """Spearman's rank correlation under a Gaussian copula is 6/pi arcsin(rho / 2) (Kruskal 1958)."""
    demand = demand_of(Gamma(mean=5, sd=4, round=False), Group(("a", "b"), coefficient))
    seen = stats.spearmanr(demand[:, 0].ravel(), demand[:, 1].ravel()).statistic
    asked = 6 / np.pi * np.arcsin(coefficient / 2)
    assert seen == pytest.approx(asked, abs=4 / np.sqrt(demand[:, 0].size))


@pytest.mark.parametrize(
    "process",
    [
        example("poisson"),
        example("geometric"),
        example("negative_binomial"),
        example("uniform_integer"),
        example("normal"),
        example("gamma"),
        example("ar1"),
        example("markov_modulated"),
        Seasonal(mean=3, amplitude=3, cycle=7),
        Seasonal(mean=10, amplitude=5, cycle=7, noise="normal", sd=3),
    ],
    ids=str,
)
def test_each_market_keeps_its_law_and_moves_with_the_others(process: DemandProcess) -> None:
    group = Group(("a", "b"), 0.8)
    demand = sample({"a": process, "b": process}, 71, 4096, correlation=[group])[70]
    law = process.distribution(70)
    points = np.arange(-1.0, 60.0)
    for own in demand:
        seen = np.searchsorted(np.sort(own), points, side="right") / own.size
        assert np.abs(seen - law.cdf(points)).max() < 1.95 / np.sqrt(own.size)
    assert np.corrcoef(demand)[0, 1] > 0.4
    verify([group], {"a": process, "b": process})


def test_ar1_shocks_are_correlated_and_so_is_demand() -> None:
    demand = demand_of(AR1(mean=100, correlation=0.5, sd=5, round=False), Group(("a", "b"), 0.6), 192, 512)
    shocks = demand[1:] - 0.5 * demand[:-1]
    assert np.corrcoef(shocks[:, 0].ravel(), shocks[:, 1].ravel())[0, 1] == pytest.approx(0.6, abs=0.01)
    assert np.corrcoef(demand[:, 0].ravel(), demand[:, 1].ravel())[0, 1] == pytest.approx(0.6, abs=0.02)


def test_periods_and_replications_stay_independent() -> None:
    demand = demand_of(NORMAL, Group(("a", "b"), 0.9)) - 100
    bound = 4 * 100 / np.sqrt(demand[:, 0].size)
    assert abs((demand[1:, 0] * demand[:-1, 1]).mean()) < bound
    assert abs((demand[:, 0, 1:] * demand[:, 1, :-1]).mean()) < bound


def test_full_correlation_of_one_law_is_equality() -> None:
    demand = demand_of(Poisson(mean=5), Group(("a", "b", "c"), 1.0), 64, 64)
    assert np.array_equal(demand[:, 0], demand[:, 1]) and np.array_equal(demand[:, 0], demand[:, 2])
    opposite = demand_of(NORMAL, Group(("a", "b"), -1.0), 64, 64)
    assert opposite.sum(axis=1) == pytest.approx(200)


def test_slices_of_replications_and_longer_horizons_agree() -> None:
    markets: dict[str, DemandProcess] = {"a": Poisson(mean=5), "b": Gamma(mean=5, sd=4, round=False)}
    shared = {"correlation": [Group(("a", "b"), 0.5)]}
    everything = sample(markets, 140, 200, **shared)
    for replications, first in ((1, 0), (1, 199), (7, 60), (100, 100)):
        assert np.array_equal(
            sample(markets, 70, replications, first, **shared), everything[:70, :, first : first + replications]
        )


def test_other_markets_change_nothing() -> None:
    group, wider = Group(("a", "b"), 0.5), Group(("a", "b", "c"), 0.5)
    pair = sample({"a": NORMAL, "b": NORMAL}, 70, 5, correlation=[group])
    with_outsider = sample({"x": NORMAL, "a": NORMAL, "b": NORMAL}, 70, 5, correlation=[group])
    assert np.array_equal(with_outsider[:, 1:], pair)
    assert np.array_equal(with_outsider[:, :1], sample({"x": NORMAL}, 70, 5))
    with_member = sample(dict.fromkeys("abc", NORMAL), 70, 5, correlation=[wider])
    assert np.array_equal(with_member[:, :2], pair)
    assert np.array_equal(pair[:, 0], sample({"a": NORMAL}, 70, 5)[:, 0])
    assert np.array_equal(sample({"b": NORMAL}, 70, 5, correlation=[group])[:, 0], pair[:, 1])


def test_no_correlation_is_the_noise_of_each_alone() -> None:
    assert np.array_equal(
        sample({"a": NORMAL, "b": NORMAL}, 70, 5, correlation=[Group(("a", "b"), 0.0)]),
        sample({"a": NORMAL, "b": NORMAL}, 70, 5),
    )


def test_a_pickled_feed_goes_on_where_it_was() -> None:
    feed = DemandFeed({"a": NORMAL, "b": NORMAL}, 3, 5, correlation=[Group(("a", "b"), 0.5)])
    feed.at(70)
    copy = pickle.loads(pickle.dumps(feed))
    assert np.array_equal(feed.at(130), copy.at(130))


@pytest.mark.parametrize("coefficient", [MATRIX, 1.0, -0.5, ((1, 1, 0.2), (1, 1, 0.2), (0.2, 0.2, 1))], ids=str)
def test_the_factor_gives_the_matrix_back(coefficient: Any) -> None:
    correlations = matrix(Group(("a", "b", "c"), coefficient))
    lower = factor(correlations)
    assert lower @ lower.T == pytest.approx(correlations, abs=1e-7)
    assert np.all(np.triu(lower, 1) == 0)


PLACES = tuple(float(place) for place in range(50))
MARKETS: dict[str, DemandProcess] = {
    "a": Poisson(mean=5),
    "b": Poisson(mean=8),
    "c": Poisson(mean=9),
    "regimes": example("markov_modulated"),
    "step": example("step"),
    "merton": example("merton"),
    "series": Trace(values=PLACES, mode="bootstrap", block=7),
    "same": Trace(values=PLACES, mode="bootstrap", block=7),
    "short": Trace(values=PLACES[:40], mode="bootstrap", block=7),
    "priced": LinearPrice(intercept=5, slope=1),
}


@pytest.mark.parametrize(
    ("markets", "coefficient", "message"),
    [
        ("a", 0.5, r"correlation\[0\].markets: 1 cannot be correlated; name at least 2"),
        ("a z", 0.5, r"correlation\[0\].markets: no market 'z'"),
        ("a a", 0.5, "a is already in"),
        ("a b", 1.2, r"correlation\[0\].coefficient: 1.2 is not possible for every pair of 2 markets"),
        ("a b c", -0.6, "give a number from -0.5 to 1"),
        ("a b c", ((1, 0.5), (0.5, 1)), "give 3 rows of 3 numbers"),
        ("a b", ((1, 0.5), (0.5, 0.9)), "put 1 on the diagonal"),
        ("a b", ((1, 0.5), (0.4, 1)), "not symmetric"),
        ("a b", ((1, 1.5), (1.5, 1)), "give numbers from -1 to 1"),
        ("a b c", ((1, 0.9, 0.9), (0.9, 1, -0.9), (0.9, -0.9, 1)), "smallest eigenvalue -0.8"),
        ("a step", 0.5, "step, with the process step, draws no noise"),
        ("a priced", 0.5, "priced, with the process linear_price, draws no noise"),
        ("a merton", 0.5, "process merton cannot be correlated: it draws more than one number"),
        ("a series", 0.5, "process trace cannot be correlated: it draws by integers"),
        ("a regimes", 0.5, "a and regimes draw different kinds of noise"),
    ],
)
def test_impossible_groups_are_refused(markets: str, coefficient: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        verify([Group(tuple(markets.split()), coefficient)], MARKETS)


def test_a_market_has_one_group_and_a_group_has_no_common_stream() -> None:
    with pytest.raises(InputError, match=r"correlation\[1\].markets: b is already in correlation\[0\]"):
        verify([Group(("a", "b"), 0.5), Group(("b", "c"), 0.5)], MARKETS)
    with pytest.raises(InputError, match="a and b have the same stream"):
        verify([Group(("a", "b"), 0.5)], MARKETS, {"a": "x", "b": "x"})


def test_series_of_one_stream_must_be_cut_alike() -> None:
    verify([], MARKETS, {"series": "x", "same": "x", "a": "x"})
    with pytest.raises(
        InputError, match=r"markets.short.stream: its series is cut into 40 values in segments of 7, that of series"
    ):
        verify([], MARKETS, {"series": "x", "short": "x"})
