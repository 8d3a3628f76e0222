"""What every coalition of players costs on its own: a cooperative game in costs.

The cost of a coalition is whatever the caller takes it for; in `marl_supply` the total that its members pay when they
minimise it together and outsiders keep to the policies of their equilibrium.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from marl_supply.equilibria.normal_form import Array
from marl_supply.errors import InputError

MOST_PLAYERS = 6
Coalition = frozenset[str]


@dataclass(frozen=True, eq=False)
class CoalitionCosts:
    """The costs of all coalitions.

    Attributes
    ----------
    players : tuple of str
        Two to six, in the order of all results.
    costs : mapping of frozenset of str to a number or to array_like of shape (replications,)
        Of every coalition but the empty one, money. Samples stand in the same order of common replications for all.

    Raises
    ------
    InputError
        For a coalition that is missing or unknown, a cost that is not finite, samples of different lengths, or too
        many players.
    """

    players: tuple[str, ...]
    costs: Mapping[Coalition, ArrayLike]

    def __post_init__(self) -> None:
        if not 2 <= len(self.players) <= MOST_PLAYERS or len(set(self.players)) < len(self.players):
            raise InputError(f"players: {', '.join(self.players)}: give from 2 to {MOST_PLAYERS} different names.")
        unknown = [members for members in self.costs if not members or not members <= set(self.players)]
        if unknown:
            raise InputError(f"costs: {_called(unknown[0])} is none of {', '.join(self.players)}; leave it out.")
        missing = [members for members in self.coalitions if members not in self.costs]
        if missing:
            raise InputError(f"costs: {_called(missing[0])} is missing; give the cost of every coalition.")
        shapes = {np.shape(self.costs[members]) for members in self.coalitions}
        if len(shapes) > 1 or len(shapes.pop()) > 1:
            raise InputError("costs: give a number for each coalition, or equally many samples for each.")
        if not self.table.shape[1] or not np.isfinite(self.table).all():
            raise InputError("costs: a cost is not finite, or has no samples; give numbers for every coalition.")

    @cached_property
    def coalitions(self) -> tuple[Coalition, ...]:
        """All but the empty one, smaller ones first, and players in their order."""
        sizes = range(1, len(self.players) + 1)
        return tuple(frozenset(members) for size in sizes for members in combinations(self.players, size))

    @property
    def sampled(self) -> bool:
        """Whether costs are samples and not exact numbers."""
        return np.ndim(self.costs[self.coalitions[-1]]) == 1

    @cached_property
    def table(self) -> Array:
        """Costs, shape (2^n, replications), one replication where they are exact; row 5 = 1 + 4 is players 0 and 2."""
        rows = {self.row(members): np.atleast_1d(self.costs[members]) for members in self.coalitions}
        empty = np.zeros_like(rows[1], dtype=np.float64)
        return np.array([rows.get(row, empty) for row in range(2 ** len(self.players))], dtype=np.float64)

    @cached_property
    def means(self) -> Array:
        """The mean cost of each row (2^n,) of the table."""
        return np.asarray(self.table.mean(axis=1))

    def row(self, members: Iterable[str]) -> int:
        """The row of a coalition in the table."""
        return sum(1 << self.players.index(name) for name in members)

    @cached_property
    def members(self) -> Array:
        """Who is in each row of the table, shape (2^n, n), 0 or 1."""
        rows = np.arange(2 ** len(self.players))
        return np.asarray(rows[:, None] >> np.arange(len(self.players)) & 1, dtype=np.float64)


def _called(members: Coalition) -> str:
    return "{" + ", ".join(sorted(members)) + "}"
