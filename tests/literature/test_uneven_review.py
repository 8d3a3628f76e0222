"""Uneven review intervals (REFERENCE C): levels by interval and their costs a day, by simulation and exactly.

Reviews alternate after R1 and R2 days; receive, review and order, demand, h IL+ + b IL-. An order at a review on day t
controls days t + L to t + L + R - 1, R the interval that starts at t.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from long_run import assert_not_below, exact, simulated, spread
from published import NORMAL_QUANTILE, assert_agrees
from scipy import stats

from marl_supply.demand.distribution import Distribution
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.solvers.tune import tune
from marl_supply.topology import load

TABLE = {  # intervals, lead time, mean: levels, cost
    ((3, 4), 2, 5): ((28, 32), 12.474631),
    ((2, 5), 1, 1): ((5, 7), 4.415844),
}
COMMON = (31, 12.993359)  # the best level for both intervals of the first instance


def changes(review: tuple[int, ...], lead: int, mean: float) -> dict[str, Any]:
    return {"nodes.store.review": list(review), "edges.0.lead_time": lead, "markets.store.mean": mean}


def level(length: int, lead: int, law: Distribution, ratio: float) -> int:
    """The smallest S whose stock-out chances, averaged over the days that an order controls, meet the ratio."""
    levels = np.arange(200)
    reached = sum(law.over(lead + 1 + day).cdf(levels) for day in range(length)) / length
    return int(np.argmax(reached >= ratio))


@pytest.mark.parametrize("instance", TABLE)
def test_levels_and_costs(instance: Any) -> None:
    review, lead, _ = instance
    (first, second), cost = TABLE[instance]
    process = load("uneven_review", changes(*instance)).markets["store"].process
    law = process.distribution()
    assert [level(length, lead, law, 0.9) for length in review] == [first, second]
    values = {"level_1": first, "level_2": second}
    assert_agrees(simulated("uneven_review", "interval_base_stock", changes(*instance), **values), cost, 5e-7)


def test_one_common_level_costs_more() -> None:
    level, cost = COMMON
    assert_agrees(simulated("uneven_review", "base_stock", base_stock_level=level), cost, 5e-7)
    assert_not_below(simulated("uneven_review", "base_stock"), TABLE[(3, 4), 2, 5][1])


def test_the_file_suggests_the_best_levels() -> None:
    suggested = load("uneven_review").policies
    assert suggested["interval_base_stock"] == {"store": {"level_1": 28, "level_2": 32}}
    assert suggested["base_stock"] == {"store": COMMON[0]}


def cost_of(review: tuple[int, int], lead: int, mean: float, levels: tuple[int, int]) -> float:
    """Long-run cost a day; a state is a day of the cycle, net stock after receipt and what is on its way."""
    law = stats.poisson(mean)
    top = int(law.isf(1e-10)) + 1
    chances = [*law.pmf(np.arange(top)), law.sf(top - 1)]

    def moves(state: tuple[int, ...]) -> tuple[float, dict[Any, float]]:
        day, stock, *coming = state
        order = 0
        for start, target in zip((0, review[0]), levels, strict=True):
            order = max(0, target - stock - sum(coming)) if day == start else order
        coming = [*coming, order]
        ends = stock - np.arange(top + 1)
        cost = float(np.where(ends > 0, ends, -9 * ends) @ chances)
        tomorrow = (day + 1) % sum(review)
        return cost, spread(
            ((tomorrow, int(end) + coming[0], *coming[1:]), p) for end, p in zip(ends, chances, strict=True)
        )

    return exact((0, levels[0]) + (0,) * (lead - 1), moves, 1e-10)


def test_the_exact_chain_gives_the_stated_costs() -> None:
    assert cost_of((2, 5), 1, 1, (5, 7)) == pytest.approx(TABLE[(2, 5), 1, 1][1], abs=6e-7)
    for moved in ((4, 7), (6, 7), (5, 6), (5, 8)):
        assert cost_of((2, 5), 1, 1, moved) > TABLE[(2, 5), 1, 1][1]


@pytest.mark.slow
def test_a_search_finds_levels_as_good_as_the_best() -> None:
    game = Game("uneven_review")
    found = tune("interval_base_stock", game, replications=100, parameters={"store": {"level_1": 20, "level_2": 20}})
    best = simulated("uneven_review", "interval_base_stock")
    loss = evaluate(game, found.players, 1000, 20).sample - best.sample
    assert loss.mean() < 0.02 + NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))
