"""What all agents of a game see, read in one take."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from marl_supply.game import Game
from marl_supply.game.table import Selection
from marl_supply.simulation import State

FloatVector = NDArray[np.float32]


class Views:
    """The observation vectors of all agents, one after another.

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
        seen = [np.asarray(game.seen[agent]) for agent in game.agents]
        ends = np.cumsum([0, *map(len, seen)]).tolist()
        self.parts = {agent: slice(*part) for agent, part in zip(game.agents, pairwise(ends), strict=True)}
        self._selection = Selection(game.table, np.concatenate(seen))

    def read(self, state: State) -> FloatVector:
        """(K, B) the numbers of all agents at a decision point, units."""
        joint: FloatVector = self._selection.read(state).astype(np.float32)
        return joint

    def by_agent(self, joint: FloatVector) -> dict[str, FloatVector]:
        """Each agent's own (k,) of the joint (K,) of one replication."""
        return {agent: joint[part] for agent, part in self.parts.items()}
