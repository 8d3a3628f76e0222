"""One period of a chain: decide, demand, ship, then receive and reveal for the period after.

A state stands at a decision point. `decide` turns decisions into orders, `finish` moves the chain to the next decision
point and returns the flows between; `step` is both. The order of events is that of the design's section "What happens
in a period". A numpy state is consumed: its pipelines are changed in place (`copy` a state that is needed again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from marl_supply.simulation.arrays import NUMPY, Array, Arrays
from marl_supply.simulation.scope import Part, Scope
from marl_supply.simulation.shipping import ship
from marl_supply.simulation.state import Columns, Decisions, Flows, State, Stocks
from marl_supply.topology.network import Network

Scoped = Sequence[tuple[Scope, Decisions]]


def begin(
    network: Network,
    replications: int,
    noise: Any,
    clock: int = 0,
    stocks: Stocks | None = None,
    arrays: Arrays = NUMPY,
) -> State:
    """The decision point of an episode's first period.

    Parameters
    ----------
    replications : int
        B, number of independent chains.
    noise
        Gives ``at(clock)``, the (K, B) demand of a period.
    clock : int
        The period's number on the clock of the rings.
    stocks
        Where the chains start; the file's stocks and pipelines if None.
    """
    edges, lines = len(network.edges), len(network.lines)
    stocks = file_stocks(network) if stocks is None else stocks
    blank = arrays.zeros(edges, replications)
    in_transit = blank + arrays.constant(stocks.pipeline.sum(0))
    state = State(
        clock=clock - 1,
        on_hand=arrays.zeros(len(network.rows), replications) + arrays.constant(stocks.on_hand),
        owed=arrays.zeros(lines, replications),
        backorders=arrays.zeros(lines, replications),
        on_order=in_transit + arrays.constant(stocks.orders.sum(0)),
        in_transit=in_transit,
        pipeline=_ring(arrays, stocks.pipeline, clock, blank),
        travelling=_ring(arrays, stocks.orders, clock, blank),
        receipts=blank,
        revealed=blank,
        incoming=arrays.zeros(lines, replications),
        last_order=blank,
        last_demand=arrays.zeros(len(network.markets), replications),
        noise=noise,
        arrays=arrays,
    )
    return open_period(network, state)


def file_stocks(network: Network) -> Stocks:
    """The stocks and pipelines of the topology file."""
    return Stocks(network.on_hand[:, None], network.initial_pipeline[:, :, None], network.initial_orders[:, :, None])


def step(network: Network, state: State, decisions: Scoped) -> tuple[State, Flows]:
    """Move a chain from one decision point to the next.

    Parameters
    ----------
    decisions
        Pairs of a scope and its decisions; orders of rows in no scope are 0.

    Returns
    -------
    state : State
        The next decision point.
    flows : Flows
        What moved in between, and the stocks at the end of the period.
    """
    return finish(network, decide(network, state, decisions))


def decide(network: Network, state: State, decisions: Scoped) -> State:
    """Turn decisions into orders; under `downstream_first` level by level, each counting the orders that reached it."""
    arrays = state.arrays
    order = arrays.zeros(len(network.edges), state.replications) if state.order is None else arrays.copy(state.order)
    if not network.downstream_first:
        for scope, decision in decisions:
            order = _place(network, state, order, scope.parts[0], decision)
        return _ordered(state, order)
    for number in range(len(network.decision_levels)):
        for scope, decision in decisions:
            part = scope.parts[number]
            if part is not None:
                order = _place(network, state, order, part, decision)
                state = _transmit(network, state, order, part.immediate)
    return _ordered(state, order)


def _ordered(state: State, order: Array) -> State:
    """The state with what was decided now on order."""
    placed = order if state.order is None else order - state.order
    return state.changed(order=order, on_order=state.on_order + placed)


def _place(network: Network, state: State, order: Array, part: Part | None, decision: Decisions) -> Array:
    """(E, B) orders with those of one part filled in."""
    if part is None:
        return order
    arrays, edges = state.arrays, part.first_edges
    if decision.order is not None:
        quantity, edges = arrays.take(decision.order, part.edge_positions), part.edges
    elif decision.order_up_to is not None:
        level = arrays.take(decision.order_up_to, part.row_positions)
        quantity = level - arrays.take(inventory_position(network, state), part.rows)
    elif decision.demand_plus is not None:
        extra = arrays.take(decision.demand_plus, part.row_positions)
        quantity = extra + arrays.take(arrays.add_up(network.line_sum, state.incoming), part.rows)
    else:
        return order
    if network.order_limit is not None:
        quantity = arrays.minimum(quantity, arrays.take(arrays.constant(network.order_limit)[:, None], edges))
    if network.integer:
        quantity = arrays.round(quantity)
    return arrays.put(order, edges, arrays.maximum(quantity, 0.0))


def _transmit(network: Network, state: State, order: Array, edges: Any) -> State:
    """Orders without information delay reach their suppliers' lines."""
    if not len(edges):
        return state
    arrays = state.arrays
    lines, placed = network.edge_line[edges], arrays.take(order, edges)
    owed = arrays.add_at(arrays.copy(state.owed), lines, placed)
    return state.changed(owed=owed, incoming=arrays.put(arrays.copy(state.incoming), lines, placed))


def finish(network: Network, state: State) -> tuple[State, Flows]:
    """Send the orders off, let demand realise, ship, and open the next period."""
    arrays, clock = state.arrays, state.clock
    order = arrays.zeros(len(network.edges), state.replications) if state.order is None else state.order
    owed = state.owed
    if not network.downstream_first:
        owed = _transmit(network, state, order, network.immediate).owed
    requests = state.revealed
    for delay, edges in network.delay_groups:
        placed = arrays.take(order, edges)
        if delay == 0:
            requests = arrays.put(arrays.copy(requests), edges, placed)
        else:
            slot = (clock + delay) % len(state.travelling)
            state.travelling[slot] = arrays.put(state.travelling[slot], edges, placed)
    demand = state.last_demand
    if not network.demand_first:
        demand = state.noise.at(clock)
        owed = arrays.add_at(arrays.copy(owed), network.market_lines, demand)

    shipped = ship(network, state, owed, requests)
    for lead, edges in network.lead_groups:
        if lead > 0:
            slot = (clock + lead) % len(state.pipeline)
            state.pipeline[slot] = arrays.put(state.pipeline[slot], edges, arrays.take(shipped.shipment, edges))
    on_order = state.on_order
    in_transit = state.in_transit + shipped.shipment
    receipts = state.receipts
    if shipped.at_once is not None:
        on_order, in_transit = on_order - shipped.at_once, in_transit - shipped.at_once
        receipts = receipts + shipped.at_once
    backorders = owed - shipped.served
    lost = None
    if len(network.losing_lines):
        kept = arrays.constant(network.keeps)[:, None]
        lost, backorders = backorders * (1.0 - kept), backorders * kept
        on_order = arrays.add_at(on_order, network.losing_edges, -lost[network.edge_line[network.losing_edges]])

    sales = arrays.take(shipped.served, network.market_lines)
    old = arrays.take(state.backorders, network.market_lines)
    flows = Flows(
        order=order,
        requests=requests,
        receipts=receipts,
        shipment=shipped.shipment,
        demand=demand,
        sales=sales,
        served=arrays.maximum(sales - old, 0.0),
        lost=lost,
        on_hand=shipped.on_hand,
        backorders=backorders,
        in_transit=in_transit,
    )
    closed = state.changed(
        on_hand=shipped.on_hand,
        owed=backorders,
        backorders=backorders,
        on_order=on_order,
        in_transit=in_transit,
        last_order=order,
        last_demand=demand,
        order=None,
    )
    return open_period(network, closed), flows


def open_period(network: Network, state: State) -> State:
    """Receive what is due, reveal what is due: the next decision point."""
    arrays, clock = state.arrays, state.clock + 1
    blank = (len(network.edges), state.replications)
    receipts = _hand_over(arrays, state.pipeline, clock, blank)
    revealed = _hand_over(arrays, state.travelling, clock, blank) if network.has_delays else state.revealed
    owed, demand = state.owed, state.last_demand
    if network.has_delays:
        owed = arrays.add_at(arrays.copy(owed), network.internal_lines, arrays.take(revealed, network.internal_edges))
    if network.demand_first:
        demand = state.noise.at(clock)
        owed = arrays.add_at(arrays.copy(owed), network.market_lines, demand)
    known = revealed
    if len(network.immediate):
        known = arrays.put(arrays.copy(revealed), network.immediate, state.last_order[network.immediate])
    incoming = arrays.take(arrays.concat([known, demand]), network.line_claim)
    return state.changed(
        clock=clock,
        on_hand=state.on_hand + arrays.add_up(network.inbound, receipts),
        on_order=state.on_order - receipts,
        in_transit=state.in_transit - receipts,
        receipts=receipts,
        revealed=revealed,
        owed=owed,
        last_demand=demand,
        incoming=incoming,
    )


def _hand_over(arrays: Arrays, ring: list[Array], clock: int, shape: tuple[int, int]) -> Array:
    """The slot of this period, replaced in the ring by an empty one."""
    slot = clock % len(ring)
    due, ring[slot] = ring[slot], arrays.zeros(*shape)
    return due


def _ring(arrays: Arrays, slots: Any, clock: int, blank: Array) -> list[Array]:
    """Slots (R, E, 1 or B) turned so that the first is due at `clock`, each a (E, B) array."""
    size = len(slots)
    return [blank + arrays.constant(slots[(number - clock) % size]) for number in range(size)]


def inventory_position(network: Network, state: State) -> Array:
    """(N, B) units: on hand - own lines owed + on order."""
    arrays = state.arrays
    owed = arrays.add_up(network.line_sum, state.owed)
    return state.on_hand - owed + arrays.add_up(network.inbound, state.on_order)


def echelon_inventory_position(network: Network, state: State) -> Array:
    """(N, B) units: stock and pipelines of a row and all it reaches, less what markets are owed, plus its orders.

    Own pipelines are part of the row's own `on_order`; those of the rows below are counted once each.
    """
    arrays = state.arrays
    owed = arrays.add_up(network.market_sum, arrays.take(state.owed, network.market_lines))
    transit = arrays.add_up(network.inbound, state.in_transit)
    echelon = arrays.add_up(network.reached, state.on_hand - owed) + arrays.add_up(network.below, transit)
    return echelon + arrays.add_up(network.inbound, state.on_order)


def restart(network: Network, state: State, columns: Any, stocks: Stocks | None = None) -> State:
    """Put new episodes into some replications of a state; the others go on.

    Parameters
    ----------
    columns : slice or (b,) int
        The replications; their noise from this period on must be that of the new episodes.
    stocks
        Where they start; the file's stocks if None.
    """
    arrays = state.arrays
    count = len(range(state.replications)[columns]) if isinstance(columns, slice) else len(columns)
    fresh = begin(network, count, Columns(state.noise, columns), state.clock, stocks, arrays)
    for item in fields(State):
        old, new = getattr(state, item.name), getattr(fresh, item.name)
        if isinstance(old, list):
            for slot, values in zip(old, new, strict=True):
                slot[:, columns] = values
        elif hasattr(old, "shape"):
            kept = arrays.copy(old)
            kept[:, columns] = new
            state = state.changed(**{item.name: kept})
    return state
