"""Van Roy, Bertsekas, Lee & Tsitsiklis (1997), as used by Gijsbrechts et al. (2022): one warehouse and ten stores.

REFERENCE G holds the task and no cost that could be confirmed. So the model is written out here once more, in the words
of the source and on random numbers of its own, and must cost the same; the rest is what the words say of each period.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from published import NORMAL_QUANTILE
from scipy.stats import norm

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.game.rollout import rollout
from marl_supply.policies import seat_everybody
from marl_supply.topology import load

STORES = tuple(f"store_{number}" for number in range(1, 11))
INSTANCES = {  # lead times of a store and of the warehouse, demand before clipping
    "first": (2, 2, 5, 14),
    "second": (3, 5, 0, 20),
}
LEVELS = {"first": (312, 27), "second": (500, 45)}  # base stock of the warehouse and of a store


def instance(name: str, **more: Any) -> Any:
    store, warehouse, mean, sd = INSTANCES[name]
    edges = {f"edges.warehouse-{node}.lead_time": store for node in STORES}
    demand = {f"nodes.{node}.demand": {"mean": mean, "sd": sd} for node in STORES}
    return load("one_warehouse_van_roy", {"edges.factory-warehouse.lead_time": warehouse, **edges, **demand, **more})


def game_of(name: str, horizon: int = 500, **more: Any) -> tuple[Game, dict[str, Any]]:
    warehouse, store = LEVELS[name]
    game = Game(instance(name, **more), horizon=horizon, warm_up=100)
    return game, seat_everybody(game, "base_stock", {"warehouse": warehouse, **dict.fromkeys(STORES, store)})


def test_the_file_is_the_first_instance_with_its_levels() -> None:
    assert instance("first") == load("one_warehouse_van_roy")
    levels = load("one_warehouse_van_roy").policies["base_stock"]
    assert (levels["warehouse"], {levels[store] for store in STORES}) == (312, {27})


@pytest.mark.parametrize("name", INSTANCES)
def test_the_instances_are_those_of_the_reference(name: str) -> None:
    chain = instance(name)
    stores = [chain.nodes[node] for node in STORES]
    assert {(node.holding_cost, node.lost_sale_cost, node.storage) for node in stores} == {(3, 60, 100)}
    assert chain.nodes["warehouse"].storage == 1000 and chain.nodes["factory"].capacity == 100
    assert {(market.unmet, market.expedite.probability) for market in chain.markets.values()} == {("lost", 0.8)}
    mean, sd = INSTANCES[name][2:]
    truncated = mean * norm.cdf(mean / sd) + sd * norm.pdf(mean / sd)  # the mean of max(0, N(mean, sd))
    assert all(market.process.mean == pytest.approx(truncated, abs=0.01) for market in chain.markets.values())


def in_proportion(claims: Any, available: Any) -> Any:
    """(S, R) whole units: what each of S gets of too little stock (R,), leftovers to the largest remainders."""
    total = claims.sum(0)
    share = claims * np.minimum(available / np.maximum(total, 1), 1)
    given = np.floor(share + 1e-9)
    left = np.minimum(total, available) - given.sum(0)
    rank = np.argsort(np.argsort(given - share, axis=0, kind="stable"), axis=0)
    return given + (rank < left)


def costs_by_hand(name: str, replications: int, periods: int, warm_up: int) -> Any:
    """(R,) cost a period of base stock."""
    to_store, to_warehouse, mean, sd = INSTANCES[name]
    warehouse_level, store_level = LEVELS[name]
    draw = np.random.default_rng(41)
    stock, depot = np.full((10, replications), 25.0), np.full(replications, 100.0)
    on_the_way = [np.full((10, replications), 8.0) for _ in range(to_store)]
    coming = [np.full(replications, 84.0) for _ in range(to_warehouse)]
    cost = np.zeros(replications)
    for period in range(periods):
        stock, depot = stock + on_the_way.pop(0), depot + coming.pop(0)
        orders = np.maximum(store_level - stock - sum(on_the_way), 0)
        produced = np.minimum(np.maximum(warehouse_level - depot - sum(coming), 0), 100)
        demand = np.rint(np.maximum(draw.normal(mean, sd, stock.shape), 0))
        sold = np.minimum(demand, stock)
        sent = in_proportion(orders, depot)
        special = in_proportion(draw.binomial((demand - sold).astype(int), 0.8), depot - sent.sum(0))
        stock, depot = stock - sold, depot - sent.sum(0) - special.sum(0)
        on_the_way.append(sent)
        coming.append(produced)
        lost = (demand - sold - special).sum(0)
        cost += (3 * (stock.sum(0) + depot) + 60 * lost) * (period >= warm_up)
    return cost / (periods - warm_up)


@pytest.mark.parametrize("name", INSTANCES)
def test_the_cost_is_that_of_the_model_written_by_hand(name: str) -> None:
    """Two samples agree within the 99.9% interval of their difference, narrower than 1% of the cost."""
    game, players = game_of(name)
    ours = evaluate(game, players, 400, seed=42).sample
    theirs = costs_by_hand(name, 400, game.horizon, game.warm_up)
    half = NORMAL_QUANTILE * math.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / 400)
    assert half < 0.01 * theirs.mean()
    assert abs(ours.mean() - theirs.mean()) < half


@pytest.mark.parametrize("name", INSTANCES)
def test_bounds_hold_and_costs_are_of_stock_and_lost_customers_only(name: str) -> None:
    game, players = game_of(name, 120)
    network = game.network
    produced, short = 0, 0
    for outcome in rollout(game, players, 20, seed=43):
        flows = outcome.flows
        produced = max(produced, flows.shipment[0].max())
        assert flows.on_hand[0].max() <= 1000 and flows.on_hand[1:].max() <= 100
        lost = flows.lost[network.market_line]
        np.testing.assert_allclose(outcome.costs.sum(0), 3 * flows.on_hand.sum(0) + 60 * lost.sum(0))
        np.testing.assert_array_equal(flows.sales + lost, flows.demand)
        np.testing.assert_array_less(flows.expedited, flows.demand + 1e-9)
        short += lost.sum()
    assert produced == 100 and short > 0


def test_eight_of_ten_customers_wait_for_a_delivery() -> None:
    """Nearly empty stores and a full warehouse: all who are not served at their store are asked."""
    game = Game(
        instance("first", **{"defaults.node.on_hand": 0, "nodes.warehouse.on_hand": 1000}), horizon=1, warm_up=0
    )
    nothing = seat_everybody(game, "constant_order", {"warehouse": 0, **dict.fromkeys(STORES, 0)})
    (outcome,) = rollout(game, nothing, 2000, seed=44)
    delivered = outcome.flows.expedited.sum()
    asked = delivered + outcome.flows.demand.sum() - outcome.flows.sales.sum()
    error = NORMAL_QUANTILE * math.sqrt(0.8 * 0.2 / asked)
    assert error < 0.01 and abs(delivered / asked - 0.8) < error


def test_special_deliveries_save_money() -> None:
    """Without them the same levels cost more, by more than the 99.9% interval of the paired difference."""
    game, players = game_of("first", 300)
    never, same = game_of("first", 300, **{"defaults.market.expedite.probability": 0})
    loss = evaluate(never, same, 100, seed=45).sample - evaluate(game, players, 100, seed=45).sample
    assert loss.mean() > NORMAL_QUANTILE * loss.std(ddof=1) / math.sqrt(len(loss))
