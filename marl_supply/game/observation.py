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

from marl_supply.errors import InputError, nearest
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import State
from marl_supply.simulation.step import echelon_inventory_position, inventory_position
from marl_supply.topology.network import Network

if TYPE_CHECKING:
    from marl_supply.game.seat import Seat


@dataclass(frozen=True)
class Quantity:
    """A block of the table of everything: what it is, of what, in which unit, and whether it can be negative."""

    name: str
    of: str  # rows, lines, edges, slots, travelling or markets
    meaning: str
    signed: bool
    read: Callable[[Network, State], Array]


QUANTITIES = (
    Quantity("on_hand", "rows", "stock after this period's receipts", False, lambda n, s: s.on_hand),
    Quantity("owed", "lines", "revealed and not yet served", False, lambda n, s: s.owed),
    Quantity("backorders", "lines", "owed at the end of the period before", False, lambda n, s: s.backorders),
    Quantity(
        "on_order",
        "edges",
        "travelling up, owed by the supplier or in transit",
        False,
        lambda n, s: s.on_order,
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
        for quantity in QUANTITIES:
            self.start[quantity.name] = len(entries)
            entries += [Entry(quantity.name, label, quantity.signed) for label in self._labels(quantity.of)]
        self.entries = tuple(entries)

    def _labels(self, of: str) -> list[str]:
        network = self.network
        if of == "slots":
            return [f"{network.edges[edge]}[{ahead - 1}]" for edge, ahead in network.pipeline_slots]
        if of == "travelling":
            return [f"{network.edges[edge]}[{ahead - 1}]" for edge, ahead in network.travelling_slots]
        return list(getattr(network, of))

    def read(self, state: State) -> Array:
        """(F, B) every number of the table at a decision point, units."""
        return state.arrays.concat([quantity.read(self.network, state) for quantity in QUANTITIES])

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
            rest = [position for position in range(len(self.entries)) if position not in set(where)]
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
            "supplier_backorders": ("backorders", np.flatnonzero(np.isin(network.line_row, suppliers))),
            "customer_backorders": ("backorders", np.flatnonzero(np.isin(network.line_row, customers))),
            "pipeline": ("pipeline", _slots_of(network.pipeline_slots, scope.edges)),
            "market_demand": ("market_demand", seat.markets_downstream),
        }
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
