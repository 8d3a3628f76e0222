"""Zheng & Federgruen (1991): costs of (s, S) rules (REFERENCE C), by simulation and on the exact chain.

Lead time 0, Poisson demand, fixed cost K for each order: an order is placed when the position is at or below s.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from long_run import exact, simulated, spread
from published import assert_agrees
from scipy import stats

TABLE = {  # mean, h, b, K: s, S, cost, half a unit of its last digit
    (10, 1, 9, 64): (6, 40, 35.0216, 5e-5),
    (25, 1, 9, 64): (19, 56, 54.2622, 5e-5),
    (65, 1, 9, 64): (56, 75, 78.5182, 5e-5),
    (6, 1, 4, 5): (4, 10, 8.034112, 5e-7),
}


def changes(mean: float, holding: float, backorder: float, fixed: float) -> dict[str, Any]:
    return {
        "markets.store.mean": mean,
        "nodes.store.holding_cost": holding,
        "nodes.store.backorder_cost": backorder,
        "nodes.store.on_hand": mean,
        "edges.0.lead_time": 0,
        "edges.0.fixed_order_cost": fixed,
    }


@pytest.mark.parametrize("instance", TABLE)
def test_stated_costs(instance: Any) -> None:
    low, high, cost, rounding = TABLE[instance]
    values = {"reorder_point": low, "order_up_to_level": high}
    assert_agrees(simulated("single_echelon", "reorder_point", changes(*instance), **values), cost, rounding)


def cost_of(instance: Any, rule: str, first: int, second: int) -> float:
    """Long-run cost of (s, S) or (r, nQ), with the position before ordering as the state."""
    mean, holding, backorder, fixed = instance
    law = stats.poisson(mean)
    top = int(law.isf(1e-14)) + 1
    chances = [*law.pmf(np.arange(top)), law.sf(top - 1)]
    charges: dict[int, float] = {}

    def moves(position: int) -> tuple[float, dict[Any, float]]:
        level = position
        if position <= first:
            level = second if rule == "reorder_point" else position + ((first - position) // second + 1) * second
        if level not in charges:
            ends = level - np.arange(top + 1)
            charges[level] = float(np.where(ends > 0, holding * ends, -backorder * ends) @ chances)
        cost = charges[level] + (fixed if level > position else 0)
        return cost, spread((level - demand, chance) for demand, chance in enumerate(chances))

    return exact(second, moves)


@pytest.mark.parametrize("instance", TABLE)
def test_the_exact_chain_gives_the_stated_costs_and_no_neighbour_is_better(instance: Any) -> None:
    low, high, cost, rounding = TABLE[instance]
    assert cost_of(instance, "reorder_point", low, high) == pytest.approx(cost, abs=1.1 * rounding)
    for s, level in product((low - 1, low, low + 1), (high - 1, high, high + 1)):
        assert cost_of(instance, "reorder_point", s, level) > cost - 1.1 * rounding


@pytest.mark.parametrize(("instance", "point", "quantity"), [((10, 1, 9, 64), 8, 30), ((6, 1, 4, 5), 5, 7)])
def test_reorder_quantity_costs_what_its_exact_chain_does(instance: Any, point: int, quantity: int) -> None:
    values = {"reorder_point": point, "order_quantity": quantity}
    evaluation = simulated("single_echelon", "reorder_quantity", changes(*instance), **values)
    cost = cost_of(instance, "reorder_quantity", point, quantity)
    assert_agrees(evaluation, cost)
    assert cost > TABLE[instance][2]  # (s, S) is optimal


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "fixed", "gap"), list(product((10, 15, 20, 25, 40, 65), (5, 64), (5, 20, 35))))
def test_simulation_equals_the_exact_chain_over_the_family(mean: int, fixed: int, gap: int) -> None:
    instance, low = (mean, 1, 9, fixed), mean - 4
    values = {"reorder_point": low, "order_up_to_level": low + gap}
    evaluation = simulated("single_echelon", "reorder_point", changes(*instance), 2000, **values)
    assert_agrees(evaluation, cost_of(instance, "reorder_point", low, low + gap))
