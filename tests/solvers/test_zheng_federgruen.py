"""Optimal (s, S): the published values, all other rules of many instances, and simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from long_run import simulated
from published import assert_agrees

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.geometric import Geometric
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import best_level
from marl_supply.solvers.zheng_federgruen import FixedCostRow, best_rule, cost_of_rule, fixed_cost_row
from marl_supply.topology import load
from marl_supply.topology.network import Network

TABLE = [  # mean, h, b, K: s, S, cost, half a unit of its last digit
    (10, 1, 9, 64, 6, 40, 35.0216, 5e-5),
    (25, 1, 9, 64, 19, 56, 54.2622, 5e-5),
    (65, 1, 9, 64, 56, 75, 78.5182, 5e-5),
    (6, 1, 4, 5, 4, 10, 8.034112, 5e-7),
]


@pytest.mark.parametrize(("mean", "holding", "backorder", "fixed", "low", "high", "cost", "rounding"), TABLE)
def test_published_rules(
    mean: float, holding: float, backorder: float, fixed: float, low: int, high: int, cost: float, rounding: float
) -> None:
    """Lead time 0, Poisson demand (REFERENCE C; Zheng & Federgruen 1991, Table I for K = 64)."""
    row = FixedCostRow(Poisson(mean=mean).distribution(), 0, holding, backorder, fixed_order_cost=fixed)
    found = best_rule(row)
    assert (found.reorder_point, found.order_up_to_level) == (low, high)
    assert found.cost == pytest.approx(cost, abs=rounding)
    assert found.cost == cost_of_rule(row, low, high)


LAWS = [
    Poisson(mean=2).distribution(),
    Geometric(mean=1.5).distribution(),
    Distribution.of([0, 3, 7], [0.5, 0.3, 0.2]),
    Distribution.of([0, 4], [0.5, 0.5]),
    Distribution.point(3),
]


def chain_cost(row: FixedCostRow, low: int, high: int) -> float:
    """The same cost from the stationary law of the position after ordering."""
    assert isinstance(row.demand, Distribution)
    levels = np.arange(low + 1, high + 1)
    moves = np.zeros((len(levels), len(levels)))
    ordered = np.zeros(len(levels))
    for number, level in enumerate(levels):
        for demand, chance in zip(row.demand.values, row.demand.probabilities, strict=True):
            left = int(level - demand)
            ordered[number] += chance * (left <= low)
            moves[number, (high if left <= low else left) - low - 1] += chance
    system = np.vstack([moves.T - np.eye(len(levels)), np.ones(len(levels))])
    share = np.linalg.lstsq(system, np.append(np.zeros(len(levels)), 1.0), rcond=None)[0]
    covered: Any = row.covered
    ends = levels[:, None] - covered.values
    costs = np.where(ends > 0, row.holding_cost * ends, -row.backorder_cost * ends) @ covered.probabilities
    return float(share @ (costs + row.fixed_order_cost * ordered))


@pytest.mark.parametrize("law", LAWS, ids=["poisson", "geometric", "lumpy", "fours", "certain"])
@pytest.mark.parametrize(("fixed", "lead_time", "seen"), [(0.5, 3, False), (7, 1, True), (40, 2, False)])
def test_no_other_rule_costs_less(law: Distribution, fixed: float, lead_time: int, seen: bool) -> None:
    row = FixedCostRow(law, lead_time, 1, 6, demand_seen=seen, fixed_order_cost=fixed)
    found = best_rule(row)
    low, high = found.reorder_point, found.order_up_to_level
    assert found.cost == pytest.approx(chain_cost(row, low, high), abs=1e-9)
    others = [
        cost_of_rule(row, s, top) for top in range(high - 8, high + 15) for s in range(low - 12, min(top, low + 12))
    ]
    assert min(others) == pytest.approx(found.cost, abs=1e-9)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-4, 9), (3, 20)])
def test_cost_of_any_rule_is_that_of_its_chain(low: int, high: int) -> None:
    row = FixedCostRow(Geometric(mean=3).distribution(), 2, 0.5, 4, fixed_order_cost=11)
    assert cost_of_rule(row, low, high) == pytest.approx(chain_cost(row, low, high), abs=1e-9)


def test_without_fixed_cost_it_is_the_base_stock_level() -> None:
    row = FixedCostRow(Poisson(mean=5).distribution(), 2, 1, 9)
    found, level = best_rule(row), best_level(row)
    assert (found.reorder_point, found.order_up_to_level) == (19, 20)
    assert found.cost == pytest.approx(level.cost, abs=1e-12)


CHAINS: list[dict[str, Any]] = [
    {"edges.0.fixed_order_cost": 25},
    {"edges.0.fixed_order_cost": 60, "edges.0.purchase_cost": 1, "edges.0.holding_cost": 0.5, "markets.store.mean": 2},
    {"edges.0.fixed_order_cost": 10, "timing.demand_visible": "before_ordering", "edges.0.information_delay": 1},
]


@pytest.mark.parametrize("changes", CHAINS)
def test_simulated_costs_agree(changes: dict[str, Any]) -> None:
    """Lead time 2 and more; all that the simulator charges."""
    found = best_rule(fixed_cost_row(Network(load("single_echelon", changes))))
    parameters = {"reorder_point": found.reorder_point, "order_up_to_level": found.order_up_to_level}
    assert_agrees(simulated("single_echelon", "reorder_point", changes, 300, **parameters), found.cost)


def test_large_demand_is_quick() -> None:
    found = best_rule(FixedCostRow(Poisson(mean=2000).distribution(), 4, 1, 9, fixed_order_cost=5000))
    assert found.order_up_to_level - found.reorder_point > 2000


def test_refusals() -> None:
    with pytest.raises(InputError, match="round it to whole units"):
        FixedCostRow(Normal(mean=5, sd=1, round=False).distribution(), 0, 1, 9, fixed_order_cost=1)
    with pytest.raises(InputError, match="always 0"):
        FixedCostRow(Distribution.point(0), 0, 1, 9, fixed_order_cost=1)
    with pytest.raises(InputError, match="fixed_order_cost: -1"):
        FixedCostRow(LAWS[0], 0, 1, 9, fixed_order_cost=-1)
    with pytest.raises(InputError, match="reorder_point: 5 is not below the level 5"):
        cost_of_rule(FixedCostRow(LAWS[0], 0, 1, 9, fixed_order_cost=1), 5, 5)
    with pytest.raises(InputError, match="it has 3 stock nodes"):
        fixed_cost_row(Network(load("serial_liu_fixed_cost", {f"edges.{n}.order_limit": None for n in range(3)})))
