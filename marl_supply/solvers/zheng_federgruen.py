"""One echelon with backorders and a fixed cost for each order: the optimal (s, S), and what any (s, S) costs.

When the inventory position is s or less, order up to S. With K the fixed cost and G(y) the expected holding and
backorder cost of the period that a position y of now governs, a cycle from one order to the next lasts M(S - s) periods
on average and

    c(s, S) = (K + sum over j < S - s of m(j) G(S - j)) / M(S - s),   M(n) = sum over j < n of m(j),

where m(j) is the expected number of periods in which the position stands j units below S, were there no orders: the
renewal density of demand. The search is that of Zheng & Federgruen (1991), Finding optimal (s, S) policies is about as
simple as evaluating a single policy, Operations Research 39(4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marl_supply.demand.distribution import Distribution
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import BackloggedRow, FloatArray, best_level, expected_costs, read_row
from marl_supply.topology.network import Network


@dataclass(frozen=True, eq=False)
class FixedCostRow(BackloggedRow):
    """A backlogged row with a fixed cost for each order.

    fixed_order_cost: K, money an order, 0 or more. Demand is on the whole numbers 0, 1, 2, ... and not always 0.
    """

    fixed_order_cost: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole_demand(self.demand, "(s, S)")
        if not 0 <= self.fixed_order_cost < np.inf:
            raise InputError(f"fixed_order_cost: {self.fixed_order_cost:g} is not a cost; give 0 or more.")


@dataclass(frozen=True)
class ReorderSolution:
    """Order up to `order_up_to_level` when the position is `reorder_point` or less, units; cost: money a period."""

    reorder_point: int
    order_up_to_level: int
    cost: float


def require_whole_demand(demand: object, family: str) -> None:
    """Raise InputError unless a law is on 0, 1, 2, ... and has some demand."""
    if not isinstance(demand, Distribution) or (demand.values != np.rint(demand.values)).any() or demand.values[0] < 0:
        raise InputError(f"demand: {family} is solved for demand of 0, 1, 2, ... units; round it to whole units.")
    if demand.values[-1] == 0:
        raise InputError(f"demand: it is always 0, and {family} has nothing to solve; give a law with some demand.")


class _Cycles:
    """G(y), m(j) and c(s, S) of one row, worked out as far as they are asked for."""

    def __init__(self, row: FixedCostRow) -> None:
        self.row = row
        assert isinstance(row.demand, Distribution)
        self.law = np.zeros(int(row.demand.values[-1]) + 1)
        self.law[row.demand.values.astype(np.int64)] = row.demand.probabilities
        self.density: FloatArray = np.zeros(0)
        self.middle = round(best_level(row).level)
        self.reach = 0
        self.costs: FloatArray = np.zeros(0)

    def period_cost(self, position: int) -> float:
        """G(y), money."""
        self._reach_to(abs(position - self.middle))
        return float(self.costs[position - self.middle + self.reach])

    def cycle_cost(self, low: int, high: int) -> float:
        """c(s, S), money a period."""
        self._reach_to(max(abs(low - self.middle), abs(high - self.middle)))
        stays = self._stays(high - low)
        visited = self.costs[low + 1 - self.middle + self.reach : high + 1 - self.middle + self.reach][::-1]
        return float((self.row.fixed_order_cost + stays @ visited) / stays.sum())

    def _reach_to(self, distance: int) -> None:
        if distance < len(self.costs) - self.reach:
            return
        self.reach = max(2 * distance, 64)
        levels = np.arange(self.middle - self.reach, self.middle + self.reach + 1)
        self.costs = expected_costs(self.row.covered, levels, self.row.holding_cost, self.row.backorder_cost)

    def _stays(self, count: int) -> FloatArray:
        """m(0), ..., m(count - 1), periods."""
        if count > len(self.density):
            self.density = renewal_density(self.law, 2 * count)
        return self.density[:count]


def renewal_density(law: FloatArray, count: int) -> FloatArray:
    """(count,) expected number of periods in which cumulated demand, from 0 on, stands at 0, 1, 2, ...

    law: P(demand = 0), P(demand = 1), ...; the first below 1.
    """
    density = np.zeros(count)
    density[0] = 1 / (1 - law[0])
    backwards = law[:0:-1]
    for place in range(1, count):
        before = min(place, len(backwards))
        reached = density[place - before : place] @ backwards[len(backwards) - before :]
        density[place] = reached / (1 - law[0])
    return density


def cost_of_rule(row: FixedCostRow, reorder_point: int, order_up_to_level: int) -> float:
    """c(s, S) and the constant costs, money a period.

    Raises
    ------
    InputError
        Unless s < S.
    """
    if reorder_point >= order_up_to_level:
        raise InputError(f"reorder_point: {reorder_point} is not below the level {order_up_to_level}; lower it.")
    return _Cycles(row).cycle_cost(reorder_point, order_up_to_level) + row.constant_cost


def best_rule(row: FixedCostRow) -> ReorderSolution:
    """The optimal (s, S), which no other policy beats (Scarf 1960; Veinott & Wagner 1965), and its cost."""
    cycles = _Cycles(row)
    low, high = cycles.middle - 1, cycles.middle
    while cycles.cycle_cost(low, high) > cycles.period_cost(low):
        low -= 1
    cost = cycles.cycle_cost(low, high)
    candidate = high + 1
    while cycles.period_cost(candidate) <= cost:
        if cycles.cycle_cost(low, candidate) < cost:
            high = candidate
            while cycles.cycle_cost(low, high) <= cycles.period_cost(low + 1):
                low += 1
            cost = cycles.cycle_cost(low, high)
        candidate += 1
    return ReorderSolution(low, high, cost + row.constant_cost)


def fixed_cost_row(network: Network) -> FixedCostRow:
    """Read a chain that is one backlogged row with a fixed cost for each order, in the costs of the simulator.

    Raises
    ------
    InputError
        Where the chain is something else.
    """
    row = read_row(network, "(s, S)", beside={"fixed_order_cost"})
    return FixedCostRow(**vars(row), fixed_order_cost=float(network.fixed_order_cost[network.first_edge[0]]))
