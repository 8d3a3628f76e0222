"""One recorded episode, and who plays it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.policy import Policy


@dataclass(frozen=True)
class Player:
    """Policies for all seats of a game, and how often chance acts in their place.

    Attributes
    ----------
    name : str
        What the card calls them.
    policies : mapping of str to Policy
        By agent.
    random_share : float
        Probability that an agent's action of a period is drawn uniformly from its space instead, -.
    """

    name: str
    policies: Mapping[str, Policy]
    random_share: float = 0.0


@dataclass(frozen=True)
class Episode:
    """What happened in one episode of T periods, by agent.

    Attributes
    ----------
    seed : int
        ``reset(seed=seed)`` of the game's environment begins the same episode.
    player : str
        Who played.
    observations : mapping of str to (T + 1, k) float32
        What each agent saw before each period, and after the last, units.
    actions : mapping of str to (T,) or (T, n) array
        As its action space has them: whole numbers, or float32 units where units are continuous.
    rewards : mapping of str to (T,) float64
        What each agent was given, money.
    costs : mapping of str to (T,) float64
        Each agent's own cost after contracts, money.
    """

    seed: int
    player: str
    observations: Mapping[str, NDArray[np.float32]]
    actions: Mapping[str, NDArray[Any]]
    rewards: Mapping[str, NDArray[np.float64]]
    costs: Mapping[str, NDArray[np.float64]]

    @property
    def total_rewards(self) -> NDArray[np.float64]:
        """(T,) money: the sum over the agents, which is less the cost of the chain whatever is rewarded."""
        found: NDArray[np.float64] = np.sum(list(self.rewards.values()), axis=0)
        return found

    def __len__(self) -> int:
        return len(next(iter(self.rewards.values())))
