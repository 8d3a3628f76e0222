"""Agents who answer one another: where iterated best response within a rule comes to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marl_supply.equilibria.responder import Progress
from marl_supply.equilibria.responders.search import Search
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.seating import parameters_of, seat_everybody

Levels = dict[str, dict[str, float]]
"""Parameters by node."""


@dataclass(frozen=True)
class Rest:
    """Where agents who answer one another came to.

    Attributes
    ----------
    path : tuple of parameters by node
        The profile at the start, and after each round.
    cycle : int
        Rounds after which the last profile came again: 1 at rest, more in a cycle, 0 where the rounds ran out first.
    """

    path: tuple[Levels, ...]
    cycle: int

    @property
    def at_rest(self) -> bool:
        """Whether nobody moves any more: an equilibrium of the class, as far as the searches tell."""
        return self.cycle == 1

    @property
    def parameters(self) -> Levels:
        """The last profile."""
        return self.path[-1]


class BestResponses:
    """The best policies of a rule for each agent, remembered by what the others play.

    The demand of the search is the same for all, so that an answer depends on nothing but the question.

    Parameters
    ----------
    rule : str
        Name of the rule that all agents play.
    replications, seed : int
        The demand that candidates meet.
    """

    def __init__(
        self, game: Game, rule: str, replications: int = 256, seed: int = 1, progress: Progress | None = None
    ) -> None:
        self.game, self.rule, self.seed, self.progress = game, rule, seed, progress
        self.search = Search(rule, replications)
        self._known: dict[tuple[str, str], Levels] = {}

    def players(self, parameters: Mapping[str, Mapping[str, float]]) -> dict[str, Policy]:
        """The rule in every seat."""
        return seat_everybody(self.game, self.rule, parameters)

    def to(self, agent: str, parameters: Mapping[str, Mapping[str, float]]) -> Levels:
        """The agent's best parameters, by node, while the others keep theirs."""
        rows = self.game.seats[agent].rows
        others = {node: dict(own) for node, own in parameters.items() if node not in rows}
        key = agent, repr(sorted((node, sorted(own.items())) for node, own in others.items()))
        if key not in self._known:
            if self.progress is not None:
                self.progress(f"{agent} answers {others}")
            players = self.players({**others, **{node: parameters[node] for node in rows}})
            found = self.search.respond(self.game, players, agent, self.seed)
            self._known[key] = found.details["parameters"]
        return self._known[key]


def iterated_best_response(
    responses: BestResponses, start: Mapping[str, Mapping[str, float]], rounds: int = 50, simultaneous: bool = False
) -> Rest:
    """Agents answer one another in turn, or all at once, until nobody moves (Cournot 1838).

    Parameters
    ----------
    start
        Parameters by node; unstated ones are the topology file's, then the rule's own.
    rounds : int
        At most so many.

    Raises
    ------
    InputError
        If there is no round to play.
    """
    if rounds < 1:
        raise InputError(f"rounds: {rounds} leaves nothing to play; use 1 or more.")
    game = responses.game
    profile: Levels = parameters_of(game, responses.players(start))
    path = [profile]
    for _ in range(rounds):
        moved = dict(profile)
        for agent in game.agents:
            moved |= responses.to(agent, profile if simultaneous else moved)
        path.append(moved)
        if moved in path[:-1]:
            back = path[:-1][::-1].index(moved) + 1
            return Rest(tuple(path), back)
        profile = moved
    return Rest(tuple(path), 0)


def resting_points(rests: Sequence[Rest]) -> list[tuple[Levels, int]]:
    """The different profiles at which somebody came to rest, and from how many starts."""
    counted: list[tuple[Levels, int]] = []
    for rest in rests:
        if rest.at_rest:
            number = next((k for k, (levels, _) in enumerate(counted) if levels == rest.parameters), None)
            if number is None:
                counted.append((rest.parameters, 1))
            else:
                counted[number] = (counted[number][0], counted[number][1] + 1)
    return counted
