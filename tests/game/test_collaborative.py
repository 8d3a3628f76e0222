"""Production, orders, prices and recommendations in one game: profit by hand, one planner or an agent a decision."""

from typing import Any

import numpy as np
import pytest

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies.planning_rules import one_method
from marl_supply.policies.pricing_rules import ConstantPrice
from marl_supply.policies.seating import rule, seat_everybody
from marl_supply.simulation import Decisions

ROWS = ["shop:shirt", "shop:coat"]
TEAM = {
    "maker": {"decides": [f"{row}.order" for row in ROWS], "pays": ROWS},
    "pricer": {"decides": [f"{row}.price" for row in ROWS], "pays": []},
    "recommender": {"decides": [f"{row}.exposure" for row in ROWS], "pays": []},
}
UNIT_COST = {("shirt", 0): 4, ("coat", 0): 6, ("shirt", 1): 5, ("coat", 1): 7.5}
PRODUCTS = {"shirt": (1, 3), "coat": (1.5, 4)}
"""Holding cost and cost of a lost sale."""


def test_an_action_names_a_method_a_quantity_a_price_and_shares() -> None:
    action = Game("collaborative").actions["shop"]
    assert action.choices.tolist() == [2, 21, 2, 21, 21, 21, *[11] * 6]
    decided = action.decode(np.array([[1, 9, 0, 4, 3, 9, 5, 0, 5, 0, 0, 0]]).T)
    assert decided.order[:, 0].tolist() == [0, 9, 4, 0]  # slow shirt, fast shirt, slow coat, fast coat
    assert decided.price[:, 0].tolist() == [8, 14]
    assert np.allclose(np.array(decided.exposure)[:, :, 0], [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]])


def test_profit_is_revenue_less_production_ordering_holding_and_lost_sales() -> None:
    game = Game("collaborative", horizon=12, warm_up=0)
    state, drawn = game.start(1, seed=4), np.random.default_rng(2)
    for _ in range(12):
        choices = np.array([drawn.integers(size) for size in game.actions["shop"].choices])
        decided = game.actions["shop"].decode(choices[:, None])
        before = state.on_hand[:2, 0].copy()
        state, outcome = game.step(state, {"shop": decided})
        flows, profit = outcome.flows, 0.0
        for number, (product, (holding, lost)) in enumerate(PRODUCTS.items()):
            method, quantity = choices[2 * number], choices[2 * number + 1]
            made = min(quantity, 5 if method == 0 else 20)
            demand, price = flows.demand[number, 0], decided.price[number, 0]
            sold = min(before[number], demand)
            profit += price * sold - UNIT_COST[product, method] * made
            profit -= holding * (before[number] - sold) + lost * (demand - sold)
        assert outcome.costs[0, 0] == pytest.approx(-profit)


def test_dearer_or_less_recommended_products_sell_less() -> None:
    game, sold = Game("collaborative", horizon=1, warm_up=0), []
    liked, equal = np.array([1.0, 0, 0]), np.full(3, 1 / 3)
    for price, shown in ((10, liked), (10, equal), (16, equal)):
        exposure = tuple(np.repeat(shares[:, None], 500, axis=1) for shares in (shown, equal))
        asked = np.repeat([[float(price)], [14.0]], 500, axis=1)
        decided = Decisions(order=np.zeros((4, 500)), price=asked, exposure=exposure)
        _, outcome = game.step(game.start(500, seed=1), {"shop": decided})
        sold.append(outcome.flows.demand[:2])
    assert (sold[2][0] <= sold[1][0]).all() and (sold[2][0] < sold[1][0]).any()
    assert sold[0][0].mean() != sold[1][0].mean()


def test_one_planner_and_an_agent_for_each_decision_play_the_same_game() -> None:
    settings = {"horizon": 30, "warm_up": 0}
    planner, team = Game("collaborative", **settings), Game("collaborative", agents=TEAM, reward="shared", **settings)
    assert team.agents == ("maker", "pricer", "recommender")
    name = "one_method_equal_exposure"
    whole = evaluate(planner, seat_everybody(planner, name), 20, 3)
    parts = {
        "maker": _OnlyOrders(rule(name, planner.seats["shop"])),
        "pricer": ConstantPrice([14, 18]),
        "recommender": rule("uniform_exposure", team.seats["recommender"]),
    }
    apart = evaluate(team, parts, 20, 3)
    assert apart.cost.sum(0) == pytest.approx(whole.cost.sum(0))
    state = team.start(4, seed=2)
    decided = {agent: parts[agent].act(team.observe(state, agent), None)[0] for agent in team.agents}
    _, outcome = team.step(state, decided)
    assert np.allclose(outcome.rewards, outcome.rewards[:1]) and (outcome.costs[1:] == 0).all()


class _OnlyOrders:
    """The orders of a planner's rule, in the seat of somebody who decides nothing else."""

    def __init__(self, whole: Any) -> None:
        self.rule, self.needs = whole, whole.needs

    def start(self, seat: object, replications: int) -> None:
        return None

    def act(self, observation: object, memory: None) -> tuple[Decisions, None]:
        levels = (self.rule.value(name) for name in ("base_stock_level", "express_level"))
        return Decisions(order=one_method(observation, *levels)), None


def test_two_methods_beat_either_alone() -> None:
    """With the file's prices: the slow method is too small, the fast one too dear."""
    game = Game("collaborative", horizon=60, warm_up=0)
    earned = []
    for express in (15.0, -100.0, 100.0):
        levels = {row: {"express_level": express} for row in ROWS}
        result = evaluate(game, seat_everybody(game, "one_method_equal_exposure", levels), 64, 5)
        earned.append(-result.per_period)
    assert earned[0] > earned[1] + 10 and earned[0] > earned[2] + 1
    exposed = evaluate(game, seat_everybody(game, "one_method_myopic_exposure"), 64, 5)
    floor = evaluate(game, seat_everybody(game, "random_plan"), 64, 5)
    assert -exposed.per_period > earned[0] > -floor.per_period


def test_random_plans_use_every_method_price_and_quantity() -> None:
    game = Game("collaborative")
    player = rule("random_plan", game.seats["shop"])
    decided, _ = player.act(game.observe(game.start(4000, seed=1), "shop"), None)
    order = decided.order
    assert (np.minimum(order[::2], order[1::2]) == 0).all()
    assert (order.max(1) == np.repeat(player.values["highest_order"], 2)).all()
    for price in decided.price:
        assert np.array_equal(np.unique(price), np.arange(5, 26))
    assert np.allclose([shares.sum(0) for shares in decided.exposure], 1)
