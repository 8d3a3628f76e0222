"""Rules that wait until the inventory position has fallen to a reorder point, for orders with a fixed cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, Parameter, Rule, lead_time_demand, on_first_edge, safety_stock
from marl_supply.simulation.state import Decisions


def _start(seat: Seat) -> FloatArray:
    return np.rint(lead_time_demand(seat) + safety_stock(seat))


def _low(seat: Seat) -> FloatArray:
    return -np.ceil(lead_time_demand(seat))


def _high(seat: Seat) -> FloatArray:
    return np.ceil(2 * lead_time_demand(seat) + 6 * safety_stock(seat) + 1)


def _lot(seat: Seat) -> FloatArray:
    """(rows,) units: the economic order quantity sqrt(2 K mean / h) (Harris 1913), at least one period's demand."""
    network, edges = seat.network, seat.scope.edges[seat.first_edge]
    holding = network.holding_cost[seat.scope.rows]
    square = 2 * network.fixed_order_cost[edges] * seat.mean_demand
    economic = np.sqrt(np.divide(square, holding, out=np.zeros_like(square), where=holding > 0))
    return np.asarray(np.maximum(np.ceil(np.maximum(economic, seat.mean_demand)), 1), dtype=np.float64)


_REORDER_POINT = Parameter("reorder_point", "units", _start, _low, _high, integer=True)


class ReorderPoint(Rule):
    """(s, S): if ``inventory_position <= reorder_point``, order up to `order_up_to_level`.

    Optimal for one echelon with backorders and a fixed cost for each order (Scarf 1960; Zheng & Federgruen 1991 compute
    the parameters). With ``reorder_point = order_up_to_level - 1`` it is base stock on whole units.
    """

    needs = frozenset({"inventory_position"})
    parameters = (
        _REORDER_POINT,
        Parameter(
            "order_up_to_level",
            "units",
            lambda seat: _start(seat) + _lot(seat),
            _low,
            lambda seat: _high(seat) + 4 * _lot(seat),
            integer=True,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        position = observation.inventory_position
        low = position <= self.value("reorder_point")
        return on_first_edge(observation.seat, low * np.maximum(self.value("order_up_to_level") - position, 0)), memory


class ReorderQuantity(Rule):
    """(r, nQ): if ``inventory_position <= reorder_point``, order the least multiple of `order_quantity` that lifts the
    position above it.

    Optimal for one echelon with backorders where orders come in batches of Q (Veinott 1965), and close to (s, S) with a
    fixed cost where periods are short; there it is known as (r, Q).
    """

    needs = frozenset({"inventory_position"})
    parameters = (
        _REORDER_POINT,
        Parameter(
            "order_quantity",
            "units",
            _lot,
            lambda seat: np.ones(len(seat.rows)),
            lambda seat: 4 * _lot(seat),
            integer=True,
        ),
    )

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if (self.values["order_quantity"] <= 0).any():
            raise InputError("ReorderQuantity: parameter 'order_quantity' is not above 0; give at least 1.")

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        quantity = self.value("order_quantity")
        missing = self.value("reorder_point") - observation.inventory_position
        batches = np.maximum(np.floor(missing / quantity) + 1, 0)
        return on_first_edge(observation.seat, batches * quantity), memory
