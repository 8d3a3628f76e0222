"""Best responses: what one agent would play against fixed others, found by responders that go by name.

A best response is exact or a bound: what a search finds may not be the best, so what it saves is at most what the best
would save. It is found *within* a class of policies: the policies of a rule, or any policy (`UNRESTRICTED`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.plugins import find, names
from marl_supply.policies import seating

HOME = "marl_supply.equilibria.responders"
UNRESTRICTED = "any policy"
"""The class of all policies that see what the agent sees."""
OMNISCIENT = "any policy that sees everything"
"""The class of all policies, in a game that shows the agent less: what is best there bounds what the agent can save."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Response:
    """What an agent would play.

    Attributes
    ----------
    agent, responder : str
        Whose response it is, and the name of what found it.
    policy : Policy or None
        None where it was read from a file.
    within : str
        The class of policies that was searched: the name of a rule, or `UNRESTRICTED`.
    saves : float or None
        What the agent saves with it, in the figure of the game's criterion, where that is known exactly, and then
        nothing in the class saves more; None where only a simulation tells.
    details : mapping
        How it was found, JSON-able: parameters, states, steps.
    """

    agent: str
    responder: str
    policy: Policy | None
    within: str
    saves: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether it is known that nothing in its class saves the agent more."""
        return self.saves is not None


class Responder(ABC):
    """Finds what one agent would play against fixed others; a subclass in `responders/` goes by its name.

    Attributes
    ----------
    name : str
        For tables.
    """

    name: str = ""

    def misfit(self, game: Game, players: Mapping[str, Policy], agent: str) -> str | None:
        """Why it cannot respond here, in one sentence; None if it can."""
        return None

    @abstractmethod
    def respond(
        self,
        game: Game,
        players: Mapping[str, Policy],
        agent: str,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> Response:
        """The best policy for an agent that it finds.

        Parameters
        ----------
        players
            One for each agent; the agent's own is where a search may start, and is not kept fixed.
        seed : int
            Of the demand that candidates meet.
        progress
            Told what is being done, now and then.
        """


def responder_named(name: str) -> Responder:
    """A responder by name: a file in `responders/`, a rule (searched by `Search`), a dotted path or an entry point.

    Raises
    ------
    InputError
        If nothing has that name.

    Examples
    --------
    >>> responder_named("base_stock").name, responder_named("exact").name
    ('base_stock', 'exact')
    """
    if name in seating.names() and name not in names(HOME, Responder):
        from marl_supply.equilibria.responders.search import Search

        return Search(name)
    made: Responder = find(HOME, Responder, name)()
    return made
