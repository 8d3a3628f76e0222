"""What a chain remembers, what its agents decide, what flows in a period: structs of arrays, replications last."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from marl_supply.simulation.arrays import NUMPY, Array, Arrays


@dataclass(frozen=True)
class Decisions:
    """What one scope decides in a period; None for what it leaves to the file's rule.

    Orders are given in one of three ways: a quantity, a level of the inventory position, or an amount on top of the
    claims that reached the row. The latter two become orders when their row's turn comes, on
    the row's first edge where it has several.
    """

    order: Array | None = None  # (edges, B) units
    order_up_to: Array | None = None  # (rows, B) units: the inventory position after ordering
    demand_plus: Array | None = None  # (rows, B) units on top of the claims that reached the row
    price: Array | None = None  # (markets, B) money a unit
    exposure: tuple[Array, ...] | None = None  # by market (groups, B) shares of attention, adding up to 1
    allocation: Array | None = None  # (lines, B) units to ship, on the lines of rows whose allocation is decided

    def kinds(self) -> tuple[str, ...]:
        """Names of the decisions that are present."""
        return tuple(name for name, value in vars(self).items() if value is not None)


@dataclass
class State:
    """A chain at a decision point: shipments due are received, orders due are revealed, nothing is decided yet.

    Pipelines and travelling orders are rings of slots; the slot of period t is ``t % len(ring)``.
    """

    clock: int  # periods since the arrays began; where the rings stand
    on_hand: Array  # (N, B) units
    owed: Array  # (M, B) units revealed and not yet served
    backorders: Array  # (M, B) units owed at the end of the period before
    on_order: Array  # (E, B) units: travelling up + owed by the supplier + in transit
    in_transit: Array  # (E, B) units shipped and not yet received
    pipeline: list[Array]  # ring of (E, B): what each edge brings
    travelling: list[Array]  # ring of (E, B): what each edge reveals
    receipts: Array  # (E, B) units received at the start of this period
    revealed: Array  # (E, B) units ordered earlier and revealed this period
    incoming: Array  # (M, B) units: claims that reached the row since its previous decision
    last_order: Array  # (E, B) units ordered in the period before
    last_demand: Array  # (K, B) units, the latest market demand that has realised
    order: Array | None = None  # (E, B) units decided so far in this period, None before anybody decided
    allocation: Array | None = None  # (M, B) units to ship as decided in this period, None where nobody decides
    price: Array | None = None  # (K, B) money a unit as decided in this period, None for the file's
    exposure: dict[int, Array] = field(default_factory=dict)  # by market (groups, B) as decided in this period
    overflow: Array | None = None  # (E, B) units refused at the start of this period, None without storage bounds
    missing: Array | None = None  # (E, B) units lost on the way that were due now, None where nothing gets lost
    broken: Array | None = None  # (X, B) 1 where what breaks at random is down, None where nothing does
    stopped: Array | None = None  # (P, B) 1 where a place ships nothing in this period, None where none ever stops
    closed: Array | None = None  # (E, B) 1 where nothing ships on an edge in this period
    memory: dict[int, dict[str, Array]] = field(default_factory=dict)  # by responsive market, (n, B) each
    began: Any = 0  # clock at which the episodes began, a number or (B,) int
    noise: Any = None  # `at` gives demand, `chance` chance numbers, `uniform` the policies' numbers
    arrays: Arrays = field(default=NUMPY, repr=False)
    derived: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)  # worked out once

    @property
    def replications(self) -> int:
        """B."""
        return int(self.on_hand.shape[1])

    @property
    def period(self) -> Any:
        """Periods since the episodes began: a number, or (B,) int where they began at different times."""
        return self.clock - self.began

    def changed(self, **fields: Any) -> State:
        """The same state with some fields changed: `dataclasses.replace` without its cost."""
        state = object.__new__(State)
        vars(state).update(vars(self))
        vars(state).update(fields, derived={})
        return state

    def copy(self) -> State:
        """A state that can be stepped on its own (the noise is shared)."""
        own: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, list):
                own[item.name] = [self.arrays.copy(slot) for slot in value]
            elif hasattr(value, "shape") and item.name != "began":
                own[item.name] = self.arrays.copy(value)
        return self.changed(**own)


@dataclass
class Flows:
    """What moved in a period, and the stocks at its end; not frozen, because freezing costs more than filling."""

    order: Array  # (E, B) units placed
    requests: Array  # (E, B) units that reached their supplier
    receipts: Array  # (E, B) units received in step 1
    shipment: Array  # (E, B) units
    demand: Array  # (K, B) units
    sales: Array  # (K, B) units delivered to a market, old claims included
    served: Array  # (K, B) units of this period's demand delivered in this period
    lost: Array | None  # (M, B) units, None where nothing can be lost
    on_hand: Array  # (N, B) units at the end, before any is scrapped
    backorders: Array  # (M, B) units owed at the end
    in_transit: Array  # (E, B) units at the end
    overflow: Array | None = None  # (E, B) units that storage refused, None without storage bounds
    missing: Array | None = None  # (E, B) units lost on the way that were due, None where nothing gets lost
    scrapped: Array | None = None  # (N, B) units scrapped after the end of the period, None where nothing perishes
    expedited: Array | None = None  # (K, B) units of the sales that another node delivered, None where none does
    price: Array | None = None  # (K, B) money a unit, None where it is the file's


@dataclass(frozen=True)
class Stocks:
    """Where chains start: the last axis is 1 for all replications alike, or B.

    on_hand (N, ·) units; pipeline (R, E, ·) shipments by the period they arrive in; orders (D, E, ·) by the period they
    are revealed in.
    """

    on_hand: Array
    pipeline: Array
    orders: Array


@dataclass(frozen=True)
class Columns:
    """The noise of some replications."""

    noise: Any
    columns: Any

    def at(self, clock: int) -> Array:
        """(K, b) demand of a period."""
        return self.noise.at(clock)[:, self.columns]

    def chance(self, clock: int) -> Array:
        """(C, b) chance numbers of a period."""
        return self.noise.chance(clock)[:, self.columns]

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, b) uniform numbers of an agent and period."""
        return self.noise.uniform(agent, clock, size)[:, self.columns]
