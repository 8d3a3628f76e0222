"""Agents who answer one another: where iterated best response within a rule comes to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marl_supply.demand.noise import Noise
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.responder import Progress
from marl_supply.equilibria.responders.search import Search
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.seating import parameters_of, seat_everybody
from marl_supply.solvers.tune import candidates_of

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

    def first(self, start: Mapping[str, Mapping[str, float]], rounds: int) -> Levels:
        """The whole profile that a start stands for; refuses to begin where no round is to be played."""
        if rounds < 1:
            raise InputError(f"rounds: {rounds} leaves nothing to play; use 1 or more.")
        profile: Levels = parameters_of(self.game, self.players(start))
        return profile

    def cost(self, parameters: Mapping[str, Mapping[str, float]]) -> float:
        """What all agents together pay, in the figure of the criterion, on the demand of the search."""
        return float(costs_of(self.game, self.players(parameters), self.search.replications, self.seed).sum(0).mean())

    def to(self, agent: str, parameters: Mapping[str, Mapping[str, float]]) -> Levels:
        """The agent's best parameters, by node, while the others keep theirs."""
        rows = self.game.seats[agent].rows
        others = {node: dict(own) for node, own in parameters.items() if node not in rows}
        key = agent, repr(sorted((node, sorted(own.items())) for node, own in others.items()))
        if key not in self._known:
            if self.progress is not None:
                self.progress(f"{agent} answers {others}")
            self._known[key] = self.among(agent, self.players({**others, **{node: parameters[node] for node in rows}}))
        return self._known[key]

    def among(self, agent: str, players: Mapping[str, Policy]) -> Levels:
        """The agent's best parameters, by node, among any other players; its own policy is where the search starts."""
        levels: Levels = self.search.respond(self.game, players, agent, self.seed).details["parameters"]
        return levels


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
    game, profile = responses.game, responses.first(start, rounds)
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


@dataclass(frozen=True)
class RestingPoint:
    """A profile at which nobody moves.

    Attributes
    ----------
    parameters : parameters by node
    starts : int
        From how many starts it was reached.
    cost : float
        Of all agents together on the demand of the search, in the figure of the criterion.
    """

    parameters: Levels
    starts: int
    cost: float


def resting_points(responses: BestResponses, rests: Sequence[Rest]) -> tuple[RestingPoint, ...]:
    """The different profiles at which somebody came to rest, the dearest first."""
    ended = [rest.parameters for rest in rests if rest.at_rest]
    different = [levels for number, levels in enumerate(ended) if levels not in ended[:number]]
    points = [RestingPoint(levels, ended.count(levels), responses.cost(levels)) for levels in different]
    return tuple(sorted(points, key=lambda point: -point.cost))


def equilibria_within(responses: BestResponses, starts: int = 1, rounds: int = 50) -> tuple[RestingPoint, ...]:
    """Where iterated best response comes to rest, from what the file suggests and from random profiles.

    Parameters
    ----------
    starts : int
        The first is the topology file's suggestion, or the rule's own; the others are random in the rule's ranges.
    rounds : int
        Of each start, at most.

    Returns
    -------
    tuple of RestingPoint
        The dearest first; empty where agents run in circles from every start.

    Raises
    ------
    InputError
        If there is no start, or the rule has nothing to choose.
    """
    if starts < 1:
        raise InputError(f"starts: {starts} leaves nowhere to begin; use 1 or more.")
    begun = [{}, *random_profiles(responses.game, responses.rule, starts - 1, responses.seed)]
    return resting_points(responses, [iterated_best_response(responses, start, rounds) for start in begun])


def random_profiles(game: Game, rule: str, count: int, seed: int = 1) -> list[Levels]:
    """Parameters by node, uniform in the ranges of a rule."""
    space = candidates_of(rule, game)[0]
    generator = Noise(seed).generator("search", "starts", 0, 0)
    box = space.space
    points = [box.low + generator.random(box.dimension) * box.width for _ in range(count)]
    return [space.parameters(np.where(box.whole, np.rint(point), point)) for point in points]
