"""What an agent would save by playing otherwise, with an interval, on the same demand as the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.responder import Response
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.metrics.intervals import Interval, paired_difference

FloatArray = NDArray[np.float64]
COLUMNS_AT_ONCE = 4096
"""Replications played at once; changes the time taken and no result."""


@dataclass(frozen=True)
class Gain:
    """What one agent would save by a response, in the figure of the game's criterion: a total, or a period's cost.

    Attributes
    ----------
    response : Response
    interval : Interval
        Its cost now less its cost with the response; of an exact response without an interval's width.
    sample : (R,)
        The same for each replication; of an exact response the number itself, repeated.
    """

    response: Response
    interval: Interval
    sample: FloatArray

    @property
    def mean(self) -> float:
        """The gain, money."""
        return self.interval.mean

    @property
    def exact(self) -> bool:
        """Whether nothing in the class of the response saves more; else it is a lower bound."""
        return self.response.exact


def costs_of(game: Game, players: Mapping[str, Policy], replications: int, seed: int) -> FloatArray:
    """(A, R) each agent's figure for each replication: the cost of the periods that count, or a period's.

    It asks no more of a game than to be played (`agents`, `seats`, `stages`, `start`, `observe`, `decide`, `step`,
    `randomness`, `horizon`, `warm_up`, `discount`, `criterion`), so that games that are no chains have equilibria too.
    """
    parts = [
        _played(game, players, min(COLUMNS_AT_ONCE, replications - first), seed, first)
        for first in range(0, replications, COLUMNS_AT_ONCE)
    ]
    total = np.concatenate(parts, axis=1)
    return total if game.criterion == "total" else total / (game.horizon - game.warm_up)


def _played(game: Game, players: Mapping[str, Policy], count: int, seed: int, first: int) -> FloatArray:
    total = np.zeros((len(game.agents), count))
    for period, outcome in enumerate(rollout(game, players, count, seed, first)):
        if period >= game.warm_up:
            total += game.discount ** (period - game.warm_up) * outcome.costs
    return total


def gain_of(game: Game, players: Mapping[str, Policy], response: Response, now: FloatArray, seed: int) -> Gain:
    """What a response saves; `now` is `costs_of` the profile on the same seed, (A, R)."""
    if response.saves is not None:
        known = Interval(response.saves, response.saves, response.saves, 0.0, 1, "exact")
        return Gain(response, known, np.full(now.shape[1], response.saves))
    number = game.agents.index(response.agent)
    then = costs_of(game, {**players, response.agent: response.policy}, now.shape[1], seed)[number]
    return Gain(response, paired_difference(now[number], then), now[number] - then)
