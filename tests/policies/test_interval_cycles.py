"""Levels by interval for any cycle: the levels of the formula, their exact cost, and what one level for all costs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.policies.interval_base_stock import INTERVALS
from marl_supply.testing import check_policy
from marl_supply.topology import load

MEAN, HOLDING, SHORTAGE, LEAD = 5, 1, 9, 2
CYCLES = [(1,), (4,), (3, 4), (2, 5), (1, 2, 4), (2, 2, 3, 5), (1, 1, 1, 1, 1, 2, 3)]


def cost_at(level: int, length: int) -> float:
    """Expected cost of the periods that an order up to a level controls: those after 1, ..., R and the lead time."""
    total = 0.0
    for ahead in range(length):
        law, demand = stats.poisson(MEAN * (LEAD + 1 + ahead)), np.arange(150)
        surplus = level - demand
        total += float(law.pmf(demand) @ (HOLDING * np.maximum(surplus, 0) + SHORTAGE * np.maximum(-surplus, 0)))
    return total


def best_level(length: int) -> int:
    """The smallest S with (1/R) sum over j < R of P(demand of L + 1 + j periods <= S) >= b / (b + h)."""
    levels = np.arange(200)
    served = np.mean([stats.poisson(MEAN * (LEAD + 1 + ahead)).cdf(levels) for ahead in range(length)], axis=0)
    return int(levels[np.argmax(served >= SHORTAGE / (SHORTAGE + HOLDING))])


def played(cycle: tuple[int, ...], rule: str, values: dict[str, float]) -> Evaluation:
    length = sum(cycle)
    chain = load("uneven_review", {"nodes.store.review": list(cycle)})
    game = Game(chain, horizon=22 * length + LEAD, warm_up=2 * length + LEAD)  # whole cycles of what orders control
    return evaluate(game, seat_everybody(game, rule, {"store": values}), 200, 3)


def test_one_period_of_cost_agrees_with_the_formula() -> None:
    """The level of the formula costs least: checked for every length of interval in use."""
    for length in (1, 2, 3, 4, 5, 7):
        best = best_level(length)
        assert cost_at(best, length) == min(cost_at(best + step, length) for step in (-1, 0, 1))


@pytest.mark.parametrize("cycle", CYCLES, ids=str)
def test_levels_of_the_formula_cost_what_theory_says(cycle: tuple[int, ...]) -> None:
    """Each interval costs that of its own level where the position does not lie above it: from a high level to a low
    one that takes demand of the long interval between, which may be less; then the cost is a little more."""
    levels = [best_level(length) for length in cycle]
    result = played(cycle, "interval_base_stock", {f"level_{n + 1}": level for n, level in enumerate(levels)})
    exact = sum(cost_at(level, length) for level, length in zip(levels, cycle, strict=True)) / sum(cycle)
    error = result.standard_error / result.periods
    never_above = all(
        before - after <= 0 or stats.poisson(MEAN * length).cdf(before - after - 1) < 1e-3
        for before, after, length in zip(levels, [*levels[1:], levels[0]], cycle, strict=True)
    )
    assert result.figure > exact - 3.5 * error
    if never_above:
        assert result.figure < exact + 3.5 * error


@pytest.mark.parametrize("cycle", [cycle for cycle in CYCLES if len(set(cycle)) > 1], ids=str)
def test_a_level_for_each_interval_beats_one_level_for_all(cycle: tuple[int, ...]) -> None:
    own = played(cycle, "interval_base_stock", {f"level_{n + 1}": best_level(length) for n, length in enumerate(cycle)})
    low, high = best_level(min(cycle)), best_level(max(cycle))
    common = min(
        (played(cycle, "base_stock", {"base_stock_level": level}) for level in range(low, high + 1, 2)),
        key=lambda one: one.figure,
    )
    saved = common.sample - own.sample
    assert saved.mean() > 3 * saved.std(ddof=1) / np.sqrt(len(saved))


@pytest.mark.parametrize("cycle", CYCLES, ids=str)
@pytest.mark.parametrize("offset", [0, 1, 3])
def test_every_cycle_is_played(cycle: tuple[int, ...], offset: int) -> None:
    changes = {"nodes.store.review": list(cycle), "nodes.store.review_offset": offset}
    check_policy("interval_base_stock", load("uneven_review", changes))
    assert len(cycle) <= INTERVALS
