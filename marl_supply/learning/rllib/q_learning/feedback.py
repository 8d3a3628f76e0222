"""What the others' costs add to an agent's rewards when a game ends (Oroojlooyjadid et al. 2022, feedback scheme)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.learning.arena import Arena, Step

Array = NDArray[np.float64]


def team_feedback(means: Array, weight: float) -> Array:
    """beta / (N - 1) (omega - tau_i) for each of N agents.

    Parameters
    ----------
    means : (N, ...)
        tau, each agent's mean reward over a game: minus its mean cost. The source states the formula in costs, which an
        agent minimises, or in rewards alike, since it is linear: the mean of the others' tau, times beta.
    weight
        beta.

    Returns
    -------
    (N, ...), 0 where there is one agent only.
    """
    return weight / max(len(means) - 1, 1) * (means.sum(0) - means)


class Feedback:
    """The rewards of all agents, added up over the games in progress.

    Attributes
    ----------
    sums : (N, K, B)
        Of the present game of each chain, scaled like the rewards.
    """

    def __init__(self, arena: Arena, weight: float) -> None:
        self.weight = weight
        self._scale = arena.interface.reward_scale
        self._learning = [arena.game.agents.index(agent) for agent in arena.interface.agents]
        self.sums = np.zeros((len(arena.game.agents), arena.copies, arena.replications))

    def after(self, step: Step, ages: NDArray[np.int64]) -> NDArray[np.float32]:
        """(A, K, B) what the rewards of a game that ended in this period grow by, 0 for games that go on.

        Parameters
        ----------
        ages : (B,)
            Periods of each game before this one.
        """
        grown = np.zeros((len(self._learning), *self.sums.shape[1:]), dtype=np.float32)
        if self.weight == 0:
            return grown
        self.sums += step.outcome.rewards.reshape(self.sums.shape) / self._scale
        if len(step.cut):
            means = self.sums[:, :, step.cut] / (ages[step.cut] + 1)
            grown[:, :, step.cut] = team_feedback(means, self.weight)[self._learning]
            self.sums[:, :, step.cut] = 0
        return grown
