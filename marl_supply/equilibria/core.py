"""The core of a cooperative cost game: who would rather stand alone than pay its part of an allocation.

An allocation divides the cost of all players. A coalition objects where its members are asked for more than it costs
alone; the core is the set of allocations without objections (Gillies 1959), the least core those in which the strongest
objection is as weak as it can be (Maschler, Peleg & Shapley 1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from marl_supply.equilibria.coalition_costs import Coalition, CoalitionCosts
from marl_supply.equilibria.normal_form import Array
from marl_supply.errors import InputError
from marl_supply.metrics.intervals import Interval, over_replications

TOLERANCE = 1e-9
"""Of comparisons, as a share of the largest cost of a coalition: what rounding leaves."""
SOLVED = 1e-7
"""How exactly a linear programme is solved, in the same share."""


@dataclass(frozen=True)
class Objection:
    """A coalition that would pay less alone.

    Attributes
    ----------
    coalition : frozenset of str
        Who objects.
    gain : float
        What its members would save together, money.
    interval : Interval or None
        Of the gain, None where costs are exact; an objection that is not `significant` may be noise.
    """

    coalition: Coalition
    gain: float
    interval: Interval | None


@dataclass(frozen=True, eq=False)
class LeastCore:
    """How far the game is from having a core, or how much room there is in it.

    Attributes
    ----------
    value : float
        The least that can be made of the largest gain of an objection, money: the core is empty where it is above 0.
    allocation : Array, shape (n,)
        One that does it; there can be others.
    empty : bool
        Whether the core is empty.
    """

    value: float
    allocation: Array
    empty: bool


@dataclass(frozen=True)
class Structure:
    """Whether coalitions save by uniting, and the more the larger they are.

    Attributes
    ----------
    dearer_union : float
        The most by which two coalitions without common members cost more united than apart, money.
    dearer_joining : float
        The most by which a player adds more to a larger coalition than to a smaller one inside it, money.
    tolerance : float
        What rounding leaves of either, money.
    """

    dearer_union: float
    dearer_joining: float
    tolerance: float

    @property
    def subadditive(self) -> bool:
        """No two coalitions lose by uniting."""
        return self.dearer_union <= self.tolerance

    @property
    def convex(self) -> bool:
        """The savings are convex (costs submodular): then Shapley's allocation is in the core (Shapley 1971)."""
        return self.dearer_joining <= self.tolerance


def objections(
    game: CoalitionCosts, allocation: ArrayLike, interval: Callable[[Array], Interval] = over_replications
) -> tuple[Objection, ...]:
    """The coalitions that would pay less alone, the largest gain first; none where the allocation is in the core.

    Parameters
    ----------
    game : CoalitionCosts
        Exact or in samples; samples are judged by their means, and each gain has its interval.
    allocation : array_like, shape (n,) or (n, replications)
        What each player pays, such as `shapley_shares` or, for intervals that know the shares to be estimated from
        the same replications, `shapley_samples`.
    interval : callable
        What makes an interval of samples of a gain.

    Raises
    ------
    InputError
        Where the allocation does not add up to the cost of all players.
    """
    paid = np.asarray(allocation, dtype=np.float64).reshape(len(game.players), -1)
    if abs(paid.sum(axis=0).mean() - game.means[-1]) > _rounding(game):
        raise InputError(f"allocation: it adds up to {paid.sum(axis=0).mean():g}; make that {game.means[-1]:g}.")
    gains = game.members @ paid - game.table
    named = {game.row(coalition): coalition for coalition in game.coalitions[:-1]}
    rows = [row for row in named if gains[row].mean() > _rounding(game)]
    found = [
        Objection(named[row], float(gains[row].mean()), interval(gains[row]) if game.sampled else None) for row in rows
    ]
    return tuple(sorted(found, key=lambda each: -each.gain))


def in_core(game: CoalitionCosts, allocation: ArrayLike) -> bool:
    """Whether no coalition would pay less alone, on mean costs."""
    return not objections(game, allocation)


def least_core(game: CoalitionCosts) -> LeastCore:
    """The least core of the mean costs, by linear programming."""
    count, proper = len(game.players), game.members[1:-1]
    scale = float(np.abs(game.means).max()) or 1.0
    found = optimize.linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.column_stack([proper, -np.ones(len(proper))]),
        b_ub=game.means[1:-1] / scale,
        A_eq=[np.append(np.ones(count), 0.0)],
        b_eq=game.means[-1:] / scale,
        bounds=(None, None),
    )
    if not found.success:
        raise InputError(f"costs: the linear programme of the core fails, {found.message}; check the costs.")
    return LeastCore(float(found.fun) * scale, found.x[:-1] * scale, bool(found.fun > SOLVED))


def structure(game: CoalitionCosts) -> Structure:
    """Whether the mean costs are subadditive, and whether their savings are convex."""
    costs, rows = game.means, range(1, len(game.means))
    unions = [costs[one | other] - costs[one] - costs[other] for one in rows for other in rows if not one & other]
    joining = [
        costs[row | one | other] + costs[row] - costs[row | one] - costs[row | other]
        for row in range(len(costs))
        for one, other in _pairs(row, len(game.players))
    ]
    return Structure(float(max(unions)), float(max(joining)), _rounding(game))


def _pairs(row: int, count: int) -> list[tuple[int, int]]:
    """Two different players, as rows of the table, who are not in a row."""
    outside = [1 << player for player in range(count) if not row >> player & 1]
    return [(one, other) for one in outside for other in outside if one < other]


def _rounding(game: CoalitionCosts) -> float:
    return TOLERANCE * float(np.abs(game.means).max())
