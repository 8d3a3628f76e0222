"""The numbers of a rule that a search moves, and games played with many candidates of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from marl_supply.game.evaluate import NUMBERS_AT_ONCE
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.randomness import Randomness
from marl_supply.game.rollout import play
from marl_supply.policies.rule import Parameter, Rule
from marl_supply.simulation.arrays import Array
from marl_supply.solvers.search.space import FloatArray, Space


@dataclass(frozen=True)
class Place:
    """A row of an agent's seat."""

    agent: str
    row: int
    node: str


@dataclass(frozen=True)
class Axis:
    """One number that a search moves: a parameter, in one row or in several that are tied."""

    parameter: Parameter
    places: tuple[Place, ...]

    def bounds(self, game: Game) -> tuple[float, float]:
        """The range that holds every tied row's own."""
        low = [float(self.parameter.low(game.seats[place.agent])[place.row]) for place in self.places]
        high = [float(self.parameter.high(game.seats[place.agent])[place.row]) for place in self.places]
        return min(low), max(high)

    def own_start(self, game: Game) -> float:
        """What the rule takes by itself, the mean of tied rows."""
        own = [float(self.parameter.start(game.seats[place.agent])[place.row]) for place in self.places]
        return float(np.mean(own))

    def given(self, players: Mapping[str, Rule]) -> float:
        """What players have, the mean of tied rows."""
        return float(np.mean([players[p.agent].values[self.parameter.name][p.row] for p in self.places]))


def axes_of(
    game: Game, rule: type[Rule], groups: Sequence[Sequence[str]], agents: Sequence[str] | None = None
) -> tuple[Axis, ...]:
    """The axes of a rule in the seats of some agents (None: all): one for each parameter and each group of tied nodes.

    An axis whose range is a single number is left out; its rows keep what they have.
    """
    seats = {agent: game.seats[agent] for agent in agents or game.agents}
    places = {node: Place(agent, row, node) for agent, seat in seats.items() for row, node in enumerate(seat.rows)}
    group_of = {node: tuple(name for name in group if name in places) for group in groups for node in group}
    axes: dict[tuple[str, tuple[str, ...]], Axis] = {}
    for seat in seats.values():
        for parameter in rule.parameters:
            for node in seat.rows if parameter.tuned else ():
                group = group_of.get(node, (node,))
                axes.setdefault((parameter.name, group), Axis(parameter, tuple(places[name] for name in group)))
    bounds = {key: axis.bounds(game) for key, axis in axes.items()}
    return tuple(axis for key, axis in axes.items() if bounds[key][0] < bounds[key][1])


@dataclass(frozen=True)
class Candidates:
    """A rule in every seat of a game, or in one against others, with some numbers (C, D) left open.

    Attributes
    ----------
    players
        By agent, the rule with the numbers that are not moved.
    axes : (D,)
    batch : int or None
        Columns played at once; it changes the time taken and no result. As many as `evaluate` if None.
    others
        Who plays in the other seats. Where somebody does, what counts is the cost of the agents in `players` alone.
    """

    game: Game
    rule: type[Rule]
    players: Mapping[str, Rule]
    axes: tuple[Axis, ...]
    batch: int | None = None
    others: Mapping[str, Policy] = field(default_factory=dict)

    @cached_property
    def space(self) -> Space:
        """The box of the axes' own ranges."""
        low, high = np.array([axis.bounds(self.game) for axis in self.axes]).T
        return Space(low, high, np.array([axis.parameter.integer for axis in self.axes]))

    def play(self, points: FloatArray, first: int, count: int, seed: int) -> FloatArray:
        """(C, count) cost of the periods that count, money, on replications `first`, ... of a seed."""
        batch = max(1, NUMBERS_AT_ONCE // len(self.game.network.rows)) if self.batch is None else self.batch
        at_once, part = max(1, batch // count), min(batch, count)
        costs = np.empty((len(points), count))
        for start in range(0, len(points), at_once):
            for skip in range(0, count, part):
                some = points[start : start + at_once]
                length = min(part, count - skip)
                costs[start : start + at_once, skip : skip + length] = self._play(some, first + skip, length, seed)
        return costs

    def _play(self, points: FloatArray, first: int, count: int, seed: int) -> FloatArray:
        game, columns = self.game, len(points) * count
        noise = _Repeated(game.randomness(count, seed, first), len(points))
        total = np.zeros(columns)
        payers = [number for number, agent in enumerate(game.agents) if agent in self.players]
        for period, outcome in enumerate(play(game, self._seated(points, count), columns, noise)):
            if period >= game.warm_up:
                weight = game.discount ** (period - game.warm_up)
                for payer in payers:  # one agent after another: the same sum whatever the number of columns
                    total += weight * outcome.costs[payer]
        return total.reshape(len(points), count)

    def _seated(self, points: FloatArray, count: int) -> dict[str, Policy]:
        """The rule with parameters (rows, C x count) in its seats, and the others in theirs."""
        columns = len(points) * count
        values = {
            agent: {name: np.repeat(value[:, None], columns, 1) for name, value in player.values.items()}
            for agent, player in self.players.items()
        }
        for number, axis in enumerate(self.axes):
            for place in axis.places:
                values[place.agent][axis.parameter.name][place.row] = np.repeat(points[:, number], count)
        return {**self.others, **{agent: self.rule(given) for agent, given in values.items()}}

    def seated(self, point: FloatArray) -> dict[str, Policy]:
        """Who plays where the open numbers are those of a candidate (D,)."""
        values = {agent: {k: v.copy() for k, v in player.values.items()} for agent, player in self.players.items()}
        for axis, number in zip(self.axes, point, strict=True):
            for place in axis.places:
                values[place.agent][axis.parameter.name][place.row] = number
        return {**self.others, **{agent: self.rule(given) for agent, given in values.items()}}

    def point_of(self, parameters: Mapping[str, Mapping[str, float]]) -> FloatArray:
        """(D,) the candidate that `parameters` states, the mean of tied rows."""
        named = [(axis.parameter.name, axis.places) for axis in self.axes]
        return np.array([np.mean([parameters[place.node][name] for place in places]) for name, places in named])

    def parameters(self, point: FloatArray) -> dict[str, dict[str, float]]:
        """By node, the parameters of a candidate and those that are not moved."""
        stated: dict[str, dict[str, float]] = {}
        for agent, player in self.players.items():
            for row, node in enumerate(self.game.seats[agent].rows):
                stated[node] = {name: float(value[row]) for name, value in player.values.items()}
        for axis, number in zip(self.axes, point, strict=True):
            for place in axis.places:
                stated[place.node][axis.parameter.name] = float(number)
        return stated


@dataclass(frozen=True)
class _Repeated:
    """The noise of some replications, once for each candidate."""

    noise: Randomness
    count: int

    def at(self, clock: int) -> Array:
        return np.tile(self.noise.at(clock), (1, self.count))

    def chance(self, clock: int) -> Array:
        return np.tile(self.noise.chance(clock), (1, self.count))

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        return np.tile(self.noise.uniform(agent, clock, size), (1, self.count))
