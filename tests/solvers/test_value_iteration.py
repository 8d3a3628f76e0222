"""Optimal average costs: REFERENCE A (Zipkin 2008), B (dual sourcing), C ((s, S), base stock, uneven review).

Off the table: an independent value iteration in plain Python, wider boxes, and the optimum played in the simulator.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from published import LOST_SALES

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.solvers.markov.decision_process import decision_process
from marl_supply.solvers.markov.markov_chain import evaluate_exactly
from marl_supply.solvers.markov.order_bounds import first_bounds
from marl_supply.solvers.markov.value_iteration import Optimum, value_iteration
from marl_supply.topology import generators, load

FIXED_COST = {10: 35.0216, 25: 54.2622, 65: 78.5182}  # mean demand: cost, h = 1, b = 9, K = 64, L = 0


def optimum(chain: str, changes: dict[str, Any] | None = None) -> Optimum:
    return value_iteration(decision_process(Game(load(chain, changes or {}))))


def lost_sales(demand: str, penalty: float, lead: int) -> dict[str, Any]:
    return {
        "markets.store.process": demand,
        "markets.store.mean": 5,
        "nodes.store.lost_sale_cost": penalty,
        "edges.supplier-store.lead_time": lead,
    }


def dual_sourcing(premium: float, lead: int) -> dict[str, Any]:
    return {
        "edges.regular.purchase_cost": 0,
        "edges.express.purchase_cost": premium,
        "edges.regular.lead_time": lead,
    }


def fixed_cost(mean: float, cost: float, backorder: float, lead: int = 0) -> dict[str, Any]:
    return {
        "edges.0.lead_time": lead,
        "edges.0.pipeline": 0,
        "edges.0.fixed_order_cost": cost,
        "nodes.store.backorder_cost": backorder,
        "markets.store.mean": mean,
    }


def assert_plays(found: Optimum, replications: int = 300) -> None:
    """The policy costs in the simulator what is claimed, within 3.5 standard errors."""
    sample = evaluate(found.process.game, found.players, replications, 31).sample
    error = sample.std(ddof=1) / np.sqrt(replications)
    assert abs(sample.mean() - found.cost) < 3.5 * error + 1e-9


@pytest.mark.parametrize("instance", LOST_SALES)
def test_lost_sales(instance: Any) -> None:
    found = optimum("lost_sales", lost_sales(*instance))
    assert found.cost == pytest.approx(LOST_SALES[instance][0], abs=1e-5)
    assert found.lower <= found.cost <= found.upper and found.upper - found.lower < 1e-7


@pytest.mark.parametrize(("premium", "cost"), [(5, 16.769802), (10, 296 / 15)])
def test_dual_sourcing(premium: int, cost: float) -> None:
    assert optimum("dual_sourcing", dual_sourcing(premium, 2)).cost == pytest.approx(cost, abs=1e-6)


def test_the_shipped_dual_sourcing_file_costs_200_more() -> None:
    assert optimum("dual_sourcing").cost == pytest.approx(200 + 296 / 15, abs=1e-6)


@pytest.mark.parametrize("mean", FIXED_COST)
def test_reorder_points(mean: int) -> None:
    """Zheng & Federgruen (1991)."""
    assert optimum("single_echelon", fixed_cost(mean, 64, 9)).cost == pytest.approx(FIXED_COST[mean], abs=5e-5)


def test_another_fixed_cost() -> None:
    assert optimum("single_echelon", fixed_cost(6, 5, 4)).cost == pytest.approx(8.034112, abs=1e-6)


@pytest.mark.parametrize(("lead", "cost"), [(0, 4.221093), (2, 7.123000)])
def test_base_stock(lead: int, cost: float) -> None:
    changes = {"edges.0.lead_time": lead, "edges.0.pipeline": 5 if lead else 0}
    assert optimum("single_echelon", changes).cost == pytest.approx(cost, abs=1e-6)


def test_uneven_review() -> None:
    assert optimum("uneven_review").cost == pytest.approx(12.474631, abs=1e-6)
    changes = {"nodes.store.review": [2, 5], "edges.0.lead_time": 1, "markets.store.mean": 1}
    assert optimum("uneven_review", changes).cost == pytest.approx(4.415844, abs=1e-6)


def plain_value_iteration(premium: float, top: int) -> float:
    """Dual sourcing, regular lead time 2, in dictionaries: (net stock after the regular receipt, orders under way).

    Net stock is lifted to 0 at least, and what would lift it above `top` is not ordered.
    """
    states = [(near, coming) for near in range(-4, top + 1) for coming in range(7) if near + coming <= top]
    choices = {
        (near, coming): [
            (fast, slow)
            for fast, slow in product(range(9), range(7))
            if near + fast >= 0 and near + coming + fast + slow <= top
        ]
        for near, coming in states
    }

    def paid(near: int, fast: int) -> float:
        levels = [near + fast - demand for demand in range(5)]
        return premium * fast + sum(5 * max(level, 0) + 495 * max(-level, 0) for level in levels) / 5

    values = dict.fromkeys(states, 0.0)
    for _ in range(400):
        step = {
            (near, coming): min(
                paid(near, fast) + sum(values[near + fast - demand + coming, slow] for demand in range(5)) / 5
                for fast, slow in choices[near, coming]
            )
            for near, coming in states
        }
        gain = [step[state] - values[state] for state in states]
        if max(gain) - min(gain) < 1e-8:
            return (max(gain) + min(gain)) / 2
        values = step
    raise AssertionError("no convergence")


@pytest.mark.slow
@pytest.mark.parametrize("premium", [5, 7, 30])
def test_dual_sourcing_off_the_table(premium: int) -> None:
    found = optimum("dual_sourcing", dual_sourcing(premium, 2))
    assert found.cost == pytest.approx(plain_value_iteration(premium, 12), abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"edges.0.purchase_cost": 2, "markets.store.price": 5},
        {"edges.0.lead_time": 0, "edges.0.pipeline": 0},
        {"edges.0.lead_time": 3, "markets.store.mean": 2, "nodes.store.lost_sale_cost": 15},
    ],
)
def test_the_bounds_for_lost_sales_hold_an_optimum(changes: dict[str, Any]) -> None:
    """A box with 8 more on both sides holds nothing better."""
    game = Game(load("lost_sales", changes))
    bounds = first_bounds(game)
    assert bounds.proven
    wide = decision_process(game, replace(bounds, ceiling=bounds.ceiling + 8, cap=bounds.cap + 8))
    assert value_iteration(decision_process(game)).cost == pytest.approx(value_iteration(wide).cost, abs=1e-7)


@pytest.mark.parametrize(
    ("chain", "changes"),
    [
        ("lost_sales", lost_sales("geometric", 4, 2)),
        ("dual_sourcing", dual_sourcing(20, 3)),
        ("uneven_review", {}),
        ("single_echelon", fixed_cost(4, 20, 9, lead=2)),
        ("single_echelon", {"timing": {"demand_visible": "before_ordering"}}),
        ("single_echelon", {"edges.0.lead_time": 1, "edges.0.information_delay": 1, "edges.0.orders_in_transit": 5}),
        ("lost_sales", {"edges.0.fixed_order_cost": 5, "markets.store.mean": 2}),
        ("lost_sales", {"edges.0.order_limit": 4}),
        ("lost_sales", {"edges.0.batch": 3}),
    ],
)
def test_the_policy_plays_in_the_simulator(chain: str, changes: dict[str, Any]) -> None:
    found = optimum(chain, changes)
    assert_plays(found)
    exact = evaluate_exactly(found.process.game, found.players)
    assert exact.mean == pytest.approx(found.cost, abs=exact.error + 1e-7)


def test_two_stages_with_one_planner_are_as_cheap_as_the_best_echelon_levels() -> None:
    """Clark & Scarf (1960): echelon base stock is optimal for a serial chain."""
    chain = load(generators.serial([1, 1], [0.5, 1.0], 9, {"process": "uniform_integer", "low": 0, "high": 2}))
    rows = list(Game(chain).network.rows)
    planner = {"planner": {"decides": rows, "pays": rows}}
    found = value_iteration(decision_process(Game(chain, agents=planner, observe="full", criterion="average")))
    game = Game(chain, observe="shared_demand", criterion="average")
    costs = [
        evaluate_exactly(game, seat_everybody(game, "echelon_base_stock", dict(zip(rows, levels, strict=True)))).mean
        for levels in product(range(3, 8), range(3, 7))
    ]
    assert found.cost == pytest.approx(min(costs), abs=1e-8)
    assert_plays(found)


def test_the_policy_is_for_the_stocks_of_its_file() -> None:
    """No guess is made for a state that was never met."""
    found, other = optimum("lost_sales"), Game(load("lost_sales", {"nodes.store.on_hand": 300, "game.horizon": 101}))
    with pytest.raises(InputError, match="begin with the stocks of its file"):
        evaluate(other, found.players, 10)


def test_total_cost_is_not_an_average() -> None:
    with pytest.raises(InputError, match="use backward_induction"):
        value_iteration(decision_process(Game("lost_sales", criterion="total", warm_up=0, horizon=20)))


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [4, 9, 19, 39])
def test_the_largest_of_the_family(penalty: int) -> None:
    """Geometric demand, L = 4: below the best capped base stock, and as the simulator plays it."""
    found = optimum("lost_sales", lost_sales("geometric", penalty, 4))
    assert found.upper - found.lower < 1e-7
    myopic = evaluate_exactly(found.process.game, seat_everybody(found.process.game, "myopic_2"))
    assert found.cost < myopic.mean < 1.03 * found.cost
    assert_plays(found, 1000)
