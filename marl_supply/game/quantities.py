"""What can be seen of a chain: every quantity with its unit, and the four levels of `observe` as sets of fields.

`local` shows a seat its own rows; `neighbours` adds the stock and backorders of its direct suppliers and customers;
`shared_demand` adds to `local` the last demand of every market downstream and the echelon position; `full` shows all of
the state. What a level hides cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from marl_supply.demand.process import DemandProcess
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.positions import (
    echelon_inventory_position,
    inventory_position,
    on_order_seen,
    owed_seen,
    periods_to_review,
    review_interval,
)
from marl_supply.simulation.state import State
from marl_supply.topology.incidence import IntArray
from marl_supply.topology.network import Network


@dataclass(frozen=True)
class Quantity:
    """A block of the table of everything: what it is, of what, in which unit, and whether it can be negative.

    A block that a chain has no use for is not `present` in its table; its fields can be read all the same.
    """

    name: str
    of: str  # rows, lines, edges, slots, travelling, markets, memory or forecast
    meaning: str
    signed: bool
    read: Callable[[Network, State], Array]
    present: Callable[[Network], bool] = lambda network: True
    unit: str = "units"


def pipeline(network: Network, state: State) -> Array:
    """(slots, B) units in transit, edge by edge, for lead time l the arrivals of the next l - 1 periods."""
    return _slots(state, state.pipeline, network.pipeline_turns)


def travelling(network: Network, state: State) -> Array:
    """(slots, B) units ordered and not yet revealed, edge by edge, next to be revealed first."""
    return _slots(state, state.travelling, network.travelling_turns)


def _slots(state: State, ring: list[Array], turns: tuple[IntArray, ...]) -> Array:
    """Entries of a ring as the present slot turns it."""
    where = turns[state.clock % len(ring)]
    return state.arrays.take(state.arrays.concat(ring), where) if len(where) else state.on_hand[:0]


def stopped(network: Network, state: State) -> Array:
    """(N, B) 1 while a row ships nothing."""
    rows = len(network.rows)
    return state.arrays.zeros(rows, state.replications) if state.stopped is None else state.stopped[:rows]


def closed(network: Network, state: State) -> Array:
    """(E, B) 1 while nothing ships on an edge."""
    return state.arrays.zeros(len(network.edges), state.replications) if state.closed is None else state.closed


def market_state(network: Network, state: State) -> Array:
    """(m, B) what agents may see of the memory of responsive markets, market by market."""
    shown = [state.memory[market][name] for market, name, _ in network.public_memory]
    return state.arrays.concat(shown) if shown else state.on_hand[:0]


def forecast_periods(network: Network) -> int:
    """How many periods ahead seats see the expected demand; it belongs to the game that the topology suggests."""
    return network.topology.game.forecast


def forecast(network: Network, state: State) -> Array:
    """(K f, B) expected demand of the next f periods, market by market; the first is the next one not yet seen."""
    ahead = forecast_periods(network)
    if not ahead:
        return state.on_hand[:0]
    arrays, first = state.arrays, state.period + (1 if network.demand_first else 0)
    expected = [
        expected_demand(process, first, state.last_demand[market], ahead)
        for market, process in enumerate(network.processes.values())
    ]
    return arrays.zeros(len(expected) * ahead, state.replications) + arrays.constant(np.concatenate(expected))


def expected_demand(process: DemandProcess, first: Any, last_demand: Array, ahead: int) -> Array:
    """(ahead, B) forecasts of one market from a period on, which may differ between replications."""
    if np.ndim(first) == 0:
        return process.forecast(int(first), _known(last_demand, int(first)), ahead)
    expected = np.zeros((ahead, len(first)))
    for period in np.unique(first):
        own = first == period
        expected[:, own] = process.forecast(int(period), _known(last_demand[own], int(period)), ahead)
    return expected


def _known(last_demand: Array, period: int) -> Array | None:
    """The demand of the period before, where there was one."""
    return np.asarray(last_demand) if period > 0 else None


QUANTITIES = (
    Quantity("on_hand", "rows", "stock after this period's receipts", False, lambda n, s: s.on_hand),
    Quantity("owed", "lines", "revealed and not yet served", False, owed_seen),
    Quantity("backorders", "lines", "owed at the end of the period before", False, lambda n, s: s.backorders),
    Quantity(
        "on_order",
        "edges",
        "travelling up, owed by the supplier or in transit",
        False,
        on_order_seen,
    ),
    Quantity("pipeline", "slots", "in transit, next to arrive first", False, pipeline),
    Quantity("receipts", "edges", "received this period", False, lambda n, s: s.receipts),
    Quantity("incoming_orders", "lines", "claims since the previous decision", False, lambda n, s: s.incoming),
    Quantity("last_order", "edges", "ordered in the period before", False, lambda n, s: s.last_order),
    Quantity("inventory_position", "rows", "on hand - owed + on order", True, inventory_position),
    Quantity("market_demand", "markets", "latest demand that has realised", False, lambda n, s: s.last_demand),
    Quantity(
        "echelon_inventory_position",
        "rows",
        "position of a row and all it can reach",
        True,
        echelon_inventory_position,
    ),
    Quantity(
        "periods_to_review",
        "rows",
        "until the row orders again, 0 on a review day",
        False,
        periods_to_review,
        lambda network: network.reviews is not None,
        "periods",
    ),
    Quantity(
        "review_interval",
        "rows",
        "from the latest review, today's included, to the next",
        False,
        review_interval,
        lambda network: network.reviews is not None and network.reviews.are_uneven,
        "periods",
    ),
    Quantity(
        "stopped",
        "rows",
        "1 while a disruption keeps the row from shipping",
        False,
        stopped,
        lambda network: network.disruptions is not None,
        "-",
    ),
    Quantity(
        "closed",
        "edges",
        "1 while a disruption keeps the edge, or its supplier, from shipping",
        False,
        closed,
        lambda network: network.disruptions is not None,
        "-",
    ),
    Quantity(
        "market_state",
        "memory",
        "what a responsive market shows of what it remembers",
        True,
        market_state,
        lambda network: bool(network.public_memory),
        "-",
    ),
    Quantity(
        "forecast",
        "forecast",
        "expected demand of the coming periods, the next one first",
        False,
        forecast,
        lambda network: forecast_periods(network) > 0,
    ),
    Quantity(
        "travelling",
        "travelling",
        "orders on their way up, next to be revealed first",
        False,
        travelling,
    ),
)
LOCAL = (
    "on_hand",
    "owed",
    "backorders",
    "on_order",
    "pipeline",
    "receipts",
    "incoming_orders",
    "last_order",
    "inventory_position",
    "periods_to_review",
    "review_interval",
    "stopped",
    "closed",
    "market_state",
    "forecast",
)
MARKET = ("market_state", "forecast")
NEIGHBOURS = ("supplier_on_hand", "supplier_backorders", "customer_on_hand", "customer_backorders")
SHARED_DEMAND = ("market_demand", "echelon_inventory_position")
LEVELS: dict[str, frozenset[str]] = {
    "market": frozenset(MARKET),
    "local": frozenset(LOCAL),
    "neighbours": frozenset(LOCAL + NEIGHBOURS),
    "shared_demand": frozenset(LOCAL + SHARED_DEMAND),
    "full": frozenset(LOCAL + NEIGHBOURS + SHARED_DEMAND + ("everything",)),
}
