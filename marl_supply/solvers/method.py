"""What solves games: a `Method` says whether it applies, and answers with solutions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.plugins import find
from marl_supply.plugins import names as plugin_names

PACKAGE = "marl_supply.solvers.methods"


@dataclass(frozen=True)
class Solution:
    """One answer of a method.

    Attributes
    ----------
    method : str
        Name of the method.
    parameters : dict
        Of a rule: by node, as `seat_everybody` takes them. Of serial chains ``levels``, from the customer upward.
    cost : float
        Of all agents: money a period where the game's criterion is average, else of the whole horizon. A profit is
        negative.
    exact : bool
        Whether the cost is computed; else it is a mean over simulated episodes.
    standard_error : float
        Of a simulated mean, money; 0 where it is exact.
    details : dict
        What else there is to say: each firm's cost, bounds, the price of anarchy; numbers, texts and lists of them.
    players : dict of str to Policy
        What plays it in the simulator; empty where nothing does.
    """

    method: str
    parameters: Mapping[str, Any]
    cost: float
    exact: bool = True
    standard_error: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)
    players: Mapping[str, Policy] = field(default_factory=dict)


class Method(ABC):
    """A way of solving games, in a file of `solvers/methods/`.

    Attributes
    ----------
    name : str
        Under which it is asked for.
    rule : str or None
        The rule whose best parameters it finds; where the method does not apply, that rule is tuned instead.
    is_optimal : bool
        Whether no policy that sees what all agents together see costs less.
    """

    name: ClassVar[str]
    rule: ClassVar[str | None] = None
    is_optimal: ClassVar[bool] = False

    @abstractmethod
    def misfit(self, game: Game) -> str | None:
        """Why it does not apply to a game, in one sentence; None where it does."""

    def worth_trying(self, game: Game) -> bool:
        """Whether it says something that no simpler method does, where it applies."""
        return True

    def effort(self, game: Game) -> str:
        """What solving will take, said before it starts; empty where it takes no time to speak of."""
        return ""

    @abstractmethod
    def solve(self, game: Game) -> list[Solution]:
        """Its answers: one, or one for each equilibrium.

        Raises
        ------
        InputError
            For a game that it does not apply to.
        """


def methods() -> dict[str, Method]:
    """The methods of `solvers/methods/` by name, the optimum first."""
    made: list[Method] = [find(PACKAGE, Method, name)() for name in plugin_names(PACKAGE, Method)]
    return {method.name: method for method in sorted(made, key=lambda method: method.name != "optimal")}


def misfit_of_average(game: Game, read: Callable[[Any], object]) -> str | None:
    """Why a game has no long-run average, or its network is not what a function reads; None where all is well."""
    name = game.topology.name
    if game.criterion != "average" or game.discount != 1:
        return f"{name}: this is solved for the long-run average; set game.criterion: average and no discount."
    try:
        read(game.network)
    except InputError as error:
        return str(error)
    return None
