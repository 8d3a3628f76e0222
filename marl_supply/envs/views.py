"""What all agents of a game see, read in one take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from marl_supply.game import Game
from marl_supply.game.observation import QUANTITIES, Entry
from marl_supply.simulation import State

FloatVector = NDArray[np.float32]

_READ = {quantity.name: quantity.read for quantity in QUANTITIES}


def lowest(entries: Sequence[Entry]) -> FloatVector:
    """(k, 1) the smallest value of each number: what rounding leaves below it in continuous units is cut off."""
    return np.array([-np.inf if entry.signed else 0.0 for entry in entries], dtype=np.float32)[:, None]


class Views:
    """The observation vectors of all agents, one after another.

    Of the table of everything that can be seen only the quantities are worked out that somebody sees.

    Parameters
    ----------
    game
        What is played.

    Attributes
    ----------
    parts : dict of str to slice
        For each agent where its vector stands.
    """

    def __init__(self, game: Game) -> None:
        table, seen = game.table, [np.asarray(game.seen[agent]) for agent in game.agents]
        ends = np.cumsum([0, *map(len, seen)]).tolist()
        self.parts = {agent: slice(*part) for agent, part in zip(game.agents, pairwise(ends), strict=True)}
        self._network = game.network
        self._lowest = None if game.network.integer else lowest([e for a in game.agents for e in game.layouts[a]])
        self._names: list[str] = []
        positions, read = np.concatenate(seen), 0
        self._index = positions.copy()
        starts = [*table.start.values(), len(table.entries)]
        for name, (start, end) in zip(table.start, pairwise(starts), strict=True):
            here = (positions >= start) & (positions < end)
            if here.any():
                self._names.append(name)
                self._index[here] += read - start
                read += end - start

    def read(self, state: State) -> FloatVector:
        """(K, B) the numbers of all agents at a decision point, units."""
        quantities = [_READ[name](self._network, state) for name in self._names]
        joint: FloatVector = np.concatenate(quantities)[self._index].astype(np.float32)
        return joint if self._lowest is None else np.maximum(joint, self._lowest)

    def by_agent(self, joint: FloatVector) -> dict[str, FloatVector]:
        """Each agent's own (k,) of the joint (K,) of one replication."""
        return {agent: joint[part] for agent, part in self.parts.items()}
