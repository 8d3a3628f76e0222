"""Demand against a competitor: published rates, the law at several prices, its coupling, memory, numpy and torch."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand.logistic_price import LogisticPrice
from marl_supply.errors import InputError
from marl_supply.simulation.arrays import NUMPY, SUMMED
from marl_supply.topology import load

MARKET = LogisticPrice()
WITH_REFERENCE = LogisticPrice(reference_effect=-0.01)
PRICES = np.arange(1.0, 51.0)


def columns(memory: dict[str, Any], replications: int) -> dict[str, Any]:
    return {name: np.repeat(values[:, None], replications, axis=1) for name, values in memory.items()}


def demand_at(process: LogisticPrice, memory: dict[str, Any], price: float, uniform: Any) -> Any:
    many = len(uniform)
    demand, _ = process.respond(NUMPY, columns(memory, many), np.full(many, price), None, uniform[None])
    return demand


@pytest.mark.parametrize(
    "effect, own, rate",
    [(0.0, 30, 3.067216), (0.0, 29, 4.155380), (0.0, 31, 2.263198), (-0.01, 20, 5.739724)],
)
def test_published_coefficients_give_the_known_rates(effect: float, own: float, rate: float) -> None:
    """At competitor's and reference price 30, factor 800 and a period of length 1."""
    process = LogisticPrice(reference_effect=effect)
    assert process.rate(NUMPY, np.array([float(own)]), 30.0, 30.0)[0] == pytest.approx(rate, abs=1e-6)
    frozen = LogisticPrice(reference_effect=effect, competitor="fixed", reference="fixed")
    assert frozen.start() == {} and frozen.mean_at(own) == pytest.approx(rate, abs=1e-6)
    assert frozen.law({}, own).mean == pytest.approx(rate, abs=1e-6)


def test_rate_scales_with_factor_and_length() -> None:
    tenth = LogisticPrice(factor=80, length=0.5, competitor="fixed")
    assert tenth.mean_at(30) == pytest.approx(3.067216 / 20, abs=1e-7)


def test_the_competitor_undercuts_by_one_and_returns_to_its_highest_price_below_its_lowest() -> None:
    process = LogisticPrice(competitor_range=(20, 40))
    memory = columns(process.start(), 5)
    following = process.next_memory(NUMPY, memory, np.array([30.0, 21.0, 20.0, 3.0, 48.0]))
    assert following["competitor_price"].tolist() == [[29, 20, 40, 40, 40]]


def test_a_period_is_split_where_the_competitor_answers() -> None:
    process = LogisticPrice(reaction_at=0.3)
    price = np.array([27.0])
    before, after = (process.rate(NUMPY, price, rival, 30.0)[0] for rival in (35.0, 26.0))
    memory = {"competitor_price": np.array([[35.0]])}
    assert process.mean_after(NUMPY, memory, price)[0] == pytest.approx(0.3 * before + 0.7 * after)


def test_the_reference_follows_the_own_price_and_then_the_answer() -> None:
    price = np.array([20.0])
    memory = columns(WITH_REFERENCE.start(), 1)
    moved = 0.9 * 30 + 0.1 * 20
    following = WITH_REFERENCE.next_memory(NUMPY, memory, price)
    assert following["reference_price"][0, 0] == pytest.approx(0.9 * moved + 0.1 * 19)
    parts = [WITH_REFERENCE.rate(NUMPY, price, *prices)[0] for prices in ((30.0, 30.0), (19.0, moved))]
    assert WITH_REFERENCE.mean_after(NUMPY, memory, price)[0] == pytest.approx(sum(parts) / 2)
    alone = LogisticPrice(reference_effect=-0.01, competitor="fixed")
    assert alone.next_memory(NUMPY, columns(alone.start(), 1), price)["reference_price"][0, 0] == pytest.approx(moved)


@pytest.mark.parametrize("price", [1.0, 15.0, 29.0, 30.0, 31.0, 50.0])
@pytest.mark.parametrize("process", [MARKET, WITH_REFERENCE], ids=["plain", "reference"])
def test_demand_has_the_law_at_the_price(process: LogisticPrice, price: float) -> None:
    """Chi-square against the law that exact solvers use, cells of at least 20 expected."""
    memory, size = process.start(), 40_000
    demand = demand_at(process, memory, price, np.random.default_rng(7).random(size))
    law = process.law(memory, price)
    expected = size * law.probabilities
    cell = np.minimum(np.cumsum(expected) // 20, (expected.sum() // 20) - 1).astype(int)
    seen = np.bincount(cell[np.searchsorted(law.values, demand)], minlength=cell.max() + 1)
    cells = np.bincount(cell, expected)
    kept = cells > 0
    assert stats.chisquare(seen[kept], cells[kept] * seen.sum() / cells.sum()).pvalue > 1e-4


@pytest.mark.parametrize("rival", [1.0, 22.0, 30.0, 50.0])
def test_under_the_same_noise_demand_never_rises_with_the_price(rival: float) -> None:
    uniform = np.random.default_rng(3).random(500)
    memory = {"competitor_price": np.array([rival]), "reference_price": np.array([25.0])}
    demand = np.array([demand_at(WITH_REFERENCE, memory, price, uniform) for price in PRICES])
    assert (np.diff(demand, axis=0) <= 0).all() and (demand[0] > demand[-1]).any()


def test_the_quantile_is_that_of_the_law_for_small_and_large_means() -> None:
    uniform = np.concatenate([[0.0, 1 - 2.0**-53], np.random.default_rng(5).random(300)])
    for mean in (0.0, 1e-9, 0.3, 7.0, 80.0, SUMMED, SUMMED + 1, 1e5):
        found = NUMPY.poisson(np.full(len(uniform), mean), uniform)
        law = stats.poisson(mean)
        inside = uniform < 1 - 1e-12  # beyond, rounding of 1 decides
        assert (law.cdf(found)[inside] > uniform[inside] - 1e-13).all()
        assert (law.cdf(found - 1)[inside] <= uniform[inside] + 1e-13).all()
        assert np.isfinite(found).all() and (found >= 0).all()


def test_moments_are_those_of_a_price_that_stays() -> None:
    settled = {"competitor_price": np.array([32.0]), "reference_price": np.array([(0.9 * 0.1 * 33 + 0.1 * 32) / 0.19])}
    assert WITH_REFERENCE.mean_at(33) == pytest.approx(WITH_REFERENCE.law(settled, 33).mean)
    assert WITH_REFERENCE.variance_at(33) == WITH_REFERENCE.mean_at(33)
    assert WITH_REFERENCE.distribution(given=33).mean == pytest.approx(WITH_REFERENCE.mean_at(33))
    assert MARKET.mean == MARKET.mean_at(30) and MARKET.integer and not MARKET.is_independent


def test_torch_plays_the_same_market() -> None:
    torch = pytest.importorskip("torch")
    from marl_supply.simulation.torch_arrays import TorchArrays

    arrays, generator = TorchArrays(), np.random.default_rng(11)
    ours = columns(WITH_REFERENCE.start(), 64)
    theirs = {name: arrays.given(values) for name, values in ours.items()}
    for _ in range(6):
        price, uniform = generator.integers(1, 51, 64).astype(float), generator.random((1, 64))
        seen = arrays.given(price), None, arrays.given(uniform)
        demand, ours = WITH_REFERENCE.respond(NUMPY, ours, price, None, uniform)
        twin, theirs = WITH_REFERENCE.respond(arrays, theirs, *seen)
        assert np.array_equal(twin.numpy(), demand) and twin.dtype == torch.float64
        for name in ours:
            np.testing.assert_allclose(theirs[name].numpy(), ours[name], rtol=1e-14)
    priced = arrays.given(price).requires_grad_()
    with pytest.raises(InputError, match="no derivative with respect to a price"):
        WITH_REFERENCE.respond(arrays, theirs, priced, None, seen[2])


def test_a_file_is_told_what_is_wrong() -> None:
    document = {
        "nodes": {"source": {"kind": "source"}, "shop": {"demand": {"process": "logistic_price"}}},
        "edges": [{"from": "source", "to": "shop"}],
    }
    assert load(document).markets["shop"].process == MARKET
    with pytest.raises(InputError, match="no range of prices"):
        load(document, {"markets.shop.competitor_range": [9, 2]})
    with pytest.raises(InputError, match="competitor"):
        load(document, {"markets.shop.competitor": "undercut"})
