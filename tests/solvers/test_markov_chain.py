"""Exact costs of rules: REFERENCE A, B, C, D and E; off the table against chains written in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from long_run import exact, spread
from published import LOST_SALES

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.solvers.markov.markov_chain import ExactCost, evaluate_exactly
from marl_supply.topology import generators, load

DUAL_SOURCING = {
    ("single_index", 5): ({"express_level": 5, "regular_level": 6}, 18.0),
    ("single_index", 10): ({"express_level": 6, "regular_level": 8}, 22.0),
    ("dual_index", 5): ({"express_level": 4, "regular_level": 7}, 17.0221),
    ("dual_index", 10): ({"express_level": 4, "regular_level": 8}, 20.1253),
    ("capped_dual_index", 5): ({"express_level": 4, "regular_level": 8, "regular_cap": 1}, 16.8484),
    ("capped_dual_index", 10): ({"express_level": 4, "regular_level": 8, "regular_cap": 2}, 19.7994),
    ("tailored_base_surge", 5): ({"express_level": 4, "regular_quantity": 1}, 16.9030),
    ("tailored_base_surge", 10): ({"express_level": 4, "regular_quantity": 1}, 21.9030),
}
COMPETITION = {  # share of the retailer: local levels, cost (Cachon & Zipkin 1999, instance P1)
    0.1: ((6, 7), 12.775423),
    0.3: ((6, 9), 8.746427),
    0.5: ((5, 10), 7.804071),
    0.7: ((4, 11), 7.423823),
    0.9: ((2, 13), 7.377373),
}


def cost_of(chain: Any, rule: str, changes: dict[str, Any] | None = None, **values: float) -> ExactCost:
    game = Game(load(chain, changes or {}))
    return evaluate_exactly(game, seat_everybody(game, rule, {game.network.rows[0]: values}))


def lost_sales(demand: str, penalty: float, lead: int) -> dict[str, Any]:
    return {
        "markets.store.process": demand,
        "markets.store.mean": 5,
        "nodes.store.lost_sale_cost": penalty,
        "edges.supplier-store.lead_time": lead,
    }


@pytest.mark.parametrize("instance", LOST_SALES)
def test_lost_sales(instance: Any) -> None:
    _, (level, cost), (capped, cap, capped_cost), *myopic = LOST_SALES[instance]
    changes = lost_sales(*instance)
    assert cost_of("lost_sales", "base_stock", changes, base_stock_level=level).mean == pytest.approx(cost, abs=6e-6)
    found = cost_of("lost_sales", "capped_base_stock", changes, base_stock_level=capped, order_cap=cap)
    assert found.mean == pytest.approx(capped_cost, abs=6e-6)
    for periods, stated in enumerate(myopic, start=1):
        assert cost_of("lost_sales", f"myopic_{periods}", changes).mean == pytest.approx(stated, abs=6e-6)


@pytest.mark.parametrize("lead", [1, 4])
def test_a_constant_order(lead: int) -> None:
    """Stock has no bound: what is left out is reported."""
    found = cost_of("lost_sales", "constant_order", lost_sales("poisson", 4, lead), order_quantity=4)
    assert found.mean == pytest.approx(5.274794, abs=6e-7)
    assert 0 < found.lost_mass < 1e-11 and found.error < 1e-7


@pytest.mark.parametrize(("rule", "premium"), DUAL_SOURCING)
def test_dual_sourcing(rule: str, premium: int) -> None:
    values, cost = DUAL_SOURCING[rule, premium]
    changes = {"edges.regular.purchase_cost": 0, "edges.express.purchase_cost": premium}
    assert cost_of("dual_sourcing", rule, changes, **values).mean == pytest.approx(cost, abs=6e-5)


def test_uneven_review() -> None:
    """The rule counts its reviews: a memory that tells no more than the day does."""
    found = cost_of("uneven_review", "interval_base_stock", level_1=28, level_2=32)
    assert found.mean == pytest.approx(12.474631, abs=6e-7)
    assert cost_of("uneven_review", "base_stock", base_stock_level=31).mean == pytest.approx(12.993359, abs=6e-7)
    changes = {"nodes.store.review": [2, 5], "edges.0.lead_time": 1, "markets.store.mean": 1}
    found = cost_of("uneven_review", "interval_base_stock", changes, level_1=5, level_2=7)
    assert found.mean == pytest.approx(4.415844, abs=6e-7)


def test_a_first_review_later_on_changes_nothing_in_the_long_run() -> None:
    late = cost_of("uneven_review", "interval_base_stock", {"nodes.store.review_offset": 3}, level_1=28, level_2=32)
    assert late.mean == pytest.approx(12.474631, abs=6e-7)


@pytest.mark.parametrize(
    ("mean", "values", "cost"), [(10, (6, 40), 35.0216), (25, (19, 56), 54.2622), (65, (56, 75), 78.5182)]
)
def test_reorder_points(mean: int, values: tuple[int, int], cost: float) -> None:
    """Zheng & Federgruen (1991): K = 64, L = 0."""
    changes = {
        "edges.0.lead_time": 0,
        "edges.0.pipeline": 0,
        "edges.0.fixed_order_cost": 64,
        "markets.store.mean": mean,
    }
    reorder, level = values
    found = cost_of("single_echelon", "reorder_point", changes, reorder_point=reorder, order_up_to_level=level)
    assert found.mean == pytest.approx(cost, abs=5e-5)


@pytest.mark.parametrize("share", COMPETITION)
def test_two_agents_with_a_contract(share: float) -> None:
    (supplier, retailer), cost = COMPETITION[share]
    game = Game(load("cachon_zipkin", {"contract.backorder_share": share}))
    found = evaluate_exactly(game, seat_everybody(game, "base_stock", {"supplier": supplier, "retailer": retailer}))
    assert found.mean == pytest.approx(cost, abs=1e-6)
    assert sum(found.by_agent.values()) == pytest.approx(found.mean)
    assert sum(found.by_account.values()) == pytest.approx(found.mean)
    assert found.by_account["transfers"] == pytest.approx(0, abs=1e-12)


def test_echelon_levels_of_two_stages() -> None:
    """Clark & Scarf (1960), REFERENCE D: with what is on the way, 0.5 x 5 a period."""
    game = Game("serial_clark_scarf")
    found = evaluate_exactly(game, seat_everybody(game, "echelon_base_stock", {"stage_1": 15, "stage_2": 27}))
    assert found.mean == pytest.approx(10.238924, abs=1e-6)
    assert found.by_account["pipeline"] == pytest.approx(2.5, abs=1e-8)


@pytest.mark.slow
def test_echelon_levels_of_four_stages() -> None:
    """Shang & Song (2003), row 1; orders after demand, downstream first."""
    chain = load(
        generators.serial([1] * 4, [1.0, 0.75, 0.5, 0.25], 9, {"process": "poisson", "mean": 4}),
        {
            "timing": {"demand_visible": "before_ordering", "decision_order": "downstream_first"},
            **{f"edges.stage_{n + 1}-stage_{n}.holding_cost": 0.25 * (4 - n) for n in (1, 2, 3)},
        },
    )
    game = Game(chain, criterion="average", observe="shared_demand")
    levels = {"stage_1": 8, "stage_2": 13, "stage_3": 18, "stage_4": 22}
    found = evaluate_exactly(game, seat_everybody(game, "echelon_base_stock", levels))
    assert found.mean == pytest.approx(12.6879, abs=5e-5)


@pytest.mark.parametrize("lead", [1, 2, 3])
def test_capped_dual_index_off_the_table(lead: int) -> None:
    """Against the chain in plain Python: states (net stock after the receipt, orders under way)."""
    premium, express, regular, cap = 20, 3, 5 + 2 * lead, 2

    def moves(state: tuple[int, ...]) -> tuple[float, dict[Any, float]]:
        near, *coming = state
        fast = max(express - near, 0)
        coming = [*coming, min(cap, max(regular - sum(state), 0))]
        levels = [near + fast - demand for demand in range(5)]
        cost = premium * fast + sum(5 * max(level, 0) + 495 * max(-level, 0) for level in levels) / 5
        return cost, spread(((level + coming[0], *coming[1:]), 0.2) for level in levels)

    changes = {
        "edges.regular.purchase_cost": 0,
        "edges.express.purchase_cost": premium,
        "edges.regular.lead_time": lead,
    }
    values = {"express_level": express, "regular_level": regular, "regular_cap": cap}
    found = cost_of("dual_sourcing", "capped_dual_index", changes, **values)
    assert found.mean == pytest.approx(exact((4,) + (0,) * (lead - 1), moves), abs=1e-8)


def test_two_stores_and_a_warehouse_as_simulated() -> None:
    """Two markets, an allocation rule and three agents, within 3.5 standard errors."""
    demand = {"process": "uniform_integer", "low": 0, "high": 2}
    chain = load(generators.one_warehouse(2, demand=demand), {"game.criterion": "average"})
    game = Game(chain, horizon=600, warm_up=100)
    levels = {row: 4.0 if number else 5.0 for number, row in enumerate(game.network.rows)}
    players = seat_everybody(game, "base_stock", levels)
    found, sample = evaluate_exactly(game, players), evaluate(game, players, 600, 5).sample
    assert abs(sample.mean() - found.mean) < 3.5 * sample.std(ddof=1) / np.sqrt(600)


@pytest.mark.parametrize(
    ("rule", "message"), [("random_order", "random numbers"), ("forecast_base_stock", "remembers what happened")]
)
def test_what_cannot_be_enumerated_is_refused(rule: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cost_of("single_echelon", rule)


@pytest.mark.parametrize(
    ("chain", "changes", "message"),
    [
        ("newsvendor", {}, "units: integer"),
        ("single_echelon", {"edges.0.delay": [0.5, 0.5]}, "demand alone as random"),
        ("single_echelon", {"markets.store": {"process": "ar1", "mean": 5, "correlation": 0.5, "sd": 1}}, "same law"),
    ],
)
def test_chances_without_a_law_are_refused(chain: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cost_of(chain, "base_stock", changes, base_stock_level=20)


def test_many_markets_are_refused_before_their_outcomes_fill_the_memory() -> None:
    game = Game("one_warehouse_dual_sourcing_multi_product")
    with pytest.raises(InputError, match="markets has more than 100,000 joint outcomes in a period; tune a rule"):
        evaluate_exactly(game, seat_everybody(game, "base_stock"))
