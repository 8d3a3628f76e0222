"""One seat, several policies: each decides one thing, orders by one and exposure by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marl_supply.errors import InputError, nearest
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

FIELDS = {
    "order": ("order", "order_up_to", "demand_plus"),
    "price": ("price",),
    "exposure": ("exposure",),
    "allocation": ("allocation",),
}
"""The fields of `Decisions` that say what is decided, by what it is called."""


class EachDecides(Policy):
    """A naive combination: every policy decides for itself, and of its decisions only those that are its own count.

    Each is seated as if it decided all that the seat does, so policies that were trained to decide everything take part
    beside rules that decide one thing. Each has random numbers of its own. What no policy is named for takes the file's
    rule.

    Parameters
    ----------
    parts : mapping of str to Policy
        By what they decide: ``order``, ``price``, ``exposure``, ``allocation``.

    Raises
    ------
    InputError
        For what cannot be decided.

    Examples
    --------
    >>> EachDecides({"order": RandomOrder([9]), "exposure": RandomExposure()})  # doctest: +SKIP
    """

    def __init__(self, parts: Mapping[str, Policy]) -> None:
        if not parts:
            raise InputError("EachDecides: nobody decides anything; name a policy for order, price or exposure.")
        for kind in parts:
            if kind not in FIELDS:
                raise InputError(f"EachDecides: no '{kind}' can be decided{nearest(kind, FIELDS)}.")
        self.parts = dict(parts)
        self.needs = frozenset().union(*(policy.needs for policy in parts.values()))

    def start(self, seat: Seat, replications: int) -> Memory:
        """What each remembers before the first period, by what it decides."""
        return {kind: policy.start(seat, replications) for kind, policy in self.parts.items()}

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """The decisions of all, each its own.

        Raises
        ------
        InputError
            If a policy does not decide what it is named for.
        """
        made: dict[str, Array] = {}
        kept = {}
        for kind, policy in self.parts.items():
            own: Any = _Part(observation, kind)
            decided, kept[kind] = policy.act(own, None if memory is None else memory[kind])
            found = {name: getattr(decided, name) for name in FIELDS[kind] if getattr(decided, name) is not None}
            if not found:
                told = ", ".join(decided.kinds()) or "nothing"
                raise InputError(
                    f"EachDecides: {type(policy).__name__} stands for {kind} and decides {told}; name another policy."
                )
            made |= found
        return Decisions(**made), kept


class _Part:
    """An observation with random numbers of one policy's own."""

    def __init__(self, observation: Observation, part: str) -> None:
        self._observation = observation
        self._part = part

    def __getattr__(self, field: str) -> Any:
        return getattr(self._observation, field)

    def noise(self, size: int = 1) -> Array:
        return self._observation.noise(size, self._part)
