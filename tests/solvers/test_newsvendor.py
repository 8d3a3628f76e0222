"""Base-stock levels of one backlogged echelon and the newsvendor: published values, brute force, simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from long_run import simulated
from published import assert_agrees

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.gamma import Gamma
from marl_supply.demand.geometric import Geometric
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import (
    BackloggedRow,
    backlogged_row,
    best_level,
    best_quantity,
    cost_of_level,
    expected_costs,
    perishable_row,
    single_period,
)
from marl_supply.topology import load
from marl_supply.topology.network import Network

POISSON = Poisson(mean=5).distribution()


def normal(mean: float, sd: float) -> Any:
    return Normal(mean=mean, sd=sd, round=False).distribution()


@pytest.mark.parametrize(("lead_time", "level", "cost"), [(0, 8, 4.221093), (2, 20, 7.123000)])
def test_poisson_levels(lead_time: int, level: int, cost: float) -> None:
    """Poisson(5), h = 1, b = 9 (REFERENCE C; Snyder & Shen 2019, chapter 4)."""
    found = best_level(BackloggedRow(POISSON, lead_time, 1, 9))
    assert found.level == level
    assert found.cost == pytest.approx(cost, abs=1e-6)


def test_example_4_1_of_snyder_and_shen() -> None:
    """N(50, 8), overage .18, underage .70: S = 56.603956, cost 1.997605 (Snyder & Shen 2019, Example 4.1)."""
    found = single_period(normal(50, 8), 0.18, 0.70)
    assert found.level == pytest.approx(56.603956, abs=1e-6)
    assert found.cost == pytest.approx(1.997605, abs=1e-6)


def test_one_store_with_clipped_normal_demand() -> None:
    """N(5, 1.6) clipped at 0, lead time 4, p = 9, h = 1: S = 29.585, cost 6.27689 (REFERENCE D; Alvo et al. 2023)."""
    found = best_level(BackloggedRow(normal(5, 1.6), 4, 1, 9))
    assert found.level == pytest.approx(29.585, abs=1e-3)
    assert found.cost == pytest.approx(6.27689, abs=1e-5)


def test_unclipped_normal_has_the_closed_form() -> None:
    """(h + b) phi(z) sd sqrt(L + 1) for normal demand."""
    found = best_level(BackloggedRow(normal(100, 5), 3, 1, 4))
    assert found.level == pytest.approx(400 + 0.8416212335729143 * 10, abs=1e-6)
    assert found.cost == pytest.approx(5 * 0.2799619 * 10, rel=1e-6)


@pytest.mark.parametrize(
    "law", [POISSON, Geometric(mean=3).distribution(), Distribution.of([0, 2, 7], [0.5, 0.3, 0.2])]
)
@pytest.mark.parametrize("lead_time", [0, 1, 3])
def test_no_other_level_costs_less(law: Distribution, lead_time: int) -> None:
    row = BackloggedRow(law, lead_time, 0.7, 5.0, demand_seen=lead_time == 1)
    found = best_level(row)
    covered = law.over(row.periods)
    costs = [
        sum(
            p * (0.7 * max(s - c, 0) + 5 * max(c - s, 0))
            for c, p in zip(covered.values, covered.probabilities, strict=True)
        )
        for s in range(60)
    ]
    assert found.level == int(np.argmin(np.round(costs, 12)))
    assert found.cost == pytest.approx(min(costs), abs=1e-10)
    assert cost_of_level(row, 7) == pytest.approx(costs[7], abs=1e-10)


@pytest.mark.parametrize("levels", [-3.0, 2.5, [0.0, 1.0, 2.2, 9.0, 400.0]])
def test_expected_costs_of_both_kinds_of_law(levels: Any) -> None:
    """A finite law by interpolation, against its definition; a real law against its cells."""
    by_hand = [
        float(np.maximum(s - POISSON.values, 0) @ POISSON.probabilities)
        + 3 * float(np.maximum(POISSON.values - s, 0) @ POISSON.probabilities)
        for s in np.atleast_1d(levels)
    ]
    np.testing.assert_allclose(np.atleast_1d(expected_costs(POISSON, levels, 1, 3)), by_hand, atol=1e-10)
    gamma: Any = Gamma(mean=4, sd=3, round=False).distribution()
    np.testing.assert_allclose(
        expected_costs(gamma, levels, 1, 3), expected_costs(gamma.cells(0.002), levels, 1, 3), atol=1e-4
    )


SINGLE: dict[str, dict[str, Any]] = {
    "as it is": {},
    "demand seen": {"timing.demand_visible": "before_ordering"},
    "everything costs": {
        "edges.0.holding_cost": 0.25,
        "edges.0.purchase_cost": 2,
        "edges.0.title": "customer",
        "edges.0.information_delay": 1,
        "markets.store.price": 1,
    },
    "a source pays for the way": {
        "edges.0.holding_cost": 0.25,
    },
    "negative binomial": {"nodes.store.demand": {"process": "negative_binomial", "mean": 5, "variance": 20}},
    "no lead time": {"edges.0.lead_time": 0},
}


@pytest.mark.parametrize("changes", SINGLE.values(), ids=SINGLE)
def test_simulated_costs_agree(changes: dict[str, Any]) -> None:
    """All that the simulator charges, constant costs included."""
    row = backlogged_row(Network(load("single_echelon", changes)))
    found = best_level(row)
    assert_agrees(simulated("single_echelon", "base_stock", changes, 1000, base_stock_level=found.level), found.cost)
    other = cost_of_level(row, found.level - 3)
    assert_agrees(
        simulated("single_echelon", "base_stock", changes, 300, base_stock_level=found.level - 3), other, width=0.02
    )


def test_continuous_demand_agrees_with_simulation() -> None:
    demand = {"process": "gamma", "mean": 5, "sd": 4, "round": False}
    changes = {"units": "continuous", "nodes.store.demand": demand}
    row = backlogged_row(Network(load("single_echelon", changes)))
    found = best_level(row)
    assert found.level == pytest.approx(float(row.covered.quantile(0.9)))
    assert_agrees(simulated("single_echelon", "base_stock", changes, 1500, base_stock_level=found.level), found.cost)


def test_the_shipped_newsvendor() -> None:
    """Profit a day is 0.70 x 50 - 1.997605 (Snyder & Shen 2019, Example 4.1, as prices)."""
    row = perishable_row(Network(load("newsvendor")))
    assert (row.overage_cost, row.underage_cost) == pytest.approx((0.18, 0.70))
    found = best_quantity(row)
    assert found.cost == pytest.approx(1.997605 - 35, abs=1e-6)
    assert_agrees(simulated("newsvendor", "base_stock", {}, 200, base_stock_level=found.level), found.cost, width=-0.01)


REFUSED = [
    ("serial_alvo", {}, "it has 4 stock nodes"),
    ("dual_sourcing", {}, "it has 2 edges"),
    ("lost_sales", {}, "markets.store.unmet: a base-stock level is not solved with it"),
    ("uneven_review", {}, "nodes.store.review: a base-stock level is not solved with it"),
    ("single_echelon", {"edges.0.fixed_order_cost": 3}, "edges.supplier-store.fixed_order_cost: "),
    ("single_echelon", {"edges.0.order_limit": 30}, "order_limit"),
    ("single_echelon", {"edges.0.batch": 4}, "batch"),
    ("single_echelon", {"nodes.store.storage": 30}, "nodes.store.storage"),
    ("single_echelon", {"nodes.supplier.capacity": 30}, "nodes.supplier.capacity"),
    ("single_echelon", {"nodes.store.holding_cost": 0}, "holding_cost: 0 is not a number above 0"),
    ("single_echelon", {"nodes.store.demand": {"process": "step", "before": 4, "after": 8, "at": 4}},
     "needs independent demand of one law"),
]  # fmt: skip


@pytest.mark.parametrize(("chain", "changes", "told"), REFUSED)
def test_refuses_chains_of_other_families(chain: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        backlogged_row(Network(load(chain, changes)))


def test_refuses_what_is_no_newsvendor() -> None:
    with pytest.raises(InputError, match="needs stock that perishes"):
        perishable_row(Network(load("single_echelon")))
    with pytest.raises(InputError, match="underage_cost"):
        single_period(POISSON, 1, 0)
    with pytest.raises(InputError, match="lead_time"):
        BackloggedRow(POISSON, -1, 1, 1)
