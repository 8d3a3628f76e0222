"""Decisions as actions: of an agent's action space the action that comes nearest to what a policy decided."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.actions import Combined
from marl_supply.game.decisions.action import Action
from marl_supply.game.decisions.allocation import Allocation
from marl_supply.game.decisions.choose_one import ChooseOne
from marl_supply.game.decisions.demand_plus import DemandPlus
from marl_supply.game.decisions.exposure import Exposure
from marl_supply.game.decisions.order_up_to import OrderUpTo
from marl_supply.game.decisions.price import Price
from marl_supply.game.decisions.quantity import Quantity
from marl_supply.simulation import Decisions, State
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.positions import inventory_position


def encode(action: Action, decisions: Decisions, state: State) -> NDArray[Any]:
    """(n, B) the action nearest to the decisions, component by component.

    Quantities, levels and prices are rounded to the grid of the action and cut at its bounds; shares of attention
    become weights of which the largest is 1; a choice of one edge takes that with the largest order and leaves the
    others out. Prices and exposures that were not decided are the file's.

    Returns
    -------
    array
        int64 choices where units are whole, else float32 values.

    Raises
    ------
    InputError
        For a kind of action that it does not know, and where an allocation is left open.
    """
    wanted = np.asarray(values(action, decisions, state), dtype=np.float64)
    low = action.low[:, None]
    if action.seat.integer:
        chosen = np.rint((wanted - low) / action.steps[:, None])
        return np.clip(chosen, 0, action.choices[:, None] - 1).astype(np.int64)
    narrow = wanted.astype(np.float32)
    return np.clip(narrow, low.astype(np.float32), action.high[:, None].astype(np.float32))


@singledispatch
def values(action: Action, decisions: Decisions, state: State) -> Array:
    """(n, B) what the decisions mean in the units of an action, not yet on its grid."""
    raise InputError(
        f"{action.seat.agent}: no action of kind {type(action).__name__} can be told from decisions; record the game "
        "with another, such as quantity."
    )


@values.register
def _(action: Combined, decisions: Decisions, state: State) -> Array:
    return np.concatenate([values(part, decisions, state) for part in action.parts])


@values.register
def _(action: Quantity, decisions: Decisions, state: State) -> Array:
    return _edge_orders(action, decisions, state)


@values.register
def _(action: OrderUpTo, decisions: Decisions, state: State) -> Array:
    if decisions.order_up_to is not None:
        return decisions.order_up_to
    return _row_orders(action, decisions, state) + _position(action, state)


@values.register
def _(action: DemandPlus, decisions: Decisions, state: State) -> Array:
    if decisions.demand_plus is not None:
        return decisions.demand_plus
    return _row_orders(action, decisions, state) - _claims(action, state)


@values.register
def _(action: ChooseOne, decisions: Decisions, state: State) -> Array:
    orders, found = _edge_orders(action, decisions, state), []
    for row in range(len(action.seat.rows)):
        own = orders[action.seat.edge_rows == row]
        edge = own.argmax(0)
        number = edge * float(action.step) if action.seat.integer else edge + 0.5
        found += [number, own.max(0)]
    return np.array(found)


@values.register
def _(action: Price, decisions: Decisions, state: State) -> Array:
    if decisions.price is not None:
        return decisions.price
    listed = action.seat.network.price[action.seat.scope.priced_markets]
    return np.repeat(listed[:, None], state.replications, axis=1)


@values.register
def _(action: Exposure, decisions: Decisions, state: State) -> Array:
    if decisions.exposure is None:
        return np.ones((len(action.low), state.replications))
    network, markets = action.seat.network, action.seat.scope.exposed_markets
    shares = {int(market): own for market, own in zip(markets, decisions.exposure, strict=True)}
    weights = []
    for market, own in shares.items():
        together = network.exposed_together.get(market)
        if together is None:
            largest = own.max(0)
        else:
            largest = np.max([shares[int(other)] for other in together], axis=0)
        weights.append(own / largest)
    return np.concatenate(weights)


@values.register
def _(action: Allocation, decisions: Decisions, state: State) -> Array:
    if decisions.allocation is None:
        raise InputError(
            f"{action.seat.agent}: its policy leaves the allocation to the file's rule, which is no action; record "
            "with a policy that decides it."
        )
    return decisions.allocation


def _edge_orders(action: Action, decisions: Decisions, state: State) -> Array:
    """(e, B) units on every edge of the seat, 0 or more."""
    if decisions.order is not None:
        return np.maximum(decisions.order, 0.0)
    if decisions.order_up_to is not None:
        quantity = decisions.order_up_to - _position(action, state)
    elif decisions.demand_plus is not None:
        quantity = decisions.demand_plus + _claims(action, state)
    else:
        raise InputError(f"{action.seat.agent}: its policy decides no orders; record with one that does.")
    order = np.zeros((len(action.seat.edges), state.replications))
    order[action.seat.first_edge] = np.maximum(quantity, 0.0)
    return order


def _row_orders(action: Action, decisions: Decisions, state: State) -> Array:
    """(r, B) units ordered for each row, or the quantity below 0 that a level or claims come to."""
    if decisions.order_up_to is not None:
        return decisions.order_up_to - _position(action, state)
    if decisions.demand_plus is not None:
        return decisions.demand_plus + _claims(action, state)
    return NUMPY.add_up(action.seat.edge_sum, _edge_orders(action, decisions, state))


def _position(action: Action, state: State) -> Array:
    return inventory_position(action.seat.network, state)[action.seat.scope.rows]


def _claims(action: Action, state: State) -> Array:
    network = action.seat.network
    return NUMPY.add_up(network.line_sum, state.incoming)[action.seat.scope.rows]
