"""Laws for exact solvers: against scipy, against sampled frequencies, and their sums over periods."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from demand.samples import RESPONSIVE, example, names, sample
from scipy import stats

from marl_supply.demand.ar1 import AR1
from marl_supply.demand.distribution import Distribution, RealDistribution
from marl_supply.demand.gamma import Gamma
from marl_supply.demand.geometric import Geometric
from marl_supply.demand.markov_modulated import MarkovModulated
from marl_supply.demand.negative_binomial import NegativeBinomial
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.seasonal import Seasonal
from marl_supply.demand.step import Step
from marl_supply.demand.trace import Trace
from marl_supply.demand.uniform_integer import UniformInteger
from marl_supply.errors import InputError

INTEGER_LAWS = [
    (Poisson(mean=0.3), stats.poisson(0.3), stats.poisson(1.5)),
    (Poisson(mean=250), stats.poisson(250), stats.poisson(1250)),
    (Geometric(mean=5), stats.geom(1 / 6, loc=-1), stats.nbinom(5, 1 / 6)),
    (NegativeBinomial(mean=5, variance=20), stats.nbinom(5 / 3, 0.25), stats.nbinom(25 / 3, 0.25)),
]
# Laws by chance alone and by period; Merton's is not known, and responsive markets have no demand of their own.
UNSAMPLED = {"merton", *RESPONSIVE}
OTHERS = [
    Normal(mean=5, sd=14),
    Normal(mean=5, sd=2, round=False, clip=(0.0, 8.0)),
    Gamma(mean=5, sd=2, round=False),
    Normal(mean=5, sd=2, clip=(1.5, 7.5)),
    Seasonal(mean=10, amplitude=10, cycle=4),
    Seasonal(mean=10, amplitude=5, cycle=7, noise="normal", sd=3, round=False),
    Seasonal(mean=10, amplitude=5, cycle=7, noise="none"),
    Trace(values=tuple(float(place) for place in range(30)), mode="bootstrap", block=12),
]


@pytest.mark.parametrize(("process", "law", "total"), INTEGER_LAWS, ids=[str(row[0]) for row in INTEGER_LAWS])
def test_whole_number_laws_are_those_of_scipy(process: DemandProcess, law: Any, total: Any) -> None:
    distribution = process.distribution()
    assert np.abs(distribution.probabilities - law.pmf(distribution.values)).max() < 1e-13
    assert distribution.probabilities.sum() == pytest.approx(1, abs=1e-15)
    assert law.sf(distribution.values[-1]) < 2e-16 and law.cdf(distribution.values[0] - 1) < 2e-16
    assert distribution.mean == pytest.approx(law.mean(), rel=1e-10)
    assert distribution.variance == pytest.approx(law.var(), rel=1e-10)
    probabilities = np.array([0.001, 0.2, 0.5, 0.9, 0.999])
    assert np.array_equal(distribution.quantile(probabilities), law.ppf(probabilities))
    levels = np.array([-1.0, 0.0, 2.5, 260.0])
    assert distribution.cdf(levels) == pytest.approx(law.cdf(levels), abs=1e-13)
    reach = np.arange(2000)
    short = law.pmf(reach) @ np.maximum(reach[:, None] - levels, 0)
    assert distribution.shortage(levels) == pytest.approx(short, abs=1e-10)
    over = distribution.over(5)
    assert np.abs(over.probabilities - total.pmf(over.values)).max() < 1e-13


@cache
def _demand_at(process: DemandProcess, period: int) -> Any:
    return sample({"market": process}, period + 1, 4096)[period, 0]


@pytest.mark.parametrize("period", [0, 5, 70])
@pytest.mark.parametrize("process", [*(example(n) for n in names() if n not in UNSAMPLED), *OTHERS], ids=str)
def test_sampled_frequencies_are_those_of_the_law(process: DemandProcess, period: int) -> None:
    """The bound of Dvoretzky, Kiefer and Wolfowitz: passed by all but one right law in a thousand."""
    demand, law = _demand_at(process, period), process.distribution(period)
    points = np.unique(np.concatenate([demand, demand - 1e-9, np.linspace(0, 40, 81)]))
    seen = np.searchsorted(np.sort(demand), points, side="right") / demand.size
    assert np.abs(seen - law.cdf(points)).max() < 1.95 / np.sqrt(demand.size)
    assert law.mean == pytest.approx(demand.mean(), abs=4 * demand.std() / np.sqrt(demand.size) + 1e-12)


@pytest.mark.parametrize(
    "process",
    [
        *(pair[0] for pair in INTEGER_LAWS),
        UniformInteger(low=2, high=8),
        Normal(mean=5, sd=14),
        Normal(mean=5, sd=1, round=False),
        Normal(mean=5, sd=2, round=False, clip=(0.0, 8.0)),
        Gamma(mean=5, sd=2),
        Gamma(mean=5, sd=2, round=False),
        AR1(mean=10, correlation=0.7, sd=2),
        MarkovModulated(means=(0, 8), transition=((0.9, 0.1), (0.2, 0.8))),
    ],
    ids=str,
)
def test_moments_are_those_that_the_process_states(process: DemandProcess) -> None:
    law = process.distribution()
    assert law.mean == pytest.approx(process.mean, rel=1e-6)
    assert law.variance == pytest.approx(process.variance, rel=1e-6)


@pytest.mark.parametrize("name", sorted(UNSAMPLED - RESPONSIVE))
def test_an_unknown_law_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: the law of a period's demand is known only by sampling"):
        example(name).distribution()


def test_laws_without_memory_take_no_memory() -> None:
    with pytest.raises(InputError, match="poisson: demand has no memory"):
        Poisson(mean=5).distribution(given=3)
    with pytest.raises(InputError, match="there is no regime 2; give one from 0 to 1"):
        example("markov_modulated").distribution(given=2)


def test_given_its_memory_the_law_is_conditional() -> None:
    """The probability transform of x_t given x_(t-1) is uniform."""
    process = AR1(mean=100, correlation=0.8, sd=5, round=False)
    before, after = sample({"market": process}, 2, 400)[:, 0]
    transformed = [
        float(process.distribution(given=x).cdf(y)) for x, y in zip(before.tolist(), after.tolist(), strict=True)
    ]
    assert stats.kstest(transformed, "uniform").pvalue > 0.001
    regime = example("markov_modulated").distribution(given=1)
    assert regime.probabilities == pytest.approx(stats.poisson(8).pmf(regime.values), abs=1e-15)


def test_time_dependent_laws_follow_the_period() -> None:
    step = Step(before=4, after=8, at=4)
    assert [float(step.distribution(period).values[0]) for period in (3, 4)] == [4, 8]
    wave = Seasonal(mean=10, amplitude=5, cycle=4)
    assert [wave.distribution(period).mean for period in range(4)] == pytest.approx([10, 15, 10, 5])
    trace = Trace(values=(3.0, 1.5, 2.0))
    assert trace.distribution(1).values.tolist() == [1.5]
    with pytest.raises(InputError, match="its series has 3 values and period 3 was asked"):
        trace.distribution(3)


def test_sums_of_laws_off_the_whole_numbers() -> None:
    coarse = Distribution.of([0.0, 2.5], [0.5, 0.5])
    assert coarse.over(2).values.tolist() == [0, 2.5, 5]
    assert coarse.over(2).probabilities.tolist() == [0.25, 0.5, 0.25]
    mixed = coarse.plus(Distribution.of([0.0, 1.1], [0.2, 0.8]))
    assert mixed.values.tolist() == [0, 1.1, 2.5, 3.6]
    assert mixed.probabilities == pytest.approx([0.1, 0.4, 0.1, 0.4])
    assert coarse.over(0).values.tolist() == [0]
    with pytest.raises(InputError, match="periods: -1 is negative"):
        coarse.over(-1)


def test_values_may_come_in_any_order_and_twice() -> None:
    law = Distribution.of([3, 1, 3, 7], [1, 2, 1, 0])
    assert law.values.tolist() == [1, 3] and law.probabilities.tolist() == [0.5, 0.5]


def test_a_newsvendor_tie_takes_the_smaller_level() -> None:
    """P(demand <= 3) is 0.8 on {0..4}, whatever rounding makes of four fifths."""
    law = UniformInteger(low=0, high=4).distribution()
    assert law.quantile([0.2, 0.4, 0.6, 0.8, 0.8 + 1e-9, 1.0]).tolist() == [0, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(
    ("process", "total"),
    [
        (Normal(mean=5, sd=1, round=False), stats.norm(20, 2)),
        (Gamma(mean=5, sd=2.5, round=False), stats.gamma(16, scale=1.25)),
    ],
    ids=["normal", "gamma"],
)
def test_real_laws_add_up_to_their_own_kind(process: DemandProcess, total: Any) -> None:
    law = process.distribution()
    assert isinstance(law, RealDistribution)
    for four in (law.over(4), law.over(2).over(2)):
        levels = np.array([10.0, 18.0, 20.0, 31.0])
        assert four.cdf(levels) == pytest.approx(total.cdf(levels), abs=1e-10)
        assert four.quantile(0.9) == pytest.approx(total.ppf(0.9))


def test_clipped_real_laws_are_added_on_a_fine_grid() -> None:
    """A standard normal clipped at 0, twice: P(sum <= s) by quadrature over the first."""
    law = Normal(mean=0, sd=1, round=False).distribution()
    two = law.over(2)
    first = np.linspace(0, 1.5, 30_001)
    weights = stats.norm.pdf(first) * 1.5 / 30_000
    weights[[0, -1]] /= 2
    exact = 0.5 * stats.norm.cdf(1.5) + float(weights @ stats.norm.cdf(1.5 - first))
    assert float(two.cdf(1.5)) == pytest.approx(exact, abs=1e-3)
    assert two.mean == pytest.approx(2 / np.sqrt(2 * np.pi), abs=1e-6)
    assert two.variance == pytest.approx(2 * law.variance, abs=1e-6)


def test_normal_shortage_is_the_loss_function() -> None:
    """E max(X - S, 0) = sd (phi(z) - z (1 - Phi(z))) with z = (S - mean) / sd."""
    law = Normal(mean=50, sd=8, round=False).distribution()
    score = np.array([-6.4, -1.0, 0.0, 2.0])
    expected = 8 * (stats.norm.pdf(score) - score * stats.norm.sf(score))
    assert law.shortage(50 + 8 * score) == pytest.approx(expected, abs=1e-8)
    assert law.quantile(2 / 3) == pytest.approx(stats.norm(50, 8).ppf(2 / 3))


def test_long_lattices_of_fractions_are_seen_as_such() -> None:
    """Distances of neighbours have lost digits where values are large; sums stay convolutions all the same."""
    values = np.arange(300_000) * 0.001 + 7.3
    law = Distribution.of(values, np.ones(len(values)))
    total = law.plus(law)
    assert len(total.values) == 2 * len(law.values) - 1
    assert total.mean == pytest.approx(2 * law.mean, rel=1e-12)
    ragged = Distribution.of(np.sqrt(np.arange(1.0, 5000)), np.ones(4999))
    with pytest.raises(InputError, match="without a common step is too large; round all"):
        ragged.plus(ragged)
