"""The one noun that plays: anything that turns what a seat sees into what it decides."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from marl_supply.game.observation import Observation
from marl_supply.game.seat import Seat
from marl_supply.simulation.state import Decisions

Memory = Any


class Policy(Protocol):
    """A decision rule for one seat.

    Attributes
    ----------
    needs : frozenset of str
        Fields of the observation that it reads; a game that hides one refuses the policy before it plays.
    """

    needs: ClassVar[frozenset[str]]

    def start(self, seat: Seat, replications: int) -> Memory:
        """What it remembers before the first period; None for a rule without memory."""
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide for one period.

        Parameters
        ----------
        observation
            The seat's rows first, replications last; its `noise` is the only randomness a policy may use.
        memory
            What the call before returned, or `start`.

        Returns
        -------
        tuple of Decisions and memory
        """
        ...
