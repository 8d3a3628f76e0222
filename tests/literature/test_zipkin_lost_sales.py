"""Zipkin (2008), single-echelon lost sales: costs of REFERENCE A, by simulation and on the exact Markov chain.

Demand with mean 5; h = 1, lost-sale cost p, lead time L. An order of period t serves the demand of t + L.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from long_run import assert_not_below, exact, simulated, spread
from published import LOST_SALES, NORMAL_QUANTILE, assert_agrees
from scipy import stats

from marl_supply.policies.myopic import best_orders
from marl_supply.topology import load

CONSTANT = 5.274794  # order 4 in every period, Poisson, p = 4, any L
INSTANCES = list(LOST_SALES)
State = tuple[int, ...]


def changes(demand: str, penalty: float, lead: int) -> dict[str, Any]:
    """What makes the shipped topology an instance of the family."""
    return {
        "markets.store.process": demand,
        "markets.store.mean": 5,
        "nodes.store.lost_sale_cost": penalty,
        "edges.supplier-store.lead_time": lead,
    }


@pytest.mark.parametrize("instance", INSTANCES)
def test_base_stock(instance: Any) -> None:
    optimum, (level, cost), *_ = LOST_SALES[instance]
    evaluation = simulated("lost_sales", "base_stock", changes(*instance), base_stock_level=level)
    assert_agrees(evaluation, cost, 5e-6)
    assert_not_below(evaluation, optimum)


@pytest.mark.parametrize("instance", INSTANCES)
def test_capped_base_stock(instance: Any) -> None:
    optimum, _, (level, cap, cost), *_ = LOST_SALES[instance]
    values = {"base_stock_level": level, "order_cap": cap}
    evaluation = simulated("lost_sales", "capped_base_stock", changes(*instance), **values)
    assert_agrees(evaluation, cost, 5e-6)
    assert_not_below(evaluation, optimum)


@pytest.mark.parametrize(("periods", "instance"), list(product((1, 2), INSTANCES)))
def test_myopic(periods: int, instance: Any) -> None:
    optimum, _, _, *myopic = LOST_SALES[instance]
    evaluation = simulated("lost_sales", f"myopic_{periods}", changes(*instance))
    assert_agrees(evaluation, myopic[periods - 1], 5e-6)
    assert_not_below(evaluation, optimum)


@pytest.mark.parametrize("lead", [1, 2, 3, 4])
def test_a_constant_order_costs_the_same_at_any_lead_time(lead: int) -> None:
    evaluation = simulated("lost_sales", "constant_order", changes("poisson", 4, lead), order_quantity=4)
    assert_agrees(evaluation, CONSTANT, 5e-6)
    assert_not_below(evaluation, LOST_SALES["poisson", 4, lead][0])


def test_the_ranking_of_rules_on_common_demand() -> None:
    """At L = 2: capped base stock and myopic-2 < myopic-1 < base stock < constant order, as in REFERENCE A."""
    rules = ("capped_base_stock", "myopic_2", "myopic_1", "base_stock", "constant_order")
    samples = [simulated("lost_sales", rule).sample for rule in rules]
    for better, worse in ((0, 2), (1, 2), (2, 3), (3, 4)):
        gain = samples[worse] - samples[better]
        assert gain.mean() > NORMAL_QUANTILE * gain.std(ddof=1) / np.sqrt(len(gain))


def test_the_file_suggests_the_best_parameters() -> None:
    _, (level, _), (capped, cap, _), *_ = LOST_SALES["poisson", 4, 2]
    suggested = load("lost_sales").policies
    assert suggested["base_stock"] == {"store": level} and suggested["constant_order"] == {"store": 4}
    assert suggested["capped_base_stock"] == {"store": {"base_stock_level": capped, "order_cap": cap}}


# The exact chain, in plain Python. A state is (x_0, ..., x_(L-1)): stock after this period's receipt and what arrives
# in the next periods.


def law_of(demand: str) -> list[float]:
    """P(D = 0), P(D = 1), ...; the last one takes the tail, below 1e-13."""
    law = stats.poisson(5) if demand == "poisson" else stats.geom(1 / 6, loc=-1)
    top = int(law.isf(1e-13)) + 1
    return [*law.pmf(np.arange(top)), law.sf(top - 1)]


def cost_of(demand: str, penalty: float, lead: int, order: Callable[[State], int]) -> float:
    """The long-run cost of a rule."""
    law = law_of(demand)

    def moves(state: State) -> tuple[float, dict[Any, float]]:
        stock, *coming = (*state, order(state))
        cost = sum(p * max(stock - d, 0) + penalty * p * max(d - stock, 0) for d, p in enumerate(law))
        return cost, spread(((max(stock - d, 0) + coming[0], *coming[1:]), p) for d, p in enumerate(law))

    return exact((5,) * lead, moves)


def capped(level: int, cap: int) -> Callable[[State], int]:
    return lambda state: min(cap, max(0, level - sum(state)))


def by_definition(demand: str, penalty: float, periods: int) -> Callable[[State], int]:
    """Myopic orders straight from their definition: laws of what is left, by enumeration."""
    law = law_of(demand)
    largest = int(np.searchsorted(np.cumsum(law), penalty / (1 + penalty) - 1e-12))

    @cache
    def charge(level: int) -> float:
        return sum(p * max(level - d, 0) + penalty * p * max(d - level, 0) for d, p in enumerate(law))

    @cache
    def left(state: State) -> dict[int, float]:
        """The law of what is left when all the pipeline has come and one more demand has been served."""
        now = {state[0]: 1.0}
        for receipt in (*state[1:], 0):
            now = spread((max(stock - d, 0) + receipt, c * p) for stock, c in now.items() for d, p in enumerate(law))
        return now

    @cache
    def costs(state: State) -> list[float]:
        return [sum(c * charge(stock + q) for stock, c in left(state).items()) for q in range(largest + 1)]

    def after(state: State, order: int) -> float:
        coming = (*state[1:], order)
        chances = spread(((max(state[0] - d, 0) + coming[0], *coming[1:]), p) for d, p in enumerate(law))
        return sum(chance * min(costs(following)) for following, chance in chances.items())

    def order(state: State) -> int:
        total = np.array(costs(state))
        if periods == 2:
            total = total + [after(state, q) for q in range(largest + 1)]
        return int(total.argmin())

    return order


def from_table(demand: str, penalty: float, lead: int, periods: int) -> Callable[[State], int]:
    """Orders of the shipped rule."""
    process = load("lost_sales", changes(demand, penalty, lead)).markets["store"].process
    table = best_orders(process, 1.0, float(penalty), lead, periods)
    return lambda state: int(table[tuple(min(x, size - 1) for x, size in zip(state, table.shape, strict=True))])


@pytest.mark.parametrize("instance", [key for key in INSTANCES if key[2] <= 2])
def test_the_exact_chain_gives_the_stated_costs(instance: Any) -> None:
    """The stated figures, to the last digit: the rules are those of the source, not only close to them."""
    _, (level, cost), (capped_level, cap, capped_cost), *myopic = LOST_SALES[instance]
    assert cost_of(*instance, capped(level, 10**6)) == pytest.approx(cost, abs=6e-6)
    assert cost_of(*instance, capped(capped_level, cap)) == pytest.approx(capped_cost, abs=6e-6)
    for periods, stated in enumerate(myopic, start=1):
        assert cost_of(*instance, from_table(*instance, periods)) == pytest.approx(stated, abs=6e-6)


def test_the_exact_cost_of_a_constant_order() -> None:
    assert cost_of("poisson", 4, 1, lambda state: 4 if state[0] < 400 else 0) == pytest.approx(CONSTANT, abs=6e-7)


FAMILY = list(product(("poisson", "geometric"), (4, 9, 19, 39), (1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("instance", FAMILY)
def test_simulation_equals_the_exact_chain_over_the_family(instance: Any) -> None:
    demand, penalty, lead = instance
    level = round(5 * (lead + 1) + (penalty / 10 + 1) * (lead + 1))
    for cap in (6, 8, 10**6):
        values = {"base_stock_level": level, "order_cap": cap}
        evaluation = simulated("lost_sales", "capped_base_stock", changes(*instance), 2000, **values)
        assert_agrees(evaluation, cost_of(*instance, capped(level, cap)))


@pytest.mark.slow
@pytest.mark.parametrize(("periods", "instance"), list(product((1, 2), FAMILY)))
def test_myopic_rules_are_their_definition_over_the_family(periods: int, instance: Any) -> None:
    demand, penalty, lead = instance
    cost = cost_of(*instance, by_definition(demand, penalty, periods))
    assert cost_of(*instance, from_table(*instance, periods)) == pytest.approx(cost, abs=1e-9)
    assert_agrees(simulated("lost_sales", f"myopic_{periods}", changes(*instance), 2000), cost, 5e-6)
