"""Plans for games that end: against plain recursions, and as the simulator plays them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.solvers.markov.backward_induction import Plan, backward_induction
from marl_supply.solvers.markov.decision_process import decision_process
from marl_supply.solvers.markov.markov_chain import evaluate_exactly
from marl_supply.topology import load


def plan(chain: str, changes: dict[str, Any], **settings: Any) -> Plan:
    game = Game(load(chain, changes), criterion="total", **{"warm_up": 0, **settings})
    return backward_induction(decision_process(game))


def without_mean(chain: str, changes: dict[str, Any]) -> Any:
    """The file with another process, whose parameters replace the old ones."""
    return load(chain, {"markets.store": {"process": "uniform_integer", "low": 0, "high": 3, **changes}})


@pytest.mark.parametrize(("horizon", "discount"), [(1, 1.0), (5, 1.0), (8, 0.9)])
def test_lost_sales_against_a_plain_recursion(horizon: int, discount: float) -> None:
    """L = 2, demand uniform on 0 to 3, p = 4, h = 1; orders up to 9 units."""
    chain = without_mean("lost_sales", {"unmet": "lost"})

    @cache
    def cost(period: int, stock: int, coming: int) -> float:
        if period == horizon:
            return 0.0
        ends = [stock - demand for demand in range(4)]
        now = sum(max(end, 0) + 4 * max(-end, 0) for end in ends) / 4
        later = min(sum(cost(period + 1, max(end, 0) + coming, order) for end in ends) / 4 for order in range(10))
        return now + discount * later

    game = Game(chain, criterion="total", warm_up=0, horizon=horizon, discount=discount)
    found = backward_induction(decision_process(game))
    assert found.cost == pytest.approx(cost(0, 6 + 5, 5), abs=1e-9)


@pytest.mark.parametrize(("price", "fixed", "horizon"), [(0, 0, 6), (3, 0, 6), (12, 0, 4), (2, 15, 7)])
def test_backorders_against_a_plain_recursion(price: int, fixed: int, horizon: int) -> None:
    """L = 1, demand uniform on 0 to 3; towards the end the best plan orders nothing, so its stock may run out."""
    chain = load(
        without_mean("single_echelon", {"unmet": "backorder"}),
        {"edges.0.purchase_cost": price, "edges.0.fixed_order_cost": fixed, "edges.0.lead_time": 1},
    )

    @cache
    def cost(period: int, stock: int) -> float:
        if period == horizon:
            return 0.0
        ends = [stock - demand for demand in range(4)]
        now = sum(max(end, 0) + 9 * max(-end, 0) for end in ends) / 4
        return now + min(
            fixed * (order > 0) + price * order + sum(cost(period + 1, end + order) for end in ends) / 4
            for order in range(40)
        )

    found = backward_induction(decision_process(Game(chain, criterion="total", warm_up=0, horizon=horizon)))
    assert found.cost == pytest.approx(cost(0, 10 + 5), abs=1e-9)


@pytest.mark.parametrize(
    ("chain", "changes", "settings"),
    [
        ("lost_sales", {}, {"horizon": 30}),
        ("lost_sales", {}, {"horizon": 30, "warm_up": 10}),
        ("dual_sourcing", {}, {"horizon": 25, "discount": 0.95}),
        ("uneven_review", {}, {"horizon": 20}),
        ("single_echelon", {"edges.0.purchase_cost": 3, "edges.0.fixed_order_cost": 10}, {"horizon": 15}),
        ("single_echelon", {"timing": {"demand_visible": "before_ordering"}}, {"horizon": 15}),
    ],
)
def test_the_plan_plays_in_the_simulator(chain: str, changes: dict[str, Any], settings: dict[str, Any]) -> None:
    found = plan(chain, changes, **settings)
    sample = evaluate(found.process.game, found.players, 4000, 13).total
    assert abs(sample.mean() - found.cost) < 3.5 * sample.std(ddof=1) / np.sqrt(len(sample))


def test_a_plan_has_no_long_run_cost() -> None:
    """It decides by the period: one without end would meet its last table for ever."""
    found = plan("lost_sales", {}, horizon=40)
    with pytest.raises(InputError, match="decides otherwise"):
        evaluate_exactly(found.process.game, found.players)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"horizon": 201}, "at most 200"), ({"horizon": 50, "criterion": "average"}, "use value_iteration")],
)
def test_other_games_are_refused(settings: dict[str, Any], message: str) -> None:
    game = Game("lost_sales", **{"criterion": "total", "warm_up": 0, **settings})
    with pytest.raises(InputError, match=message):
        backward_induction(decision_process(game))
