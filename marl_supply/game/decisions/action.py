"""An action space without a library: numbers between bounds, on a grid where units are whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

FloatArray = NDArray[np.float64]


class Action(ABC):
    """How one seat's actions become decisions.

    Where units are whole an action is one choice for each component, 0 to ``choices - 1``, and means
    ``low + step * choice``; where units are continuous it is the number itself, between `low` and `high`.

    Parameters
    ----------
    seat
        Whose actions they are.
    parameters
        Of the file's ``actions: {kind: ..., ...}``; `step` is the grid of the choices (1 unit), the others are named
        by each kind.

    Attributes
    ----------
    low, high : (n,) float
        Smallest and largest value of each component, units.
    step : float, or (n,) where components differ
        Units from one choice to the next.
    aspect : str
        What is decided: order, allocation, price or exposure.
    of : str or None
        "edges" or "rows" where there is one component for each edge or row of the seat, and a decision is its value.
    """

    known: ClassVar[frozenset[str]] = frozenset({"step"})
    aspect: ClassVar[str] = "order"
    grid: ClassVar[float] = 1.0
    of: ClassVar[str | None] = None

    def __init__(self, seat: Seat, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.known:
                raise InputError(f"game.actions: no parameter '{name}'{nearest(name, self.known)}.")
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
                raise InputError(f"game.actions.{name}: {value} is not a positive number.")
        self.seat = seat
        self.parameters = dict(parameters)
        self.step: Any = float(parameters.get("step", self.grid))
        low, high = self.bounds()
        self.low = np.asarray(low, dtype=np.float64)
        self.high = self.low + np.floor((high - self.low) / self.step) * self.step if seat.integer else np.asarray(high)

    @abstractmethod
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """(n,) smallest and (n,) largest values, units."""

    @abstractmethod
    def decide(self, values: Array) -> Decisions:
        """The decisions that (n, B) values mean."""

    @property
    def labels(self) -> tuple[str, ...]:
        """(n,) what each component is for: rows or edges of the seat."""
        return self.seat.rows

    @property
    def component_rows(self) -> NDArray[np.int64]:
        """(n,) which of the seat's rows must review for a component to count; the number of rows where none must."""
        return np.arange(len(self.seat.rows), dtype=np.int64)

    @property
    def ordering(self) -> Action | None:
        """The part of it that decides orders, whose components come first; None where it decides none."""
        return self if self.aspect == "order" else None

    @property
    def parts(self) -> tuple[Action, ...]:
        """The decisions of each kind, one after another."""
        return (self,)

    @property
    def steps(self) -> FloatArray:
        """(n,) units from one choice of each component to the next."""
        return np.broadcast_to(np.asarray(self.step, dtype=np.float64), self.low.shape)

    @property
    def choices(self) -> NDArray[np.int64]:
        """(n,) number of choices of each component, for whole units."""
        counted: NDArray[np.int64] = (np.rint((self.high - self.low) / self.step) + 1).astype(np.int64)
        return counted

    def decode(self, action: Any) -> Decisions:
        """Turn actions (n, B) into decisions: choices for whole units, values for continuous ones.

        Raises
        ------
        ValueError
            For wrong shapes, NaN, and values outside the space.
        """
        action = np.asarray(action)
        if action.ndim != 2 or len(action) != len(self.low):
            raise ValueError(f"{self.seat.agent}: an action has shape ({len(self.low)}, B), not {action.shape}")
        low, high = (0, self.choices[:, None] - 1) if self.seat.integer else (self.low[:, None], self.high[:, None])
        if not ((action >= low) & (action <= high)).all():
            raise ValueError(f"{self.seat.agent}: an action lies outside its space")
        if self.seat.integer and action.dtype.kind == "f" and not (action == np.rint(action)).all():
            raise ValueError(f"{self.seat.agent}: an action is no choice: choices are whole numbers")
        return self.decide(self.low[:, None] + self.steps[:, None] * action if self.seat.integer else action)


class Steering(Action):
    """What is decided beside orders: it counts on every day, also where a row does not review."""

    @property
    def component_rows(self) -> NDArray[np.int64]:
        return np.full(len(self.low), len(self.seat.rows))


def one_supplier_each(seat: Seat, kind: str) -> None:
    """Refuse a kind that needs to know on which edge a row orders."""
    if not seat.scope.one_supplier_each:
        raise InputError(
            f"game.actions: '{kind}' needs rows with one supplier each, and '{seat.agent}' has a row with several; "
            "use quantity."
        )
