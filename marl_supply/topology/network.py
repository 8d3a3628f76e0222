"""A chain compiled into flat arrays: what the simulator reads, and where what it does not carry is refused.

Rows are item-locations (every node that is not a source), lines are the claims on a row's stock: its markets in file
order, then its outbound edges in file order; the lines of one row stand together. A *place* is whoever can pay:
the rows first, then the sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError
from marl_supply.topology.file import Topology
from marl_supply.topology.incidence import Index, Sum, compact
from marl_supply.topology.support import refuse_unsupported

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SOURCE = -1


@dataclass(frozen=True)
class ShippingStage:
    """Rows that can ship at the same moment: all of them at once unless an internal edge has lead time 0."""

    rows: Index
    lines: Index
    rows_of_lines: Index
    single_lines: IntArray
    groups: tuple[LineGroup, ...]
    zero_lead_edges: IntArray


@dataclass(frozen=True)
class LineGroup:
    """Rows of one allocation rule with equally many lines, several each.

    rows: (r,) row numbers; lines: (r, c) line numbers, `c` lines to a row, in the row's own order.
    """

    rule: str
    rows: IntArray
    lines: IntArray


@dataclass(frozen=True)
class DecisionLevel:
    """Rows that turn actions into orders at the same moment under `downstream_first`.

    rows; immediate: the edges on which their orders reach a row, without delay.
    """

    rows: IntArray
    immediate: IntArray


class Network:
    """The chain as arrays. Shapes: N rows, E edges, K markets, M lines, P places.

    Parameters
    ----------
    topology
        A resolved topology.

    Raises
    ------
    InputError
        If the topology uses a feature that the simulator does not carry.

    Attributes
    ----------
    rows, edges, markets, sources, places : tuple of str
        Names; ``places`` is rows then sources.
    supplier, customer : (E,) int
        Row numbers; -1 where the supplier is a source.
    supplier_place : (E,) int
        Place number of each supplier.
    lead_time, information_delay : (E,) int, periods
    line_row, line_edge, line_market : (M,) int
        Row of each line; its edge or its market, -1 for the other kind.
    edge_line : (E,) int
        Line of each edge, -1 for edges out of a source.
    market_line, market_row : (K,) int
    """

    def __init__(self, topology: Topology) -> None:
        refuse_unsupported(topology)
        self.topology = topology
        self.integer = topology.units == "integer"
        self.demand_first = topology.timing.demand_visible == "before_ordering"
        self.downstream_first = topology.timing.decision_order == "downstream_first"
        self._name_rows()
        self._connect()
        self._order_lines()
        self._read_costs()

    def _name_rows(self) -> None:
        nodes = self.topology.nodes
        self.rows = tuple(name for name, node in nodes.items() if node.kind != "source")
        self.sources = tuple(name for name, node in nodes.items() if node.kind == "source")
        self.places = self.rows + self.sources
        self.edges = tuple(edge.name for edge in self.topology.edges)
        self.markets = tuple(self.topology.markets)
        self.processes: dict[str, DemandProcess] = {
            name: market.process for name, market in self.topology.markets.items()
        }
        self.on_hand = _floats(nodes[row].on_hand for row in self.rows)

    def _connect(self) -> None:
        place = {name: number for number, name in enumerate(self.places)}
        edges = self.topology.edges
        self.supplier_place = _ints(place[edge.from_] for edge in edges)
        self.supplier = np.where(self.supplier_place < len(self.rows), self.supplier_place, SOURCE)
        self.customer = _ints(place[edge.to] for edge in edges)
        self.lead_time = _ints(edge.lead_time for edge in edges)
        self.information_delay = _ints(edge.information_delay for edge in edges)
        self.market_row = _ints(place[market.served_by[0]] for market in self.topology.markets.values())
        self.from_source = compact(np.flatnonzero(self.supplier == SOURCE), len(edges))
        self.inbound = Sum(self.customer, len(self.rows))
        for row in np.setdiff1d(np.arange(len(self.rows)), self.customer):
            where = f"{self.topology.name}: nodes.{self.rows[row]}"
            raise InputError(f"{where}: no edge leads to it; add one, or make it a source with kind: source.")
        self.first_edge = _ints(int(np.flatnonzero(self.customer == row)[0]) for row in range(len(self.rows)))
        limits = [edge.order_limit for edge in edges]
        self.order_limit = (
            None if all(x is None for x in limits) else _floats(np.inf if x is None else x for x in limits)
        )
        slots = max(1, int(self.lead_time.max(initial=0)))
        self.initial_pipeline = np.zeros((slots, len(edges)))
        travel = max(1, int(self.information_delay.max(initial=0)))
        self.initial_orders = np.zeros((travel, len(edges)))
        for number, edge in enumerate(edges):
            self.initial_pipeline[: edge.lead_time, number] = edge.pipeline
            self.initial_orders[: edge.information_delay, number] = edge.orders_in_transit
        self.lead_groups = _groups(self.lead_time)
        self.delay_groups = _groups(self.information_delay)

    def _order_lines(self) -> None:
        lines: list[tuple[int, int, int]] = []
        for row in range(len(self.rows)):
            lines += [(row, -1, int(k)) for k in np.flatnonzero(self.market_row == row)]
            lines += [(row, int(e), -1) for e in np.flatnonzero(self.supplier == row)]
        self.line_row = _ints(line[0] for line in lines)
        self.line_edge = _ints(line[1] for line in lines)
        self.line_market = _ints(line[2] for line in lines)
        self.lines = tuple(self.markets[k] if k >= 0 else self.edges[e] for _, e, k in lines)
        self.edge_line = np.full(len(self.edges), -1)
        self.edge_line[self.line_edge[self.line_edge >= 0]] = np.flatnonzero(self.line_edge >= 0)
        self.market_line = np.zeros(len(self.markets), dtype=np.int64)
        self.market_line[self.line_market[self.line_market >= 0]] = np.flatnonzero(self.line_market >= 0)
        self.market_lines = compact(self.market_line, len(lines))
        internal = np.flatnonzero(self.supplier >= 0)
        self.internal_edges = compact(internal, len(self.edges))
        self.internal_lines = compact(self.edge_line[internal], len(lines))
        self.immediate = internal[self.information_delay[internal] == 0]
        self.line_claim = np.where(self.line_edge >= 0, self.line_edge, len(self.edges) + self.line_market)
        self.line_customer = np.where(self.line_edge >= 0, self.customer[self.line_edge], 0)
        self.market_sum = Sum(self.market_row, len(self.rows))
        self.line_sum = Sum(self.line_row, len(self.rows))
        self.losing_lines = np.flatnonzero([self._spec_of_line(m).unmet == "lost" for m in range(len(lines))])
        self.losing_edges = np.array([e for e in self.line_edge[self.losing_lines] if e >= 0], dtype=np.int64)
        self.keeps = np.ones(len(lines))
        self.keeps[self.losing_lines] = 0
        zero_lead = np.flatnonzero(self.lead_time == 0)
        self.has_zero_lead = len(zero_lead) > 0
        self.zero_lead_from_source = zero_lead[self.supplier[zero_lead] == SOURCE]
        self.has_delays = bool(self.information_delay.max(initial=0) > 0)

    def _spec_of_line(self, line: int) -> Any:
        if self.line_edge[line] >= 0:
            return self.topology.edges[self.line_edge[line]]
        return self.topology.markets[self.markets[self.line_market[line]]]

    def _read_costs(self) -> None:
        nodes, edges = self.topology.nodes, self.topology.edges
        self.holding_cost = _floats(nodes[row].holding_cost for row in self.rows)
        self.backorder_cost = _floats(self._line_cost(m, "backorder_cost") for m in range(len(self.lines)))
        self.lost_sale_cost = _floats(self._line_cost(m, "lost_sale_cost") for m in range(len(self.lines)))
        self.pipeline_holding_cost = _floats(edge.holding_cost for edge in edges)
        owns = np.array([edge.title == "supplier" for edge in edges], dtype=bool)
        self.pipeline_place = np.where(owns, self.supplier_place, self.customer)
        self.purchase_cost = _floats(edge.purchase_cost for edge in edges)
        self.fixed_order_cost = _floats(edge.fixed_order_cost for edge in edges)
        self.charged_on_shipment = np.array([edge.charged_on == "shipment" for edge in edges], dtype=bool)
        self.price = _floats(market.price for market in self.topology.markets.values())

    def _line_cost(self, line: int, kind: str) -> float:
        own = getattr(self._spec_of_line(line), kind)
        node = self.topology.nodes[self.rows[self.line_row[line]]]
        return float(getattr(node, kind) if own is None else own)

    @cached_property
    def downstream(self) -> NDArray[np.bool_]:
        """(N, N) whether row i can send material to row j, itself included."""
        reach = np.eye(len(self.rows), dtype=bool)
        for row in reversed(self._suppliers_first()):
            for edge in np.flatnonzero(self.supplier == row):
                reach[row] |= reach[self.customer[edge]]
        return reach

    @cached_property
    def reached(self) -> Sum:
        """Sums over a row and all rows that its material can reach."""
        return Sum.of(self.downstream)

    @cached_property
    def below(self) -> Sum:
        """Sums over the rows that a row's material can reach, itself left out."""
        return Sum.of(self.downstream & ~np.eye(len(self.rows), dtype=bool))

    @cached_property
    def market_reach(self) -> Sum:
        """Sums over the markets that a row's material can reach."""
        return Sum.of(self.downstream[:, self.market_row])

    @cached_property
    def mean_demand(self) -> FloatArray:
        """(N,) units a period: the mean demand of all markets that material from a row can reach."""
        means = _floats(process.mean for process in self.processes.values())
        serves = np.zeros((len(self.rows), len(self.markets)))
        serves[self.market_row, np.arange(len(self.markets))] = 1
        reaches_market = (self.downstream.astype(float) @ serves) > 0
        return np.asarray(reaches_market @ means, dtype=np.float64)

    @cached_property
    def customer_scale(self) -> FloatArray:
        """(M,) units: mean demand of each line's customer over its lead time and one period more; a market's mean."""
        markets = _floats(process.mean for process in self.processes.values())
        if not len(self.edges):
            return markets[self.line_market]
        over_lead_time = (self.lead_time + 1) * self.mean_demand[self.customer]
        return np.where(self.line_edge >= 0, over_lead_time[self.line_edge], markets[self.line_market])

    @cached_property
    def bounded_lines(self) -> IntArray:
        """Lines that lose what stock cannot cover, of rows to which no edge of lead time 0 can still bring any."""
        grows = np.isin(self.line_row, self.customer[self.lead_time == 0])
        return self.losing_lines[~grows[self.losing_lines]]

    @cached_property
    def demand_deviation(self) -> FloatArray:
        """(N,) units: standard deviation of one period's demand of those markets, taken as independent."""
        serves = np.zeros((len(self.rows), len(self.markets)), dtype=bool)
        serves[self.market_row, np.arange(len(self.markets))] = True
        variances = _floats(
            process.mean if process.variance is None else process.variance for process in self.processes.values()
        )
        return np.asarray(np.sqrt((self.downstream @ serves) @ variances), dtype=np.float64)

    @cached_property
    def periods_below(self) -> IntArray:
        """(N,) periods: lead times and delays on the longest way from a row's suppliers to a market, and one more."""
        own = np.zeros(len(self.rows), dtype=np.int64)
        np.maximum.at(own, self.customer, self.lead_time + self.information_delay)
        below = np.zeros(len(self.rows), dtype=np.int64)
        for row in reversed(self._suppliers_first()):
            below[row] = own[row] + below[self.customer[self.supplier == row]].max(initial=0)
        return below + 1

    @cached_property
    def pipeline_slots(self) -> IntArray:
        """(s, 2) pairs (edge, periods ahead) of what is in transit at a decision point, edge by edge."""
        return _slots(self.lead_time)

    @cached_property
    def travelling_slots(self) -> IntArray:
        """(s, 2) pairs (edge, periods ahead) of orders on their way up at a decision point, edge by edge."""
        return _slots(self.information_delay)

    @cached_property
    def order_bound(self) -> FloatArray:
        """(E,) units: the stated order limit, else ceil(4 x mean demand reaching the customer x longest review)."""
        review = _floats(max(self.topology.nodes[row].review) for row in self.rows)
        unstated = np.ceil(4 * self.mean_demand * review)[self.customer]
        return (
            unstated if self.order_limit is None else np.where(np.isinf(self.order_limit), unstated, self.order_limit)
        )

    @cached_property
    def shipping_stages(self) -> tuple[ShippingStage, ...]:
        """One stage for all rows, or, where internal lead times are 0, suppliers before customers."""
        depth = self._depth(np.flatnonzero((self.supplier >= 0) & (self.lead_time == 0)))
        return tuple(self._stage(np.flatnonzero(depth == d)) for d in range(int(depth.max(initial=0)) + 1))

    def _stage(self, rows: IntArray) -> ShippingStage:
        lines = np.flatnonzero(np.isin(self.line_row, rows))
        edges = self.line_edge[lines]
        zero = np.array([e for e in edges if e >= 0 and self.lead_time[e] == 0], dtype=np.int64)
        counts = np.bincount(self.line_row, minlength=len(self.rows))
        counted: dict[tuple[str, int], list[int]] = {}
        for row in rows[counts[rows] > 1]:
            rule = self.topology.nodes[self.rows[row]].allocation
            counted.setdefault((rule, int(counts[row])), []).append(int(row))
        groups = tuple(
            LineGroup(rule, _ints(members), np.array([np.flatnonzero(self.line_row == row) for row in members]))
            for (rule, _), members in counted.items()
        )
        return ShippingStage(
            rows=compact(rows, len(self.rows)),
            lines=compact(lines, len(self.lines)),
            rows_of_lines=compact(self.line_row[lines], len(self.rows)),
            single_lines=lines[counts[self.line_row[lines]] == 1],
            groups=groups,
            zero_lead_edges=zero,
        )

    @cached_property
    def decision_levels(self) -> tuple[DecisionLevel, ...]:
        """Rows grouped so that each level comes after all customers whose orders reach it: markets upward."""
        height = np.zeros(len(self.rows), dtype=np.int64)
        for row in reversed(self._suppliers_first()):
            customers = self.customer[self.supplier == row]
            height[row] = 1 + height[customers].max(initial=-1)
        levels = (np.flatnonzero(height == h) for h in range(int(height.max(initial=0)) + 1))
        return tuple(
            DecisionLevel(r, np.intersect1d(self.immediate, np.flatnonzero(np.isin(self.customer, r)))) for r in levels
        )

    def _depth(self, edges: IntArray) -> IntArray:
        """(N,) longest path of the given edges that ends in each row."""
        depth = np.zeros(len(self.rows), dtype=np.int64)
        for row in self._suppliers_first():
            for edge in edges[self.supplier[edges] == row]:
                depth[self.customer[edge]] = max(depth[self.customer[edge]], depth[row] + 1)
        return depth

    def _suppliers_first(self) -> list[int]:
        """Row numbers in an order in which every supplier comes before its customers."""
        waiting = np.bincount(self.customer[self.supplier >= 0], minlength=len(self.rows))
        ready = [int(row) for row in np.flatnonzero(waiting == 0)]
        for row in ready:
            for edge in np.flatnonzero(self.supplier == row):
                customer = int(self.customer[edge])
                waiting[customer] -= 1
                if waiting[customer] == 0:
                    ready.append(customer)
        return ready


def _groups(delays: IntArray) -> tuple[tuple[int, Index], ...]:
    """Edges by their delay: pairs (delay, edges)."""
    return tuple((int(d), compact(np.flatnonzero(delays == d), len(delays))) for d in np.unique(delays))


def _slots(delays: IntArray) -> IntArray:
    """Pairs (edge, periods ahead): what was sent 1 to delay - 1 periods ago."""
    pairs = [(edge, ahead) for edge, delay in enumerate(delays) for ahead in range(1, int(delay))]
    return np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)


def _ints(values: Any) -> IntArray:
    return np.array(list(values), dtype=np.int64)


def _floats(values: Any) -> FloatArray:
    return np.array(list(values), dtype=np.float64)


def positions(names: Sequence[str], wanted: Sequence[str]) -> IntArray:
    """(len(wanted),) where each wanted name stands in `names`."""
    where = {name: number for number, name in enumerate(names)}
    return _ints(where[name] for name in wanted)
