"""Replicator dynamics: populations in which strategies that cost less than average spread (Taylor & Jonker 1978).

One population for each player. The share x_k of strategy k grows at the rate by which its cost against the other
populations is below the population's average,

    dx_k / dt = x_k (sum_j x_j c_j(x) - c_k(x)).

It is integrated in logarithms, d log x_k / dt = sum_j x_j c_j(x) - c_k(x), and shares are the normalised exponentials:
they add up to 1, none is negative, and a strategy that is absent stays so. One unit of time is one over the widest
range of any player's costs, so that the unit of money does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import integrate

from marl_supply.equilibria.normal_form import Array, NormalForm, Profile, contract
from marl_supply.errors import InputError

STILL = 1e-9
"""The speed of every share, per unit of time, at which a path has come to rest."""
ACCURACY = 1e-9
"""Error that a step of the integration may make in the logarithms."""


@dataclass(frozen=True, eq=False)
class ReplicatorPath:
    """How the shares move.

    Attributes
    ----------
    times : Array, shape (points,)
        In units of one over the widest range of costs.
    shares : tuple of Array, each of shape (points, m_i)
        Of each player's strategies.
    nash_conv : float
        Of the last point, money.
    speed : float
        The greatest change of a share per unit of time, in the last point.
    """

    times: Array
    shares: tuple[Array, ...]
    nash_conv: float
    speed: float

    @property
    def end(self) -> Profile:
        """The last point."""
        return tuple(part[-1] for part in self.shares)

    @property
    def settled(self) -> bool:
        """Whether it has come to rest, and not circles or is still on its way."""
        return self.speed <= 2 * STILL


@dataclass(frozen=True, eq=False)
class EndPoint:
    """Where some starts flow to.

    Attributes
    ----------
    profile : tuple of Array
        The end of the first of them.
    nash_conv : float
        0 in an equilibrium, money; a path that starts without a strategy may rest where that one would gain.
    starts : int
        How many flow there.
    """

    profile: Profile
    nash_conv: float
    starts: int


@dataclass(frozen=True, eq=False)
class Basins:
    """To which end points starts flow.

    Attributes
    ----------
    ends : tuple of EndPoint
        With the most starts first.
    belongs : array of int, shape (starts,)
        The place in `ends` of each start's end, -1 where it has not come to rest.
    """

    ends: tuple[EndPoint, ...]
    belongs: NDArray[np.int64]

    @property
    def unsettled(self) -> int:
        """How many starts circle or are still on their way."""
        return int((self.belongs < 0).sum())


def replicator_path(game: NormalForm, start: Sequence[ArrayLike], duration: float, points: int = 201) -> ReplicatorPath:
    """Follow the shares from a start for some time, or until they are at rest.

    Parameters
    ----------
    game : NormalForm
        Of any number of players.
    start : sequence of array_like
        The first shares, by player.
    duration : float
        In units of one over the widest range of costs.
    points : int
        How many points to return, evenly spread over the time until the end.
    """
    if not duration > 0 or points < 2:
        raise InputError("duration: give a time above 0, and at least 2 points to see the path at.")
    flow = _Flow(game, game.checked(start))
    found = integrate.solve_ivp(
        flow.growth,
        (0.0, duration),
        flow.logarithms,
        method="DOP853",
        rtol=ACCURACY,
        atol=ACCURACY,
        events=flow.rest,
        dense_output=True,
    )
    times = np.linspace(0.0, found.t[-1], points)
    shares = [flow.shares(found.sol(time)) for time in times[:-1]] + [flow.shares(found.y[:, -1])]
    by_player = tuple(np.array(part) for part in zip(*shares, strict=True))
    return ReplicatorPath(times, by_player, game.nash_conv(shares[-1]), flow.speed(found.y[:, -1]))


def basins(
    game: NormalForm, starts: Sequence[Sequence[ArrayLike]], duration: float = 10_000.0, together: float = 1e-3
) -> Basins:
    """Where each of some starts ends, ends within `together` of each other in every share counting as one.

    Starts come from `random_starts` or `grid_starts`, or are the caller's own; `duration` is the longest that each is
    followed, in units of one over the widest range of costs.
    """
    paths = [replicator_path(game, start, duration, points=2) for start in starts]
    firsts: list[ReplicatorPath] = []
    belongs = np.full(len(paths), -1)
    for place, path in enumerate(paths):
        if path.settled:
            same = [k for k, other in enumerate(firsts) if _distance(path.end, other.end) <= together]
            belongs[place] = same[0] if same else len(firsts)
            firsts += [] if same else [path]
    counts = np.bincount(belongs[belongs >= 0], minlength=len(firsts))
    order = np.argsort(-counts, kind="stable")
    places = np.append(np.argsort(order), -1)
    ends = tuple(EndPoint(firsts[k].end, firsts[k].nash_conv, int(counts[k])) for k in order)
    return Basins(ends, places[belongs])


def random_starts(game: NormalForm, count: int, seed: int = 7) -> tuple[Profile, ...]:
    """Profiles drawn evenly from all there are, for the size of basins as a share of them."""
    generator = np.random.default_rng(seed)
    return tuple(tuple(generator.dirichlet(np.ones(size)) for size in game.shape) for _ in range(count))


def grid_starts(game: NormalForm, steps: int) -> tuple[Profile, ...]:
    """Profiles on a regular grid of `steps` steps a side, moved inwards so that each strategy has a share."""
    if steps < 1:
        raise InputError(f"steps: {steps} is too few; give 1 or more.")
    return tuple(product(*([(part + 1 / size) / (steps + 1) for part in _parts(steps, size)] for size in game.shape)))


class _Flow:
    """The dynamics in logarithms of the shares (M,), player by player; those of absent strategies are kept at 0."""

    def __init__(self, game: NormalForm, start: Profile) -> None:
        first = np.concatenate(start)
        self.present = first > 0
        self.logarithms = np.log(np.where(self.present, first, 1.0))
        self.cuts = np.cumsum(game.shape)[:-1]
        self.costs = game.costs / game.ranges.max()

    def shares(self, logarithms: Array) -> Profile:
        weights = np.where(self.present, np.exp(logarithms), 0.0)
        return tuple(part / part.sum() for part in np.split(weights, self.cuts))

    def growth(self, _time: float, logarithms: Array) -> Array:
        shares = self.shares(logarithms)
        against = [contract(costs, shares, {player}) for player, costs in enumerate(self.costs)]
        rates = np.concatenate([own @ costs - costs for own, costs in zip(shares, against, strict=True)])
        return np.where(self.present, rates, 0.0)

    def speed(self, logarithms: Array) -> float:
        return float(np.abs(np.concatenate(self.shares(logarithms)) * self.growth(0.0, logarithms)).max())

    @property
    def rest(self) -> _Rest:
        return _Rest(self)


class _Rest:
    """Falls through 0 as the shares come to rest, and then ends the integration."""

    terminal = True
    direction = -1.0

    def __init__(self, flow: _Flow) -> None:
        self.flow = flow

    def __call__(self, _time: float, logarithms: Array) -> float:
        return self.flow.speed(logarithms) - STILL


def _distance(first: Profile, second: Profile) -> float:
    return float(np.abs(np.concatenate(first) - np.concatenate(second)).max())


def _parts(total: int, size: int) -> Iterator[Array]:
    """All ways to write a total as a sum of so many whole numbers from 0 on, in order."""
    for bars in combinations(range(total + size - 1), size - 1):
        yield np.diff([-1, *bars, total + size - 1]).astype(np.float64) - 1
