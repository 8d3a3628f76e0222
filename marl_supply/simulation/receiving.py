"""Steps 1 and 2 of a period: receive what is due, reveal what is due, and say what is down: the next decision point."""

from __future__ import annotations

from marl_supply.simulation.allocation import divide
from marl_supply.simulation.arrays import Array, Arrays, added
from marl_supply.simulation.state import State
from marl_supply.topology.chances import Disruptions
from marl_supply.topology.network import Network


def open_period(network: Network, state: State) -> State:
    """The decision point of the period that the state's clock has just reached."""
    arrays, clock = state.arrays, state.clock
    chance = arrays.given(state.noise.chance(clock)) if network.chance_size else None
    arrived, receipts, missing, overflow = _receive(network, state, chance)
    shape = (len(network.edges), state.replications)
    revealed = hand_over(arrays, state.travelling, clock, shape) if network.has_delays else state.revealed
    owed, demand = state.owed, state.last_demand
    if network.has_delays:
        owed = arrays.add_at(arrays.copy(owed), network.internal_lines, arrays.take(revealed, network.internal_edges))
    if network.demand_first:
        demand = arrays.given(state.noise.at(clock))
        owed = arrays.add_at(arrays.copy(owed), network.market_lines, demand)
    known = revealed
    if len(network.immediate):
        placed = arrays.take(state.last_order, network.immediate)
        known = arrays.put(arrays.copy(revealed), network.immediate, placed)
    opened = state.changed(
        on_hand=state.on_hand + arrays.add_up(network.inbound, receipts),
        on_order=state.on_order - arrived,
        in_transit=state.in_transit - arrived,
        receipts=receipts,
        missing=missing,
        overflow=overflow,
        revealed=revealed,
        owed=owed,
        last_demand=demand,
        incoming=arrays.take(arrays.concat([known, demand]), network.line_claim),
    )
    return opened if network.disruptions is None else _disrupted(network, network.disruptions, opened, chance)


def _receive(network: Network, state: State, chance: Array) -> tuple[Array, Array, Array | None, Array | None]:
    """(E, B) each: what left the pipelines, and of it what is received, what was lost on the way, what is refused."""
    arrays, ring, clock = state.arrays, state.pipeline, state.clock
    arrived = hand_over(arrays, ring, clock, (len(network.edges), state.replications))
    for delay in network.delays:
        slot = (clock + delay.ahead) % len(ring)
        waiting = arrays.take(ring[slot], delay.edges)
        come = waiting * arrays.less(arrays.take(chance, delay.chance), arrays.constant(delay.hazard))
        ring[slot] = arrays.put(ring[slot], delay.edges, waiting - come)
        arrived = arrays.add_at(arrived, delay.edges, come)
    receipts, missing, overflow = arrived, None, None
    if len(network.leaking_edges):
        missing = _missing(network, arrays, arrived, chance)
        receipts = receipts - missing
    if network.storages:
        overflow = _refused(network, state, receipts)
        receipts = receipts - overflow
    return arrived, receipts, missing, overflow


def _missing(network: Network, arrays: Arrays, arrived: Array, chance: Array) -> Array:
    """(E, B) units that got lost on the way: a random share, uniform up to the edge's largest."""
    edges = network.leaking_edges
    share = arrays.take(chance, network.leak_chance) * arrays.constant(network.leak_share)[:, None]
    lost = arrays.take(arrived, edges) * share
    return arrays.put(arrays.zeros(*arrived.shape), edges, arrays.round(lost) if network.integer else lost)


def _refused(network: Network, state: State, receipts: Array) -> Array:
    """(E, B) units that do not fit: all edges into a full storage are accepted at the same ratio."""
    arrays = state.arrays
    refused = arrays.zeros(*receipts.shape)
    for storage in network.storages:
        arriving = arrays.take(receipts, storage.edges)
        held = added(arrays.take(state.on_hand, storage.rows), 1)
        room = arrays.maximum(arrays.constant(storage.limit) - held, 0.0)
        too_much = added(arriving, 1) > room
        if arrays.any(too_much):
            accepted = divide(arrays, arriving, room, network.integer)
            excess = arrays.where(too_much[:, None], arriving - accepted, 0.0)
            refused = arrays.put(refused, storage.edges, excess)
    return refused


def _disrupted(network: Network, disruptions: Disruptions, state: State, chance: Array) -> State:
    """The state with what is down in this period."""
    arrays, places = state.arrays, len(network.places)
    down = arrays.zeros(places + len(network.edges), state.replications)
    broken = state.broken
    if broken is not None:
        number = arrays.take(chance, disruptions.chance)
        breaks = arrays.less(number, arrays.constant(disruptions.probability))
        recovers = arrays.less(number, arrays.constant(disruptions.recovery))
        broken = arrays.where(broken > 0, 1.0 - recovers, breaks)
        down = arrays.put(down, disruptions.target, broken)
    if len(disruptions.planned_target):
        planned = arrays.given(disruptions.planned(state.period))
        before = arrays.take(down, disruptions.planned_target)
        down = arrays.put(down, disruptions.planned_target, arrays.maximum(before, planned))
    stopped = down[:places]
    closed = arrays.maximum(down[places:], arrays.take(stopped, network.supplier_place))
    return state.changed(broken=broken, stopped=stopped, closed=closed)


def hand_over(arrays: Arrays, ring: list[Array], clock: int, shape: tuple[int, int]) -> Array:
    """The slot of this period, replaced in the ring by an empty one."""
    slot = clock % len(ring)
    due, ring[slot] = ring[slot], arrays.zeros(*shape)
    return due
