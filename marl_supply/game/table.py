"""Everything that can be seen of a chain as one table of numbers, and who sees which of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from marl_supply.game.quantities import (
    LEVELS,
    LOCAL,
    NEIGHBOURS,
    QUANTITIES,
    SHARED_DEMAND,
    Quantity,
    forecast_periods,
)
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import State
from marl_supply.topology.incidence import compact
from marl_supply.topology.network import Network

if TYPE_CHECKING:
    from marl_supply.game.seat import Seat

READERS = {quantity.name: quantity.read for quantity in QUANTITIES}


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
        self._whole = Selection(self, np.arange(len(entries)))

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
            return [f"{market}[{ahead}]" for market in network.markets for ahead in range(forecast_periods(network))]
        return list(getattr(network, of))

    def read(self, state: State) -> Array:
        """(F, B) every number of the table at a decision point, units."""
        return self._whole.read(state)

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


class Selection:
    """Some numbers of the table, of which only the quantities are worked out that they belong to.

    Parameters
    ----------
    table
        Whose numbers.
    positions : (k,) int
        Where they stand in it, in the order in which they are read.
    """

    def __init__(self, table: Table, positions: Any) -> None:
        self._network = table.network
        self._names: list[str] = []
        index, read = np.array(positions, dtype=np.int64), 0
        starts = [*table.start.values(), len(table.entries)]
        for name, (start, end) in zip(table.start, pairwise(starts), strict=True):
            here = (positions >= start) & (positions < end)
            if here.any():
                self._names.append(name)
                index[here] += read - start
                read += end - start
        self._index = compact(index, read)
        self._lowest = np.array([-np.inf if table.entries[n].signed else 0.0 for n in positions])

    def read(self, state: State) -> Array:
        """(k, B) the numbers at a decision point, units; what has no sign is never below 0.

        In continuous units the sums behind a number can leave a rounding error below 0.
        """
        arrays = state.arrays
        quantities = [READERS[name](self._network, state) for name in self._names]
        read = arrays.take(arrays.concat(quantities), self._index) if quantities else state.on_hand[:0]
        return read if self._network.integer else arrays.maximum(read, arrays.constant(self._lowest)[:, None])


def _unique(rows: Any) -> Any:
    """Numbers without repeats, in order of first appearance."""
    return np.array(list(dict.fromkeys(int(row) for row in rows)), dtype=np.int64)


def _memory_of(network: Network, markets: Any) -> Any:
    """Numbers that some markets show of their memory."""
    owner = [market for market, _, size in network.public_memory for _ in range(size)]
    return np.flatnonzero(np.isin(owner, markets)) if owner else np.zeros(0, dtype=np.int64)


def _forecasts_of(network: Network, markets: Any) -> Any:
    """Forecasts of some markets, market by market."""
    ahead = np.arange(forecast_periods(network))
    return (np.asarray(markets, dtype=np.int64)[:, None] * forecast_periods(network) + ahead).ravel()


def _slots_of(slots: Any, edges: Any) -> Any:
    """Slots of some edges, edge by edge."""
    own = [np.flatnonzero(slots[:, 0] == edge) for edge in edges] if len(slots) else []
    return np.concatenate(own) if own else np.zeros(0, dtype=np.int64)
