"""Agents that learn to decide more than orders, or no orders at all: their choices, what is played, who combines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_learner import small

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.learning.arena import Arena
from marl_supply.learning.interface import CLOSED, Interface
from marl_supply.learning.trained import load_policies, save_policies
from marl_supply.learning.trained.choosing_policy import ChoosingPolicy, choosing_policies
from marl_supply.policies import rule
from marl_supply.policies.each_decides import EachDecides
from marl_supply.policies.exposure_rules import RandomExposure
from marl_supply.policies.random_order import RandomOrder
from marl_supply.testing import check_policy
from marl_supply.topology import load

NAME = "recommendation_replenishment"
ROWS = ["shop:red", "shop:green", "shop:blue"]
DESKS = {
    "buyer": {"decides": [f"{row}.order" for row in ROWS], "pays": ROWS},
    "recommender": {"decides": [f"{row}.exposure" for row in ROWS], "pays": []},
}


def untrained(game: Game, agents: Any = None, seed: int = 0, **settings: Any) -> dict[str, ChoosingPolicy]:
    """Policies of a random network of one layer."""
    interface = Interface(game, agents, small("ppo", **settings))
    random, outputs = np.random.default_rng(seed), int(np.prod(interface.prior.shape[1:]))
    made = random.normal(size=(interface.seen.shape[1], outputs))
    layers = {module: [(made, np.zeros((1, outputs)))] for module in interface.modules}
    return choosing_policies(interface, layers, {"learner": "none"})


@pytest.mark.parametrize("chain", [NAME, "pricing_replenishment", "collaborative"])
def test_choices_of_a_learner_are_the_actions_of_the_game(chain: str) -> None:
    """Whatever their steps: orders of units, shares of tenths, prices of money."""
    game = Game(chain)
    arena = Arena(game, small("ppo"), [0])
    agent, action = game.agents[0], game.actions[game.agents[0]]
    assert arena.interface.components == (len(action.low),)
    chosen = np.random.default_rng(0).integers(0, action.choices[:, None], (len(action.low), 32))
    other = game.start(32, noise=arena.streams)
    outcome = arena.step(chosen.T[None, None]).outcome
    _, expected = game.step(other, {agent: action.decode(chosen)})
    assert np.array_equal(outcome.costs, expected.costs)
    assert np.array_equal(outcome.flows.demand, expected.flows.demand)


def test_what_is_no_order_starts_in_the_middle_of_its_range() -> None:
    """Also where orders start near the demand: no share and no price is likelier than another."""
    interface = Interface(Game(NAME, actions="demand_plus"), None, small("ppo"))
    prior, choices = interface.prior[0], interface.choices[0]
    assert choices[3:].tolist() == [11] * 12
    assert (prior[3:, :11] == 0).all() and (prior[3:, 11:] == CLOSED).all()
    assert (prior[:3, : choices[:3].min()] <= 0).all() and (prior[:3, 0] < 0).all()
    assert np.allclose(interface.values[0, 3:, 5], 0)


def test_a_policy_of_orders_and_exposure_plays_and_is_kept(tmp_path: Path) -> None:
    game = Game(NAME)
    made = untrained(game)
    check_policy(dict(made), game)
    save_policies(tmp_path / "joint.npz", made)
    again = load_policies(tmp_path / "joint.npz")
    assert evaluate(game, again, replications=8).mean == evaluate(game, made, replications=8).mean


def test_policies_of_one_thing_each_play_beside_others(tmp_path: Path) -> None:
    """A recommender beside a buyer who plays at random, a buyer beside a random recommender, and both together."""
    game = Game(NAME, agents=DESKS, reward="shared")
    recommender, buyer = untrained(game, ["recommender"]), untrained(game, ["buyer"], seed=1)
    save_policies(tmp_path / "recommender.npz", recommender)
    kept = load_policies(tmp_path / "recommender.npz")
    costs = [
        evaluate(game, players, replications=8).mean
        for players in (
            {"buyer": rule("random_order", game.seats["buyer"]), **kept},
            {**buyer, "recommender": rule("random_exposure", game.seats["recommender"])},
            {**buyer, **kept},
        )
    ]
    assert len(set(costs)) == 3
    check_policy({**buyer, **recommender}, game)


def test_naive_combinations_of_trained_policies() -> None:
    """Of two that decide everything the orders of one and the exposure of the other, and either beside chance."""
    game = Game(NAME)
    one, other = untrained(game, seed=2)["shop"], untrained(game, seed=3)["shop"]
    naive = EachDecides({"order": one, "exposure": other})
    state = game.start(5)
    seen, seat = game.observe(state, "shop"), game.seats["shop"]
    decided, _ = naive.act(seen, naive.start(seat, 5))
    first, second = (policy.act(seen, policy.start(seat, 5))[0] for policy in (one, other))
    assert np.array_equal(decided.order, first.order)
    assert all(map(np.array_equal, decided.exposure, second.exposure))
    assert not np.array_equal(first.order, second.order)
    for policy in (
        naive,
        EachDecides({"order": one, "exposure": RandomExposure()}),
        EachDecides({"order": RandomOrder([9.0] * 3), "exposure": one}),
    ):
        check_policy({"shop": policy}, game)


def test_a_day_without_review_closes_orders_alone() -> None:
    game = Game(load(NAME, {"nodes.shop.review": [2]}))
    policy = untrained(game)["shop"]
    memory = policy.start(game.seats["shop"], 6)
    state, exposures = game.start(6), []
    for period in range(4):
        decided, memory = policy.act(game.observe(state, "shop"), memory)
        assert (np.asarray(decided.order).sum() == 0) == (period % 2 == 1)
        exposures.append(np.array(decided.exposure))
        state, _ = game.step(state, {"shop": decided})
    assert not np.allclose(exposures[1], 1 / 4)


def test_choices_of_an_edge_and_a_quantity_are_closed_without_review_and_by_no_limit() -> None:
    """The limit is that of the edge that is chosen, so what is above it is cut when it is ordered."""
    assert Arena(Game("collaborative"), small("ppo"), [0]).view().highest is None
    arena = Arena(Game(load("collaborative", {"nodes.shop.review": [2]})), small("ppo"), [0])
    last = arena.interface.choices[0] - 1
    assert arena.view().highest[0, 0, 0].tolist() == last.tolist()
    arena.step(np.zeros((1, 1, 32, len(last)), dtype=int))
    assert arena.view().highest[0, 0, 0].tolist() == [0] * 4 + last[4:].tolist()


def test_a_policy_on_a_base_of_orders_and_exposure_is_kept(tmp_path: Path) -> None:
    game = Game(NAME)
    made = untrained(game, base="base_stock_myopic_exposure", head="categories")
    check_policy(dict(made), game)
    save_policies(tmp_path / "joint.npz", made)
    again = load_policies(tmp_path / "joint.npz")
    assert evaluate(game, again, replications=8).mean == evaluate(game, made, replications=8).mean
