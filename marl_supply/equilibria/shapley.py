"""Shapley shares of the cost that players bear together (Shapley 1953).

A player's share is what it adds to the cost of those before it, averaged over all orders in which the players can come;
with c(S) the cost of a coalition S and n players,

    share_i = sum over S without i of |S|! (n - |S| - 1)! / n! (c(S and i) - c(S)).

Shares are linear in the costs, so that samples of costs on common replications give samples of shares, and intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np

from marl_supply.equilibria.coalition_costs import CoalitionCosts
from marl_supply.equilibria.normal_form import Array
from marl_supply.errors import InputError
from marl_supply.metrics.intervals import Interval, over_replications


def shapley_shares(game: CoalitionCosts) -> Array:
    """What each player (n,) is to pay of the cost of all together; the mean where costs are samples.

    Examples
    --------
    Two firms that cost 4 and 6 alone and 8 together share the saving of 2:

    >>> alone = {frozenset({"a"}): 4, frozenset({"b"}): 6}
    >>> [float(share) for share in shapley_shares(CoalitionCosts(("a", "b"), alone | {frozenset({"a", "b"}): 8}))]
    [3.0, 5.0]
    """
    return np.asarray(shapley_samples(game).mean(axis=1))


def shapley_savings(game: CoalitionCosts) -> Array:
    """What each player (n,) saves by its share against standing alone: the Shapley shares of all savings."""
    return np.asarray(saving_samples(game).mean(axis=1))


def shapley_samples(game: CoalitionCosts) -> Array:
    """The shares in each replication, shape (n, replications); one where costs are exact."""
    return _weights(len(game.players)) @ game.table


def saving_samples(game: CoalitionCosts) -> Array:
    """What each player saves in each replication against standing alone, shape (n, replications)."""
    alone = game.table[1 << np.arange(len(game.players))]
    return np.asarray(alone - shapley_samples(game))


def share_intervals(
    game: CoalitionCosts, interval: Callable[[Array], Interval] = over_replications
) -> dict[str, Interval]:
    """The share of each player with its interval; give `over_seeds` where a sample is a training seed.

    Raises
    ------
    InputError
        Where costs are exact.
    """
    return _intervals(game, shapley_samples, interval)


def saving_intervals(
    game: CoalitionCosts, interval: Callable[[Array], Interval] = over_replications
) -> dict[str, Interval]:
    """What each player saves against standing alone, with its interval; otherwise as `share_intervals`."""
    return _intervals(game, saving_samples, interval)


def _intervals(
    game: CoalitionCosts, samples: Callable[[CoalitionCosts], Array], interval: Callable[[Array], Interval]
) -> dict[str, Interval]:
    if not game.sampled:
        raise InputError("costs: they are exact and have no intervals; use shapley_shares or shapley_savings.")
    return dict(zip(game.players, map(interval, samples(game)), strict=True))


def _weights(count: int) -> Array:
    """How each coalition's cost (2^n,) enters each player's share, shape (n, 2^n)."""
    weights = np.zeros((count, 2**count))
    for player in range(count):
        for row in range(2**count):
            if not row >> player & 1:
                before = row.bit_count()
                weight = factorial(before) * factorial(count - before - 1) / factorial(count)
                weights[player, row] -= weight
                weights[player, row | 1 << player] += weight
    return weights
