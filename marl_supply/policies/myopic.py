"""Myopic rules for lost sales: the order that costs least in the first period, or two, that it can still change.

With a lead time of L periods the order q of period t is on hand in period t + L. Stock x_0 (after this period's
receipt) and the pipeline x_1 ... x_(L-1) determine the law of what is left by then, W(x); period t + L costs
C(y) = h E(y - D)^+ + p E(D - y)^+ where y = W(x) + q.

The rules read q from a table over all states. It is worked out backwards from C, one receipt and one demand at a time,
and closed by q <= F^-1(p / (p + h)), F the distribution of one period's demand (Zipkin 2008, Old and new methods for
lost-sales inventory systems, Operations Research 56(5)). Here p = lost_sale_cost + price - purchase_cost, what a lost
sale costs in the long run; fixed order costs and order limits are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, Rule
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

LARGEST_TABLE = 50_000_000
"""Entries (8 bytes each): a lead time of 4 with geometric demand of mean 5 and p = 39 h needs 17 million."""


class _Myopic(Rule):
    """Reads orders from the table of its seat; it has no parameters."""

    parameters = ()
    needs = frozenset({"on_hand", "pipeline"})
    periods: ClassVar[int]  # how many periods it looks at

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        if not isinstance(values, Mapping) and np.size(values):
            raise InputError(f"{type(self).__name__}: it has no parameters; give none.")
        super().__init__(values, seat)
        if seat is not None:
            _tables(seat, self.periods)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        order = np.empty((len(seat.rows), observation.replications))
        first = 0
        for row, table in enumerate(_tables(seat, self.periods)):
            own = slice(first, first := first + max(table.ndim - 1, 0))
            state = np.concatenate([observation.on_hand[row : row + 1], observation.pipeline[own]])
            order[row] = table[_entry(state, table)]
        return Decisions(order=order), memory


class Myopic_1(_Myopic):
    """Minimises the expected cost of the period in which the order arrives (Morton 1971)."""

    periods = 1


class Myopic_2(_Myopic):
    """Minimises that cost and the least expected cost of the period after it (Morton 1971; Zipkin 2008)."""

    periods = 2


def _entry(state: Array, table: FloatArray) -> tuple[NDArray[np.int64], ...]:
    """Where states (axes, B) stand; beyond the table they are read at its edge, where little or nothing is ordered."""
    return tuple(
        np.minimum(numbers.astype(np.int64), size - 1) for numbers, size in zip(state, table.shape, strict=True)
    )


@lru_cache(maxsize=64)
def _tables(seat: Seat, periods: int) -> tuple[FloatArray, ...]:
    """For each row its orders by state."""
    return tuple(_table_of(seat, row, periods) for row in range(len(seat.rows)))


def _table_of(seat: Seat, row: int, periods: int) -> FloatArray:
    network, name = seat.network, seat.rows[row]
    lines, edges = np.flatnonzero(seat.line_rows == row), np.flatnonzero(seat.edge_rows == row)
    reason = _unfit(seat, row)
    if reason is not None:
        raise InputError(f"{network.topology.name}: nodes.{name}: a myopic rule is for {reason}; choose another rule.")
    line = int(seat.line_numbers[lines[0]])
    market = int(network.line_market[line])
    edge = int(seat.scope.edges[edges[0]])
    shortage = network.lost_sale_cost[line] + network.price[market] - network.purchase_cost[edge]
    process = network.processes[network.markets[market]]
    holding = float(network.holding_cost[seat.scope.rows[row]])
    return best_orders(process, holding, float(shortage), int(network.lead_time[edge]), periods)


def _unfit(seat: Seat, row: int) -> str | None:
    """What the rule is for, where a row is something else."""
    network = seat.network
    lines = seat.line_numbers[seat.line_rows == row]
    edges = seat.scope.edges[seat.edge_rows == row]
    node = network.topology.nodes[seat.rows[row]]
    if len(lines) != 1 or network.line_market[lines[0]] < 0 or network.keeps[lines[0]]:
        return "a node that serves one market, unmet: lost"
    if len(edges) != 1 or network.edge_line[edges[0]] >= 0 or network.information_delay[edges[0]] > 0:
        return "a node with one supplier that is never short, and no information delay"
    edge = network.topology.edges[edges[0]]
    if edge.delay or edge.shipping_loss or edge.batch or node.storage is not None or node.capacity is not None:
        return "shipments that arrive on time and whole, and a node without limits"
    if not network.integer or network.demand_first or node.shelf_life is not None or tuple(node.review) != (1,):
        return "whole units that keep, ordered every period before demand is seen"
    if not _is_known(network.processes[network.markets[network.line_market[lines[0]]]]):
        return "independent demand of whole units with a known law, such as poisson"
    return None


@lru_cache(maxsize=32)
def best_orders(process: DemandProcess, holding: float, shortage: float, lead_time: int, periods: int) -> FloatArray:
    """Orders by state.

    Parameters
    ----------
    process
        Independent demand on whole numbers.
    holding, shortage : float
        h and p, money a unit.
    lead_time, periods : int
        L, and how many periods are looked at.

    Returns
    -------
    (x_0, x_1, ..., x_(L-1)) array of units; only x_0 where L is 0 or 1.

    Raises
    ------
    InputError
        If the table has more than `LARGEST_TABLE` entries.
    """
    ratio = max(shortage, 0.0) / max(shortage + holding, 1e-300)
    law = _probabilities(process)
    largest = _quantile(law, ratio)
    total = law
    for _ in range(lead_time):
        total = np.convolve(total, law)
    stock = np.arange(_quantile(total, ratio) + largest + 1)
    if len(stock) * (largest + 1.0) ** max(lead_time, 1) > LARGEST_TABLE:
        raise InputError(f"a myopic rule: its table is too large for a lead time of {lead_time}; choose another rule.")
    chain = _Chain(law, stock, np.arange(largest + 1), lead_time)
    first = costs = chain.costs(holding, shortage)
    for _ in range(periods - 1):
        costs = first + chain.expected(costs.min(-1))
    return np.asarray(costs.argmin(-1), dtype=np.float64)


class _Chain:
    """Expectations over one period of a lost-sales system, functions of stock on the first axis.

    law: P(D = d); stock, quantities: the values on the axes of stock and of orders.
    """

    def __init__(
        self, law: FloatArray, stock: NDArray[np.int64], quantities: NDArray[np.int64], lead_time: int
    ) -> None:
        self.law, self.stock, self.quantities, self.lead_time = law, stock, quantities, lead_time
        left = np.maximum(stock[:, None] - np.arange(len(law)), 0)
        self.after_demand = np.zeros((len(stock), len(stock)))
        for number, row in enumerate(left):
            np.add.at(self.after_demand[number], row, law)

    def costs(self, holding: float, shortage: float) -> FloatArray:
        """(x_0, ..., x_(L-1), q) expected cost of the period in which q arrives."""
        surplus = self.stock[:, None] - np.arange(len(self.law))
        values: FloatArray = (holding * np.maximum(surplus, 0) + shortage * np.maximum(-surplus, 0)) @ self.law
        if not self.lead_time:
            return self._receive(values)
        for _ in range(self.lead_time):
            values = self.expected(values)
        return values

    def expected(self, values: FloatArray) -> FloatArray:
        """From a function of the next period's state to one of this period's state and order."""
        if not self.lead_time:
            return self._receive(self._demand(values))
        return self._demand(self._receive(values))

    def _receive(self, values: FloatArray) -> FloatArray:
        """(w, x, ...) from (w + x, ...)."""
        after = np.minimum(self.stock[:, None] + self.quantities, len(self.stock) - 1)
        return np.asarray(values[after], dtype=np.float64)

    def _demand(self, values: FloatArray) -> FloatArray:
        """(w, ...) expectation of ((w - D)^+, ...)."""
        return np.asarray((self.after_demand @ values.reshape(len(self.stock), -1)).reshape(values.shape))


def _is_known(process: DemandProcess) -> bool:
    """Whether demand is independent, on whole numbers, and of the same known law in every period."""
    if not process.is_independent:
        return False
    try:
        law = process.distribution()
    except InputError:
        return False
    return isinstance(law, Distribution) and bool((law.values == np.rint(law.values)).all())


def _probabilities(process: DemandProcess) -> FloatArray:
    """P(D = 0), P(D = 1), ..."""
    law = process.distribution()
    assert isinstance(law, Distribution)
    return np.asarray(np.bincount(law.values.astype(np.int64), law.probabilities), dtype=np.float64)


def _quantile(law: FloatArray, share: float) -> int:
    """The smallest d with P(D <= d) >= share."""
    return int(np.searchsorted(np.cumsum(law), share - 1e-12))
