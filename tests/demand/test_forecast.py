"""Forecasts: what is expected given the period and the last demand, against sampled conditional means."""

import numpy as np
import pytest
from demand.samples import RESPONSIVE, example, names, sample
from scipy import stats

from marl_supply.demand.ar1 import AR1
from marl_supply.demand.markov_modulated import MarkovModulated
from marl_supply.demand.merton import Merton
from marl_supply.demand.process import Array, DemandProcess
from marl_supply.demand.seasonal import Seasonal
from marl_supply.demand.step import Step
from marl_supply.demand.trace import Trace

AHEAD = 4
# Persistence is a choice, not an expectation; responsive markets have no demand before the simulator makes it.
NOT_EXPECTATIONS = {"merton", "trace", *RESPONSIVE}
CASES = [
    *(example(name) for name in names() if name not in NOT_EXPECTATIONS),
    AR1(mean=100, correlation=0.9, sd=5, round=False),
    AR1(mean=100, correlation=-0.6, sd=5, round=False),
    MarkovModulated(means=(0, 3, 30), transition=((0.9, 0.1, 0), (0.1, 0.8, 0.1), (0, 0.3, 0.7))),
    Seasonal(mean=5, amplitude=5, cycle=9, noise="normal", sd=4, round=False),
]


def unexplained(process: DemandProcess, period: int) -> tuple[Array, Array]:
    """Last demand (B,), and demand less forecast (AHEAD, B)."""
    demand = sample({"market": process}, period + AHEAD, 8192)[:, 0]
    last = demand[period - 1]
    return last, demand[period : period + AHEAD] - process.forecast(period, last, AHEAD)


@pytest.mark.parametrize("process", CASES, ids=str)
def test_nothing_can_be_expected_beyond_the_forecast(process: DemandProcess) -> None:
    """The mean error is 0 whatever the last demand was, in each fifth of its values."""
    last, errors = unexplained(process, 66)
    fifths = np.searchsorted(np.quantile(last, [0.2, 0.4, 0.6, 0.8]), last)
    # the last demand of this process is rounded, x is not: a hundredth of a deviation
    slack = 0.02 if process.kind == "ar1" and process.integer else 1e-12
    for fifth in np.unique(fifths):
        part = errors[:, fifths == fifth]
        bound = 4 * part.std(axis=1) / np.sqrt(part.shape[1]) + slack
        assert np.all(np.abs(part.mean(axis=1)) < bound)


@pytest.mark.parametrize("name", names())
def test_shapes_and_no_last_demand(name: str) -> None:
    process = example(name)
    assert process.forecast(3, np.array([4.0, 5.0]), 5).shape == (5, 2)
    unseen = process.forecast(3, None, 5)
    assert unseen.shape == (5, 1) and np.all(unseen >= 0)
    assert process.forecast(3, None, 0).shape == (0, 1)


def test_step_and_season_are_known_ahead() -> None:
    assert Step(before=4, after=8, at=4).forecast(2, None, 4)[:, 0].tolist() == [4, 4, 8, 8]
    wave = Seasonal(mean=10, amplitude=5, cycle=4, noise="none")
    assert wave.forecast(1, np.zeros(1), 4)[:, 0].tolist() == [15, 10, 5, 10]


def test_ar1_returns_to_its_mean() -> None:
    process = AR1(mean=100, correlation=0.5, sd=5)
    assert process.forecast(9, np.array([120.0]), 3)[:, 0] == pytest.approx([110, 105, 102.5])
    assert process.forecast(0, None, 2)[:, 0] == pytest.approx(100)


def test_ar1_forecast_of_clipped_demand_is_positive() -> None:
    """E max(0, X) of a normal of mean 0: sd phi(0)."""
    process = AR1(mean=0, correlation=0.5, sd=5, round=False)
    assert process.forecast(9, np.zeros(1), 1)[0, 0] == pytest.approx(5 * stats.norm.pdf(0))


def test_a_revealing_regime_is_forecast_by_the_chain() -> None:
    process = MarkovModulated(means=(0, 100), transition=((0.9, 0.1), (0.2, 0.8)))
    forecast = process.forecast(5, np.array([0.0, 97.0]), 2)
    assert forecast == pytest.approx(np.array([[10, 80], [17, 66]]))


def test_merton_persists_until_its_sequence_ends() -> None:
    process = Merton(base=10, cap=20, length=50)
    assert process.forecast(48, np.array([7.0, 13.0]), 4).tolist() == [[7, 13], [7, 13], [10, 10], [10, 10]]
    assert np.all(process.forecast(50, np.array([7.0]), 3) == 10)
    _, errors = unexplained(Merton(base=10, cap=20), 30)
    assert np.all(np.abs(errors.mean(axis=1)) < 0.3)


def test_a_recorded_series_does_not_tell_its_future() -> None:
    """Two series that agree up to the last demand have one forecast."""
    ends = [Trace(values=(3.0, 5.0, 4.0, *rest)) for rest in ((100.0,) * 9, (0.0,) * 9)]
    known = [trace.forecast(3, np.array([4.0]), 5).tolist() for trace in ends]
    assert known[0] == known[1] == [[4.0]] * 5
