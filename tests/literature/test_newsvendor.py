"""Newsvendor levels (REFERENCE C): the level is a quantile of demand over L + 1 periods, the cost is the stated one.

Snyder & Shen Example 4.1: h = .18, p = .70, demand N(50, 8). Poisson demand with mean 5, h = 1, b = 9, by lead time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from long_run import simulated
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.topology import load

SNYDER_SHEN = {
    "units": "continuous",
    "nodes.store.holding_cost": 0.18,
    "nodes.store.backorder_cost": 0.7,
    "nodes.store.on_hand": 50,
    "nodes.store.demand": {"process": "normal", "mean": 50, "sd": 8, "round": False},
    "edges.0.lead_time": 0,
}
TABLE = {  # changes, level, cost
    "normal, L = 0": (SNYDER_SHEN, 56.603956, 1.997605),
    "Poisson, L = 0": ({"edges.0.lead_time": 0}, 8, 4.221093),
    "Poisson, L = 2": ({}, 20, 7.123000),
}


def level_of(changes: dict[str, Any]) -> float:
    """The newsvendor's level by the law that the process states."""
    chain = load("single_echelon", changes)
    node, (edge,) = chain.nodes["store"], chain.edges
    law = chain.markets["store"].process.distribution().over(edge.lead_time + 1)
    return float(law.quantile(node.backorder_cost / (node.backorder_cost + node.holding_cost)))


@pytest.mark.parametrize(("changes", "level", "cost"), TABLE.values(), ids=TABLE)
def test_levels_and_costs(changes: dict[str, Any], level: float, cost: float) -> None:
    assert level_of(changes) == pytest.approx(level, abs=5e-7)
    assert_agrees(simulated("single_echelon", "base_stock", changes, 2000, base_stock_level=level), cost, 5e-7)


@pytest.mark.parametrize(("changes", "level", "cost"), TABLE.values(), ids=TABLE)
def test_neighbouring_levels_cost_more_on_the_same_demand(changes: dict[str, Any], level: float, cost: float) -> None:
    best = simulated("single_echelon", "base_stock", changes, base_stock_level=level).sample
    for moved in (level - 1, level + 1):
        loss = simulated("single_echelon", "base_stock", changes, base_stock_level=moved).sample - best
        assert loss.mean() > NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))


def test_the_kiosk_earns_what_the_same_costs_as_prices_leave() -> None:
    """Overage .30 - .12, underage 1 - .30: the profit falls short of .70 for every customer by the stated cost."""
    evaluation = simulated("newsvendor", "base_stock", {"game.horizon": 400})
    short = (0.7 * evaluation.market_demand[0] + evaluation.total) / evaluation.periods
    half = NORMAL_QUANTILE * short.std(ddof=1) / np.sqrt(len(short))
    assert abs(short.mean() - 1.997605) < half + 5e-7 and half < 0.01 * 1.997605
    assert set(evaluation.accounts) == {"purchase", "revenue", "salvage"}


def test_what_is_left_does_not_last_until_the_next_day() -> None:
    """At most the level is sold in a day, whatever was left the day before."""
    evaluation = simulated("newsvendor", "base_stock", replications=20, base_stock_level=10)
    np.testing.assert_allclose(evaluation.accounts["purchase"][0], 0.3 * 10 * evaluation.periods)
    np.testing.assert_allclose(evaluation.accounts["revenue"][0], -10 * evaluation.periods)
