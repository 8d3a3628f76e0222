"""What all decision rules share: parameters for each row, with units, defaults and the range a search looks in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a rule, a number for each row of a seat.

    name, unit: what it is; start: (rows,) a sensible value from what a seat knows; low, high: (rows,) where a search
    looks; integer: whether a search moves on whole numbers; tuned: whether a search moves it at all.
    """

    name: str
    unit: str
    start: Callable[[Seat], FloatArray]
    low: Callable[[Seat], FloatArray]
    high: Callable[[Seat], FloatArray]
    integer: bool = False
    tuned: bool = True


class Rule(Policy):
    """A decision rule with parameters.

    Parameters
    ----------
    values : array-like, or mapping of str to array-like
        A number for each row of the seat (or (rows, B): one for each replication as well), by parameter. An array
        alone is the first parameter.
    seat
        Fills what `values` leaves out; without it every parameter must be given.

    Attributes
    ----------
    decides : frozenset of str
        `order`, `price`, `exposure` or several: what a seat must have to say for the rule to fit it.
    """

    parameters: ClassVar[tuple[Parameter, ...]]
    needs: ClassVar[frozenset[str]] = frozenset()
    decides: ClassVar[frozenset[str]] = frozenset({"order"})

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        known = [parameter.name for parameter in self.parameters]
        if not isinstance(values, Mapping):
            values = {known[0]: values} if np.size(values) else {}
        for name in values:
            if name not in known:
                raise InputError(f"{type(self).__name__}: no parameter '{name}'{nearest(name, known)}.")
        self.values: dict[str, FloatArray] = {}
        for parameter in self.parameters:
            if parameter.name in values:
                value = np.asarray(values[parameter.name], dtype=float)
            elif seat is not None:
                value = np.asarray(parameter.start(seat), dtype=float)
            else:
                raise InputError(f"{type(self).__name__}: parameter '{parameter.name}' is missing; give it a value.")
            if not np.isfinite(value).all():
                raise InputError(f"{type(self).__name__}: parameter '{parameter.name}' is not a finite number.")
            self.values[parameter.name] = value = np.atleast_1d(value)
            if seat is not None and len(value) not in (1, len(seat.rows)):
                what = f"parameter '{parameter.name}' has {len(value)} values"
                raise InputError(f"{type(self).__name__}: {what} for {len(seat.rows)} rows; give one for each row.")

    def value(self, name: str) -> Array:
        """(rows, 1) or (rows, B) a parameter, ready to meet an observation."""
        value = self.values[name]
        return value if value.ndim == 2 else value[:, None]

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether it can do something in this seat that no simpler rule does."""
        return True

    @abstractmethod
    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide for one period; see `Policy.act`."""


def lead_time_demand(seat: Seat) -> FloatArray:
    """(rows,) units: mean demand from an order to the end of the period in which it can serve."""
    return np.asarray(seat.mean_demand * (seat.total_lead_time + 1), dtype=np.float64)


def safety_stock(seat: Seat) -> FloatArray:
    """(rows,) units: one standard deviation of that demand, periods taken as independent."""
    return np.asarray(seat.demand_deviation * np.sqrt(seat.total_lead_time + 1), dtype=np.float64)


def zeros(seat: Seat) -> FloatArray:
    """(rows,) zero."""
    return np.zeros(len(seat.rows))


def constant(number: float) -> Callable[[Seat], FloatArray]:
    """The same number for every row."""
    return lambda seat: np.full(len(seat.rows), number)


def on_first_edge(seat: Seat, quantity: Array) -> Decisions:
    """Orders (rows, B) on each row's first inbound edge."""
    if seat.scope.one_supplier_each:
        return Decisions(order=quantity)
    order = np.zeros((len(seat.edges), quantity.shape[1]))
    order[seat.first_edge] = quantity
    return Decisions(order=order)


def lines_by_row(seat: Seat, lines: Array) -> Array:
    """(rows, B) sums of what stands on a seat's lines (lines, B)."""
    return NUMPY.add_up(seat.line_sum, lines)


def edges_by_row(seat: Seat, edges: Array) -> Array:
    """(rows, B) sums of what stands on a seat's inbound edges (edges, B)."""
    return NUMPY.add_up(seat.edge_sum, edges)
