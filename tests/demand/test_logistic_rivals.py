"""Price competition: published rates, turns, what sellers remember and pay by, numpy and torch, what is refused."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.demand.logistic_price import LogisticPrice
from marl_supply.demand.logistic_rivals import LogisticRivals
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation.arrays import NUMPY
from marl_supply.topology import load


def sellers(count: int = 2, **parameters: Any) -> list[LogisticRivals]:
    return [LogisticRivals(item=item, sellers=count, **parameters) for item in range(count)]


def started(those: list[LogisticRivals], many: int = 1) -> list[dict[str, Any]]:
    return [{name: np.repeat(v[:, None], many, axis=1) for name, v in one.start().items()} for one in those]


@pytest.mark.parametrize(("own", "rate"), [(30, 3.067216), (29, 4.155380), (31, 2.263198)])
def test_published_coefficients_give_the_known_rates(own: float, rate: float) -> None:
    those = sellers()
    means, _ = those[0].expect_together(NUMPY, started(those), np.array([[own], [30.0]]))
    assert means[0, 0] == pytest.approx(rate, abs=1e-6) and those[1].mean_at(own) == pytest.approx(rate, abs=1e-6)
    both, _ = those[0].expect_together(NUMPY, started(those), np.array([[30.0], [own]]))
    assert both[1, 0] == means[0, 0]


def test_two_half_periods_in_turn_are_a_period_with_a_competitor() -> None:
    """The second seller answering as the competitor does: mean demand and reference price, period after period."""
    those = sellers(moves="in_turn", length=0.5, reference_effect=-0.01)
    memory, alone = started(those), LogisticPrice(reference_effect=-0.01)
    kept = {name: v[:, None] for name, v in alone.start().items()}
    for own in (33.0, 28.0, 40.0, 1.0, 25.0):
        answer = own - 1 if own > 1 else 50.0
        mean = 0.0
        for price in (np.array([[own], [99.0]]), np.array([[99.0], [answer]])):
            held = those[0].held_prices(NUMPY, memory, price)
            means, memory = those[0].expect_together(NUMPY, memory, held)
            mean += means[0, 0]
        assert mean == pytest.approx(alone.mean_after(NUMPY, kept, np.array([own]))[0], abs=1e-12)
        kept = alone.next_memory(NUMPY, kept, np.array([own]))
        for seller in memory:
            assert seller["reference_price"][0, 0] == pytest.approx(kept["reference_price"][0, 0], abs=1e-12)
        assert memory[0]["rival_price"][0, 0] == kept["competitor_price"][0, 0] == answer


def test_three_sellers_rank_and_take_turns() -> None:
    those = sellers(3, moves="in_turn")
    memory = started(those)
    for mover in (0, 1, 2, 0):
        assert [own["until_turn"][0, 0] for own in memory] == [(item - mover) % 3 for item in range(3)]
        held = those[0].held_prices(NUMPY, memory, np.array([[10.0], [20.0], [10.0]]))
        means, memory = those[0].expect_together(NUMPY, memory, held)
    assert held[:, 0].tolist() == [10, 20, 10] and memory[1]["rival_price"][:, 0].tolist() == [10, 10]
    odds = -3.89 - 0.56 * 3 - 0.01 * 10 + 0.07 * 2 - 0.03 * 40 / 3  # two sellers are cheaper
    assert means[1, 0] == pytest.approx(800 / (1 + np.exp(-odds)))
    assert means[0, 0] == means[2, 0] > means[1, 0]


def test_demand_has_its_law_and_falls_in_the_own_price_alone() -> None:
    """Chi-square at four prices; the same number never gives more at a higher price."""
    those, many = sellers(), 4000
    uniform = np.random.default_rng(5).random((2, many))
    before = None
    for own in (20.0, 29.0, 30.0, 41.0):
        price = np.array([np.full(many, own), np.full(many, 30.0)])
        demand, _ = those[0].respond_together(NUMPY, started(those, many), price, None, uniform)
        law = stats.poisson(those[0].mean_at(own))
        counts = np.bincount(demand[0].astype(int), minlength=30)
        expected = many * law.pmf(np.arange(len(counts)))
        usual = expected > 5
        found = np.append(counts[usual], counts[~usual].sum())
        wanted = np.append(expected[usual], many - expected[usual].sum())
        assert stats.chisquare(found, wanted * many / wanted.sum()).pvalue > 1e-4
        if before is not None:
            assert (demand[0] <= before).all()
        before = demand[0]


def test_customers_pay_the_price_that_holds() -> None:
    """A seller whose turn it is not earns nothing by asking for more."""
    game = Game("pricing_duopoly")
    state = game.start(3, seed=1)
    asked = {"seller_0": np.full((1, 3), 20.0), "seller_1": np.full((1, 3), 50.0)}
    state, outcome = game.step(state, {agent: game.actions[agent].decide(price) for agent, price in asked.items()})
    assert outcome.flows.price is not None and outcome.flows.price.tolist() == [[20.0] * 3, [30.0] * 3]
    np.testing.assert_allclose(-outcome.costs, [20 * outcome.flows.demand[0], 30 * outcome.flows.demand[1]])
    assert game.observe(state, "seller_1").market_state[:, 0].tolist() == [30, 20, 0]


def test_numpy_and_torch_agree() -> None:
    torch = pytest.importorskip("torch")
    from marl_supply.simulation.torch_arrays import TorchArrays

    arrays = TorchArrays()
    those = sellers(3, moves="in_turn", reference_effect=-0.01)
    here: Any = started(those, 8)
    there: Any = [{name: torch.tensor(v) for name, v in one.items()} for one in here]
    random = np.random.default_rng(2)
    for _ in range(7):
        price, noise = random.integers(1, 50, (3, 8)).astype(float), random.random((3, 8))
        held = those[0].held_prices(NUMPY, here, price)
        same = those[0].held_prices(arrays, there, torch.tensor(price))
        demand, here = those[0].respond_together(NUMPY, here, held, None, noise)
        other, there = those[0].respond_together(arrays, there, same, None, torch.tensor(noise))
        np.testing.assert_array_equal(demand, other.numpy())
        for one, two in zip(here, there, strict=True):
            for name in one:
                np.testing.assert_allclose(one[name], two[name].numpy(), rtol=1e-14)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nodes.seller_1.demand": {"item": 2}}, "item: 2 is none of the 2 sellers"),
        ({"nodes.seller_1.demand": {"item": 0}}, "is sold in 'seller_0' already"),
        ({"nodes.seller_1.demand": {"item": 1, "factor": 80.0}}, "it differs from that of 'seller_0'"),
        ({"defaults.market.sellers": 3}, "no market of crowd 'customers' sells item 2"),
    ],
)
def test_what_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Game(load("pricing_duopoly", change))
