"""Newsvendor bounds and heuristic of serial systems: the published row, and random systems between their bounds."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.solvers.clark_scarf import SerialSystem, best_levels, continuous_review, local_costs, periodic
from marl_supply.solvers.clark_scarf import serial_system as read
from marl_supply.solvers.shang_song import cost_bounds, heuristic_levels, level_bounds
from marl_supply.topology import load
from marl_supply.topology.network import Network

ROW_1 = continuous_review(16, [0.25] * 4, [0.25] * 4, 9)


def test_row_1() -> None:
    """The heuristic finds the optimum (8, 13, 18, 22), cost 12.6879 (Shang & Song 2003, row 1; REFERENCE D)."""
    found = heuristic_levels(ROW_1)
    assert found.levels == (8, 13, 18, 22)
    assert found.cost == pytest.approx(12.6879, abs=5e-5)
    bounds = level_bounds(ROW_1)
    assert bounds.lower == (8, 13, 17, 21)  # Poisson quantiles at 9.75 / 10, 9.5 / 10, 9.25 / 10, 9 / 10
    assert bounds.upper == (8, 14, 19, 24)  # ... and at 9.75 / 10, 9.5 / 9.75, 9.25 / 9.5, 9 / 9.25


def some_system(seed: int) -> SerialSystem:
    """A random system; every third with demand in lumps, every second with demand seen before ordering."""
    numbers = np.random.default_rng(seed)
    stages = int(numbers.integers(1, 5))
    law = Poisson(mean=float(numbers.uniform(0.3, 8))).distribution()
    if seed % 3 == 0:
        law = Distribution.of([0, 2, 5], numbers.dirichlet([1, 1, 1]))
    costs = local_costs(numbers.uniform(0.1, 2, stages))
    lead_times = numbers.integers(0, 4, stages).tolist()
    on_the_way = numbers.uniform(0, 1, stages).tolist()
    return periodic(
        law,
        lead_times,
        costs,
        float(numbers.uniform(2, 30)),
        pipeline_holding_costs=on_the_way,
        demand_seen=seed % 2 > 0,
    )


@pytest.mark.parametrize("seed", range(60))
def test_bounds_hold(seed: int) -> None:
    system = some_system(seed)
    best, levels, costs = best_levels(system), level_bounds(system), cost_bounds(system)
    for low, level, high in zip(levels.lower, best.levels, levels.upper, strict=True):
        assert low <= level <= high
    assert costs.lower - 1e-9 <= best.cost <= costs.upper + 1e-9
    assert best.cost - 1e-9 <= heuristic_levels(system).cost


def test_the_heuristic_is_close() -> None:
    """Chains of 2 to 8 stages that share one unit of lead time; costs equal, rising or falling upstream."""
    losses = []
    for stages, rate, backorder in product((2, 4, 8), (16, 64), (9, 39)):
        rising = np.arange(1.0, stages + 1)
        for costs in (np.ones(stages), rising, rising[::-1]):
            system = continuous_review(rate, [1 / stages] * stages, (costs / costs.sum()).tolist(), backorder)
            losses.append(heuristic_levels(system).cost / best_levels(system).cost - 1)
    assert min(losses) > -1e-9
    assert np.mean(losses) < 0.002
    assert max(losses) < 0.01


@pytest.mark.parametrize("chain", ["serial_alvo", "serial_clark_scarf", "cachon_zipkin"])
def test_bounds_hold_on_shipped_chains(chain: str) -> None:
    system = read(Network(load(chain)))
    best, bounds = best_levels(system), level_bounds(system)
    for low, level, high in zip(bounds.lower, best.levels, bounds.upper, strict=True):
        assert low - 1e-3 <= level <= high + 1e-3
    assert heuristic_levels(system).cost < 1.02 * best.cost


def test_continuous_bounds_meet_at_the_first_stage() -> None:
    """Both are the newsvendor's quantile there: optimal (Shang & Song 2003)."""
    law: Any = Normal(mean=10, sd=2, round=False).distribution()
    system = periodic(law, (1, 2), (1, 0.5), 9)
    bounds = level_bounds(system)
    assert bounds.lower[0] == bounds.upper[0] == pytest.approx(best_levels(system).levels[0], abs=1e-3)
    assert bounds.upper[0] == pytest.approx(20 + 1.6448536 * 8**0.5, abs=2e-3)  # quantile .95


def test_refuses_a_stage_without_a_bound() -> None:
    with pytest.raises(InputError, match="'stage_1' costs no more than at its supplier"):
        level_bounds(periodic(Poisson(mean=1).distribution(), (1, 1), (1, 1), 9))
