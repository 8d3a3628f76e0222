"""What an agent would save by playing otherwise, with an interval, on the same demand as the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.responder import Response
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.metrics.intervals import Interval, over_replications

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
    choosing : float
        The same on other replications, by which the best of several responses is chosen, so that it does not look
        better than it is.
    """

    response: Response
    interval: Interval
    sample: FloatArray
    choosing: float

    @property
    def mean(self) -> float:
        """The gain, money."""
        return self.interval.mean

    @property
    def exact(self) -> bool:
        """Whether nothing in the class of the response saves more; else it is a lower bound."""
        return self.response.exact

    def to_dict(self) -> dict[str, Any]:
        """Everything but the policy, JSON-able; `gain_from` reads it back."""
        response = self.response
        return {
            "agent": response.agent,
            "responder": response.responder,
            "within": response.within,
            "exact": response.exact,
            "gain": asdict(self.interval),
            "details": dict(response.details),
            "choosing": self.choosing,
            "sample": self.sample.tolist(),
        }


def gain_from(told: Mapping[str, Any]) -> Gain:
    """The gain that `Gain.to_dict` told, without its policy."""
    interval = Interval(**told["gain"])
    saves = interval.mean if told["exact"] else None
    response = Response(told["agent"], told["responder"], None, told["within"], saves, told["details"])
    return Gain(response, interval, np.asarray(told["sample"], dtype=np.float64), float(told["choosing"]))


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


@dataclass(frozen=True)
class Profile:
    """Who plays, and what each pays, on replications for estimates and on others for choices.

    Attributes
    ----------
    costs, choosing : (A, R)
        `costs_of` the players on `seed` and on the seed after it.
    """

    game: Game
    players: Mapping[str, Policy]
    seed: int
    costs: FloatArray
    choosing: FloatArray

    def gain(self, response: Response) -> Gain:
        """What an agent would save by a response, against the others as they are."""
        if response.saves is not None:
            saves = response.saves
            known = Interval(saves, saves, saves, 0.0, 1, "exact")
            return Gain(response, known, np.full(self.costs.shape[1], saves), saves)
        assert response.policy is not None  # only what was read from a file has none, and that is a gain already
        number, players = self.game.agents.index(response.agent), {**self.players, response.agent: response.policy}
        before = self.costs[number], self.choosing[number]
        after = [costs_of(self.game, players, len(costs), self.seed + k)[number] for k, costs in enumerate(before)]
        saved = before[0] - after[0]
        return Gain(response, over_replications(saved), saved, float((before[1] - after[1]).mean()))


def profile_of(game: Game, players: Mapping[str, Policy], replications: int, seed: int) -> Profile:
    """Play the profile that gains are measured from."""
    costs = [costs_of(game, players, replications, number) for number in (seed, seed + 1)]
    return Profile(game, players, seed, *costs)
