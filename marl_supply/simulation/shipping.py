"""Step 5 of a period: every place serves what it owes from stock, suppliers before customers where a lead time is 0."""

from __future__ import annotations

from dataclasses import dataclass

from marl_supply.simulation.allocation import RULES, Shortage, divide
from marl_supply.simulation.arrays import Array, added
from marl_supply.simulation.state import State
from marl_supply.topology.limits import UNLIMITED, SharedCapacity
from marl_supply.topology.network import Network
from marl_supply.topology.stages import LineGroup, ShippingStage


@dataclass(frozen=True)
class Shipped:
    """What left: served (M, B) by line, shipment (E, B) by edge, at_once (E, B) what lead time 0 delivered or None,
    on_hand (N, B) what is left."""

    served: Array
    shipment: Array
    at_once: Array | None
    on_hand: Array


def ship(network: Network, state: State, owed: Array, requests: Array) -> Shipped:
    """Serve all lines.

    Parameters
    ----------
    owed : (M, B) units
        Claims on every line, this period's demand and orders included.
    requests : (E, B) units
        What reached the suppliers; sources that never fall short ship it at once.
    """
    arrays = state.arrays
    shipment = arrays.zeros(len(network.edges), state.replications)
    shipment = arrays.put(shipment, network.from_source, arrays.take(requests, network.from_source))
    on_hand = state.on_hand
    if len(network.zero_lead_from_source):
        on_hand = on_hand + _delivered(network, state, shipment, network.zero_lead_from_source)
    claims = _claims(network, state, owed)
    if len(network.shipping_stages) == 1:
        available = stock_to_ship(network, state, on_hand, claims, 0)
        served = _serve(network, state, network.shipping_stages[0], claims, available, owed)
        shipment = arrays.put(shipment, network.internal_edges, arrays.take(served, network.internal_lines))
    else:
        served = arrays.zeros(*owed.shape)
        for number, stage in enumerate(network.shipping_stages):
            available = stock_to_ship(network, state, on_hand, claims, number)
            served = arrays.put(served, stage.lines, _serve(network, state, stage, claims, available, owed))
            shipment = arrays.put(shipment, network.internal_edges, arrays.take(served, network.internal_lines))
            if len(stage.zero_lead_edges):
                on_hand = on_hand + _delivered(network, state, shipment, stage.zero_lead_edges)
    on_hand = on_hand - arrays.add_up(network.line_sum, served)
    at_once = None
    if network.has_zero_lead:
        at_once = shipment * arrays.constant(network.at_once)[:, None]
    return Shipped(served, shipment, at_once, on_hand)


def _claims(network: Network, state: State, owed: Array) -> Array:
    """(M, B) units that may ship in this period: nothing on a closed edge, at most the wish where that is decided."""
    arrays, claims = state.arrays, owed
    if state.closed is not None:
        open_edges = 1.0 - arrays.take(state.closed, network.internal_edges)
        waiting = arrays.take(owed, network.internal_lines) * open_edges
        claims = arrays.put(arrays.copy(owed), network.internal_lines, waiting)
    return claims if state.allocation is None else arrays.minimum(claims, state.allocation)


def stock_to_ship(network: Network, state: State, on_hand: Array, claims: Array, stage: int) -> Array:
    """(N or P, B) units that each place can ship in a stage: its stock within its capacity, none when it is down.

    Places beyond the rows stand there only where a source is limited; its stock has no bound.
    """
    arrays, stock = state.arrays, on_hand
    if len(network.limited_sources):
        endless = arrays.zeros(len(network.sources), state.replications) + UNLIMITED
        stock = arrays.concat([stock, endless])
    if network.capacity is not None:
        stock = arrays.minimum(stock, arrays.constant(network.capacity[: len(stock)])[:, None])
    if state.stopped is not None:
        stock = stock * (1.0 - state.stopped[: len(stock)])
    for shared in network.shared_capacities:
        if network.shipping_depth[shared.rows[0]] == stage:
            stock = _shared(network, state, shared, stock, claims)
    return stock


def _shared(network: Network, state: State, shared: SharedCapacity, stock: Array, claims: Array) -> Array:
    """Stock to ship, within what some rows can ship together: in proportion to what each could ship alone."""
    arrays = state.arrays
    alone = arrays.take(stock, shared.rows)
    wanted = arrays.minimum(arrays.take(arrays.add_up(network.place_sum, claims), shared.rows), alone)
    too_much = added(wanted, 0) > shared.limit
    if not arrays.any(too_much):
        return stock
    limit = arrays.zeros(1, state.replications) + shared.limit
    quota = divide(arrays, wanted[None], limit, network.integer)[0]
    return arrays.put(arrays.copy(stock), shared.rows, arrays.where(too_much, quota, alone))


def _serve(network: Network, state: State, stage: ShippingStage, claims: Array, available: Array, owed: Array) -> Array:
    """(m, B) units served on the lines of one stage."""
    arrays = state.arrays
    if not stage.groups:
        return arrays.minimum(arrays.take(claims, stage.lines), arrays.take(available, stage.places_of_lines))
    served = arrays.zeros(*claims.shape)
    if len(stage.single_lines):
        stock = arrays.take(available, network.line_place[stage.single_lines])
        alone = arrays.minimum(arrays.take(claims, stage.single_lines), stock)
        served = arrays.put(served, stage.single_lines, alone)
    for group in stage.groups:
        served = arrays.put(served, group.lines, _share(network, state, group, claims, available, owed))
    return arrays.take(served, stage.lines)


def _share(network: Network, state: State, group: LineGroup, claims: Array, available: Array, owed: Array) -> Array:
    """(r, c, B) units served in one group of places: all that is claimed unless some place is short."""
    arrays = state.arrays
    claims, stock = arrays.take(claims, group.lines), arrays.take(available, group.places)
    short = added(claims, 1) > stock
    if not arrays.any(short):
        return claims
    shortage = Shortage(
        old=arrays.take(state.backorders, group.lines),
        position=lambda: arrays.take(customer_position(network, state, owed), group.lines),
        scale=arrays.take(arrays.constant(network.customer_scale), group.lines)[:, :, None],
        integer=network.integer,
    )
    served = RULES[group.rule](arrays, claims, stock, shortage)
    return arrays.where(short[:, None], served, claims)  # the others' rounding must not depend on who is short


def customer_position(network: Network, state: State, owed: Array) -> Array:
    """(M, B) units: on hand and in transit at each line's customer, less all it owes; a market: minus its claim.

    On a line that loses, a customer owes at most its stock, unless what arrives at once can still add to that.
    """
    arrays, bounded = state.arrays, network.bounded_lines
    waiting = owed
    if len(bounded):
        stock = arrays.take(state.on_hand, network.line_place[bounded])
        waiting = arrays.put(arrays.copy(owed), bounded, arrays.minimum(arrays.take(owed, bounded), stock))
    rows = state.on_hand - arrays.add_up(network.line_sum, waiting) + arrays.add_up(network.inbound, state.in_transit)
    to_row = arrays.constant(network.line_edge >= 0)[:, None]
    return arrays.where(to_row > 0, arrays.take(rows, network.line_customer), -owed)


def _delivered(network: Network, state: State, shipment: Array, edges: Array) -> Array:
    """(N, B) what edges of lead time 0 put on their customers' hands."""
    arrays = state.arrays
    arrived = arrays.zeros(len(network.rows), state.replications)
    for edge in edges:
        row = int(network.customer[edge])
        arrived = arrays.add_at(arrived, slice(row, row + 1), shipment[edge : edge + 1])
    return arrived
