"""Optimal prices and orders: against programs written here from the formulas alone, and in the simulator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.solvers.methods.priced_row import PriceAndOrder
from marl_supply.solvers.solve import solve
from marl_supply.topology import load

PRICES = range(1, 51)


def rate(own: float, rival: float, beaten: float = 1.0) -> float:
    """Mean demand of a period, from the printed coefficients."""
    rank = 1 + 0.5 * (rival == own) + beaten * (rival < own)
    odds = -3.89 - 0.56 * rank - 0.01 * (own - rival) + 0.07 - 0.03 * (own + rival) / 2
    return float(800 / (1 + np.exp(-odds)))


def against_an_undercutting_rival(beaten: float) -> tuple[float, float]:
    """Optimal revenue a period by relative value iteration over the rival's price, and that of the best price kept."""
    answer = {own: own - 1 if own > 1 else 50 for own in PRICES}
    revenue = np.array(
        [[own * (rate(own, rival, beaten) + rate(own, answer[own], beaten)) / 2 for own in PRICES] for rival in PRICES]
    )
    after, values, gain = np.array(list(answer.values())) - 1, np.zeros(50), np.zeros(50)
    for _ in range(2000):
        gain = (revenue + values[after]).max(1) - values
        values = values + gain / 2
    assert gain.max() - gain.min() < 1e-9
    return float(gain[0]), max(float(revenue[after[own], own]) for own in range(50))


def best_single_period(waits: bool, on_sale: bool) -> tuple[float, int, int]:
    """Without lead time, fixed cost or competition each period stands alone: profit, level and price."""
    demand, found = np.arange(120), []
    for own in PRICES:
        chance = stats.poisson.pmf(demand, rate(own, 30))
        for level in range(30):
            sold = float(np.minimum(demand, level) @ chance)
            left, short = np.maximum(level - demand, 0) @ chance, np.maximum(demand - level, 0) @ chance
            paid = sold if on_sale or not waits else float(demand @ chance)
            bought = float(demand @ chance) if waits else sold
            found.append((own * paid - 10 * bought - 0.5 * left - 5 * short, level, own))
    return max(found)


def optimum(name: str, **changes: Any) -> Any:
    game = Game(load(name, {key.replace("__", "."): value for key, value in changes.items()}))
    return game, PriceAndOrder().solve(game)[0]


@pytest.mark.parametrize(
    "beaten, best, kept",
    [(1.0, 92.469956, 70.347767), pytest.param(0.5, 105.011611, 92.999152, marks=pytest.mark.slow)],
)
def test_prices_against_a_rival_that_undercuts(beaten: float, best: float, kept: float) -> None:
    """The known optimum 105.0116 belongs to a rank that counts a cheaper rival as an equal one."""
    assert against_an_undercutting_rival(beaten) == pytest.approx((best, kept), abs=1e-6)
    game = Game(load("pricing_competition", {"markets.seller.beaten_rank": beaten}))
    found = {each.solution.method: each.solution for each in solve(game)}
    assert set(found) == {"optimal", "constant_price", "undercut_price", "best_reply_price"}
    assert max(-each.cost for each in found.values()) == -found["optimal"].cost
    assert -found["optimal"].cost == pytest.approx(best, abs=1e-6)
    assert -found["constant_price"].cost == pytest.approx(kept, abs=1e-6)
    assert found["constant_price"].parameters == {"seller": {"price": 33}}


@pytest.mark.parametrize(
    "changes, waits, on_sale, profit, level",
    [
        ({}, True, False, 76.962057, 7),
        ({"markets__seller__revenue_on": "sale"}, True, True, 75.979250, 9),
        ({"markets__seller__unmet": "lost"}, False, True, 76.138864, 9),
    ],
)
def test_prices_and_orders_against_frozen_prices(
    changes: dict[str, Any], waits: bool, on_sale: bool, profit: float, level: int
) -> None:
    _, found = optimum("pricing_frozen_competitor", **changes)
    assert best_single_period(waits, on_sale) == (pytest.approx(profit, abs=1e-6), level, 29)
    assert -found.cost == pytest.approx(profit, abs=1e-6)
    assert (found.details["price"], found.details["base_stock_level"]) == (29, level)
    assert found.details["upper"] - found.details["lower"] < 1e-6


def with_fixed_cost(fixed: float, waits: bool) -> float:
    """Profit a period by plain value iteration over net stock, prices 20 to 35; orders serve their own period."""
    low, high, demand = (-25 if waits else 0), 40, np.arange(40)
    stock, values, gain = np.arange(low, high + 1), np.zeros(41 - low), np.zeros(2)
    chances = {own: stats.poisson.pmf(demand, rate(own, 30)) for own in range(20, 36)}

    def after(level: int, own: int) -> float:
        left = level - demand if waits else np.maximum(level - demand, 0)
        paid = demand if waits else np.minimum(demand, level)
        charged = 0.5 * np.maximum(level - demand, 0) + 5 * np.maximum(demand - level, 0)
        return float(chances[own] @ (own * paid - charged + values[np.maximum(left - low, 0)]))

    for _ in range(100):
        raised = np.array([max(after(level, own) for own in chances) for level in stock])
        units = np.arange(len(stock))
        best = [max(raised[n:] - 10 * units[: len(units) - n] - fixed * (units[: len(units) - n] > 0)) for n in units]
        gain = np.array(best) - values
        values = values + 0.9 * gain
    return float((gain.max() + gain.min()) / 2)


@pytest.mark.parametrize("waits", [True, False])
def test_a_fixed_cost(waits: bool) -> None:
    changes: dict[str, Any] = {} if waits else {"markets__seller__unmet": "lost"}
    _, found = optimum("pricing_frozen_competitor", edges__0__fixed_order_cost=20.0, **changes)
    assert -found.cost == pytest.approx(with_fixed_cost(20.0, waits), abs=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "markets__seller__competitor": "undercuts",
            "edges__0__fixed_order_cost": 20,
            "markets__seller__price_range": [20, 40],
        },
        {"markets__seller__competitor": "undercuts", "markets__seller__unmet": "lost", "edges__0__lead_time": 1},
        {"markets__seller__revenue_on": "sale", "edges__0__lead_time": 1},
        {"markets__seller__unmet": "lost", "edges__0__lead_time": 3, "markets__seller__price_range": [28, 31]},
    ],
    ids=["rival and fixed cost", "rival, lost, lead time 1", "revenue on sale, lead time 1", "lost, lead time 3"],
)
def test_the_optimal_policy_earns_its_profit_in_the_simulator(changes: dict[str, Any]) -> None:
    game, found = optimum("pricing_frozen_competitor", **changes)
    played = evaluate(game, found.players, 40, seed=3)
    error = played.standard_error / (game.horizon - game.warm_up)
    assert abs(played.figure - found.cost) < 4 * error < 1.0


@pytest.mark.parametrize(
    "unmet, fixed",
    [
        pytest.param("backorder", 0, marks=pytest.mark.slow),
        pytest.param("backorder", 20, marks=pytest.mark.slow),
        pytest.param("lost", 0, marks=pytest.mark.slow),
        ("lost", 20),
    ],
)
def test_the_four_scenarios_of_the_paper_are_solved_with_a_reference_that_stays(unmet: str, fixed: float) -> None:
    changes = {"markets__seller__unmet": unmet, "edges__0__fixed_order_cost": fixed}
    _, found = optimum("pricing_replenishment", **changes, markets__seller__reference="fixed")
    assert 50 < -found.cost < 80 and found.details["upper"] - found.details["lower"] < 1e-6


def test_linear_demand_is_of_the_family_too() -> None:
    """A price p sells 10 - p: revenue p (10 - p) less 2 a unit is best at 6, with 4 units in stock and none left."""
    document = {
        "name": "linear",
        "nodes": {
            "source": {"kind": "source"},
            "shop": {
                "holding_cost": 1,
                "backorder_cost": 3,
                "demand": {"process": "linear_price", "intercept": 10, "slope": 1, "price": 5, "price_range": [0, 10]},
            },
        },
        "edges": [{"from": "source", "to": "shop", "lead_time": 0, "purchase_cost": 2}],
        "game": {"criterion": "average"},
    }
    (found,) = PriceAndOrder().solve(Game(document))
    assert found.cost == pytest.approx(-16) and found.details["price"] == 6 and found.details["base_stock_level"] == 4


@pytest.mark.parametrize(
    "name, changes, message",
    [
        ("pricing_replenishment", {}, "different things, too many for an exact solution"),
        ("pricing_frozen_competitor", {"edges.0.lead_time": 4}, "multiplications a step"),
        ("pricing_frozen_competitor", {"edges.0.order_limit": 4}, "order_limit"),
        ("pricing_frozen_competitor", {"game.criterion": "total"}, "long-run average"),
        ("lost_sales", {}, "no market has a price_range"),
    ],
)
def test_what_it_is_not_for_is_refused_in_one_sentence(name: str, changes: dict[str, Any], message: str) -> None:
    reason = PriceAndOrder().misfit(Game(load(name, changes)))
    assert reason is not None and message in reason


def test_nobody_ordering_for_stock_that_matters_is_refused() -> None:
    alone = {"seller": {"decides": ["seller.price"], "pays": ["seller"]}}
    with pytest.raises(InputError, match="nobody's decides"):
        Game(load("pricing_frozen_competitor", {"game.agents": alone}))
