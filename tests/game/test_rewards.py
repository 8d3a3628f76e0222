"""Who pays and what is rewarded: individual, shared, blends, agents of several nodes, warm-up and horizon."""

from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions

B = 5


def play(game: Game, periods: int = 15) -> tuple[Any, Any]:
    """Costs and rewards (T, A, B) under random orders."""
    state, generator = game.start(B, seed=2), np.random.default_rng(0)
    costs, rewards = [], []
    for _ in range(periods):
        highest = game.network.order_bound[game.everybody.edges, None] / 2
        orders = np.floor(generator.random((len(highest), B)) * (highest + 1))
        state, outcome = game.step(state, Decisions(order=orders))
        costs.append(outcome.costs)
        rewards.append(outcome.rewards)
    return np.array(costs), np.array(rewards)


@pytest.mark.parametrize("name", CHAINS)
def test_rewards_are_costs_blended(name: str) -> None:
    costs, individual = play(Game(CHAINS[name], reward="individual"))
    np.testing.assert_array_equal(individual, -costs)
    same_costs, shared = play(Game(CHAINS[name], reward="shared"))
    np.testing.assert_array_equal(same_costs, costs)
    mean = individual.mean(1, keepdims=True)
    np.testing.assert_allclose(shared, np.broadcast_to(mean, shared.shape), rtol=1e-12)
    for weight in (0.0, 0.25, 1.0):
        _, blend = play(Game(CHAINS[name], reward={"blend": weight}))
        np.testing.assert_allclose(blend, weight * individual + (1 - weight) * mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CHAINS)
def test_one_agent_for_the_whole_chain_pays_the_sum(name: str) -> None:
    rows = list(Game(CHAINS[name]).network.rows)
    planner = Game(CHAINS[name], agents={"planner": {"decides": rows, "pays": rows}})
    assert planner.agents == ("planner",)
    costs, _ = play(Game(CHAINS[name]))
    together, _ = play(planner)
    np.testing.assert_allclose(together[:, 0], costs.sum(1), rtol=1e-12, atol=1e-9)


def test_who_decides_need_not_pay() -> None:
    team = {
        "north": {"decides": ["manufacturer", "distributor"], "pays": ["manufacturer"]},
        "south": {"decides": ["wholesaler", "retailer"], "pays": ["retailer", "wholesaler", "distributor"]},
    }
    costs, _ = play(Game("beer_game"))
    shifted, _ = play(Game("beer_game", agents=team))
    np.testing.assert_array_equal(shifted[:, 0], costs[:, 0])
    np.testing.assert_allclose(shifted[:, 1], costs[:, 1:].sum(1), rtol=1e-12)
    seat = Game("beer_game", agents=team).seats["south"]
    assert seat.rows == ("wholesaler", "retailer")
    assert seat.edges == ("distributor-wholesaler", "wholesaler-retailer")
    assert seat.lines == ("wholesaler-retailer", "retailer")


def test_agents_decide_the_same_whether_apart_or_together() -> None:
    apart = Game("beer_game_uniform")
    rows = list(apart.network.rows)
    together = Game("beer_game_uniform", agents={"planner": {"decides": rows, "pays": rows}})
    state, other, generator = apart.start(B), together.start(B), np.random.default_rng(1)
    for _ in range(10):
        extra = np.floor(generator.random((4, B)) * 17) - 8
        single = {agent: Decisions(demand_plus=extra[k : k + 1]) for k, agent in enumerate(apart.agents)}
        state, outcome = apart.step(state, single)
        other, same = together.step(other, {"planner": Decisions(demand_plus=extra)})
        np.testing.assert_array_equal(outcome.flows.order, same.flows.order)
        np.testing.assert_allclose(outcome.costs.sum(0), same.costs[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("agents", "sentence"),
    [
        ({"a": {"decides": ["retailer"], "pays": ["retailer"]}}, "manufacturer"),
        ({"a": {"decides": ["retailr"], "pays": ["retailer"]}}, "'retailr'"),
    ],
)
def test_agents_that_do_not_fit_are_refused(agents: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Game("beer_game", agents=agents)


@pytest.mark.parametrize("reward", ["individul", {"blend": 1.5}, {"blend": 0.5, "share": 1}])
def test_rewards_that_are_none_are_refused(reward: Any) -> None:
    with pytest.raises(InputError, match=r"reward"):
        Game("beer_game", reward=reward)
