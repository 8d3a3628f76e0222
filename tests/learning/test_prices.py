"""Seats that decide prices beside orders: what their choices mean, which are open, and that learners find the best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.learning.interface import CLOSED, Interface
from marl_supply.learning.masks import Mask
from marl_supply.learning.settings import learner_named
from marl_supply.simulation.state import Decisions
from marl_supply.topology import load

pytest.importorskip("torch")
pytest.importorskip("ray")
CHAIN: dict[str, Any] = {
    "name": "priced",
    "timing": {"demand_visible": "after_ordering"},
    "nodes": {"supplier": {"kind": "source"}, "shop": {"on_hand": 4, "holding_cost": 0.5, "backorder_cost": 3.0}},
    "edges": [{"from": "supplier", "to": "shop", "lead_time": 0, "purchase_cost": 2.0}],
    "markets": {
        "street": {
            "process": "linear_price",
            "intercept": 10,
            "slope": 1.0,
            "spread": 2,
            "served_by": ["shop"],
            "price": 5.0,
            "price_range": [1, 9],
        }
    },
    "game": {"horizon": 200, "warm_up": 20, "criterion": "average", "actions": "order_up_to"},
}


def priced(**changes: Any) -> Game:
    return Game(load(CHAIN, {name.replace("__", "."): value for name, value in changes.items()}))


def best_profit() -> float:
    """Of any policy: customers wait and orders arrive at once, so every period stands alone (Petruzzi & Dada 1999)."""
    uniform = (np.arange(20_000) + 0.5) / 20_000
    profits = []
    for price in range(1, 10):
        demand = np.rint(np.maximum(10 - price + 2 * (2 * uniform - 1), 0))
        for level in range(15):
            left, short = np.maximum(level - demand, 0), np.maximum(demand - level, 0)
            profits.append((price * demand - 2 * demand - 0.5 * left - 3 * short).mean())
    return float(max(profits))


def test_choices_of_prices_stand_beside_those_of_orders() -> None:
    game = priced(game__actions={"kind": "demand_plus", "spread": 3, "price": {"step": 2}})
    interface = Interface(game, None, learner_named("ppo"))
    assert interface.components == (2,) and interface.choices.tolist() == [[7, 5]]
    assert interface.low.tolist() == [[-3, 1]] and interface.steps.tolist() == [[1, 2]]
    assert interface.prior[0, 0].argmax() == 3  # what is added to demand starts near nothing
    assert (interface.prior[0, 1, :5] == 0).all() and (interface.prior[0, 1, 5:] == CLOSED).all()


def test_orders_have_limits_and_prices_have_none() -> None:
    game = priced(edges__0__order_limit=3)
    seat = game.seats["shop"]
    mask = Mask(seat, game.actions["shop"], "order_up_to", None)
    state = game.start(2)
    highest = mask.highest(game.observe(state, "shop"), None)
    assert mask.needed and highest[0].tolist() == [7, 7]  # 4 on hand, and 3 may be ordered
    assert highest[1].tolist() == [8, 8]


def test_a_seat_without_orders_has_nothing_closed() -> None:
    game = priced(
        game__agents={
            "clerk": {"decides": ["shop.price"], "pays": []},
            "buyer": {"decides": ["shop.order"], "pays": ["shop"]},
        }
    )
    assert game.actions["clerk"].ordering is None
    assert not Mask(game.seats["clerk"], game.actions["clerk"], "order_up_to", None).needed
    interface = Interface(game, None, learner_named("ppo"))
    assert interface.components == (1, 1) and interface.choices[0, 0] == 9


def test_choices_are_added_to_the_orders_and_the_price_of_a_rule() -> None:
    settings = {"base": "base_stock_list_price", "reach": 0.5, "steering_reach": 0.25, "head": "gaussian"}
    interface = Interface(priced(), None, learner_named("ppo", settings))
    assert interface.low.tolist() == [[-3, -2]] and interface.choices.tolist() == [[7, 5]]
    base = interface.bases["shop"]
    rule_says = Decisions(order=np.array([[2.0, 2.0]]), price=np.array([[5.0, 8.0]]))
    both = base.decisions(base.together(base.quantity(rule_says), np.array([[-3.0, 1.0], [-2.0, 2.0]])))
    assert both.order is not None and both.order.tolist() == [[0, 3]]
    assert both.price is not None and both.price.tolist() == [[3, 9]]  # the highest price is 9


def test_what_a_base_leaves_undecided_is_chosen() -> None:
    interface = Interface(priced(), None, learner_named("ppo", {"base": "base_stock"}))
    assert interface.choices[0, 1] == 9 and interface.low[0, 1] == 1
    assert (interface.prior[0, 1, :9] == 0).all() and (interface.prior[0, 0, :3] < 0).any()


def test_a_learner_finds_the_best_price_and_level_and_its_policy_plays_without_it(tmp_path: Path) -> None:
    from marl_supply.learning.train import train
    from marl_supply.learning.trained import load_policies

    settings = {"replications": 64, "evaluations": 1, "evaluation_replications": 32, "hidden": (16,), "discount": 0.9}
    game = priced()
    found = train(game, learner_named("a3c", settings), [0], 50_000, out_dir=tmp_path)
    played = evaluate(game, found.policies[0], 200)
    assert -played.per_period > 0.99 * best_profit()
    again = evaluate(game, load_policies(tmp_path / "seed_0.npz"), 200)
    assert np.array_equal(again.cost, played.cost)
