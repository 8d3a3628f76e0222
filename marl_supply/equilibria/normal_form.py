"""Games of n players in normal form, on costs: every player minimises.

With c_i(a) the cost of player i when the players choose a = (a_1, ..., a_n), and x a profile of independent mixed
strategies, the *deviation gain* of i is what it saves by its best pure deviation, E c_i(x) - min_k E c_i(k, x_-i). A
profile is an equilibrium where no gain is positive; *NashConv* is their sum (Lanctot et al. 2017).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marl_supply.errors import InputError

Array = NDArray[np.float64]
Profile = tuple[Array, ...]
"""A probability for each strategy, one vector for each player."""

SUM_TOLERANCE = 1e-8
"""How far probabilities may be from adding up to 1: what rounding leaves, and no more."""


@dataclass(frozen=True, eq=False)
class NormalForm:
    """Who plays, what each can choose, and what each pays.

    Attributes
    ----------
    costs : Array, shape (n, m_1, ..., m_n)
        Of player i where the players choose strategies a_1, ..., a_n, money.
    players : tuple of str
        A name for each player.
    strategies : tuple of tuple of str
        A name for each strategy, by player.

    Raises
    ------
    InputError
        For costs that are not finite, and for shapes or names that do not fit each other.
    """

    costs: Array
    players: tuple[str, ...]
    strategies: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        shape = (len(self.players), *map(len, self.strategies))
        if len(self.strategies) != len(self.players) or not self.players or 0 in shape:
            raise InputError("strategies: name at least one strategy for each player, in the order of the players.")
        if np.shape(self.costs) != shape:
            raise InputError(f"costs: the shape is {np.shape(self.costs)}; give {shape}, the players first.")
        for label, names in (("players", self.players), *zip(self.players, self.strategies, strict=True)):
            if len(set(names)) < len(names):
                raise InputError(f"{label}: a name stands twice in {', '.join(names)}; give each its own.")
        if not np.isfinite(self.costs).all():
            raise InputError("costs: a cost is not finite; give a number for every combination of strategies.")

    @property
    def shape(self) -> tuple[int, ...]:
        """How many strategies each player has."""
        return tuple(map(len, self.strategies))

    @property
    def ranges(self) -> Array:
        """From each player's (n,) least cost to its most, 1 where they are the same; money."""
        axes = tuple(range(1, self.costs.ndim))
        ranges = self.costs.max(axis=axes) - self.costs.min(axis=axes)
        return np.asarray(np.where(ranges > 0, ranges, 1.0), dtype=np.float64)

    def in_ranges(self) -> Array:
        """Each player's costs as shares of the way from their least to their most: a game with the same equilibria."""
        column = (-1, *[1] * len(self.shape))
        least = self.costs.reshape(len(self.players), -1).min(axis=1)
        return np.asarray((self.costs - least.reshape(column)) / self.ranges.reshape(column))

    def expected_costs(self, profile: Sequence[ArrayLike]) -> Array:
        """What each player pays on average, shape (n,)."""
        mixed = self.checked(profile)
        return np.array([contract(costs, mixed) for costs in self.costs])

    def costs_against(self, player: int, profile: Sequence[ArrayLike]) -> Array:
        """What each pure strategy (m_player,) costs a player whose opponents play their part of a profile."""
        if not 0 <= player < len(self.players):
            raise InputError(f"player: no {player}; give a place from 0 to {len(self.players) - 1}.")
        return contract(self.costs[player], self.checked(profile), {player})

    def deviation_gains(self, profile: Sequence[ArrayLike]) -> Array:
        """What each player (n,) saves by its best pure deviation: 0 or more, and all 0 in an equilibrium."""
        mixed = self.checked(profile)
        gains = [float(own @ against - against.min()) for own, against in zip(mixed, self._against(mixed), strict=True)]
        return np.maximum(gains, 0.0)

    def nash_conv(self, profile: Sequence[ArrayLike]) -> float:
        """The sum of the players' deviation gains."""
        return float(self.deviation_gains(profile).sum())

    def pure_equilibria(self, tolerance: float = 0.0) -> tuple[tuple[int, ...], ...]:
        """The choices (n,) from which no player saves more than `tolerance` by another, in the order of strategies."""
        gains = [costs - costs.min(axis=player, keepdims=True) for player, costs in enumerate(self.costs)]
        stable = np.all(np.array(gains) <= tolerance, axis=0)
        return tuple(tuple(map(int, choice)) for choice in np.argwhere(stable))

    def pure_profile(self, choice: Sequence[int]) -> Profile:
        """The profile in which each player chooses one strategy for certain."""
        if len(choice) != len(self.shape) or not all(0 <= k < m for k, m in zip(choice, self.shape, strict=True)):
            raise InputError(f"choice: {tuple(choice)} is no choice; give one strategy below each of {self.shape}.")
        return tuple(np.eye(count)[k] for k, count in zip(choice, self.shape, strict=True))

    def uniform_profile(self) -> Profile:
        """The profile in which each player finds all its strategies equally likely."""
        return tuple(np.full(count, 1 / count) for count in self.shape)

    def dominated(self, player: int) -> tuple[int, ...]:
        """The strategies of a player that cost more than another one of them whatever the opponents choose."""
        rows = np.moveaxis(self.costs[player], player, 0).reshape(self.shape[player], -1)
        return tuple(k for k, row in enumerate(rows) if (rows < row).all(axis=1).any())

    def undominated(self) -> NormalForm:
        """The game that is left when strictly dominated strategies are taken out until there are none.

        It has all equilibria of the game, and the order of taking out does not matter (Gilboa, Kalai & Zemel 1990).
        """
        out = [self.dominated(player) for player in range(len(self.players))]
        if not any(out):
            return self
        kept = [[k for k in range(count) if k not in gone] for count, gone in zip(self.shape, out, strict=True)]
        return self.restricted(kept).undominated()

    def restricted(self, kept: Sequence[Sequence[int]]) -> NormalForm:
        """The game in which each player may choose only some of its strategies, which keep their names."""
        names = tuple(tuple(own[k] for k in places) for own, places in zip(self.strategies, kept, strict=True))
        return NormalForm(self.costs[np.ix_(range(len(self.players)), *kept)], self.players, names)

    def checked(self, profile: Sequence[ArrayLike]) -> Profile:
        """A profile as arrays.

        Raises
        ------
        InputError
            Where it is not one vector of probabilities for each player.
        """
        if len(profile) != len(self.players):
            raise InputError(f"profile: it has {len(profile)} parts; give one for each of {len(self.players)} players.")
        return tuple(map(_probabilities, profile, self.players, self.shape))

    def _against(self, mixed: Profile) -> Iterator[Array]:
        return (contract(costs, mixed, {player}) for player, costs in enumerate(self.costs))


def normal_form(
    costs: ArrayLike, players: Sequence[str] | None = None, strategies: Sequence[Sequence[str]] | None = None
) -> NormalForm:
    """A game from its costs (n, m_1, ..., m_n), with numbers for the names that are not given.

    Examples
    --------
    Two firms that pay 1 each if both share their stock, 0 and 3 if one alone does, and 2 each if none does:

    >>> game = normal_form([[[1, 3], [0, 2]], [[1, 0], [3, 2]]])
    >>> game.pure_equilibria()
    ((1, 1),)
    >>> game.nash_conv(game.pure_profile((0, 0)))
    2.0
    """
    table = np.array(costs, dtype=np.float64)
    if table.ndim < 2 or table.ndim != len(table) + 1:
        raise InputError(f"costs: the shape is {table.shape}; give (players, one axis for each player's strategies).")
    table.flags.writeable = False
    called = _numbers(len(table)) if players is None else tuple(players)
    chosen = map(_numbers, table.shape[1:]) if strategies is None else map(tuple, strategies)
    return NormalForm(table, called, tuple(chosen))


def contract(tensor: Array, profile: Profile, kept: Collection[int] = ()) -> Array:
    """The mean of a player's costs (m_1, ..., m_n) over all players' choices but those kept, in their order."""
    for player in reversed(range(len(profile))):
        if player not in kept:
            tensor = np.tensordot(tensor, profile[player], axes=(player, 0))
    return tensor


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _probabilities(values: ArrayLike, name: str, count: int) -> Array:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (count,):
        raise InputError(f"profile: the part of {name} has the shape {vector.shape}; give {count} probabilities.")
    if not (vector >= 0).all() or not abs(vector.sum() - 1) <= SUM_TOLERANCE:
        raise InputError(f"profile: the part of {name} is no distribution; give numbers from 0 on that add up to 1.")
    return vector
