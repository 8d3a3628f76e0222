"""Every law against scipy.stats: chi-square tests on whole numbers, Kolmogorov-Smirnov tests on real ones."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand.ar1 import AR1
from marl_supply.demand.gamma import Gamma
from marl_supply.demand.geometric import Geometric
from marl_supply.demand.markov_modulated import MarkovModulated
from marl_supply.demand.negative_binomial import NegativeBinomial
from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import Array, DemandProcess
from marl_supply.demand.seasonal import Seasonal
from marl_supply.demand.step import Step
from marl_supply.demand.uniform_integer import UniformInteger

# Seeds are fixed, so a test passes always or never; a right law would fail it with this chance.
LEVEL = 0.001

INTEGER_LAWS = [
    (Poisson(mean=0.3), stats.poisson(0.3)),
    (Poisson(mean=5), stats.poisson(5)),
    (Poisson(mean=250), stats.poisson(250)),
    (Geometric(mean=5), stats.geom(1 / 6, loc=-1)),
    (NegativeBinomial(mean=5, variance=20), stats.nbinom(5 / 3, 0.25)),
    (UniformInteger(low=0, high=8), stats.randint(0, 9)),
]
REAL_LAWS = [
    (Normal(mean=50, sd=8, round=False), stats.norm(50, 8)),
    (Gamma(mean=5, sd=2.5, round=False), stats.gamma(4, scale=1.25)),
]


def sample(process: DemandProcess, periods: int, replications: int, seed: int = 1) -> Array:
    feed = DemandFeed({"market": process}, seed, replications)
    return np.stack([feed.at(period)[0].copy() for period in range(periods)])


def chi_square(demand: Array, law: Any) -> float:
    """The p-value of the hypothesis that the demands follow the law."""
    cuts = np.unique(law.ppf(np.linspace(0.001, 0.999, 40)))
    cells = np.concatenate([[-1], cuts, [np.inf]])
    expected = np.diff(law.cdf(cells)) * demand.size
    seen = np.histogram(demand, cells + 0.5)[0]
    assert np.all(seen[expected == 0] == 0)
    kept = expected > 0
    return stats.chisquare(seen[kept], expected[kept]).pvalue


@pytest.mark.parametrize(("process", "law"), INTEGER_LAWS, ids=lambda part: str(part)[:40])
def test_integer_laws(process: DemandProcess, law: Any) -> None:
    demand = sample(process, 128, 512)
    assert np.all(demand == np.rint(demand)) and process.integer
    assert chi_square(demand, law) > LEVEL
    assert process.mean == pytest.approx(law.mean())
    assert process.variance == pytest.approx(law.var())


@pytest.mark.parametrize(("process", "law"), REAL_LAWS, ids=lambda part: str(part)[:40])
def test_real_laws(process: DemandProcess, law: Any) -> None:
    demand = sample(process, 128, 256)
    assert not process.integer
    assert stats.kstest(demand.ravel(), law.cdf).pvalue > LEVEL
    assert process.mean == pytest.approx(law.mean(), rel=1e-6)
    assert process.variance == pytest.approx(law.var(), rel=1e-4)


@pytest.mark.parametrize("process", [pair[0] for pair in INTEGER_LAWS], ids=str)
def test_periods_and_replications_are_independent(
    process: DemandProcess,
) -> None:
    demand = sample(process, 512, 128)
    demand = (demand - demand.mean()) / demand.std()
    bound = stats.norm.isf(LEVEL / 2) / np.sqrt(demand.size)
    assert abs((demand[1:] * demand[:-1]).mean()) < bound
    assert abs((demand[:, 1:] * demand[:, :-1]).mean()) < bound
    assert abs((demand[64:] * demand[:-64]).mean()) < 1.1 * bound
    assert abs((demand[:, 64:] * demand[:, :-64]).mean()) < 1.5 * bound


def test_rounded_normal_is_the_difference_of_the_distribution_function() -> None:
    demand = sample(Normal(mean=10, sd=2), 128, 512)
    levels = np.arange(4, 17)
    edges = stats.norm(10, 2).cdf(np.append(levels - 0.5, 16.5))
    edges[0], edges[-1] = 0, 1
    seen = [np.sum(np.clip(demand, 4, 16) == level) for level in levels]
    assert stats.chisquare(seen, np.diff(edges) * demand.size).pvalue > LEVEL


@pytest.mark.parametrize(
    "process",
    [
        Normal(mean=0, sd=20),
        Normal(mean=5, sd=14),
        Normal(mean=5, sd=2, round=False, clip=(0.0, 8.0)),
        Gamma(mean=0.3, sd=0.5),
        AR1(mean=10, correlation=0.7, sd=2),
        AR1(mean=2, correlation=-0.5, sd=2),
        Seasonal(mean=5, amplitude=3, cycle=8),
        MarkovModulated(means=(2, 8), transition=((0.9, 0.1), (0.2, 0.8))),
    ],
    ids=str,
)
def test_moments_are_those_of_the_demand(process: DemandProcess) -> None:
    demand = sample(process, 320, 1024)
    error = demand.mean(axis=0).std() / np.sqrt(demand.shape[1])
    assert process.mean == pytest.approx(demand.mean(), abs=4 * error)
    assert process.variance == pytest.approx(demand.var(), rel=0.03)
    assert demand.min() >= 0


def test_truncated_normal_mean() -> None:
    """E max(0, X) = 20 phi(0) for X normal with mean 0 and standard deviation 20."""
    process = Normal(mean=0, sd=20, round=False)
    assert process.mean == pytest.approx(20 * stats.norm.pdf(0), rel=1e-6)


def test_ar1_autocorrelation_is_correlation_to_the_lag() -> None:
    demand = sample(AR1(mean=100, correlation=0.8, sd=5, round=False), 640, 256)
    deviation = demand - demand.mean()
    for lag in (1, 3, 70):
        autocorrelation = (deviation[lag:] * deviation[:-lag]).mean() / demand.var()
        assert autocorrelation == pytest.approx(0.8**lag, abs=0.02)


def test_ar1_is_stationary_from_the_first_period() -> None:
    demand = sample(AR1(mean=100, correlation=0.9, sd=5, round=False), 1, 4096)
    assert demand.std() == pytest.approx(5 / np.sqrt(1 - 0.81), rel=0.05)


def test_markov_modulated_regimes_last_as_long_as_the_chain_says() -> None:
    """With means 0 and 100 the regime shows in the demand."""
    process = MarkovModulated(means=(0, 100), transition=((0.9, 0.1), (0.2, 0.8)))
    high = sample(process, 640, 256) > 0
    assert high.mean() == pytest.approx(1 / 3, abs=0.01)
    assert (high[1:] & ~high[:-1]).sum() / (~high[:-1]).sum() == pytest.approx(0.1, abs=0.005)
    assert (~high[1:] & high[:-1]).sum() / high[:-1].sum() == pytest.approx(0.2, abs=0.01)


def test_a_uniform_law_of_one_number_is_that_number() -> None:
    assert np.all(sample(UniformInteger(low=3, high=3), 64, 64) == 3)


def test_step_of_the_beer_game() -> None:
    demand = sample(Step(before=4, after=8, at=4), 101, 2)
    assert demand[:4].tolist() == [[4, 4]] * 4
    assert np.all(demand[4:] == 8)


def test_seasonal_without_noise_is_the_wave() -> None:
    demand = sample(Seasonal(mean=10, amplitude=5, cycle=4, noise="none"), 8, 1)[:, 0]
    assert demand.tolist() == [10, 15, 10, 5, 10, 15, 10, 5]
    shifted = sample(Seasonal(mean=10, amplitude=5, cycle=4, phase=1, noise="none"), 4, 1)[:, 0]
    assert shifted.tolist() == [15, 10, 5, 10]


def test_tail_reaches_beyond_one_in_a_billion() -> None:
    """One double-precision uniform makes a demand, so the table must hold the far tail."""
    from marl_supply.demand.tabulated import guide_table

    table = guide_table(Poisson(mean=5))
    uniform = np.array([0.0, 1 - 2.0**-53, 0.5, 1 - 1e-9])
    assert table.invert(uniform).tolist() == pytest.approx([0, 31, 5, 23], abs=1)
    assert table.invert(uniform)[3] == stats.poisson(5).ppf(1 - 1e-9)


def test_demand_grows_with_the_mean_on_common_noise() -> None:
    assert np.all(sample(Poisson(mean=5), 64, 64) <= sample(Poisson(mean=6), 64, 64))
