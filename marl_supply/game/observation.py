"""What a seat sees: one table of fields with units, and the four levels of `observe` as sets of them.

`local` shows a seat its own rows; `neighbours` adds the stock and backorders of its direct suppliers and customers;
`shared_demand` adds to `local` the last demand of every market downstream and the echelon position; `full` shows all of
the state. What a level hides cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError, nearest
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.positions import (
    echelon_inventory_position,
    inventory_position,
    on_order_seen,
    owed_seen,
    periods_to_review,
)
from marl_supply.simulation.state import State
from marl_supply.topology.network import Network

if TYPE_CHECKING:
    from marl_supply.game.seat import Seat


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
    Quantity("pipeline", "slots", "in transit, next to arrive first", False, lambda n, s: pipeline(n, s)),
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
        "stopped",
        "rows",
        "1 while a disruption keeps the row from shipping",
        False,
        lambda n, s: stopped(n, s),
        lambda network: network.disruptions is not None,
        "-",
    ),
    Quantity(
        "closed",
        "edges",
        "1 while a disruption keeps the edge, or its supplier, from shipping",
        False,
        lambda n, s: closed(n, s),
        lambda network: network.disruptions is not None,
        "-",
    ),
    Quantity(
        "market_state",
        "memory",
        "what a responsive market shows of what it remembers",
        True,
        lambda n, s: market_state(n, s),
        lambda network: bool(network.public_memory),
        "-",
    ),
    Quantity(
        "forecast",
        "forecast",
        "expected demand of the coming periods, the next one first",
        False,
        lambda n, s: forecast(n, s),
        lambda network: network.forecast_periods > 0,
    ),
    Quantity(
        "travelling",
        "travelling",
        "orders on their way up, next to be revealed first",
        False,
        lambda n, s: travelling(n, s),
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
    "stopped",
    "closed",
    "market_state",
    "forecast",
)
NEIGHBOURS = ("supplier_on_hand", "supplier_backorders", "customer_on_hand", "customer_backorders")
SHARED_DEMAND = ("market_demand", "echelon_inventory_position")
LEVELS: dict[str, frozenset[str]] = {
    "local": frozenset(LOCAL),
    "neighbours": frozenset(LOCAL + NEIGHBOURS),
    "shared_demand": frozenset(LOCAL + SHARED_DEMAND),
    "full": frozenset(LOCAL + NEIGHBOURS + SHARED_DEMAND + ("everything",)),
}


def pipeline(network: Network, state: State) -> Array:
    """(slots, B) units in transit, edge by edge, for lead time l the arrivals of the next l - 1 periods."""
    return _slots(state, state.pipeline, network.pipeline_slots)


def travelling(network: Network, state: State) -> Array:
    """(slots, B) units ordered and not yet revealed, edge by edge, next to be revealed first."""
    return _slots(state, state.travelling, network.travelling_slots)


def _slots(state: State, ring: list[Array], slots: Any) -> Array:
    """Entries of a ring: pairs of an edge and how many periods ahead."""
    if not len(slots):
        return state.on_hand[:0]
    turned = [ring[(state.clock + ahead) % len(ring)] for ahead in range(len(ring))]
    return state.arrays.stack(turned, 0)[slots[:, 1], slots[:, 0]]


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


def forecast(network: Network, state: State) -> Array:
    """(K f, B) expected demand of the next f periods, market by market; the first is the next one not yet seen."""
    ahead = network.forecast_periods
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


@dataclass(frozen=True)
class Entry:
    """One number of an observation: field, the row, edge, line, slot or market it belongs to, and its bounds."""

    field: str
    label: str
    signed: bool


class Table:
    """The table of everything that can be seen of a chain, F numbers in a fixed order, and who sees which.

    Parameters
    ----------
    network
        The chain.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        entries: list[Entry] = []
        self.start: dict[str, int] = {}
        for quantity in self.quantities:
            self.start[quantity.name] = len(entries)
            entries += [Entry(quantity.name, label, quantity.signed) for label in self._labels(quantity.of)]
        self.entries = tuple(entries)
        self._lowest = np.array([-np.inf if entry.signed else 0.0 for entry in entries])

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The blocks of the table, in order."""
        return tuple(quantity for quantity in QUANTITIES if quantity.present(self.network))

    def _labels(self, of: str) -> list[str]:
        network = self.network
        if of == "slots":
            return [f"{network.edges[edge]}[{ahead - 1}]" for edge, ahead in network.pipeline_slots]
        if of == "travelling":
            return [f"{network.edges[edge]}[{ahead - 1}]" for edge, ahead in network.travelling_slots]
        if of == "memory":
            return [f"{network.markets[m]}.{name}[{i}]" for m, name, size in network.public_memory for i in range(size)]
        if of == "forecast":
            return [f"{market}[{ahead}]" for market in network.markets for ahead in range(network.forecast_periods)]
        return list(getattr(network, of))

    def read(self, state: State) -> Array:
        """(F, B) every number of the table at a decision point, units; what has no sign is never below 0.

        In continuous units the sums behind a number can leave a rounding error below 0.
        """
        arrays = state.arrays
        table = arrays.concat([quantity.read(self.network, state) for quantity in self.quantities])
        return table if self.network.integer else arrays.maximum(table, arrays.constant(self._lowest)[:, None])

    def seen(self, seat: Seat, observe: str) -> tuple[tuple[Entry, ...], Any]:
        """The numbers a seat sees, in order: their entries and their positions (k,) in the table.

        The seat's own numbers come first; under `full` everything else follows.
        """
        fields = [name for name in (*LOCAL, *NEIGHBOURS, *SHARED_DEMAND) if name in LEVELS[observe]]
        entries: list[Entry] = []
        where: list[int] = []
        for field in fields:
            for position in self.positions(seat, field):
                if observe == "full" and field in NEIGHBOURS:
                    continue
                base = self.entries[position]
                entries.append(Entry(field, base.label, base.signed))
                where.append(int(position))
        if observe == "full":
            known = set(where)
            rest = [position for position in range(len(self.entries)) if position not in known]
            entries += [self.entries[position] for position in rest]
            where += rest
        return tuple(entries), np.array(where, dtype=np.int64)

    def positions(self, seat: Seat, field: str) -> Any:
        """(k,) where the numbers of one of a seat's fields stand in the table."""
        network, scope = seat.network, seat.scope
        suppliers = network.supplier[scope.edges]
        customers = network.customer[network.line_edge[seat.line_numbers[network.line_edge[seat.line_numbers] >= 0]]]
        others = {
            "supplier_on_hand": ("on_hand", _unique(suppliers[suppliers >= 0])),
            "customer_on_hand": ("on_hand", _unique(customers)),
            "supplier_backorders": ("backorders", np.flatnonzero(np.isin(network.line_place, suppliers))),
            "customer_backorders": ("backorders", np.flatnonzero(np.isin(network.line_place, customers))),
            "pipeline": ("pipeline", _slots_of(network.pipeline_slots, scope.edges)),
            "market_demand": ("market_demand", seat.markets_downstream),
            "market_state": ("market_state", _memory_of(network, seat.markets_downstream)),
            "forecast": ("forecast", _forecasts_of(network, seat.markets_downstream)),
        }
        if others.get(field, (field,))[0] not in self.start:
            return np.zeros(0, dtype=np.int64)
        if field in others:
            quantity, numbers = others[field]
        else:
            quantity = field
            of = next(q.of for q in QUANTITIES if q.name == field)
            numbers = {"rows": scope.rows, "edges": scope.edges, "lines": seat.line_numbers}[of]
        return self.start[quantity] + np.asarray(numbers, dtype=np.int64)


def _unique(rows: Any) -> Any:
    """Numbers without repeats, in order of first appearance."""
    return np.array(list(dict.fromkeys(int(row) for row in rows)), dtype=np.int64)


def _memory_of(network: Network, markets: Any) -> Any:
    """Numbers that some markets show of their memory."""
    owner = [market for market, _, size in network.public_memory for _ in range(size)]
    return np.flatnonzero(np.isin(owner, markets)) if owner else np.zeros(0, dtype=np.int64)


def _forecasts_of(network: Network, markets: Any) -> Any:
    """Forecasts of some markets, market by market."""
    ahead = np.arange(network.forecast_periods)
    return (np.asarray(markets, dtype=np.int64)[:, None] * network.forecast_periods + ahead).ravel()


def _slots_of(slots: Any, edges: Any) -> Any:
    """Slots of some edges, edge by edge."""
    own = [np.flatnonzero(slots[:, 0] == edge) for edge in edges] if len(slots) else []
    return np.concatenate(own) if own else np.zeros(0, dtype=np.int64)


class Observation:
    """What one seat sees at a decision point: each field an array with replications last.

    ``observation.on_hand`` is (rows, B), ``owed`` (lines, B), ``on_order`` (edges, B) and so on (the generated page
    of observations lists every field); ``noise`` gives the policy its random numbers and ``xp`` is the array library.
    Reading a field that the game hides raises.
    """

    def __init__(self, seat: Seat, state: State, table: Table, seen: Any) -> None:
        self.seat = seat
        self._state = state
        self._table = table
        self._seen = seen

    @property
    def replications(self) -> int:
        """B."""
        return self._state.replications

    @property
    def xp(self) -> Any:
        """The array library: numpy."""
        return np

    def vector(self) -> Array:
        """(k, B) everything that the seat sees as one array, units; `Game.layouts` says what each number is."""
        return self._everything()[self._seen]

    def _everything(self) -> Array:
        """(F, B) the table, read once for all seats."""
        derived = self._state.derived
        if "table" not in derived:
            derived["table"] = self._table.read(self._state)
        return derived["table"]

    def noise(self, size: int = 1) -> Array:
        """(size, B) uniform numbers of this seat and period, the only randomness a policy may use."""
        return self._state.noise.uniform(self.seat.agent, self._state.clock, size)

    def __getattr__(self, field: str) -> Array:
        if field.startswith("_"):
            raise AttributeError(field)
        seat = self.seat
        if field not in seat.visible or field == "everything":
            if field in LEVELS["full"]:
                raise AttributeError(f"'{field}' is hidden from '{seat.agent}' in this game: raise its `observe` level")
            raise AttributeError(f"no field '{field}'{nearest(field, seat.visible)}")
        value = self._read(field)
        setattr(self, field, value)
        return value

    def _read(self, field: str) -> Array:
        seat, state = self.seat, self._state
        for quantity in QUANTITIES:
            if quantity.name == field and quantity.of in ("rows", "edges", "lines"):
                own = {"rows": seat.scope.rows, "edges": seat.scope.edges, "lines": seat.line_numbers}[quantity.of]
                return quantity.read(seat.network, state)[own]
        return self._everything()[self._table.positions(seat, field)]


def check_needs(policy: Any, seat: Seat, observe: str) -> None:
    """Refuse a policy that reads a field which the game hides from its seat."""
    hidden = sorted(policy.needs - seat.visible)
    if hidden:
        level = next((name for name, shown in LEVELS.items() if policy.needs <= shown), "full")
        raise InputError(
            f"{type(policy).__name__} needs '{hidden[0]}', which observe: {observe} hides from '{seat.agent}'; "
            f"use observe: {level}."
        )
