"""Customers who choose by ratings: equations (8) to (10) by hand, the law at several exposures, coupling, memory.

Prices that move the choice are in test_rating_choice_prices.py.
"""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand.crowd import crowds_of
from marl_supply.demand.rating_choice import RatingChoice
from marl_supply.errors import InputError
from marl_supply.simulation.arrays import NUMPY

torch = pytest.importorskip("torch")

from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402

RATINGS = [[2.0, 1.0], [1.0, 3.0], [0.5, 2.0]]
CUSTOMERS = [3, 4]
EXPOSURES = {
    "equal": np.full((2, 3), 1 / 2),
    "the first group sees all": np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]),
    "mixed": np.array([[0.9, 0.2, 0.5], [0.1, 0.8, 0.5]]),
}
CHOICES = ("independent", "multinomial")
every_choice = pytest.mark.parametrize("choice", CHOICES)


def market(item: int = 0, **changes: Any) -> RatingChoice:
    return RatingChoice(**{"item": item, "ratings": RATINGS, "customers": CUSTOMERS, "efficiency": 0.6} | changes)


def uniforms(process: RatingChoice, replications: int, seed: int = 0) -> Any:
    size = sum(market(item, choice=process.choice).uniforms for item in range(3))
    return np.random.default_rng(seed).random((size, replications))


def demand_at(process: RatingChoice, exposure: Any, uniform: Any, memory: Any = ({}, {}, {})) -> Any:
    shown = np.repeat(np.asarray(exposure, dtype=float)[:, :, None], uniform.shape[1], axis=2)
    demand, _ = process.respond_together(NUMPY, memory, None, shown, uniform)
    return demand


def chances_by_hand(exposure: Any) -> Any:
    """(groups, items), equations (8) and (10) number by number."""
    found = np.zeros((2, 3))
    for group in range(2):
        raised = [RATINGS[i][group] + (5 - RATINGS[i][group]) * exposure[group][i] * 0.6 for i in range(3)]
        for item in range(3):
            found[group, item] = np.exp(raised[item]) / sum(np.exp(other) for other in raised)
    return found


@pytest.mark.parametrize("shown", EXPOSURES)
def test_chances_are_those_of_the_equations(shown: str) -> None:
    assert np.allclose(market().chances_at(EXPOSURES[shown]), chances_by_hand(EXPOSURES[shown]), atol=1e-14)


@every_choice
@pytest.mark.parametrize("shown", EXPOSURES)
def test_demand_of_each_product_has_its_law(shown: str, choice: Any) -> None:
    process, exposure, size = market(choice=choice), EXPOSURES[shown], 40_000
    demand = demand_at(process, exposure, uniforms(process, size))
    chance = chances_by_hand(exposure)
    for item in range(3):
        law = market(item).law_at(exposure)
        groups = [stats.binom(bought, chance[group, item]) for group, bought in enumerate(CUSTOMERS)]
        by_hand = [sum(groups[0].pmf(k) * groups[1].pmf(n - k) for k in range(4)) for n in range(8)]
        assert np.allclose(law.probabilities, by_hand, atol=1e-12) and law.values.tolist() == list(range(8))
        expected = np.array(by_hand) * size
        frequent = expected > 10
        counts = np.bincount(demand[item].astype(int), minlength=8)
        observed = [*counts[frequent], counts[~frequent].sum()]
        sums = [*expected[frequent], expected[~frequent].sum()]
        kept = slice(None) if sums[-1] > 0.5 else slice(-1)
        total = sum(observed[kept])
        scaled = np.array(sums[kept]) * total / sum(sums[kept])
        assert stats.chisquare(observed[kept], scaled).pvalue > 1e-4


def test_products_sell_independently_or_share_every_purchase() -> None:
    size, exposure = 40_000, EXPOSURES["mixed"]
    chance = chances_by_hand(exposure)
    apart = demand_at(market(), exposure, uniforms(market(), size))
    assert abs(np.corrcoef(apart[0], apart[1])[0, 1]) < 4 / np.sqrt(size)
    joint = market(choice="multinomial")
    together = demand_at(joint, exposure, uniforms(joint, size))
    assert (together.sum(0) == sum(CUSTOMERS)).all()
    covariance = -sum(bought * chance[g, 0] * chance[g, 1] for g, bought in enumerate(CUSTOMERS))
    assert np.cov(together[0], together[1])[0, 1] == pytest.approx(covariance, abs=0.03)


def test_one_purchase_of_two_groups_has_the_joint_law_of_a_multinomial() -> None:
    """All outcomes of two buyers in three products, chi-square against products of equation (10)."""
    process = market(choice="multinomial", customers=[1, 1])
    size, chance = 60_000, chances_by_hand(EXPOSURES["mixed"])
    uniform = np.random.default_rng(3).random((2, size))
    demand = demand_at(process, EXPOSURES["mixed"], uniform)
    expected: dict[tuple[int, ...], float] = {}
    for first, second in product(range(3), repeat=2):
        outcome = tuple(int(first == item) + int(second == item) for item in range(3))
        expected[outcome] = expected.get(outcome, 0) + chance[0, first] * chance[1, second] * size
    observed = [(outcome == demand.T).all(1).sum() for outcome in expected]
    assert sum(observed) == size and stats.chisquare(observed, list(expected.values())).pvalue > 1e-4


@every_choice
def test_more_exposure_of_a_product_never_loses_a_sale_of_it_in_that_group(choice: Any) -> None:
    """One group that alone buys, the exposure of the others unchanged: sales rise buyer by buyer under one noise."""
    for item in range(3):
        sold = []
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            exposure = np.full((1, 3), 0.3)
            exposure[0, item] = share
            process = market(ratings=[[r[0]] for r in RATINGS], customers=[9], choice=choice)
            sold.append(demand_at(process, exposure, np.random.default_rng(1).random((27, 500))[: _needed(process)]))
        own = np.array([demand[item] for demand in sold])
        assert (np.diff(own, axis=0) >= 0).all() and (own[-1] > own[0]).any()
        others = np.delete(np.array(sold), item, axis=1).sum(1)
        assert (np.diff(others, axis=0) <= 0).all()


def _needed(process: RatingChoice) -> int:
    return 9 if process.choice == "multinomial" else 27


@every_choice
def test_exposure_of_one_group_leaves_the_purchases_of_the_others(choice: Any) -> None:
    process = market(choice=choice, customers=[3, 4])
    noise = uniforms(process, 300)
    blind = market(choice=choice, customers=[3, 4], efficiency=0.0)
    one = demand_at(process, [[0.9, 0.0, 0.0], [0, 0, 0]], noise) - demand_at(blind, np.zeros((2, 3)), noise)
    assert (np.abs(one) <= 3).all()  # the second group's four purchases are what they were


@pytest.mark.parametrize("forgetting", [0.0, 0.3, 1.0])
@every_choice
def test_numpy_and_torch_agree(choice: Any, forgetting: float) -> None:
    process = market(choice=choice, forgetting=forgetting)
    noise, torch_arrays = uniforms(process, 64), TorchArrays()
    shown = np.random.default_rng(2).dirichlet([1, 1], size=(3, 64)).transpose(2, 0, 1)
    memory = [
        {name: np.repeat(v[:, None], 64, axis=1) for name, v in market(i, forgetting=forgetting).start().items()}
        for i in range(3)
    ]
    there = [{name: torch.tensor(values) for name, values in own.items()} for own in memory]
    for _ in range(3):
        demand, memory = process.respond_together(NUMPY, memory, None, shown, noise)
        other, there = process.respond_together(torch_arrays, there, None, torch.tensor(shown), torch.tensor(noise))
        assert np.array_equal(demand, other.numpy())
        for own, theirs in zip(memory, there, strict=True):
            assert own.keys() == theirs.keys()
            assert all(np.allclose(own[name], theirs[name].numpy(), rtol=1e-14) for name in own)


def test_nobody_deciding_is_equal_exposure() -> None:
    for over, share in (("customers", 1 / 2), ("products", 1 / 3)):
        process = market(exposure_over=over)
        noise = uniforms(process, 50)
        demand, _ = process.respond_together(NUMPY, ({}, {}, {}), None, None, noise)
        assert np.array_equal(demand, demand_at(process, np.full((2, 3), share), noise))
        assert process.mean == pytest.approx(process.law_at(np.full((2, 3), share)).mean)


def test_ratings_that_stay_approach_the_settled_ones() -> None:
    process, exposure = market(forgetting=0.25), EXPOSURES["mixed"]
    memory: Any = [{"rating": market(i, forgetting=0.25).start()["rating"][:, None]} for i in range(3)]
    shown, noise = exposure[:, :, None], uniforms(process, 1)
    first = process.ratings_after(NUMPY, memory, shown)[:, :, 0]
    assert np.allclose(process.chances(NUMPY, first[:, :, None])[:, :, 0], chances_by_hand(exposure))
    for _ in range(200):
        rating = process.ratings_after(NUMPY, memory, shown)
        _, memory = process.respond_together(NUMPY, memory, None, shown, noise)
    assert (rating[:, :, 0] >= first).all()
    assert np.allclose(process.chances(NUMPY, rating)[:, :, 0], process.chances_at(exposure), atol=1e-12)
    never = market(forgetting=0.0)
    assert np.allclose(never.chances_at(np.full((2, 3), 0.5)), 1 / 3)  # all ratings end at the highest


def test_mean_and_variance_are_those_of_the_law() -> None:
    for item in range(3):
        process = market(item)
        law = process.distribution()
        assert process.mean == pytest.approx(law.mean) and process.variance == pytest.approx(law.variance)
    assert sum(market(item).mean for item in range(3)) == pytest.approx(sum(CUSTOMERS))


def test_used_and_fresh_processes_are_equal() -> None:
    used = market()
    assert used.mean > 0 and used == market() and used != market(1)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"ratings": [[2.0, 1.0], [1.0]]}, "product 1 has 1 of them for 2 customer groups"),
        ({"ratings": [[2.0, 6.0]]}, "one of product 0 is not between 0 and 5"),
        ({"item": 3}, "3 is none of the 3 products rated"),
        ({"customers": [3, 0]}, "each group buys at least one unit"),
        ({"efficiency": 1.5}, "less than or equal to 1"),
        ({"price_effect": 0.1}, "reference_prices: there are 0 for 3 products; give one for each"),
        ({"reference_prices": [1.0, 2.0]}, "there are 2 for 3 products"),
        ({"reference_prices": [1.0, 2.0, -1.0]}, "one is below 0"),
    ],
)
def test_impossible_choices_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        market(**changes)


def test_markets_of_one_crowd_sell_each_item_once() -> None:
    whole = {"b": market(1), "a": market(0), "c": market(2)}
    assert crowds_of(whole) == {"customers": ("a", "b", "c")}
    assert crowds_of({**whole, "d": market(0, ratings=[[1, 1]], crowd="others")}).keys() == {"customers", "others"}
    for markets, message in (
        ({"a": market(0), "b": market(1)}, "markets.a.crowd: no market of crowd 'customers' sells item 2 of 3"),
        ({**whole, "d": market(2)}, "markets.d.item: 2 is sold in 'c' already"),
        ({**whole, "b": market(1, efficiency=0.5)}, "markets.a.efficiency: it differs from that of 'b'"),
    ):
        with pytest.raises(InputError, match=message):
            crowds_of(markets)


def test_no_market_of_a_crowd_answers_alone() -> None:
    with pytest.raises(InputError, match="answer together"):
        market().respond(NUMPY, {}, np.zeros(1), None, np.zeros((7, 1)))
