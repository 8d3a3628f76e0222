"""Demand that answers to the price: its law, its moments, and the same code in numpy and torch."""

from typing import Any

import numpy as np
import pytest
from demand.samples import sample
from scipy import stats

from marl_supply.demand.linear_price import LinearPrice
from marl_supply.simulation.arrays import NUMPY

UNIFORM = np.random.default_rng(4).random((1, 200_000))


def respond(process: LinearPrice, price: float, uniform: Any = UNIFORM) -> Any:
    demand, memory = process.respond(NUMPY, process.start(), np.full(uniform.shape[1], price), None, uniform)
    assert memory == {}
    return demand


@pytest.mark.parametrize("round_", [True, False])
@pytest.mark.parametrize("price", [0.0, 7.3, 20.0, 36.0, 39.0, 60.0])
def test_demand_has_the_law_at_the_price(price: float, round_: bool) -> None:
    process = LinearPrice(intercept=20, slope=0.5, spread=3, round=round_)
    demand, law = respond(process, price), process.distribution(given=price)
    assert demand.min() >= 0
    error = 4 * demand.std() / np.sqrt(demand.size) + 1e-12
    assert process.mean_at(price) == pytest.approx(demand.mean(), abs=error)
    assert process.variance_at(price) == pytest.approx(demand.var(), rel=0.02, abs=1e-12)
    points = np.linspace(0, 24, 49)
    seen = np.searchsorted(np.sort(demand), points, side="right") / demand.size
    assert np.abs(seen - law.cdf(points)).max() < 1.95 / np.sqrt(demand.size)


def test_whole_units_are_rounded_half_to_even() -> None:
    process = LinearPrice(intercept=10, slope=1)
    assert respond(process, 7.5, np.zeros((1, 1))).tolist() == [2]
    assert respond(process, 6.5, np.zeros((1, 1))).tolist() == [4]
    assert process.mean_at(7.5) == 2 and process.variance_at(7.5) == 0
    assert process.integer and not LinearPrice(intercept=10, slope=1, round=False).integer


def test_the_stated_mean_is_at_the_price_of_the_largest_revenue_or_the_one_given() -> None:
    process = LinearPrice(intercept=20, slope=0.5, spread=3)
    assert process.usual_price == 20 and process.mean == pytest.approx(10)
    prices = np.linspace(1, 39, 381)
    revenue = [price * LinearPrice(intercept=20, slope=0.5, round=False).mean_at(price) for price in prices]
    assert prices[np.argmax(revenue)] == pytest.approx(20)
    assert LinearPrice(intercept=20, slope=0.5, reference_price=30).mean == 5


def test_the_process_itself_draws_zeros_for_the_simulator_to_replace() -> None:
    assert np.all(sample({"shop": LinearPrice(intercept=20, slope=0.5)}, 70, 3) == 0)


def test_arguments_stay_as_they_are() -> None:
    price, uniform = np.full(5, 3.0), np.linspace(0, 0.9, 5)[None]
    LinearPrice(intercept=20, slope=0.5, spread=3).respond(NUMPY, {}, price, None, uniform)
    assert np.all(price == 3) and np.array_equal(uniform, np.linspace(0, 0.9, 5)[None])


class _Torch:
    """The functions of `ArrayFunctions` that the example uses, in torch."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def maximum(self, a: Any, b: float) -> Any:
        return a.clamp(min=b)

    def round(self, a: Any) -> Any:
        return self._torch.round(a)


def test_torch_gives_the_same_demand_and_its_slope_as_gradient() -> None:
    torch = pytest.importorskip("torch")
    process = LinearPrice(intercept=20, slope=0.5, spread=3, round=False)
    price = torch.tensor([4.0, 20.0, 50.0], dtype=torch.float64, requires_grad=True)
    uniform = np.array([[0.1, 0.5, 0.9]])
    demand, _ = process.respond(_Torch(torch), {}, price, None, torch.tensor(uniform))  # type: ignore[arg-type]
    expected, _ = process.respond(NUMPY, {}, np.array([4.0, 20.0, 50.0]), None, uniform)
    assert np.array_equal(demand.detach().numpy(), expected)
    demand.sum().backward()
    assert price.grad.tolist() == [-0.5, -0.5, 0.0]


def test_uniform_shocks_cover_the_spread() -> None:
    demand = respond(LinearPrice(intercept=100, slope=1, spread=10, round=False), 50.0)
    assert stats.kstest(demand, stats.uniform(40, 20).cdf).pvalue > 0.001
