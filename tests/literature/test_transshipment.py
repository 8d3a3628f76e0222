"""A transshipment centre with stores of equal costs and backlog: the bound of Federgruen & Zipkin (1984).

No policy costs less than (h + p) phi(z) sqrt((L_s + 1) (sum of sd)^2 + L_w variance of total demand) a period, with
z = Phi^-1(p / (p + h)). The bound lets the centre divide its stock before the demand of the period is known, as a
store's order does; it is nearly reached by orders that bring all stores to one level of safety. An allocation rule that
reads positions after that demand (`fair_share`) knows a period more: its bound is that of L_w + 1 and L_s - 1.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from published import NORMAL_QUANTILE, assert_agrees
from scipy.stats import norm

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.simulation import Decisions
from marl_supply.topology import load

STORES = tuple(f"store_{number}" for number in range(1, 6))
GENEROUS = {"store_1": 60, "store_2": 80, "store_3": 100, "store_4": 120, "store_5": 140}  # claim all that there is


@cache
def chain(correlation: float = 0.5, allocation: str = "proportional", backorder_cost: float = 4) -> Any:
    """The shipped chain with another correlation of demand, allocation rule or cost."""
    return load(
        "transshipment",
        {
            "correlation": [{"markets": list(STORES), "coefficient": correlation}] if correlation else [],
            "nodes.centre.allocation": allocation,
            **{f"nodes.{store}.backorder_cost": backorder_cost for store in STORES},
        },
    )


def bound(topology: Any, later: int = 0) -> tuple[float, float]:
    """The bound, money a period, and the level of all stock it stands for; `later`: periods more of demand seen."""
    deviation = np.array([topology.markets[store].process.sd for store in STORES])
    correlation = topology.correlation[0].coefficient if topology.correlation else 0.0
    to_centre, *to_stores = [edge.lead_time for edge in topology.edges]
    total = (1 - correlation) * (deviation**2).sum() + correlation * deviation.sum() ** 2
    spread = math.sqrt((to_stores[0] + 1 - later) * deviation.sum() ** 2 + (to_centre + later) * total)
    holding, backorder = (getattr(topology.nodes[STORES[0]], f"{kind}_cost") for kind in ("holding", "backorder"))
    z = norm.ppf(backorder / (backorder + holding))
    mean = sum(topology.markets[store].process.centre for store in STORES)
    level = mean * (to_centre + to_stores[0] + 1) + z * spread
    return (holding + backorder) * norm.pdf(z) * spread, level


def evaluated(topology: Any, levels: dict[str, float], replications: int = 500) -> Evaluation:
    game = Game(topology, horizon=400, warm_up=100)
    return evaluate(game, seat_everybody(game, "echelon_base_stock", levels), replications, seed=31)


def costs_of_equal_safety(topology: Any, level: float, replications: int, periods: int, warm_up: int) -> Any:
    """(R,) cost a period when stores order up to mu (L_s + 1) + k sd, with the largest k that the stock allows."""
    game = Game(topology, horizon=periods, warm_up=warm_up)
    network = game.network
    mean = np.array([[topology.markets[store].process.centre] for store in STORES])
    deviation = np.array([[topology.markets[store].process.sd] for store in STORES])
    need = mean * (network.lead_time[1:, None] + 1)
    state, cost = game.start(replications, seed=32), np.zeros(replications)
    for period in range(periods):
        position = state.on_hand[1:] - state.owed[network.market_line] + state.in_transit[1:]
        low, high = np.full(replications, -300.0), np.full(replications, 300.0)
        for _ in range(30):
            middle = (low + high) / 2
            fits = np.maximum(need + middle * deviation - position, 0).sum(0) <= state.on_hand[0]
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        orders = np.maximum(need + low * deviation - position, 0)
        system = state.on_hand[0] + state.in_transit[0] + position.sum(0)
        state, outcome = game.step(state, Decisions(order=np.vstack([np.maximum(level - system, 0)[None], orders])))
        cost += outcome.costs.sum(0) * (period >= warm_up)
    return cost / (periods - warm_up)


def test_the_bound_of_the_shipped_chain() -> None:
    """sd .75 to 1.75, sum 6.25; variance of the total 23.75: 1.39981 sqrt(3 x 39.0625 + 3 x 23.75)."""
    assert bound(chain())[0] == pytest.approx(19.2155, abs=5e-4)
    assert bound(chain(0.0))[0] == pytest.approx(16.7100, abs=5e-4)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("backorder_cost", [4, 9])
def test_equal_safety_reaches_the_bound(correlation: float, backorder_cost: float) -> None:
    """Within 1% of it, and below it by no more than the sample's 99.9% interval."""
    topology = chain(correlation, backorder_cost=backorder_cost)
    least, level = bound(topology)
    sample = costs_of_equal_safety(topology, level, 1100, 260, 60)
    half = NORMAL_QUANTILE * sample.std(ddof=1) / math.sqrt(len(sample))
    assert half < 0.01 * least
    assert -half < sample.mean() - least < 0.01 * least + half


@pytest.mark.parametrize("allocation", ["proportional", "first_come"])
def test_the_suggested_levels_respect_the_bound_and_come_near_it(allocation: str) -> None:
    topology = chain(allocation=allocation)
    evaluation, least = evaluated(topology, {}, 800), bound(topology)[0]
    half = NORMAL_QUANTILE * evaluation.sample.std(ddof=1) / math.sqrt(evaluation.replications)
    assert half < 0.01 * least
    assert least + half < evaluation.figure < 1.05 * least


@pytest.mark.parametrize("move", [-4, 0, 4])
@pytest.mark.parametrize("allocation", ["proportional", "priority", "first_come"])
def test_no_levels_beat_the_bound(allocation: str, move: float) -> None:
    topology = chain(allocation=allocation)
    suggested = topology.policies["echelon_base_stock"]
    levels = {node: level + move * (1 if node == "centre" else 0.25) for node, level in suggested.items()}
    evaluation = evaluated(topology, levels, 150)
    assert evaluation.figure > bound(topology)[0]


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_fair_share_divides_a_period_later(correlation: float) -> None:
    topology = chain(correlation, "fair_share")
    least, level = bound(topology, later=1)
    evaluation = evaluated(topology, {"centre": level, **GENEROUS}, 700)
    assert_agrees(evaluation, least, rounding=0.005 * least)
    assert evaluation.figure < bound(topology)[0]
