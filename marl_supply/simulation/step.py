"""One period of a chain: decide, demand, ship, then receive and reveal for the period after.

A state stands at a decision point. `decide` turns decisions into orders, `finish` moves the chain to the next decision
point and returns the flows between; `step` is both. The order of events is that of the design's section "What happens
in a period". A numpy state is consumed: its pipelines are changed in place (`copy` a state that is needed again).
"""

from __future__ import annotations

from typing import Any

from marl_supply.simulation.arrays import NUMPY, Array, Arrays
from marl_supply.simulation.expediting import expedite
from marl_supply.simulation.markets import demand_of_period, first_memory, hold_prices
from marl_supply.simulation.ordering import Scoped, decide
from marl_supply.simulation.receiving import open_period
from marl_supply.simulation.shipping import ship
from marl_supply.simulation.state import Flows, State, Stocks
from marl_supply.topology.network import Network


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
        Gives ``at(clock)``, the (K, B) demand of a period, and ``chance(clock)``, its (C, B) chance numbers where the
        network has any.
    clock : int
        The period's number on the clock of the rings.
    stocks
        Where the chains start; the file's stocks and pipelines if None.
    arrays
        The array library of the state.
    """
    edges, lines = len(network.edges), len(network.lines)
    stocks = file_stocks(network) if stocks is None else stocks
    blank = arrays.zeros(edges, replications)
    in_transit = blank + arrays.constant(stocks.pipeline.sum(0))
    random = network.disruptions is not None and len(network.disruptions.target)
    state = State(
        clock=clock,
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
        broken=arrays.zeros(random, replications) if random else None,
        memory=first_memory(network, arrays, replications),
        began=clock,
        noise=noise,
        arrays=arrays,
    )
    return open_period(network, state)


def file_stocks(network: Network) -> Stocks:
    """The stocks and pipelines of the topology file."""
    return Stocks(network.on_hand[:, None], network.initial_pipeline[:, :, None], network.initial_orders[:, :, None])


def _ring(arrays: Arrays, slots: Any, clock: int, blank: Array) -> list[Array]:
    """Slots (R, E, 1 or B) turned so that the first is due at `clock`, each a (E, B) array."""
    size = len(slots)
    return [blank + arrays.constant(slots[(number - clock) % size]) for number in range(size)]


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


def finish(network: Network, state: State) -> tuple[State, Flows]:
    """Send the orders off, let demand realise, ship, and open the next period."""
    arrays = state.arrays
    order = arrays.zeros(len(network.edges), state.replications) if state.order is None else state.order
    owed, requests = _send_off(network, state, order)
    demand, memory = state.last_demand, state.memory
    if not network.demand_first:
        state = hold_prices(network, state)
        demand, memory = demand_of_period(network, state)
        owed = arrays.add_at(arrays.copy(owed), network.market_lines, demand)
    shipped = ship(network, state, owed, requests)
    served, on_hand, expedited = shipped.served, shipped.on_hand, None
    sales = arrays.take(served, network.market_lines)
    of_now = arrays.maximum(sales - arrays.take(state.backorders, network.market_lines), 0.0)
    if len(network.expedited_markets):
        expedited, on_hand = expedite(network, state, shipped, owed, demand)
        sales, of_now = sales + expedited, of_now + expedited
        served = arrays.put(arrays.copy(served), network.market_lines, sales)
    _load(network, state, shipped.shipment)
    backorders, on_order, lost = _what_waits(network, state, owed - served)
    in_transit, receipts = state.in_transit + shipped.shipment, state.receipts
    if shipped.at_once is not None:
        on_order, in_transit = on_order - shipped.at_once, in_transit - shipped.at_once
        receipts = receipts + shipped.at_once
    flows = Flows(
        order=order,
        requests=requests,
        receipts=receipts,
        shipment=shipped.shipment,
        demand=demand,
        sales=sales,
        served=of_now,
        lost=lost,
        on_hand=on_hand,
        backorders=backorders,
        in_transit=in_transit,
        overflow=state.overflow,
        missing=state.missing,
        scrapped=_scrapped(network, arrays, on_hand),
        expedited=expedited,
        price=state.price,
    )
    closed = state.changed(
        clock=state.clock + 1,
        on_hand=on_hand if flows.scrapped is None else on_hand - flows.scrapped,
        owed=backorders,
        backorders=backorders,
        on_order=on_order,
        in_transit=in_transit,
        last_order=order,
        last_demand=demand,
        memory=memory,
        order=None,
        allocation=None,
        price=None,
        exposure={},
    )
    return open_period(network, closed), flows


def _send_off(network: Network, state: State, order: Array) -> tuple[Array, Array]:
    """Orders leave: (M, B) what is owed now, (E, B) what reached the suppliers in this period."""
    arrays, requests = state.arrays, state.revealed
    owed = state.owed
    if len(network.immediate) and not network.downstream_first:
        owed = arrays.add_at(arrays.copy(owed), network.immediate_lines, arrays.take(order, network.immediate))
    for delay, edges in network.delay_groups:
        placed = arrays.take(order, edges)
        if delay == 0:
            requests = arrays.put(arrays.copy(requests), edges, placed)
        else:
            slot = (state.clock + delay) % len(state.travelling)
            state.travelling[slot] = arrays.put(state.travelling[slot], edges, placed)
    return owed, requests


def _load(network: Network, state: State, shipment: Array) -> None:
    """Put what ships on edges with a lead time into the slot of the latest period in which it can arrive."""
    arrays = state.arrays
    for lead, edges in network.lead_groups:
        if lead > 0:
            slot = (state.clock + lead) % len(state.pipeline)
            state.pipeline[slot] = arrays.put(state.pipeline[slot], edges, arrays.take(shipment, edges))


def _what_waits(network: Network, state: State, short: Array) -> tuple[Array, Array, Array | None]:
    """What could not be served (M, B) waits or is lost: backorders (M, B), on order (E, B), lost (M, B) or None."""
    if not len(network.losing_lines):
        return short, state.on_order, None
    arrays, edges = state.arrays, network.losing_edges
    kept = arrays.constant(network.keeps)[:, None]
    lost = short * (1.0 - kept)
    on_order = state.on_order
    if len(edges):
        gone = arrays.take(lost, network.edge_line[edges])
        on_order = arrays.add_at(arrays.copy(on_order), edges, -gone)
    return short * kept, on_order, lost


def _scrapped(network: Network, arrays: Arrays, on_hand: Array) -> Array | None:
    """(N, B) units left of what does not keep; None where everything does."""
    if not len(network.perishable):
        return None
    leftover = arrays.take(on_hand, network.perishable)
    return arrays.put(arrays.zeros(*on_hand.shape), network.perishable, leftover)
