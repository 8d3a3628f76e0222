"""What follows from a state at a decision point: what is seen of claims, positions, days to the next review."""

from __future__ import annotations

from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import State
from marl_supply.topology.network import Network


def owed_seen(network: Network, state: State) -> Array:
    """(M, B) units revealed and not yet served; on a line that loses, at most what its row's stock can still cover.

    A row that an edge of lead time 0 supplies may still get stock before it ships: there all of a claim is seen.
    """
    lines = network.hiding_lines
    if not len(lines):
        return state.owed
    arrays = state.arrays
    stock = arrays.take(state.on_hand, network.line_place[lines])
    return arrays.put(arrays.copy(state.owed), lines, arrays.minimum(arrays.take(state.owed, lines), stock))


def on_order_seen(network: Network, state: State) -> Array:
    """(E, B) units travelling up, in transit, or owed by the supplier as far as `owed_seen` shows it."""
    edges = network.hiding_edges
    if not len(edges):
        return state.on_order
    arrays, lines = state.arrays, network.edge_line[edges]
    hidden = arrays.take(state.owed, lines) - arrays.take(owed_seen(network, state), lines)
    return arrays.add_at(arrays.copy(state.on_order), edges, -hidden)


def inventory_position(network: Network, state: State) -> Array:
    """(N, B) units: on hand - own lines owed + on order; worked out once for all who ask at a decision point."""
    if "inventory_position" not in state.derived:
        arrays = state.arrays
        owed = arrays.add_up(network.line_sum, owed_seen(network, state))
        on_order = arrays.add_up(network.inbound, on_order_seen(network, state))
        state.derived["inventory_position"] = state.on_hand - owed + on_order
    return state.derived["inventory_position"]


def echelon_inventory_position(network: Network, state: State) -> Array:
    """(N, B) units: stock and pipelines of a row and all it reaches, less what markets are owed, plus its orders.

    Own pipelines are part of the row's own `on_order`; those of the rows below are counted once each.
    """
    if "echelon" not in state.derived:
        state.derived["echelon"] = _echelon(network, state)
    return state.derived["echelon"]


def _echelon(network: Network, state: State) -> Array:
    arrays = state.arrays
    owed = arrays.add_up(network.market_sum, arrays.take(owed_seen(network, state), network.market_lines))
    transit = arrays.add_up(network.inbound, state.in_transit)
    echelon = arrays.add_up(network.reached, state.on_hand - owed) + arrays.add_up(network.below, transit)
    return echelon + arrays.add_up(network.inbound, on_order_seen(network, state))


def periods_to_review(network: Network, state: State) -> Array:
    """(N, B) periods until each row reviews; 0 on a review day."""
    arrays, shape = state.arrays, (len(network.rows), state.replications)
    if network.reviews is None:
        return arrays.zeros(*shape)
    return arrays.zeros(*shape) + arrays.given(network.reviews.periods_until(state.period))


def review_interval(network: Network, state: State) -> Array:
    """(N, B) periods from each row's latest review, today's included, to its next."""
    arrays, shape = state.arrays, (len(network.rows), state.replications)
    if network.reviews is None:
        return arrays.zeros(*shape) + 1
    return arrays.zeros(*shape) + arrays.given(network.reviews.interval(state.period))
