"""Equilibria with a mediator who draws a choice for every player, by linear programming.

In a *correlated equilibrium* (Aumann 1974) no player saves by choosing otherwise once it knows what it is told; in a
*coarse* one (Moulin & Vial 1978) none saves by a strategy of its own chosen beforehand. Mixtures of equilibria are
correlated, and correlated equilibria coarse; learners without regret end in the coarse ones, so that their highest and
lowest total costs bound what such learners reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

from marl_supply.equilibria.normal_form import Array, NormalForm
from marl_supply.errors import InputError, nearest

TOTALS = ("least", "most")


@dataclass(frozen=True, eq=False)
class CorrelatedEquilibrium:
    """How likely each combination of strategies is, and what it costs.

    Attributes
    ----------
    probabilities : Array, shape (m_1, ..., m_n)
        Of the mediator's draws.
    costs : Array, shape (n,)
        What each player pays on average, money.
    """

    probabilities: Array
    costs: Array

    @property
    def total(self) -> float:
        """What all players pay together, money."""
        return float(self.costs.sum())


def correlated_equilibrium(game: NormalForm, total: Literal["least", "most"] = "least") -> CorrelatedEquilibrium:
    """The correlated equilibrium in which all players together pay least, or most."""
    return _extreme(game, np.concatenate([_once_told(game, player) for player in range(len(game.players))]), total)


def coarse_correlated_equilibrium(game: NormalForm, total: Literal["least", "most"] = "least") -> CorrelatedEquilibrium:
    """The coarse correlated equilibrium in which all players together pay least, or most."""
    return _extreme(game, np.concatenate([_beforehand(game, player) for player in range(len(game.players))]), total)


def _extreme(game: NormalForm, gains: Array, total: str) -> CorrelatedEquilibrium:
    """The draws with the least or the most total, in which no deviation (a row of gains by draw) gains."""
    if total not in TOTALS:
        raise InputError(f"total: no '{total}'{nearest(total, TOTALS)}; use least or most.")
    sign = 1 if total == "least" else -1
    totals = game.costs.sum(axis=0)
    found = optimize.linprog(
        sign * totals.ravel() / game.ranges.max(),
        A_ub=gains,
        b_ub=np.zeros(len(gains)),
        A_eq=np.ones((1, totals.size)),
        b_eq=[1.0],
        bounds=(0, None),
    )
    if not found.success:
        raise InputError(f"costs: the linear programme of the equilibrium fails, {found.message}")
    probabilities = np.maximum(found.x, 0).reshape(game.shape)
    probabilities /= probabilities.sum()
    return CorrelatedEquilibrium(probabilities, np.array([(costs * probabilities).sum() for costs in game.costs]))


def _beforehand(game: NormalForm, player: int) -> Array:
    """What a player saves in each draw by each strategy (m_player, draws), in its range of costs."""
    costs = game.in_ranges()[player]
    saved = [costs - np.take(costs, [k], axis=player) for k in range(game.shape[player])]
    return np.array(saved).reshape(game.shape[player], -1)


def _once_told(game: NormalForm, player: int) -> Array:
    """The same, (m_player^2, draws), counting only the draws in which it is told a given strategy."""
    told = np.indices(game.shape)[player].ravel()
    return np.concatenate([_beforehand(game, player) * (told == k) for k in range(game.shape[player])])
