"""Serial systems without recursion: newsvendor bounds on the optimal levels, a heuristic between them, and cost bounds.

With echelon holding costs g_j > 0, backorder cost b, and D_1 + ... + D_j the demand over the lead times from stage j
down to the customers, whose distribution function is F_j, the optimal echelon level of stage j lies between the
quantiles of F_j at

    lower:  (b + sum over i > j of g_i) / (b + sum over all i of g_i)
    upper:  (b + sum over i > j of g_i) / (b + sum over i >= j of g_i).

The heuristic takes the middle of both, cut to whole units (Shang & Song 2003, Newsvendor bounds and heuristic for
optimal policies in serial supply chains, Management Science 49(5)). A `SerialSystem` may follow either convention of
its module: only the demand that stage 1 covers differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from marl_supply.demand.distribution import Distribution
from marl_supply.errors import InputError
from marl_supply.solvers.clark_scarf import SerialSolution, SerialSystem, cost_of_levels, in_cells, in_units
from marl_supply.solvers.newsvendor import FloatArray, single_period


@dataclass(frozen=True)
class LevelBounds:
    """Echelon base-stock levels, units, stage 1 first: no optimal level is below `lower` or above `upper`."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True)
class CostBounds:
    """No policy costs less than `lower`, and the best one costs at most `upper`, money a period."""

    lower: float
    upper: float


def level_bounds(system: SerialSystem) -> LevelBounds:
    """Bounds on the optimal echelon base-stock levels (the smallest ones), N quantiles each.

    Raises
    ------
    InputError
        If stock costs no more at some stage than at the one that supplies it: its level has no upper bound.
    """
    echelon = np.array(system.echelon_holding_costs)
    if echelon.min() <= 0:
        row = system.rows[int(echelon.argmin())]
        raise InputError(
            f"holding_costs: stock at '{row}' costs no more than at its supplier, and its level has no newsvendor "
            "bound; raise its cost, or solve the system with best_levels."
        )
    gained = system.backorder_cost + np.append(system.holding_costs[1:], 0.0)
    demand = demand_to_customers(system)
    lower = gained / (system.backorder_cost + system.holding_costs[0])
    upper = gained / (system.backorder_cost + np.array(system.holding_costs))
    return LevelBounds(_quantiles(system, demand, lower), _quantiles(system, demand, upper))


def _quantiles(system: SerialSystem, demand: tuple[Distribution, ...], ratios: FloatArray) -> tuple[float, ...]:
    """Each law's quantile at its ratio; a cell of real demand reaches half a cell to either side."""
    pairs = zip(demand, ratios.tolist(), strict=True)
    if not system.continuous:
        return tuple(float(law.quantile(ratio)) for law, ratio in pairs)
    half = system.lattice / 2
    return tuple(float(np.interp(ratio, law.cdf(law.values), law.values + half)) for law, ratio in pairs)


def demand_to_customers(system: SerialSystem) -> tuple[Distribution, ...]:
    """For each stage the law of demand over the lead times from it down to the customers."""
    first, *others = (in_cells(law, system.lattice) for law in system.lead_time_demand)
    sums = accumulate(others, Distribution.plus, initial=first)
    return tuple(in_units(law, system.lattice) for law in sums)


def heuristic_levels(system: SerialSystem) -> SerialSolution:
    """The middle of the bounds at every stage, cut to a multiple of the demand's lattice, and what that costs."""
    bounds = level_bounds(system)
    middle = (np.array(bounds.lower) + np.array(bounds.upper)) / 2
    if not system.continuous:
        middle = np.floor(middle / system.lattice + 1e-9) * system.lattice
    return cost_of_levels(system, middle.tolist())


def cost_bounds(system: SerialSystem) -> CostBounds:
    """Two newsvendors with the demand over all lead times.

    All stock together is never less than what one echelon would have: the lower bound charges it the least local
    holding cost. The upper bound keeps it all at stage 1, and that is a policy.
    """
    total, backorder = demand_to_customers(system)[-1], system.backorder_cost
    constant = system.pipeline_cost + system.constant_cost
    cheapest, dearest = min(system.holding_costs), system.holding_costs[0]
    lower = single_period(total, cheapest, backorder).cost if cheapest > 0 else 0.0
    upper = single_period(total, dearest, backorder).cost if dearest > 0 else 0.0
    return CostBounds(lower + constant, upper + constant)
