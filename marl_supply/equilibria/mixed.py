"""Mixed equilibria of games in normal form: all those of a two-player game, and fictitious play.

Each player's costs are divided by their range before anything is compared with a tolerance, so that the unit of money
does not matter; what is returned is in the game's own units. One equilibrium of a game of any size is found by
`quantal_response.approximate_equilibrium`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marl_supply.equilibria.normal_form import Array, NormalForm, Profile, contract
from marl_supply.errors import InputError

TOLERANCE = 1e-9
"""What counts as a tie or as nothing: a share of a range of costs, or a probability."""
MOST_SUPPORTS = 200_000
"""Pairs of supports that are gone through: two players with ten strategies each have 184,756."""
SINGULAR = 1e11
"""A condition number from which the probabilities of a support are not determined."""


@dataclass(frozen=True, eq=False)
class MixedEquilibrium:
    """A profile and how nearly it is an equilibrium.

    Attributes
    ----------
    profile : tuple of Array
        A probability for each strategy, by player.
    costs : Array, shape (n,)
        What each player pays on average, money.
    nash_conv : float
        What the players would save together, each by its best deviation alone, money: 0 up to rounding where exact.
    """

    profile: Profile
    costs: Array
    nash_conv: float


@dataclass(frozen=True, eq=False)
class FictitiousPlay:
    """How often each strategy was chosen, and how far those frequencies were from an equilibrium on the way.

    Attributes
    ----------
    profile : tuple of Array
        Shares of all rounds, by player.
    nash_conv : Array, shape (rounds,)
        Of the frequencies after each round, money.
    """

    profile: Profile
    nash_conv: Array


def at_profile(game: NormalForm, profile: Sequence[ArrayLike]) -> MixedEquilibrium:
    """A profile with its costs and its NashConv."""
    mixed = game.checked(profile)
    return MixedEquilibrium(mixed, game.expected_costs(mixed), game.nash_conv(mixed))


def support_enumeration(game: NormalForm) -> tuple[MixedEquilibrium, ...]:
    """All extreme equilibria of a two-player game, by the size of the first player's support, then the second's.

    Pairs of supports of equal size are gone through as in algorithm 3.4 of Nisan et al. (2007), "Algorithmic Game
    Theory": the probabilities of one player that make the other indifferent on the one support are kept where they are
    positive and where the other has nothing cheaper. In a nondegenerate game the two halves of each pair are the
    equilibria, finitely many. A degenerate game can have equilibria with supports of unequal sizes, and whole
    polytopes of them; so each half is matched with every half whose support costs it least, whatever the sizes. That
    gives the pairs of corners, from which the set of equilibria is made up: whatever two sets of corners are all
    matched with each other, their mixtures are equilibria, and there are no others (Mangasarian 1964).

    Raises
    ------
    InputError
        For a game that has not two players, or too many pairs of supports.
    """
    if len(game.players) != 2:
        raise InputError(f"game: it has {len(game.players)} players; use approximate_equilibrium for other than two.")
    if comb(sum(game.shape), game.shape[0]) > MOST_SUPPORTS:
        raise InputError(f"game: {game.shape} strategies have too many supports; use approximate_equilibrium.")
    first, second = game.in_ranges()
    rows = np.array(list(_corners(second)))
    columns = np.array(list(_corners(first.T)))
    left = _costs_more(columns, first.T)[None] & (rows > 0)[:, None]
    right = _costs_more(rows, second)[:, None] & (columns > 0)[None]
    stable = ~left.any(axis=2) & ~right.any(axis=2)
    return tuple(at_profile(game, (rows[one], columns[other])) for one, other in np.argwhere(stable))


def fictitious_play(game: NormalForm, rounds: int, start: Sequence[int] | None = None) -> FictitiousPlay:
    """All players at once choose what costs them least against the frequencies so far (Brown 1951).

    Frequencies approach equilibria of zero-sum games (Robinson 1951) and of games with a potential (Monderer &
    Shapley 1996); in others they may circle for ever (Shapley 1964), which the NashConv shows.

    Parameters
    ----------
    game : NormalForm
        Of any number of players.
    rounds : int
        How many choices each player makes, the first included.
    start : sequence of int, optional
        The first choices; by default each player's best against uniform opponents. Ties go to the earlier strategy.
    """
    if rounds < 1:
        raise InputError(f"rounds: {rounds} is too few; give 1 or more.")
    uniform = game.uniform_profile()
    chosen = [int(costs.argmin()) for costs in _all_against(game, uniform)] if start is None else start
    counts = [np.array(part) for part in game.pure_profile(chosen)]
    course = np.empty(rounds)
    for played in range(1, rounds + 1):
        frequencies = tuple(count / played for count in counts)
        against = _all_against(game, frequencies)
        course[played - 1] = _gains(frequencies, against)
        if played < rounds:
            for count, costs in zip(counts, against, strict=True):
                count[costs.argmin()] += 1
    return FictitiousPlay(frequencies, course)


def _corners(opponent: Array) -> Iterator[Array]:
    """A player's mixtures (m,) that are the only ones on their support to level some of an opponent's costs (m, k).

    Each is positive on its support, and the levelled costs are the opponent's least.
    """
    own, others = opponent.shape
    for size in range(1, min(own, others) + 1):
        columns = list(combinations(range(others), size))
        for support in combinations(range(own), size):
            found: list[Array] = []
            for part in _levelling(opponent[list(support)], columns):
                mixture = np.zeros(own)
                mixture[list(support)] = part / part.sum()
                if not any(np.allclose(mixture, other, rtol=0, atol=TOLERANCE) for other in found):
                    found.append(mixture)
            yield from found


def _levelling(costs: Array, columns: list[tuple[int, ...]]) -> Iterator[Array]:
    """Positive mixtures (s,) of rows of costs (s, k) under which a set of s columns costs the same, and least."""
    size = len(costs)
    systems = np.ones((len(columns), size + 1, size + 1))
    systems[:, :size, :size] = costs[:, np.array(columns)].transpose(1, 2, 0)
    systems[:, :size, size] = -1
    systems[:, size, size] = 0
    systems = systems[np.linalg.cond(systems) < SINGULAR]
    right = np.zeros((len(systems), size + 1, 1))
    right[:, size] = 1
    solved = np.linalg.solve(systems, right)[..., 0]
    mixtures, levels = solved[:, :size], solved[:, size]
    valid = (mixtures > TOLERANCE).all(axis=1) & ((mixtures @ costs).min(axis=1) >= levels - TOLERANCE)
    return iter(mixtures[valid])


def _costs_more(mixtures: Array, opponent: Array) -> NDArray[np.bool_]:
    """Which strategies (corners, k) of an opponent cost it more than its least against each mixture."""
    against = mixtures @ opponent
    more: NDArray[np.bool_] = against > against.min(axis=1, keepdims=True) + TOLERANCE
    return more


def _all_against(game: NormalForm, profile: Profile) -> list[Array]:
    return [contract(costs, profile, {player}) for player, costs in enumerate(game.costs)]


def _gains(profile: Profile, against: list[Array]) -> float:
    return float(sum(max(own @ costs - costs.min(), 0.0) for own, costs in zip(profile, against, strict=True)))
