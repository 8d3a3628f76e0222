"""One equilibrium of a game of any size, as the limit of its logit quantal responses.

In a quantal response equilibrium (McKelvey & Palfrey 1995) each player chooses strategy k with a probability
proportional to exp(-precision c_i(k, x_-i)). At precision 0 that is the uniform profile; the path that leads on from it
ends, as the precision grows, in an equilibrium, for almost all games in the same one from wherever it is computed. The
path is traced as by Turocy (2005), "A dynamic homotopy interpretation of the logistic quantal response equilibrium
correspondence", Games and Economic Behavior 51(2), 243-263: in the logarithms of the probabilities and the precision,
by steps along the tangent and corrections back to the path, since it may turn back in precision. Once responses are
sharp and nearly an equilibrium, Newton's method on the supports that they suggest finishes the work, if it ends nearby.

It is preferred to minimising NashConv from random starts, which stops in local minima that are no equilibria and whose
answer depends on the starts: here the answer is one, it is a function of the game alone, and symmetric players are
treated alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.mixed import MixedEquilibrium, at_profile
from marl_supply.equilibria.normal_form import Array, NormalForm, Profile, contract

TOLERANCE = 1e-10
"""The NashConv at which the search ends, a share of the ranges of costs."""
SHARP = 100.0
"""The precision, per range of a player's costs, from which the path may be left for an equilibrium ..."""
NEARLY = 1e-2
"""... if its NashConv is below this share of the ranges ..."""
NEARBY = 0.05
"""... and no probability differs by more than this."""
SUPPORTED = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
"""Probabilities from which a strategy may belong to the support that the path leads to."""
FIRST_STEP = 0.03
SMALLEST_STEP = 1e-10
"""As a share of the largest number of a point."""
CROSSING = 1e-4
"""The step, in the same share, up to which a change of orientation is a crossing of branches."""
CORRECTIONS = 8
REACH = 0.2
"""How far a correction may move a point, as a share of the step."""
STRAIGHT = 0.95
"""The least cosine of the angle by which the path turns in a step."""
FAR = 10.0
"""The size of a would-be probability at which Newton's method is lost."""
SETTLED = 1e-6
"""The last correction, as a share of what corrections may move: the error that is left is about its square."""
MOST = 1e12
"""The precision, per range of a player's costs, at which the path ends."""


@dataclass(frozen=True, eq=False)
class QuantalResponse:
    """A point of the path: `profile` is the logit response to itself at `precision`, per range of a player's costs."""

    precision: float
    profile: Profile


def approximate_equilibrium(game: NormalForm, steps: int = 2000) -> MixedEquilibrium:
    """The equilibrium at the end of the logit path from uniform play, for any number of players.

    Players that are each other's mirror image get the same probabilities. Dominated strategies are taken out first.
    Where the path is left unfinished after so many steps the best profile seen is returned: its `nash_conv` says how
    far it is from an equilibrium, and is for the caller to judge.

    Parameters
    ----------
    game : NormalForm
        Any number of players.
    steps : int
        Most steps along the path.
    """
    reduced = game.undominated()
    equations = _Equations(reduced)
    best = equations.profile(equations.start)
    gains, tried = equations.nash_conv(best), NEARLY
    for point in _path(equations, steps):
        near = [equations.profile(point)]
        reached = equations.nash_conv(near[0])
        if point[-1] >= SHARP and reached < tried:
            tried = reached / 2
            near += [found for least in SUPPORTED if _close(found := equations.polished(near[0], least), near[0])]
        closest = min(near, key=equations.nash_conv)
        if equations.nash_conv(closest) < gains:
            best, gains = closest, equations.nash_conv(closest)
        if point[-1] >= SHARP and gains <= TOLERANCE:
            break
    return at_profile(game, _whole_profile(game, reduced, best))


def logit_path(game: NormalForm, steps: int = 100) -> tuple[QuantalResponse, ...]:
    """Quantal response equilibria from uniform play on, one for each step along the path."""
    equations = _Equations(game)
    return tuple(QuantalResponse(float(point[-1]), equations.profile(point)) for point in _path(equations, steps))


@dataclass(frozen=True, eq=False)
class _Equations:
    """Of the path, in a point (M + 1,): the logarithms of all M probabilities, player by player, and the precision."""

    game: NormalForm

    @cached_property
    def costs(self) -> Array:
        return self.game.in_ranges()

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """Where each player's part begins."""
        return np.cumsum([0, *self.game.shape[:-1]])

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """To whom each strategy (M,) belongs."""
        return np.repeat(np.arange(len(self.game.shape)), self.game.shape)

    @property
    def start(self) -> Array:
        return np.append(np.log(np.concatenate(self.game.uniform_profile())), 0.0)

    def profile(self, point: Array) -> Profile:
        weights = np.split(np.exp(point[:-1]), self.firsts[1:])
        return tuple(part / part.sum() for part in weights)

    def nash_conv(self, profile: Profile) -> float:
        """The sum of deviation gains, each as a share of its player's range."""
        return float((self.game.deviation_gains(profile) / self.game.ranges).sum())

    def against(self, probabilities: Array) -> tuple[Array, Array]:
        """The cost (M,) of each strategy, and how it moves (M, M) with the probability of each strategy."""
        parts = tuple(np.split(probabilities, self.firsts[1:]))
        level = np.concatenate([contract(costs, parts, {player}) for player, costs in enumerate(self.costs)])
        slope = np.zeros((len(level), len(level)))
        for player, costs in enumerate(self.costs):
            for other in set(range(len(parts))) - {player}:
                block = contract(costs, parts, {player, other})
                place = np.ix_(self.owners == player, self.owners == other)
                slope[place] = block if player < other else block.T
        return level, slope

    def residuals(self, point: Array) -> tuple[Array, Array]:
        """How far a point is from the path (M,), and how that moves (M, M + 1) with the point.

        Of each player: log x_k - log x_0 + precision (c_k - c_0) for each strategy but the first, and sum x - 1.
        """
        probabilities, precision = np.exp(point[:-1]), point[-1]
        level, slope = self.against(probabilities)
        first = self.firsts[self.owners]
        utility = point[:-1] + precision * level
        moves = np.column_stack([np.eye(len(level)) + precision * slope * probabilities, level])
        amount, jacobian = utility - utility[first], moves - moves[first]
        amount[self.firsts] = np.add.reduceat(probabilities, self.firsts) - 1
        jacobian[self.firsts] = 0
        jacobian[self.firsts[self.owners], np.arange(len(level))] = probabilities
        return amount, jacobian

    def polished(self, profile: Profile, least: float, rounds: int = 20) -> Profile:
        """The profile that Newton's method reaches where all strategies of at least that probability cost the same.

        The profile itself where the method loses its way.
        """
        mixed = np.concatenate(profile)
        support = mixed >= np.minimum(least, np.maximum.reduceat(mixed, self.firsts)[self.owners])
        weights = np.where(support, mixed, 0.0)
        weights /= np.add.reduceat(weights, self.firsts)[self.owners]
        players = np.equal.outer(np.arange(len(self.firsts)), self.owners[support]).astype(np.float64)
        corner = np.zeros((len(players), len(players)))
        for _ in range(rounds):
            level, slope = self.against(weights)
            slope = slope[np.ix_(support, support)]
            system = np.block([[slope, -players.T], [players, corner]])
            target = np.concatenate([slope @ weights[support] - level[support], np.ones(len(players))])
            weights[support] = np.linalg.lstsq(system, target, rcond=None)[0][: support.sum()]
            if not np.abs(weights).max() < FAR:
                return profile
        weights = np.maximum(weights, 0.0)
        return tuple(part / part.sum() for part in np.split(weights, self.firsts[1:]))


@dataclass(frozen=True, eq=False)
class _Way:
    """The unit vector along the path, and 1 or -1 for the side of it on which the equations are above 0."""

    direction: Array
    orientation: float


def _close(first: Profile, second: Profile) -> bool:
    return bool(np.abs(np.concatenate(first) - np.concatenate(second)).max() <= NEARBY)


def _path(equations: _Equations, steps: int) -> Iterator[Array]:
    """Points of the path from uniform play on, which is the first of them.

    A step is halved until it can be corrected, the path has hardly turned meanwhile and it keeps its orientation: else
    it might land on another branch of quantal response equilibria, or on the way back. Orientation does change where
    branches cross, as in games with symmetric players; there a short step goes straight on.
    """
    point, step = equations.start, FIRST_STEP
    way = _way(equations, point, np.append(np.zeros(len(point) - 1), 1.0))
    yield point
    for _ in range(steps):
        reached = _stepped(equations, point, way, step)
        while reached is None and step > SMALLEST_STEP * np.abs(point).max():
            step /= 2
            reached = _stepped(equations, point, way, step)
        if reached is None or point[-1] > MOST:
            return
        (point, way), step = reached, 1.5 * step
        yield point


def _stepped(equations: _Equations, point: Array, way: _Way, step: float) -> tuple[Array, _Way] | None:
    """The next point of the path and the way there; None where the step is too long."""
    following = _corrected(equations, point + step * way.direction, REACH * step)
    if following is None or following[-1] < 0:
        return None
    turned = _way(equations, following, way.direction)
    straight = turned.direction @ way.direction >= STRAIGHT
    crossing = step <= CROSSING * max(1.0, np.abs(point).max())
    return (following, turned) if straight and (turned.orientation == way.orientation or crossing) else None


def _way(equations: _Equations, point: Array, direction: Array) -> _Way:
    """The way along the path in a point of it, onwards from a direction."""
    jacobian = equations.residuals(point)[1]
    along = np.linalg.svd(jacobian)[2][-1]
    along = along if along @ direction > 0 else -along
    return _Way(along, float(np.linalg.slogdet(np.vstack([jacobian, along]))[0]))


def _corrected(equations: _Equations, guess: Array, reach: float) -> Array | None:
    """The point of the path near a guess, by Newton's method at right angles; None where none is within reach."""
    point = guess
    for _ in range(CORRECTIONS):
        if not np.linalg.norm(point - guess) <= reach or point[:-1].max() > 1:
            return None
        amount, jacobian = equations.residuals(point)
        move = np.linalg.lstsq(jacobian, amount, rcond=None)[0]
        point = point - move
        if np.linalg.norm(move) <= SETTLED * reach:
            return point
    return None


def _whole_profile(game: NormalForm, reduced: NormalForm, profile: Profile) -> Profile:
    """A profile of the reduced game as one of the whole game, in which the strategies taken out are not chosen."""
    return tuple(
        np.array([dict(zip(left, part, strict=True)).get(name, 0.0) for name in own])
        for own, left, part in zip(game.strategies, reduced.strategies, profile, strict=True)
    )
