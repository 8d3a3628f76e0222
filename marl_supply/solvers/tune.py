"""Find the parameters of a rule that cost a whole game least, by pattern search on common random numbers.

All candidates of a round meet the same demand and are played as one batch. A round looks one step up and down along
every parameter, along all of them together and along every pair of neighbours in opposite directions; the best move is
repeated while it pays (Hooke & Jeeves 1961), and where no move pays the steps are halved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.game.randomness import Randomness
from marl_supply.game.rollout import play
from marl_supply.plugins import find
from marl_supply.policies.rule import Parameter, Rule
from marl_supply.policies.seating import Parameters, seat_everybody
from marl_supply.simulation.arrays import Array

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes
    ----------
    policy : str
        Name of the rule.
    parameters : dict of str to dict of str to float
        By node, what `seat_everybody` takes.
    cost, standard_error : float
        Mean cost of all agents over the periods that count, money, on the replications of the search, and its error.
    second_best : tuple of (parameters, cost)
        The best of the other candidates.
    candidates, periods : int
        How many were tried, and how many periods were simulated for that.
    players : dict of str to Policy
        The tuned rule in every seat.
    """

    policy: str
    parameters: dict[str, dict[str, float]]
    cost: float
    standard_error: float
    second_best: tuple[dict[str, dict[str, float]], float]
    candidates: int
    periods: int
    players: dict[str, Policy]


@dataclass(frozen=True)
class _Axis:
    """One number that the search moves: a parameter of a row of an agent."""

    agent: str
    row: int
    node: str
    parameter: Parameter
    low: float
    high: float

    @property
    def finest(self) -> float:
        """The smallest step worth taking."""
        return 1.0 if self.parameter.integer else (self.high - self.low) / 512


@dataclass
class _Search:
    """Costs of candidates (C, D) on common random numbers, remembered."""

    game: Game
    rule: type[Rule]
    players: Mapping[str, Policy]
    axes: tuple[_Axis, ...]
    replications: int
    seed: int
    known: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    points: dict[bytes, FloatArray] = field(default_factory=dict)

    def costs(self, candidates: FloatArray) -> FloatArray:
        """(C,) mean cost of each candidate, money."""
        fresh = [point for point in candidates if point.tobytes() not in self.known]
        fresh = list({point.tobytes(): point for point in fresh}.values())
        for first in range(0, len(fresh), 64):
            part = np.array(fresh[first : first + 64])
            sample = self._play(part)
            for point, costs in zip(part, sample, strict=True):
                error = float(costs.std(ddof=1) / np.sqrt(len(costs))) if len(costs) > 1 else 0.0
                self.known[point.tobytes()] = (float(costs.mean()), error)
                self.points[point.tobytes()] = point
        return np.array([self.known[point.tobytes()][0] for point in candidates])

    def _play(self, candidates: FloatArray) -> FloatArray:
        """(C, R) total cost of the periods that count."""
        game, count = self.game, len(candidates)
        columns = count * self.replications
        noise = game.randomness(self.replications, self.seed)
        total = np.zeros(columns)
        for period, outcome in enumerate(play(game, self._seated(candidates), columns, _Repeated(noise, count))):
            if period >= game.warm_up:
                total += game.discount ** (period - game.warm_up) * outcome.costs.sum(0)
        return total.reshape(count, self.replications)

    def _seated(self, candidates: FloatArray) -> dict[str, Policy]:
        """The rule with (rows, C x R) parameters in every seat."""
        columns = len(candidates) * self.replications
        values = {
            agent: {k: np.repeat(v[:, None], columns, 1) for k, v in player.values.items()}
            for agent, player in self.players.items()
            if isinstance(player, Rule)
        }
        for number, axis in enumerate(self.axes):
            values[axis.agent][axis.parameter.name][axis.row] = np.repeat(candidates[:, number], self.replications)
        return {agent: self.rule(given) for agent, given in values.items()}

    def parameters(self, point: FloatArray) -> dict[str, dict[str, float]]:
        """By node, the parameters of a candidate and those that were not moved."""
        stated: dict[str, dict[str, float]] = {}
        for agent, player in self.players.items():
            assert isinstance(player, Rule)
            for row, node in enumerate(self.game.seats[agent].rows):
                stated[node] = {key: float(value[row]) for key, value in player.values.items()}
        for axis, number in zip(self.axes, point, strict=True):
            stated[axis.node][axis.parameter.name] = float(number)
        return stated


@dataclass(frozen=True)
class _Repeated:
    """The noise of R replications, once for each of C candidates."""

    noise: Randomness
    count: int

    def at(self, clock: int) -> Array:
        return np.tile(self.noise.at(clock), (1, self.count))

    def chance(self, clock: int) -> Array:
        return np.tile(self.noise.chance(clock), (1, self.count))

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        return np.tile(self.noise.uniform(agent, clock, size), (1, self.count))


def tune(
    name: str,
    game: Game,
    *,
    replications: int = 256,
    seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search the parameters of a rule, the same rule in every seat, for the least cost of all agents together.

    Parameters
    ----------
    name
        Name of the rule.
    replications, seed : int
        The demand that all candidates meet; another seed than that of the evaluation.
    parameters
        Where the search starts, by node (else the file's suggestion and the rule's own start, whichever is better).
    progress
        Called with a line and the number of candidates tried so far.

    Returns
    -------
    Tuned

    Raises
    ------
    InputError
        If the rule has nothing to tune or reads what the game hides.
    """
    search, starts = _prepare(name, game, replications, seed, parameters)
    reports = _descend(search, starts, progress)
    ranked = sorted(search.known, key=lambda key: search.known[key][0])
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else ranked[0]
    chosen = search.parameters(search.points[best])
    cost, error = search.known[best]
    return Tuned(
        policy=name,
        parameters=chosen,
        cost=cost,
        standard_error=error,
        second_best=(search.parameters(search.points[second]), search.known[second][0]),
        candidates=reports,
        periods=reports * replications * game.horizon,
        players=seat_everybody(game, name, chosen),
    )


def _prepare(
    name: str, game: Game, replications: int, seed: int, parameters: Parameters | None
) -> tuple[_Search, list[FloatArray]]:
    """The search and the points where it starts."""
    rule = find("marl_supply.policies", Rule, name)
    players = seat_everybody(game, name, parameters)
    for agent, player in players.items():
        check_needs(player, game.seats[agent], game.observe_level)
    axes = tuple(
        _Axis(agent, row, node, parameter, float(parameter.low(seat)[row]), float(parameter.high(seat)[row]))
        for agent, seat in game.seats.items()
        for parameter in rule.parameters
        if parameter.tuned
        for row, node in enumerate(seat.rows)
    )
    if not axes:
        raise InputError(f"policy {name}: it has no parameters to tune; set tune: false.")
    search = _Search(game, rule, players, axes, replications, seed)
    given = np.array([players[axis.agent].values[axis.parameter.name][axis.row] for axis in axes])  # type: ignore[attr-defined]
    own = np.array([axis.parameter.start(game.seats[axis.agent])[axis.row] for axis in axes])
    return search, [given] if parameters else [given, own]


def _descend(search: _Search, starts: list[FloatArray], progress: Progress | None) -> int:
    """Pattern search from the better of the starts; how many candidates were tried."""
    axes = search.axes
    low, high = np.array([axis.low for axis in axes]), np.array([axis.high for axis in axes])
    whole = np.array([axis.parameter.integer for axis in axes])
    finest = np.array([axis.finest for axis in axes])

    def inside(points: FloatArray) -> FloatArray:
        points = np.clip(points, np.minimum(low, starts).min(0), np.maximum(high, starts).max(0))
        return np.where(whole, np.rint(points), points)

    points = inside(np.array(starts))
    costs = search.costs(points)
    here, cost = points[costs.argmin()], float(costs.min())
    steps = np.maximum((high - low) / 8, finest)
    while True:
        moves = _moves(len(axes)) * np.where(whole, np.maximum(np.rint(steps), 1), steps)
        candidates = inside(here + moves)
        costs = search.costs(candidates)
        if costs.min() < cost:
            move, here, cost = moves[costs.argmin()], candidates[costs.argmin()], float(costs.min())
            here, cost = _repeat(search, inside, here, cost, move)
        elif (steps <= finest).all():
            return len(search.known)
        else:
            steps = np.maximum(steps / 2, finest)
        if progress is not None:
            progress(f"cost {cost:.6g}", len(search.known))


def _repeat(
    search: _Search,
    inside: Callable[[FloatArray], FloatArray],
    here: FloatArray,
    cost: float,
    move: FloatArray,
) -> tuple[FloatArray, float]:
    """Go on in a direction that paid: once, twice and four times more."""
    ahead = inside(here + move * np.array([[1.0], [2.0], [4.0]]))
    costs = search.costs(ahead)
    return (ahead[costs.argmin()], float(costs.min())) if costs.min() < cost else (here, cost)


def _moves(count: int) -> FloatArray:
    """(m, D) directions: each axis, all together, and neighbours against each other, both ways."""
    single = np.eye(count)
    moves: list[Any] = [*single, np.ones(count)] if count > 1 else [*single]
    moves += [single[number] - single[number + 1] for number in range(count - 1)]
    return np.array([*moves, *(-move for move in moves)])
