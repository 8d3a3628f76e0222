"""Uneven review: the reference's levels and costs, all other levels of small rows, and simulation."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from long_run import simulated
from published import assert_agrees

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import BackloggedRow, best_level
from marl_supply.solvers.uneven_review import (
    ReviewedRow,
    best_common_level,
    best_levels,
    cost_of_levels,
    interval_levels,
    never_too_high,
    reviewed_row,
)
from marl_supply.topology import load
from marl_supply.topology.network import Network

TABLE = [((3, 4), 2, 5, (28, 32), 12.474631), ((2, 5), 1, 1, (5, 7), 4.415844)]
LUMPY = Distribution.of([0, 1, 2, 3], [0.8, 0.1, 0.05, 0.05])


@pytest.mark.parametrize(("review", "lead_time", "mean", "levels", "cost"), TABLE)
def test_levels_and_costs(
    review: tuple[int, ...], lead_time: int, mean: float, levels: tuple[int, ...], cost: float
) -> None:
    """h = 1, b = 9, Poisson demand (REFERENCE C)."""
    row = ReviewedRow(Poisson(mean=mean).distribution(), lead_time, 1, 9, review=review)
    for found in (interval_levels(row), best_levels(row)):
        assert found.levels == levels
        assert found.cost == pytest.approx(cost, abs=1e-6)
    assert cost_of_levels(row, levels) == pytest.approx(cost, abs=1e-6)


def test_the_best_common_level() -> None:
    """R = (3, 4), L = 2, Poisson 5: one common S is 31, 12.993359 (REFERENCE C)."""
    row = reviewed_row(Network(load("uneven_review")))
    found = best_common_level(row)
    assert found.level == 31
    assert found.cost == pytest.approx(12.993359, abs=1e-6)
    assert cost_of_levels(row, (31, 31)) == pytest.approx(found.cost, abs=1e-9)
    assert all(cost_of_levels(row, (level, level)) > found.cost for level in (29, 30, 32, 33))


def chain_cost(row: ReviewedRow, levels: tuple[int, ...]) -> float:
    """From the stationary law of positions at the reviews, with every day's cost by the definition."""
    law, ratio = row.law, row.backorder_cost
    reach = range(min(levels), max(levels) + 1)
    states = [(k, y) for k in range(len(levels)) for y in reach]
    moves, costs = np.zeros((len(states), len(states))), np.zeros(len(states))
    for number, (k, y) in enumerate(states):
        between = law.over(row.review[k])
        following = (k + 1) % len(levels)
        for demand, chance in zip(between.values, between.probabilities, strict=True):
            moves[number, states.index((following, max(int(y - demand), levels[following])))] += chance
        for day in range(row.review[k]):
            covered = law.over(row.lead_time + day + (not row.demand_seen))
            ends = y - covered.values
            costs[number] += np.where(ends > 0, row.holding_cost * ends, -ratio * ends) @ covered.probabilities
    system = np.vstack([moves.T - np.eye(len(states)), np.ones(len(states))])
    share = np.linalg.lstsq(system, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    return float(share @ costs) * len(levels) / row.cycle


SMALL = [  # review, lead time, demand seen, b: own levels, optimal levels (where own ones disturb one another)
    ((1, 2), 2, False, 2, (1, 2), (1, 1)),
    ((3, 2, 3), 2, False, 9, (4, 3, 4), (3, 3, 4)),
    ((3, 1, 3), 0, False, 2, (1, 0, 1), (0, 0, 1)),
    ((2, 4), 2, False, 30, (5, 6), (5, 5)),
]


@pytest.mark.parametrize(("review", "lead_time", "seen", "backorder", "own", "best"), SMALL)
def test_the_dynamic_program_where_own_levels_are_too_high(
    review: tuple[int, ...], lead_time: int, seen: bool, backorder: float, own: tuple[int, ...], best: tuple[int, ...]
) -> None:
    """Against all levels, each costed as a Markov chain."""
    row = ReviewedRow(LUMPY, lead_time, 1, backorder, demand_seen=seen, review=review)
    assert interval_levels(row).levels == own
    assert not never_too_high(row, own)
    found = best_levels(row)
    assert found.levels == best
    assert found.cost == pytest.approx(chain_cost(row, best), abs=1e-9)
    assert interval_levels(row).cost == pytest.approx(chain_cost(row, own), abs=1e-9)
    others = product(range(min(own) - 1, max(own) + 2), repeat=len(review))
    assert min(chain_cost(row, levels) for levels in others) == pytest.approx(found.cost, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_no_other_levels_cost_less(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    law = Distribution.of(np.arange(4), numbers.dirichlet(np.full(4, 0.5)))
    review = tuple(numbers.integers(1, 6, 2).tolist())
    row = ReviewedRow(law, seed % 3, 1, float(numbers.uniform(1, 30)), demand_seen=seed % 4 == 0, review=review)
    found = best_levels(row)
    top = max(interval_levels(row).levels) + 2
    assert min(cost_of_levels(row, levels) for levels in product(range(-1, top), repeat=2)) == pytest.approx(found.cost)


def test_review_in_every_period_is_the_newsvendor() -> None:
    law = Poisson(mean=5).distribution()
    alone = best_level(BackloggedRow(law, 2, 1, 9))
    found = best_levels(ReviewedRow(law, 2, 1, 9))
    assert found.levels == (alone.level,)
    assert found.cost == pytest.approx(alone.cost, abs=1e-12)


def test_levels_that_need_many_cycles_to_fall() -> None:
    """A level far above the other is as if it alone were there: cost of the chain on a wide range."""
    row = ReviewedRow(LUMPY, 1, 1, 9, review=(2, 1))
    assert cost_of_levels(row, (1, 25)) == pytest.approx(chain_cost(row, (1, 25)), rel=1e-9)


CHAINS: list[dict[str, Any]] = [
    {},
    {"nodes.store.review": [2, 5], "nodes.store.review_offset": 3, "edges.0.lead_time": 1, "markets.store.mean": 1},
    {
        "nodes.store.review": [1, 4, 2],
        "edges.0.holding_cost": 0.3,
        "edges.0.title": "customer",
        "edges.0.purchase_cost": 0.5,
        "edges.0.information_delay": 1,
        "nodes.store.demand": {"process": "geometric", "mean": 3},
    },
    {"nodes.store.review": [3, 4], "timing.demand_visible": "before_ordering"},
]


@pytest.mark.parametrize("changes", CHAINS)
def test_simulated_costs_agree(changes: dict[str, Any]) -> None:
    row = reviewed_row(Network(load("uneven_review", changes)))
    found = best_levels(row)
    parameters = {f"level_{number}": 0.0 for number in range(1, 8)} | found.parameters
    assert_agrees(
        simulated("uneven_review", "interval_base_stock", changes, 1500, **parameters), found.cost, width=0.015
    )


def test_refusals() -> None:
    law = Poisson(mean=5).distribution()
    with pytest.raises(InputError, match=r"review: \[3, 0\] are not lengths"):
        ReviewedRow(law, 1, 1, 9, review=(3, 0))
    with pytest.raises(InputError, match="round it to whole units"):
        ReviewedRow(Normal(mean=5, sd=1, round=False).distribution(), 1, 1, 9, review=(3, 4))
    with pytest.raises(InputError, match="levels: 1 for 2 intervals"):
        cost_of_levels(ReviewedRow(law, 1, 1, 9, review=(3, 4)), (3,))
    with pytest.raises(InputError, match="not all whole units"):
        cost_of_levels(ReviewedRow(law, 1, 1, 9, review=(3,)), (3.5,))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fixed_order_cost"):
        reviewed_row(Network(load("uneven_review", {"edges.0.fixed_order_cost": 3})))
