"""An observation that tells on a policy which reads more than it says."""

from __future__ import annotations

from typing import Any

from marl_supply.game import Observation
from marl_supply.testing.plays import check

ALWAYS = frozenset({"seat", "replications", "xp", "noise", "vector"})
"""What every policy may use without naming it in `needs`."""


class Watched:
    """Stands in for an `Observation`: gives what `needs` names and refuses everything else.

    Parameters
    ----------
    observation
        Where it comes from.
    needs : frozenset of str
        The fields that the policy says it reads.
    where : str
        Policy, period and seat, for the sentence.
    """

    def __init__(self, observation: Observation, needs: frozenset[str], where: str) -> None:
        self._observation = observation
        self._needs = needs
        self._where = where

    def __getattr__(self, field: str) -> Any:
        check(not field.startswith("_"), f"{self._where} reads '{field}', which is no part of an observation.")
        named = field in ALWAYS or field in self._needs
        check(named, f"{self._where} reads what it did not name in `needs`: '{field}'.")
        return getattr(self._observation, field)
