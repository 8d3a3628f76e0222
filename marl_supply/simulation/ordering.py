"""Step 3 of a period: decisions become orders, wishes to ship, prices and exposures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marl_supply.simulation.arrays import Array
from marl_supply.simulation.positions import inventory_position, periods_to_review
from marl_supply.simulation.scope import Part, Scope
from marl_supply.simulation.state import Decisions, State
from marl_supply.topology.limits import UNLIMITED
from marl_supply.topology.network import Network

Scoped = Sequence[tuple[Scope, Decisions]]


def decide(network: Network, state: State, decisions: Scoped) -> State:
    """Turn decisions into orders; under `downstream_first` level by level, each counting the orders that reached it.

    Parameters
    ----------
    decisions
        Pairs of a scope and its decisions; orders of rows in no scope are 0.
    """
    arrays = state.arrays
    order = arrays.zeros(len(network.edges), state.replications) if state.order is None else arrays.copy(state.order)
    for scope, decision in decisions:
        state = _steer(network, state, scope, decision)
    if not network.downstream_first:
        for scope, decision in decisions:
            order = _place(network, state, order, scope.parts[0], decision)
        return _ordered(state, order)
    for number in range(len(network.decision_levels)):
        for scope, decision in decisions:
            part = scope.parts[number]
            if part is not None:
                order = _place(network, state, order, part, decision)
                state = transmit(network, state, order, part.immediate)
    return _ordered(state, order)


def _ordered(state: State, order: Array) -> State:
    """The state with what was decided now on order."""
    placed = order if state.order is None else order - state.order
    return state.changed(order=order, on_order=state.on_order + placed)


def _steer(network: Network, state: State, scope: Scope, decision: Decisions) -> State:
    """The state with one scope's wishes to ship, prices and exposures."""
    arrays = state.arrays
    if decision.allocation is not None:
        wish = arrays.maximum(arrays.round(decision.allocation) if network.integer else decision.allocation, 0.0)
        own = arrays.zeros(*state.owed.shape) + UNLIMITED if state.allocation is None else arrays.copy(state.allocation)
        state = state.changed(allocation=arrays.put(own, scope.decided_lines, wish))
    if decision.price is not None:
        blank = arrays.zeros(len(network.markets), state.replications)
        price = blank + arrays.constant(network.price)[:, None] if state.price is None else arrays.copy(state.price)
        state = state.changed(price=arrays.put(price, scope.priced_markets, decision.price))
    if decision.exposure is not None:
        shares = {int(market): decision.exposure[number] for number, market in enumerate(scope.exposed_markets)}
        state = state.changed(exposure={**state.exposure, **shares})
    return state


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
    return arrays.put(order, edges, _admitted(network, state, quantity, edges))


def _admitted(network: Network, state: State, quantity: Array, edges: Any) -> Array:
    """(e, B) orders within limits, in batches, of rows that review in this period."""
    arrays = state.arrays
    if network.order_limit is not None:
        quantity = arrays.minimum(quantity, arrays.take(arrays.constant(network.order_limit)[:, None], edges))
    if network.batch is not None:
        batch = arrays.take(arrays.constant(network.batch)[:, None], edges)
        whole = arrays.round(quantity / arrays.where(batch > 0, batch, 1.0)) * batch
        quantity = arrays.where(batch > 0, whole, quantity)
    elif network.integer:
        quantity = arrays.round(quantity)
    quantity = arrays.maximum(quantity, 0.0)
    if network.reviews is not None:
        days = arrays.take(periods_to_review(network, state), network.customer[edges])
        quantity = quantity * arrays.less(days, 1.0)
    return quantity


def transmit(network: Network, state: State, order: Array, edges: Any) -> State:
    """Orders without information delay reach their suppliers' lines."""
    if not len(edges):
        return state
    arrays = state.arrays
    lines, placed = network.edge_line[edges], arrays.take(order, edges)
    owed = arrays.add_at(arrays.copy(state.owed), lines, placed)
    return state.changed(owed=owed, incoming=arrays.put(arrays.copy(state.incoming), lines, placed))
