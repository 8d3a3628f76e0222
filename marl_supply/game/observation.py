"""What a seat sees at a decision point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from marl_supply.errors import InputError, nearest
from marl_supply.game.quantities import LEVELS, QUANTITIES
from marl_supply.game.table import Table
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import State

if TYPE_CHECKING:
    from marl_supply.game.seat import Seat


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

    def noise(self, size: int = 1, part: str = "") -> Array:
        """(size, B) uniform numbers of this seat and period, the only randomness a policy may use.

        Where several policies share a seat, `part` names whose numbers they are.
        """
        name = f"{self.seat.agent}.{part}" if part else self.seat.agent
        return self._state.noise.uniform(name, self._state.clock, size)

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
