"""A chain compiled into flat arrays: what the simulator reads, and where what it does not carry is refused.

Rows are item-locations (every node that is not a source), lines are the claims on a row's stock: its markets in file
order, then its outbound edges in file order; the lines of one row stand together. A *place* is whoever can pay:
the rows first, then the sources. A source that capacity or a disruption can keep from shipping is *limited*: it has
lines too, and they stand after those of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError
from marl_supply.topology import demand_figures
from marl_supply.topology.chances import ChanceTable, chances_of, delays_of, disruptions_of
from marl_supply.topology.crowds import answering, crowds_among, exposed_together
from marl_supply.topology.file import Topology
from marl_supply.topology.incidence import FloatArray, Index, IntArray, Sum, compact, floats, ints, members
from marl_supply.topology.limits import capacity_of, reviews_of, shared_capacities_of, storages_of
from marl_supply.topology.stages import (
    SOURCE,
    DecisionLevel,
    ShippingStage,
    decision_levels,
    shipping_depth,
    shipping_stages,
    suppliers_first,
)
from marl_supply.topology.support import refuse_unsupported


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
    lead_time, longest_lead_time, information_delay : (E,) int, periods
        ``longest_lead_time`` is that of a shipment with the longest random delay.
    mean_lead_time : (E,) float, periods
    line_place, line_edge, line_market : (M,) int
        Place of each line; its edge or its market, -1 for the other kind. A place below N is a row.
    edge_line : (E,) int
        Line of each edge, -1 for edges out of a source that never falls short.
    market_line, market_row : (K,) int
    chances : tuple of Chance
        The layout of a period's chance numbers.
    crowds : tuple of Crowd
        Markets that answer together; `answering_alone` are the other responsive ones.
    exposed_together : dict of int to (n,) int
        For a market whose exposure adds up to 1 with that of others, group by group: all of these markets.
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
        self._read_limits()
        self._check_shared_capacities()
        self._read_chances()
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
        self.on_hand = floats(nodes[row].on_hand for row in self.rows)

    def _connect(self) -> None:
        place = {name: number for number, name in enumerate(self.places)}
        edges = self.topology.edges
        self.supplier_place = ints(place[edge.from_] for edge in edges)
        self.supplier = np.where(self.supplier_place < len(self.rows), self.supplier_place, SOURCE)
        self.customer = ints(place[edge.to] for edge in edges)
        self.lead_time = ints(edge.lead_time for edge in edges)
        self.longest_lead_time = self.lead_time + ints(edge.longest_delay for edge in edges)
        self.mean_lead_time = self.lead_time + floats(
            sum(late * chance for late, chance in enumerate(edge.delay)) for edge in edges
        )
        self.information_delay = ints(edge.information_delay for edge in edges)
        self.market_row = ints(place[market.served_by[0]] for market in self.topology.markets.values())
        limited = _limited_sources(self.topology)
        self.limited_sources = ints(place[name] for name in self.sources if name in limited)
        unlimited = (self.supplier == SOURCE) & ~np.isin(self.supplier_place, self.limited_sources)
        self.from_source = compact(np.flatnonzero(unlimited), len(edges))
        self.inbound = Sum(self.customer, len(self.rows))
        for row in np.setdiff1d(np.arange(len(self.rows)), self.customer):
            where = f"{self.topology.name}: nodes.{self.rows[row]}"
            raise InputError(f"{where}: no edge leads to it; add one, or make it a source with kind: source.")
        self.first_edge = ints(int(np.flatnonzero(self.customer == row)[0]) for row in range(len(self.rows)))
        limits = [edge.order_limit for edge in edges]
        self.order_limit = (
            None if all(x is None for x in limits) else floats(np.inf if x is None else x for x in limits)
        )
        slots = max(1, int(self.longest_lead_time.max(initial=0)))
        self.initial_pipeline = np.zeros((slots, len(edges)))
        travel = max(1, int(self.information_delay.max(initial=0)))
        self.initial_orders = np.zeros((travel, len(edges)))
        for number, edge in enumerate(edges):
            self.initial_pipeline[: len(edge.pipeline), number] = edge.pipeline
            self.initial_orders[: edge.information_delay, number] = edge.orders_in_transit
        self.lead_groups = _groups(self.longest_lead_time)
        self.delay_groups = _groups(self.information_delay)

    def _order_lines(self) -> None:
        rows = len(self.rows)
        lines: list[tuple[int, int, int]] = []
        markets, edges = members(self.market_row, rows), members(self.supplier_place, len(self.places))
        for row in range(rows):
            lines += [(row, -1, market) for market in markets[row]] + [(row, edge, -1) for edge in edges[row]]
        own = len(lines)
        for place in self.limited_sources:
            lines += [(int(place), edge, -1) for edge in edges[place]]
        self.line_place = ints(line[0] for line in lines)
        self.line_edge = ints(line[1] for line in lines)
        self.line_market = ints(line[2] for line in lines)
        self.lines = tuple(self.markets[k] if k >= 0 else self.edges[e] for _, e, k in lines)
        self.edge_line = np.full(len(self.edges), -1)
        self.edge_line[self.line_edge[self.line_edge >= 0]] = np.flatnonzero(self.line_edge >= 0)
        self.market_line = np.zeros(len(self.markets), dtype=np.int64)
        self.market_line[self.line_market[self.line_market >= 0]] = np.flatnonzero(self.line_market >= 0)
        self.market_lines = compact(self.market_line, len(lines))
        internal = np.flatnonzero(self.edge_line >= 0)
        self.internal_edges = compact(internal, len(self.edges))
        self.internal_lines = compact(self.edge_line[internal], len(lines))
        self.immediate = internal[self.information_delay[internal] == 0]
        self.immediate_lines = compact(self.edge_line[self.immediate], len(lines))
        self.line_claim = np.where(self.line_edge >= 0, self.line_edge, len(self.edges) + self.line_market)
        self.line_customer = np.where(self.line_edge >= 0, self.customer[self.line_edge], 0)
        self.market_sum = Sum(self.market_row, rows)
        self.line_sum = Sum(self.line_place[:own], rows, np.arange(own), len(lines))
        self.place_sum = self.line_sum if own == len(lines) else Sum(self.line_place, len(self.places))
        self.losing_lines = np.flatnonzero([self._spec_of_line(m).unmet == "lost" for m in range(len(lines))])
        self.losing_edges = np.array([e for e in self.line_edge[self.losing_lines] if e >= 0], dtype=np.int64)
        self.keeps = np.ones(len(lines))
        self.keeps[self.losing_lines] = 0
        zero_lead = np.flatnonzero(self.lead_time == 0)
        self.has_zero_lead = len(zero_lead) > 0
        self.at_once = (self.lead_time == 0) * 1.0
        self.zero_lead_from_source = np.intersect1d(zero_lead, np.flatnonzero(self.edge_line < 0))
        self.has_delays = bool(self.information_delay.max(initial=0) > 0)

    def _read_limits(self) -> None:
        topology, nodes = self.topology, self.topology.nodes
        self.storages = storages_of(topology, self.rows, self.customer)
        self.capacity = capacity_of(topology, self.places)
        self.shared_capacities = shared_capacities_of(topology, self.rows)
        self.reviews = reviews_of(nodes[row] for row in self.rows)
        batches = floats(edge.batch for edge in topology.edges)
        self.batch = np.where(batches > 0, batches, 1.0 if self.integer else 0.0) if batches.any() else None
        self.perishable = np.flatnonzero([nodes[row].shelf_life is not None for row in self.rows])
        decided = {n for n, place in enumerate(self.places) if nodes[place].allocation == "decided"}
        self.decided_lines = np.flatnonzero([int(place) in decided for place in self.line_place])

    def _check_shared_capacities(self) -> None:
        for name, shared in self.topology.shared.items():
            stages = {self.shipping_depth[self.rows.index(row)]: row for row in shared.rows}
            if shared.capacity is not None and len(stages) > 1:
                first, *_, last = (stages[stage] for stage in sorted(stages))
                raise InputError(
                    f"{self.topology.name}: shared.{name}.capacity: '{first}' ships before '{last}': a lead time of 0 "
                    "lies between, and they cannot share what ships in a period; raise that lead time."
                )

    def _read_chances(self) -> None:
        topology, edges = self.topology, self.topology.edges
        self.chances = chances_of(topology)
        table = ChanceTable(self.chances)
        self.chance_size = table.size
        self.delays = delays_of(edges, table)
        self.leaking_edges = np.flatnonzero([edge.shipping_loss > 0 for edge in edges])
        leaking = [edges[edge] for edge in self.leaking_edges]
        self.leak_share = floats(edge.shipping_loss for edge in leaking)
        self.leak_chance = table.rows("loss", [edge.name for edge in leaking])
        self.disruptions = disruptions_of(topology, self.places, table)
        markets = topology.markets
        expedited = [(number, market.expedite) for number, market in enumerate(markets.values()) if market.expedite]
        place = {name: number for number, name in enumerate(self.places)}
        self.expedited_markets = ints(number for number, _ in expedited)
        self.expedite_row = ints(place[expedite.from_] for _, expedite in expedited)
        self.expedite_sum = Sum(self.expedite_row, len(self.rows))
        self.expedite_groups = tuple(
            (int(row), np.flatnonzero(self.expedite_row == row)) for row in np.unique(self.expedite_row)
        )
        self.expedite_probability = floats(expedite.probability for _, expedite in expedited)
        self.expedite_cost = floats(expedite.cost for _, expedite in expedited)
        self.expedite_chance = table.rows("expedite", [self.markets[number] for number in self.expedited_markets])
        self.responsive = answering(self.processes, table)
        self.crowds = crowds_among(self.markets, self.processes, self.responsive, self.chance_size)
        in_crowds = {int(number) for crowd in self.crowds for number in crowd.markets}
        self.answering_alone = tuple(entry for entry in self.responsive if entry[0] not in in_crowds)
        self.exposed_together = exposed_together(self.crowds)
        self.priced_markets = np.flatnonzero([market.price_range is not None for market in markets.values()])
        self.exposed_markets = ints(number for number, process, _ in self.responsive if process.groups)
        self.public_memory = tuple(
            (number, name, len(values))
            for number, process, _ in self.responsive
            for name, values in process.start().items()
            if name in process.public
        )
        self.groups = {number: process.groups for number, process, _ in self.responsive}
        self.streams = {name: market.stream for name, market in markets.items() if market.stream is not None}

    def _spec_of_line(self, line: int) -> Any:
        if self.line_edge[line] >= 0:
            return self.topology.edges[self.line_edge[line]]
        return self.topology.markets[self.markets[self.line_market[line]]]

    def _read_costs(self) -> None:
        nodes, edges = self.topology.nodes, self.topology.edges
        self.holding_cost = floats(nodes[row].holding_cost for row in self.rows)
        self.overflow_cost = floats(nodes[row].overflow_cost for row in self.rows)
        self.salvage_value = floats(nodes[row].salvage_value for row in self.rows)
        self.backorder_cost = floats(self._line_cost(m, "backorder_cost") for m in range(len(self.lines)))
        self.lost_sale_cost = floats(self._line_cost(m, "lost_sale_cost") for m in range(len(self.lines)))
        self.pipeline_holding_cost = floats(edge.holding_cost for edge in edges)
        owns = np.array([edge.title == "supplier" for edge in edges], dtype=bool)
        self.pipeline_place = np.where(owns, self.supplier_place, self.customer)
        self.purchase_cost = floats(edge.purchase_cost for edge in edges)
        self.fixed_order_cost = floats(edge.fixed_order_cost for edge in edges)
        self.charged_on_shipment = np.array([edge.charged_on == "shipment" for edge in edges], dtype=bool)
        markets = self.topology.markets.values()
        self.price = floats(market.price for market in markets)
        self.price_range = np.array([market.price_range or (0.0, np.inf) for market in markets]).reshape(-1, 2)
        self.paid_on_sale = np.array([market.revenue_on == "sale" for market in markets], dtype=bool)

    def _line_cost(self, line: int, kind: str) -> float:
        own = getattr(self._spec_of_line(line), kind)
        node = self.topology.nodes[self.places[self.line_place[line]]]
        return float(getattr(node, kind) if own is None else own)

    @cached_property
    def downstream(self) -> NDArray[np.bool_]:
        """(N, N) whether row i can send material to row j, itself included."""
        reach = np.eye(len(self.rows), dtype=bool)
        for row in reversed(suppliers_first(self)):
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
        return demand_figures.mean_demand(self)

    @cached_property
    def customer_scale(self) -> FloatArray:
        """(M,) units: mean demand of each line's customer over its lead time and one period more; a market's mean."""
        return demand_figures.customer_scale(self)

    @cached_property
    def bounded_lines(self) -> IntArray:
        """Lines that lose what stock cannot cover, of rows to which no edge of lead time 0 can still bring any."""
        grows = np.isin(self.line_place, self.customer[self.lead_time == 0]) | (self.line_place >= len(self.rows))
        return self.losing_lines[~grows[self.losing_lines]]

    @cached_property
    def hiding_lines(self) -> IntArray:
        """Those that can hold claims at a decision point: of what they claim, only what stock can cover is seen."""
        lines = self.bounded_lines
        early = np.where(
            self.line_edge[lines] >= 0,
            (self.information_delay[self.line_edge[lines]] > 0) | self.downstream_first,
            self.demand_first,
        )
        return lines[early]

    @cached_property
    def hiding_edges(self) -> IntArray:
        """The edges among the `hiding_lines`."""
        edges = self.line_edge[self.hiding_lines]
        return edges[edges >= 0]

    @cached_property
    def demand_deviation(self) -> FloatArray:
        """(N,) units: standard deviation of one period's demand of those markets, taken as independent."""
        return demand_figures.demand_deviation(self)

    @cached_property
    def periods_below(self) -> IntArray:
        """(N,) periods: lead times and delays on the longest way from a row's suppliers to a market, and one more."""
        return demand_figures.periods_below(self)

    @cached_property
    def pipeline_slots(self) -> IntArray:
        """(s, 2) pairs (edge, periods ahead) of what is in transit at a decision point, edge by edge."""
        return _slots(self.longest_lead_time)

    @cached_property
    def pipeline_turns(self) -> tuple[IntArray, ...]:
        """Where those stand in the slots of the ring one after another, for each slot that can be the present one."""
        return _turns(self.pipeline_slots, *self.initial_pipeline.shape)

    @cached_property
    def travelling_slots(self) -> IntArray:
        """(s, 2) pairs (edge, periods ahead) of orders on their way up at a decision point, edge by edge."""
        return _slots(self.information_delay)

    @cached_property
    def travelling_turns(self) -> tuple[IntArray, ...]:
        """Where those stand in the slots of the ring one after another, for each slot that can be the present one."""
        return _turns(self.travelling_slots, *self.initial_orders.shape)

    @cached_property
    def order_bound(self) -> FloatArray:
        """(E,) units: the stated order limit, else ceil(4 x mean demand reaching the customer x longest review)."""
        return demand_figures.order_bound(self)

    @cached_property
    def shipping_stages(self) -> tuple[ShippingStage, ...]:
        """One stage for all places, or, where lead times between them are 0, suppliers before customers."""
        return shipping_stages(self)

    @cached_property
    def shipping_depth(self) -> IntArray:
        """(P,) the stage in which each place ships; limited sources come first."""
        return shipping_depth(self)

    @cached_property
    def decision_levels(self) -> tuple[DecisionLevel, ...]:
        """Rows grouped so that each level comes after all customers whose orders reach it: markets upward."""
        return decision_levels(self)


def _limited_sources(topology: Topology) -> set[str]:
    """Sources that can fail to ship what is ordered: bounded ones, and those whose edges can be disrupted."""
    nodes = topology.nodes
    limited = {name for name, node in nodes.items() if node.capacity is not None or node.disruption is not None}
    limited |= {edge.from_ for edge in topology.edges if edge.disruption is not None}
    return {name for name in limited if nodes[name].kind == "source"}


def _groups(delays: IntArray) -> tuple[tuple[int, Index], ...]:
    """Edges by their delay: pairs (delay, edges)."""
    return tuple((int(d), compact(np.flatnonzero(delays == d), len(delays))) for d in np.unique(delays))


def _slots(delays: IntArray) -> IntArray:
    """Pairs (edge, periods ahead): what was sent 1 to delay - 1 periods ago."""
    pairs = [(edge, ahead) for edge, delay in enumerate(delays) for ahead in range(1, int(delay))]
    return np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)


def _turns(slots: IntArray, size: int, edges: int) -> tuple[IntArray, ...]:
    """Positions (s,) of pairs (edge, periods ahead) in a ring's slots of `edges` numbers, for each present slot."""
    return tuple((now + slots[:, 1]) % size * edges + slots[:, 0] for now in range(size))


def positions(names: Sequence[str], wanted: Sequence[str]) -> IntArray:
    """(len(wanted),) where each wanted name stands in `names`."""
    where = {name: number for number, name in enumerate(names)}
    return ints(where[name] for name in wanted)
