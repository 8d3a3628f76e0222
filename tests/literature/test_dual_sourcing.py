"""Dual sourcing (Veeraraghavan & Scheller-Wolf 2008, as used by Gijsbrechts et al. 2022): costs of REFERENCE B.

Demand uniform on 0 to 4, h = 5, b = 495, express lead time 0. The regular price is set to 0 where values are compared:
it adds 200 a period to all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from long_run import assert_not_below, exact, simulated, spread
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies.capped_dual_index import CappedDualIndex
from marl_supply.topology import load

OPTIMUM = {5: 16.769802, 10: 296 / 15}  # regular lead time 2, by express price
PARAMETERS = {
    "single_index": ("express_level", "regular_level"),
    "dual_index": ("express_level", "regular_level"),
    "capped_dual_index": ("express_level", "regular_level", "regular_cap"),
    "tailored_base_surge": ("express_level", "regular_quantity"),
}
TABLE = {
    ("single_index", 5): ((5, 6), 18.0),
    ("single_index", 10): ((6, 8), 22.0),
    ("dual_index", 5): ((4, 7), 17.0221),
    ("dual_index", 10): ((4, 8), 20.1253),
    ("capped_dual_index", 5): ((4, 8, 1), 16.8484),
    ("capped_dual_index", 10): ((4, 8, 2), 19.7994),
    ("tailored_base_surge", 5): ((4, 1), 16.9030),
    ("tailored_base_surge", 10): ((4, 1), 21.9030),
}
State = tuple[int, ...]
Order = Callable[[int, int], tuple[int, int]]


def changes(premium: float, lead: int = 2) -> dict[str, Any]:
    """An instance of the family without the constant part of its cost."""
    return {
        "edges.regular.purchase_cost": 0,
        "edges.express.purchase_cost": premium,
        "edges.regular.lead_time": lead,
    }


def named(rule: str, values: tuple[int, ...]) -> dict[str, float]:
    return dict(zip(PARAMETERS[rule], values, strict=True))


@pytest.mark.parametrize(("rule", "premium"), TABLE)
def test_stated_costs(rule: str, premium: int) -> None:
    values, cost = TABLE[rule, premium]
    evaluation = simulated("dual_sourcing", rule, changes(premium), **named(rule, values))
    assert_agrees(evaluation, cost, 5e-5)
    assert_not_below(evaluation, OPTIMUM[premium])


@pytest.mark.parametrize("rule", PARAMETERS)
def test_the_shipped_file_costs_200_more_at_its_suggested_parameters(rule: str) -> None:
    """On the same demand, exactly 100 for every unit ordered; in the long run 200 a period."""
    file, cheap = simulated("dual_sourcing", rule), simulated("dual_sourcing", rule, changes(10))
    np.testing.assert_allclose(file.total - cheap.total, 100 * file.orders.total[0])
    assert named(rule, TABLE[rule, 10][0]) == load("dual_sourcing").policies[rule]["store"]
    assert_agrees(file, 200 + TABLE[rule, 10][1], 5e-5)


def test_the_ranking_of_rules_on_common_demand() -> None:
    """At a premium of 10: capped dual index < dual index < tailored base-surge, single index."""
    costs = {rule: simulated("dual_sourcing", rule).sample for rule in PARAMETERS}
    assert (costs["dual_index"] - costs["capped_dual_index"]).mean() > 0.25
    assert (
        min(costs[rule].mean() for rule in ("tailored_base_surge", "single_index")) > costs["dual_index"].mean() + 1.5
    )


@pytest.mark.parametrize("premium", OPTIMUM)
def test_no_parameters_beat_the_optimum(premium: int) -> None:
    """All within one of the best, at once: 27 capped dual indices of 40 replications each."""
    grid = np.array(list(product((3, 4, 5), (7, 8, 9), (1, 2, 3))), dtype=float)
    columns = np.repeat(grid, 40, axis=0).T[:, None]
    game = Game(load("dual_sourcing", changes(premium)))
    player = CappedDualIndex(dict(zip(PARAMETERS["capped_dual_index"], columns, strict=True)))
    evaluation = evaluate(game, {"store": player}, 40 * len(grid), seed=20, batch=40 * len(grid))
    costs = evaluation.sample.reshape(len(grid), 40)
    half = NORMAL_QUANTILE * costs.std(1, ddof=1) / np.sqrt(40)
    assert (costs.mean(1) + half > OPTIMUM[premium]).all() and half.min() < 0.01 * OPTIMUM[premium]


# The exact chain, in plain Python. A state is (x, orders that arrive in 1, 2, ... periods): x is net stock after this
# period's regular receipt.


def rules(rule: str, values: tuple[int, ...]) -> Order:
    """(express, regular) orders from x and from all that is on hand or on order."""
    express, second, *cap = values

    def order(near: int, position: int) -> tuple[int, int]:
        fast = max(express - (position if rule == "single_index" else near), 0)
        if rule == "tailored_base_surge":
            return fast, second if near < 60 else 0  # stock so high that it is never seen, for a finite chain
        if rule == "capped_dual_index":
            return fast, min(cap[0], max(second - position, 0))
        return fast, max(second - position - fast, 0)

    return order


def cost_of(premium: float, lead: int, order: Order) -> float:
    def moves(state: State) -> tuple[float, dict[Any, float]]:
        near, *coming = state
        fast, slow = order(near, sum(state))
        coming = [*coming, slow]
        levels = [near + fast - demand for demand in range(5)]
        cost = premium * fast + sum(5 * max(level, 0) + 495 * max(-level, 0) for level in levels) / 5
        return cost, spread(((level + coming[0], *coming[1:]), 0.2) for level in levels)

    return exact((4,) + (0,) * (lead - 1), moves)


@pytest.mark.parametrize(("rule", "premium"), TABLE)
def test_the_exact_chain_gives_the_stated_costs(rule: str, premium: int) -> None:
    """To the last digit, so that the reading of each rule is the source's."""
    values, cost = TABLE[rule, premium]
    assert cost_of(premium, 2, rules(rule, values)) == pytest.approx(cost, abs=6e-5)


@pytest.mark.parametrize(("rule", "premium"), [key for key in TABLE if key[0] != "tailored_base_surge"])
def test_the_stated_parameters_are_the_best_nearby(rule: str, premium: int) -> None:
    values, cost = TABLE[rule, premium]
    for moved in product(*((value - 1, value, value + 1) for value in values)):
        assert cost_of(premium, 2, rules(rule, moved)) > cost - 6e-5


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "premium", "lead"), list(product(PARAMETERS, (5, 10, 20), (2, 3, 4))))
def test_simulation_equals_the_exact_chain_over_the_family(rule: str, premium: int, lead: int) -> None:
    for values in {
        "single_index": ((2 + 2 * lead, 4 + 2 * lead),),
        "dual_index": ((4, 3 + 2 * lead), (3, 4 + 3 * lead)),
        "capped_dual_index": ((4, 4 + 2 * lead, 2), (5, 3 + 2 * lead, 3)),
        "tailored_base_surge": ((4, 1),),
    }[rule]:
        evaluation = simulated("dual_sourcing", rule, changes(premium, lead), 2000, **named(rule, values))
        assert_agrees(evaluation, cost_of(premium, lead, rules(rule, values)))
