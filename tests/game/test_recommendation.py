"""Exposure as a decision: both readings of the simplex, what is refused, equations (11) to (14) by hand."""

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions
from marl_supply.topology import load

torch = pytest.importorskip("torch")

from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402

B = 6
NAME = "recommendation_replenishment"


def game_of(over: str = "customers", **changes: Any) -> Game:
    return Game(load(NAME, {"defaults.market.exposure_over": over, **changes}))


def equal(over: str, replications: int = B) -> tuple[Any, ...]:
    return tuple(np.full((4, replications), 1 / 4 if over == "customers" else 1 / 3) for _ in range(3))


def decided(exposure: Any, order: float = 10.0) -> dict[str, Decisions]:
    return {"shop": Decisions(order=np.full((3, exposure[0].shape[1]), order), exposure=tuple(exposure))}


@pytest.mark.parametrize("over", ["customers", "products"])
def test_actions_become_shares_of_the_simplex_that_the_file_names(over: str) -> None:
    game = game_of(over)
    action = game.actions["shop"]
    chosen = np.random.default_rng(0).integers(0, action.choices[:, None], (15, 50))
    chosen[3:, 0] = 0
    shares = np.array(action.decode(chosen).exposure)  # (product, group, replication)
    assert np.allclose(shares.sum(1 if over == "customers" else 0), 1)
    assert np.allclose(shares[:, :, 0], 1 / 4 if over == "customers" else 1 / 3)
    weights = chosen[3:].reshape(3, 4, 50)
    expected = weights / np.maximum(weights.sum(1 if over == "customers" else 0, keepdims=True), 1)
    assert np.allclose(shares[:, :, 1:], expected[:, :, 1:])
    state = game.start(50)
    game.step(state, {"shop": action.decode(chosen)})


@pytest.mark.parametrize("over", ["customers", "products"])
def test_exposures_off_the_simplex_are_refused_in_one_sentence(over: str) -> None:
    game = game_of(over)
    market = "over groups" if over == "customers" else "over the markets of its crowd"
    for spoil in (
        lambda e: (e[0] * 1.1, *e[1:]),
        lambda e: (e[0] - 0.5, e[1] + 0.5, e[2]),
        lambda e: (e[0] * np.nan, *e[1:]),
        lambda e: (e[0] * np.inf, *e[1:]),
    ):
        with pytest.raises(ValueError, match=f"^shop: exposure of shop:.* is no share of attention: .*{market}$"):
            game.step(game.start(B), decided(spoil(equal(over))))
    with pytest.raises(ValueError, match="exposure of 2 markets, not 3"):
        game.step(game.start(B), decided(equal(over)[:2]))
    with pytest.raises(ValueError, match="exposure has shape"):
        game.step(game.start(B), decided([np.full((3, B), 1 / 3)] * 3))
    other = equal("products" if over == "customers" else "customers")
    with pytest.raises(ValueError, match="is no share of attention"):
        game.step(game.start(B), decided(other))


def test_two_agents_cannot_divide_what_adds_up_to_one() -> None:
    agents = {"one": {"decides": ["shop:red", "shop:green"]}, "other": {"decides": ["shop:blue"]}}
    printed = Game(load(NAME, {"game.agents": agents}))
    assert [len(printed.actions[agent].low) for agent in printed.agents] == [10, 5]
    with pytest.raises(InputError, match="'shop:red' adds up to 1 with that of 'shop:blue', which it does not decide"):
        Game(load(NAME, {"game.agents": agents, "defaults.market.exposure_over": "products"}))


@pytest.mark.parametrize("unmet", ["lost", "backorder"])
def test_a_period_is_the_printed_one(unmet: str) -> None:
    """Sales, lost sales and stock, equations (11) to (13), and profit, equation (14), product by product."""
    game = game_of(**{"defaults.market.unmet": unmet, "defaults.market.revenue_on": "sale"})
    price, cost, holding, penalty = [8, 9, 12], [4, 4, 5], [0.5, 0.6, 0.8], [2, 2, 3]
    lead, stock, owed = [1, 2, 3], np.array([[16.0], [12], [10]]) * np.ones(B), np.zeros((3, B))
    orders = [[np.full(B, amount)] * periods for amount, periods in zip((12.0, 10.0, 8.0), lead, strict=True)]
    state, random = game.start(B, seed=4), np.random.default_rng(5)
    short = 0.0
    for _ in range(12):
        shares = tuple(random.dirichlet(np.ones(4), B).T for _ in range(3))
        order = random.integers(0, 16, (3, B)).astype(float)
        state, outcome = game.step(state, {"shop": Decisions(order=order, exposure=shares)})
        profit = np.zeros(B)
        for i in range(3):
            stock[i] += orders[i].pop(0)
            orders[i].append(order[i])
            old = np.minimum(owed[i], stock[i])
            demand = outcome.flows.demand[i]
            sales = demand - np.maximum(demand - (stock[i] - old), 0)
            unserved = demand - sales
            stock[i] -= old + sales
            owed[i] += unserved - old if unmet == "backorder" else 0
            charged = owed[i] if unmet == "backorder" else unserved
            profit += price[i] * sales - cost[i] * order[i] - holding[i] * stock[i] - penalty[i] * charged
            short += unserved.sum()
        assert np.array_equal(outcome.flows.on_hand, stock)
        assert np.allclose(-outcome.costs[0], profit)
    assert short > 0


@pytest.mark.parametrize("choice", ["independent", "multinomial"])
def test_policies_meet_the_same_customers(choice: str) -> None:
    """Of the first period and of the second alike, whatever was ordered; and exposure moves them."""
    game = game_of(**{"defaults.market.choice": choice})
    loud = tuple(np.repeat([[1.0], [0], [0], [0]], B, axis=1) for _ in range(3))
    demands = []
    for order, exposure in ((0.0, equal("customers")), (20.0, equal("customers")), (20.0, loud)):
        state, flows = game.start(B, seed=1), []
        for _ in range(5):
            state, outcome = game.step(state, decided(exposure, order))
            flows.append(outcome.flows.demand)
        demands.append(np.array(flows))
    assert np.array_equal(demands[0], demands[1])
    assert not np.array_equal(demands[1], demands[2])


@pytest.mark.parametrize("changes", [{}, {"defaults.market.forgetting": 0.5, "defaults.market.choice": "multinomial"}])
def test_numpy_and_torch_play_the_same(changes: dict[str, Any]) -> None:
    game, arrays = game_of(**changes), TorchArrays()
    state, there = game.start(B, seed=2), game.start(B, seed=2, arrays=arrays)
    random = np.random.default_rng(7)
    for _ in range(6):
        order = random.integers(0, 16, (3, B)).astype(float)
        shares = tuple(random.dirichlet(np.ones(4), B).T for _ in range(3))
        state, outcome = game.step(state, Decisions(order=order, exposure=shares))
        moved = Decisions(order=torch.tensor(order), exposure=tuple(torch.tensor(own) for own in shares))
        there, other = game.step(there, moved)
        assert np.array_equal(outcome.flows.demand, other.flows.demand.numpy())
        assert np.allclose(outcome.costs, other.costs.numpy(), rtol=1e-12)


def test_remembered_ratings_are_seen() -> None:
    game = game_of(**{"defaults.market.forgetting": 0.5})
    seen = [entry.label for entry in game.layouts["shop"] if entry.field == "market_state"]
    assert seen[:2] == ["shop:red.rating[0]", "shop:red.rating[1]"] and len(seen) == 12
    loud = tuple(np.repeat([[1.0], [0], [0], [0]], B, axis=1) for _ in range(3))
    state, _ = game.step(game.start(B), decided(loud))
    shown = game.observe(state, "shop").market_state[:, 0].tolist()
    assert shown[:4] == [4, 1, 2, 2]  # 3 + (5 - 3) 0.5 for the first group, the original rating of the others
    state, _ = game.step(state, decided(loud))
    assert game.observe(state, "shop").market_state[0, 0] == 3.5 + 1.5 * 0.5  # half of the gain was forgotten before
