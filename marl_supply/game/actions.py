"""The action of a seat: its orders, and beside them what else it decides, as one array of components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.decisions.action import Action
from marl_supply.game.seat import Seat
from marl_supply.plugins import find
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

KINDS = "marl_supply.game.decisions"


def action_of(seat: Seat, kind: str, parameters: Mapping[str, Any]) -> Action:
    """How a seat's actions become decisions.

    Parameters
    ----------
    seat
        Whose actions they are.
    kind : str
        How actions become orders.
    parameters
        Of that kind; under ``price``, ``exposure`` and ``allocation`` those of the other decisions.

    Raises
    ------
    InputError
        For a kind that is none of orders, and for what the kind refuses.
    """
    make = find(KINDS, Action, kind)
    if make.aspect != "order":
        raise InputError(f"game.actions: '{kind}' decides no orders; use a kind such as quantity.")
    other = {name: parameters[name] for name in ("price", "exposure", "allocation") if name in parameters}
    parts = [make(seat, {name: value for name, value in parameters.items() if name not in other})]
    if not seat.scope.orders:
        parts = []
    scope = seat.scope
    for name, decided in (
        ("allocation", scope.decided_lines),
        ("price", scope.priced_markets),
        ("exposure", scope.exposed_markets),
    ):
        if len(decided):
            parts.append(find(KINDS, Action, name)(seat, other.get(name, {})))
    if not parts:
        raise InputError(f"game.agents.{seat.agent}.decides: there is nothing of it to decide; name a row.")
    return parts[0] if len(parts) == 1 else Combined(parts)


class Combined(Action):
    """Several decisions of one seat, the components of one after those of the other.

    Parameters
    ----------
    parts
        At least one, of the same seat.
    """

    def __init__(self, parts: Sequence[Action]) -> None:
        self.seat = parts[0].seat
        self._parts = tuple(parts)
        self.low = np.concatenate([part.low for part in parts])
        self.high = np.concatenate([part.high for part in parts])
        self.step = np.concatenate([part.steps for part in parts])
        ends = np.cumsum([len(part.low) for part in parts])
        self._spans = [slice(end - len(part.low), end) for part, end in zip(parts, ends, strict=True)]

    @property
    def parts(self) -> tuple[Action, ...]:
        return self._parts

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.low, self.high

    def decide(self, values: Array) -> Decisions:
        made: dict[str, Any] = {}
        for part, span in zip(self.parts, self._spans, strict=True):
            decided = part.decide(values[span])
            made |= {item.name: x for item in fields(decided) if (x := getattr(decided, item.name)) is not None}
        return Decisions(**made)

    @property
    def ordering(self) -> Action | None:
        return next((part for part in self.parts if part.aspect == "order"), None)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{label} ({part.aspect})" for part in self.parts for label in part.labels)

    @property
    def component_rows(self) -> NDArray[np.int64]:
        return np.concatenate([part.component_rows for part in self.parts])
