"""Decision points of a chain as columns of whole numbers: what of a `State` the future depends on, and back again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.economics.contracts import payments
from marl_supply.simulation.arrays import NUMPY
from marl_supply.simulation.state import State
from marl_supply.topology.network import Network

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
READ_BESIDES = {
    "backorders": "backorders",
    "supplier_backorders": "backorders",
    "customer_backorders": "backorders",
    "receipts": "receipts",
    "incoming_orders": "incoming",
    "last_order": "last_order",
    "market_demand": "last_demand",
}
"""Fields of an observation that remember something the chain itself forgets, and where a state keeps it."""
READ_APART = {"on_hand", "owed", "supplier_on_hand", "customer_on_hand", "everything"}
"""Fields that tell stock from the claims on it."""


class DecisionPoints:
    """Which numbers of a state matter: (w, B) columns of whole numbers, and the place in the review cycle last.

    Stock, claims, pipelines and travelling orders turned to the present period; besides them only what costs, the
    allocation rule or a player reads. Where a market is all that a row serves, and waits, the stock that goes to it in
    this period anyway is taken off both its stock and its claim, unless a player looks at them apart.

    Parameters
    ----------
    read : iterable of str
        The observation fields that the players read.
    """

    def __init__(self, network: Network, read: Iterable[str] = ()) -> None:
        self.network = network
        self.first_repeat, self.cycle = _review_cycle(network)
        remembered = set(READ_BESIDES.values()) if "everything" in read else set()
        remembered |= {READ_BESIDES[field] for field in read if field in READ_BESIDES}
        remembered |= _charged(network)
        topology = network.topology
        if any(topology.nodes[name].allocation == "first_come" for name in network.places):
            remembered.add("backorders")
        sizes = {"on_hand": len(network.rows), "owed": len(network.lines), "backorders": len(network.lines)}
        sizes |= {"receipts": len(network.edges), "overflow": len(network.edges), "incoming": len(network.lines)}
        sizes |= {"last_order": len(network.edges), "last_demand": len(network.markets)}
        self.fields: list[tuple[str, IntArray]] = [
            (name, np.arange(size)) for name, size in sizes.items() if name in ("on_hand", "owed") or name in remembered
        ]
        self.netted = _netted(network) if not remembered & {"backorders"} and not READ_APART & set(read) else ()
        self.late = np.flatnonzero((network.edge_line < 0) & (network.information_delay > 0))
        self.fields.append(("revealed", self.late))
        self.size = sum(len(numbers) for _, numbers in self.fields) + 1
        self.size += len(network.pipeline_slots) + len(network.travelling_slots)

    def columns_of(self, name: str) -> slice:
        """Where a field stands among the columns; `pipeline` and `travelling` are fields too."""
        first = 0
        slots = [("pipeline", self.network.pipeline_slots), ("travelling", self.network.travelling_slots)]
        for field, numbers in [*self.fields, *slots]:
            if field == name:
                return slice(first, first + len(numbers))
            first += len(numbers)
        return slice(0, 0)

    def after(self, moment: int) -> int:
        """The place in the review cycle that follows one; periods before the first full cycle come once."""
        following = moment + 1
        return following if following < self.first_repeat + self.cycle else self.first_repeat

    def read(self, state: State, moment: int) -> IntArray:
        """(w, B) columns of a state."""
        parts = [getattr(state, name)[numbers] for name, numbers in self.fields]
        for ring, slots in self._rings(state.pipeline, state.travelling):
            parts += [ring[(state.clock + ahead) % len(ring)][edge][None] for edge, ahead in slots]
        columns = np.empty((self.size, state.replications), dtype=np.int64)
        np.concatenate(parts, out=columns[:-1], casting="unsafe")
        columns[-1] = moment
        return self.net(columns)

    def net(self, columns: IntArray) -> IntArray:
        """The columns, without the stock that goes to a waiting market in this period anyway; changed in place."""
        stock, owed = columns[self.columns_of("on_hand")], columns[self.columns_of("owed")]
        for row, line in self.netted:
            both = np.minimum(stock[row], owed[line])
            stock[row] -= both
            owed[line] -= both
        return columns

    def build(self, columns: IntArray) -> State:
        """A state with these columns, all at the same place in the cycle; its noise is to be given."""
        network, moment, count = self.network, int(columns[-1, 0]), columns.shape[1]
        rings = network.initial_pipeline.shape[0], network.initial_orders.shape[0]
        edges, lines = len(network.edges), len(network.lines)
        read: dict[str, Any] = {
            "on_hand": np.zeros((len(network.rows), count)),
            "last_demand": np.zeros((len(network.markets), count)),
            "overflow": np.zeros((edges, count)) if network.storages else None,
        }
        read |= {name: np.zeros((lines, count)) for name in ("owed", "backorders", "incoming")}
        read |= {name: np.zeros((edges, count)) for name in ("receipts", "revealed", "last_order")}
        numbers = columns.astype(np.float64)
        for name, where in self.fields:
            read[name][where] = numbers[self.columns_of(name)]
        if all(name != "backorders" for name, _ in self.fields):
            read["backorders"] = read["owed"].copy()
        pipeline, travelling = ([np.zeros((edges, count)) for _ in range(size)] for size in rings)
        for name, (ring, slots) in zip(("pipeline", "travelling"), self._rings(pipeline, travelling), strict=True):
            for (edge, ahead), column in zip(slots, numbers[self.columns_of(name)], strict=True):
                ring[(moment + ahead) % len(ring)][edge] = column
        in_transit = np.sum(pipeline, axis=0)
        on_order = in_transit + np.sum(travelling, axis=0)
        internal = np.flatnonzero(network.edge_line >= 0)
        on_order[internal] += read["owed"][network.edge_line[internal]]
        on_order[self.late] += read["revealed"][self.late]
        return State(
            clock=moment,
            on_order=on_order,
            in_transit=in_transit,
            pipeline=pipeline,
            travelling=travelling,
            arrays=NUMPY,
            **read,
        )

    def _rings(self, pipeline: Any, travelling: Any) -> list[tuple[Any, list[tuple[int, int]]]]:
        pairs = (pipeline, self.network.pipeline_slots), (travelling, self.network.travelling_slots)
        return [(ring, [(int(edge), int(ahead)) for edge, ahead in slots]) for ring, slots in pairs]


def spread(state: State, owner: IntArray, noise: Any) -> State:
    """A state whose columns are those of another one, repeated: column t is column ``owner[t]``."""
    own: dict[str, Any] = {}
    for item in fields(state):
        value = getattr(state, item.name)
        if isinstance(value, list):
            own[item.name] = [slot[:, owner] for slot in value]
        elif hasattr(value, "shape"):
            own[item.name] = value[:, owner]
    return state.changed(noise=noise, **own)


def _review_cycle(network: Network) -> tuple[int, int]:
    """The first period of the first full cycle, and the periods after which the review days of all rows repeat."""
    if network.reviews is None:
        return 0, 1
    return int(network.reviews.offset.max()), int(np.lcm.reduce(network.reviews.cycle.ravel()))


def _netted(network: Network) -> tuple[tuple[int, int], ...]:
    """Pairs (row, line): the rows whose only line is a market that waits, and whose sales nobody is paid for."""
    if network.capacity is not None or network.shared_capacities:
        return ()
    if any(payment.per == "sold" for payment in payments(network)):
        return ()
    alone = np.bincount(network.line_place, minlength=len(network.places)) == 1
    lines = [int(line) for line in network.market_line if network.keeps[line] and alone[network.line_place[line]]]
    return tuple((int(network.line_place[line]), line) for line in lines)


def _charged(network: Network) -> set[str]:
    """What a period's costs read of the period before."""
    read = set()
    if any(payment.per == "received" for payment in payments(network)):
        read.add("receipts")
    if network.storages and network.overflow_cost.any():
        read.add("overflow")
    if network.demand_first and network.price.any():
        read.add("last_demand")
    return read
