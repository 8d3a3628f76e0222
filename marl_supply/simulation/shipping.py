"""Step 5 of a period: every row serves what it owes from stock, suppliers before customers where a lead time is 0."""

from __future__ import annotations

from dataclasses import dataclass

from marl_supply.simulation.allocation import RULES, Shortage
from marl_supply.simulation.arrays import Array, added
from marl_supply.simulation.state import State
from marl_supply.topology.network import LineGroup, Network, ShippingStage


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
        What reached the suppliers; sources ship it at once.
    """
    arrays = state.arrays
    shipment = arrays.zeros(len(network.edges), state.replications)
    shipment = arrays.put(shipment, network.from_source, arrays.take(requests, network.from_source))
    on_hand = state.on_hand
    if len(network.zero_lead_from_source):
        on_hand = on_hand + _delivered(network, state, shipment, network.zero_lead_from_source)
    if len(network.shipping_stages) == 1:
        served = _serve(network, state, network.shipping_stages[0], owed, on_hand)
        on_hand = on_hand - arrays.add_up(network.line_sum, served)
        shipment = arrays.put(shipment, network.internal_edges, arrays.take(served, network.internal_lines))
    else:
        served = arrays.zeros(*owed.shape)
        for stage in network.shipping_stages:
            served = arrays.put(served, stage.lines, _serve(network, state, stage, owed, on_hand))
            shipment = arrays.put(shipment, network.internal_edges, arrays.take(served, network.internal_lines))
            if len(stage.zero_lead_edges):
                on_hand = on_hand + _delivered(network, state, shipment, stage.zero_lead_edges)
        on_hand = on_hand - arrays.add_up(network.line_sum, served)
    at_once = None
    if network.has_zero_lead:
        at_once = shipment * arrays.constant(network.lead_time == 0)[:, None]
    return Shipped(served, shipment, at_once, on_hand)


def _serve(network: Network, state: State, stage: ShippingStage, owed: Array, on_hand: Array) -> Array:
    """(m, B) units served on the lines of one stage."""
    arrays = state.arrays
    if not stage.groups:
        return arrays.minimum(arrays.take(owed, stage.lines), arrays.take(on_hand, stage.rows_of_lines))
    served = arrays.zeros(*owed.shape)
    if len(stage.single_lines):
        alone = arrays.minimum(owed[stage.single_lines], on_hand[network.line_row[stage.single_lines]])
        served = arrays.put(served, stage.single_lines, alone)
    for group in stage.groups:
        served = arrays.put(served, group.lines, _share(network, state, group, owed, on_hand))
    return arrays.take(served, stage.lines)


def _share(network: Network, state: State, group: LineGroup, owed: Array, on_hand: Array) -> Array:
    """(r, c, B) units served in one group of rows: all that is claimed unless some row is short."""
    arrays = state.arrays
    claims, available = owed[group.lines], on_hand[group.rows]
    short = added(claims, 1) > available
    if not arrays.any(short):
        return claims
    shortage = Shortage(
        old=state.backorders[group.lines],
        position=lambda: customer_position(network, state, owed)[group.lines],
        scale=arrays.constant(network.customer_scale)[group.lines][:, :, None],
        integer=network.integer,
    )
    served = RULES[group.rule](arrays, claims, available, shortage)
    return arrays.where(short[:, None], served, claims)  # the others' rounding must not depend on who is short


def customer_position(network: Network, state: State, owed: Array) -> Array:
    """(M, B) units: on hand and in transit at each line's customer, less all it owes; a market: minus its claim.

    On a line that loses, a customer owes at most its stock, unless what arrives at once can still add to that.
    """
    arrays, bounded = state.arrays, network.bounded_lines
    waiting = owed
    if len(bounded):
        stock = arrays.take(state.on_hand, network.line_row[bounded])
        waiting = arrays.put(arrays.copy(owed), bounded, arrays.minimum(arrays.take(owed, bounded), stock))
    rows = state.on_hand - arrays.add_up(network.line_sum, waiting) + arrays.add_up(network.inbound, state.in_transit)
    to_row = arrays.constant(network.line_edge >= 0)[:, None]
    return arrays.where(to_row > 0, rows[network.line_customer], -owed)


def _delivered(network: Network, state: State, shipment: Array, edges: Array) -> Array:
    """(N, B) what edges of lead time 0 put on their customers' hands."""
    arrays = state.arrays
    arrived = arrays.zeros(len(network.rows), state.replications)
    for edge in edges:
        arrived = arrays.add_at(
            arrived,
            slice(int(network.customer[edge]), int(network.customer[edge]) + 1),
            shipment[edge : edge + 1],
        )
    return arrived
