"""Prices beside recommendations: odds by hand, the law at several prices, and never a sale more for a higher price."""

from itertools import product
from math import exp
from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand.rating_choice import RatingChoice
from marl_supply.simulation.arrays import NUMPY

torch = pytest.importorskip("torch")

from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402

RATINGS = [[2.0, 1.0], [1.0, 3.0], [0.5, 2.0]]
CUSTOMERS = [3, 4]
REFERENCES = [10.0, 12.0, 8.0]
EXPOSURE = np.array([[0.9, 0.2, 0.5], [0.1, 0.8, 0.5]])
PRICES = {"as referred to": REFERENCES, "one is dear": [16.0, 12.0, 8.0], "all differ": [7.0, 13.5, 0.0]}
every_choice = pytest.mark.parametrize("choice", ["independent", "multinomial"])
every_outside = pytest.mark.parametrize("outside", [None, 1.5])


def market(item: int = 0, **changes: Any) -> RatingChoice:
    stated = {"item": item, "ratings": RATINGS, "customers": CUSTOMERS, "efficiency": 0.6, "price_effect": 0.2}
    return RatingChoice(**stated | {"reference_prices": REFERENCES} | changes)


def demand_at(process: RatingChoice, prices: Any, uniform: Any, arrays: Any = NUMPY) -> Any:
    count = uniform.shape[1]
    price = arrays.constant(np.repeat(np.asarray(prices, dtype=float)[:, None], count, axis=1))
    shown = arrays.constant(np.repeat(EXPOSURE[:, :, None], count, axis=2))
    demand, memory = process.respond_together(arrays, ({}, {}, {}), price, shown, uniform)
    assert memory == [{}, {}, {}]
    return demand


def noise(process: RatingChoice, count: int, seed: int = 0) -> Any:
    size = sum(market(item, choice=process.choice).uniforms for item in range(3))
    return np.random.default_rng(seed).random((size, count))


def chances_by_hand(prices: Any, outside: float | None) -> Any:
    """(groups, items), number by number: odds exp(rating - 0.2 (price - reference)), buying nothing among them."""
    found = np.zeros((2, 3))
    for group, item in product(range(2), range(3)):
        odds = [
            exp(RATINGS[i][group] + (5 - RATINGS[i][group]) * EXPOSURE[group][i] * 0.6)
            / exp(0.2 * (prices[i] - REFERENCES[i]))
            for i in range(3)
        ]
        found[group, item] = odds[item] / (sum(odds) + (0 if outside is None else exp(outside)))
    return found


@every_outside
@pytest.mark.parametrize("asked", PRICES)
def test_chances_are_those_of_the_odds(asked: str, outside: Any) -> None:
    found = market(outside_rating=outside).chances_at(EXPOSURE, PRICES[asked])
    assert np.allclose(found, chances_by_hand(PRICES[asked], outside), atol=1e-14)
    assert found.sum(1) == pytest.approx(1.0) if outside is None else (found.sum(1) < 1).all()


@every_choice
@every_outside
@pytest.mark.parametrize("asked", PRICES)
def test_demand_has_its_law_at_every_price(asked: str, outside: Any, choice: Any) -> None:
    process, size = market(choice=choice, outside_rating=outside), 20_000
    demand = demand_at(process, PRICES[asked], noise(process, size))
    chance = chances_by_hand(PRICES[asked], outside)
    for item in range(3):
        groups = [stats.binom(bought, chance[group, item]) for group, bought in enumerate(CUSTOMERS)]
        by_hand = np.array([sum(groups[0].pmf(k) * groups[1].pmf(n - k) for k in range(4)) for n in range(8)])
        law = market(item, outside_rating=outside).law_at(EXPOSURE, PRICES[asked])
        assert np.allclose(law.probabilities, by_hand, atol=1e-12)
        counts, expected = np.bincount(demand[item].astype(int), minlength=8), by_hand * size
        rare = expected < 10
        observed, sums = counts[~rare], expected[~rare]
        if expected[rare].sum() > 1:
            observed, sums = np.append(observed, counts[rare].sum()), np.append(sums, expected[rare].sum())
        assert stats.chisquare(observed, sums * observed.sum() / sums.sum()).pvalue > 1e-4


def test_purchases_of_one_product_or_none_have_their_joint_law() -> None:
    process, size = market(customers=[1, 1], choice="multinomial", outside_rating=1.5), 40_000
    chance = chances_by_hand(PRICES["all differ"], 1.5)
    whole = np.column_stack([chance, 1 - chance.sum(1)])
    demand = demand_at(process, PRICES["all differ"], np.random.default_rng(3).random((2, size)))
    expected: dict[tuple[int, ...], float] = {}
    for first, second in product(range(4), repeat=2):
        outcome = tuple((first == item) + (second == item) for item in range(3))
        expected[outcome] = expected.get(outcome, 0) + whole[0, first] * whole[1, second] * size
    observed = [(outcome == demand.T).all(1).sum() for outcome in expected]
    assert sum(observed) == size and stats.chisquare(observed, list(expected.values())).pvalue > 1e-4


@every_outside
def test_a_higher_price_never_gains_a_sale_nor_costs_another_product_one(outside: Any) -> None:
    """Independent choices under the same numbers, replication by replication."""
    process = market(outside_rating=outside)
    for item in range(3):
        asked = [[*REFERENCES[:item], price, *REFERENCES[item + 1 :]] for price in (0.0, 5.0, 9.5, 14.0, 60.0)]
        sold = np.array([demand_at(process, prices, noise(process, 400)) for prices in asked])
        own, others = sold[:, item], np.delete(sold, item, axis=1)
        assert (np.diff(own, axis=0) <= 0).all() and (own[0] > own[-1]).any()
        assert (np.diff(others, axis=0) >= 0).all() and (others[-1] > others[0]).any()


@every_choice
def test_without_an_effect_prices_and_references_change_no_bit(choice: Any) -> None:
    plain = market(choice=choice, price_effect=0.0, reference_prices=())
    stated, numbers = market(choice=choice, price_effect=0.0), noise(plain, 200)
    assert np.array_equal(demand_at(plain, PRICES["all differ"], numbers), demand_at(stated, REFERENCES, numbers))
    rating = plain.ratings_after(NUMPY, ({}, {}, {}), EXPOSURE[:, :, None])
    weight = np.exp(rating - 5)
    by_equation = weight / (weight[:, 0] + weight[:, 1] + weight[:, 2])[:, None]
    assert np.array_equal(stated.chances(NUMPY, rating, np.zeros((3, 1))), by_equation)


def test_prices_that_rise_together_lose_customers_only_to_buying_nothing() -> None:
    dearer = [price + 4 for price in REFERENCES]
    assert np.allclose(market().chances_at(EXPOSURE, dearer), market().chances_at(EXPOSURE, REFERENCES), atol=1e-14)
    leaving = market(outside_rating=1.5)
    assert (leaving.chances_at(EXPOSURE, dearer) < leaving.chances_at(EXPOSURE, REFERENCES)).all()


@every_outside
def test_no_price_is_too_large(outside: Any) -> None:
    process = market(outside_rating=outside, price_effect=100.0)
    found = process.chances_at(EXPOSURE, [1e6, 1e6 + 2, 1e6 - 2])
    assert np.isfinite(found).all() and found.sum(1) == pytest.approx(1.0 if outside is None else 0.0)
    assert process.chances_at(EXPOSURE, [0.0, 1e6, 1e6])[:, 0] == pytest.approx(1.0)


@every_choice
@every_outside
def test_numpy_and_torch_agree(choice: Any, outside: Any) -> None:
    process = market(choice=choice, outside_rating=outside)
    numbers = noise(process, 64)
    ours = demand_at(process, PRICES["all differ"], numbers)
    theirs = demand_at(process, PRICES["all differ"], torch.tensor(numbers), TorchArrays())
    assert np.array_equal(ours, theirs.numpy())


def test_figures_are_those_at_the_own_price_beside_the_references() -> None:
    for item, reference in enumerate(REFERENCES):
        process = market(item, outside_rating=1.5)
        assert process.usual_price == reference and process.mean == pytest.approx(process.distribution().mean)
        beside = [*REFERENCES[:item], 15.0, *REFERENCES[item + 1 :]]
        law = process.law_at(prices=beside)
        assert process.mean_at(15.0) == pytest.approx(law.mean) == pytest.approx(process.law({}, 15.0).mean)
        assert process.variance_at(15.0) == pytest.approx(law.variance)


def test_moments_at_prices_are_those_of_the_law() -> None:
    process, price = market(outside_rating=1.5), np.array(PRICES["all differ"])[:, None]
    mean, variance = process.moments(NUMPY, ({}, {}, {}), price, EXPOSURE[:, :, None])
    for item in range(3):
        law = market(item, outside_rating=1.5).law_at(EXPOSURE, PRICES["all differ"])
        assert mean[item, 0] == pytest.approx(law.mean) and variance[item, 0] == pytest.approx(law.variance)
