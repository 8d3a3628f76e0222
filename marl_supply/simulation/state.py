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
    exposure: Array | None = None  # (markets, groups, B)
    allocation: Array | None = None  # (edges, B) units to ship

    def kinds(self) -> tuple[str, ...]:
        """Names of the decisions that are present."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) is not None)


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
    noise: Any = None  # a DemandFeed
    arrays: Arrays = field(default=NUMPY, repr=False)
    derived: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)  # worked out once

    @property
    def replications(self) -> int:
        """B."""
        return int(self.on_hand.shape[1])

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
            elif hasattr(value, "shape"):
                own[item.name] = self.arrays.copy(value)
        return self.changed(**own)


@dataclass(frozen=True)
class Flows:
    """What moved in a period, and the stocks at its end."""

    order: Array  # (E, B) units placed
    requests: Array  # (E, B) units that reached their supplier
    receipts: Array  # (E, B) units received in step 1
    shipment: Array  # (E, B) units
    demand: Array  # (K, B) units
    sales: Array  # (K, B) units delivered to a market, old claims included
    served: Array  # (K, B) units of this period's demand delivered in this period
    lost: Array | None  # (M, B) units, None where nothing can be lost
    on_hand: Array  # (N, B) units at the end
    backorders: Array  # (M, B) units owed at the end
    in_transit: Array  # (E, B) units at the end


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

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, b) uniform numbers of an agent and period."""
        return self.noise.uniform(agent, clock, size)[:, self.columns]
