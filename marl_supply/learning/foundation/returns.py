"""Returns relative to a tuned baseline that met the same luck: what players are worth, and what follows a decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marl_supply.data.episode import Episode
from marl_supply.errors import InputError

Floats = NDArray[np.float64]

LOWEST, HIGHEST = -1.0, 1.0
"""Relative returns are cut here: whoever does worse than that, does badly."""


def relative_rewards(episodes: Sequence[Episode], baseline: str, agent: str) -> Floats:
    """What an agent was given in each period, compared with what the baseline was given on the same seed.

    ``(reward - the same of the baseline) / |mean reward of the baseline|``: 0 is as good as the baseline, .05 a
    twentieth of its cost (or profit) better. Both met the same demand, so luck, which would otherwise be learned as
    merit (Paster, McIlraith & Ba 2022), mostly cancels.

    Parameters
    ----------
    episodes
        Of one instance, of equal length T, those of the baseline among them.
    baseline : str
        Name of its player.
    agent : str

    Returns
    -------
    (E, T) relative rewards

    Raises
    ------
    InputError
        If the baseline did not meet the luck of an episode, or earned nothing on average.
    """
    rewards = np.array([episode.rewards[agent] for episode in episodes])
    own = {episode.seed: row for row, episode in enumerate(episodes) if episode.player == baseline}
    missing = [episode.seed for episode in episodes if episode.seed not in own]
    if missing:
        raise InputError(
            f"seed {missing[0]} was not met by the baseline '{baseline}'; record the dataset with --common-seeds."
        )
    unit = abs(float(rewards[list(own.values())].mean()))
    if unit == 0:
        raise InputError(f"the baseline '{baseline}' earns and costs '{agent}' nothing, so nothing compares with it.")
    better: Floats = (rewards - rewards[[own[episode.seed] for episode in episodes]]) / unit
    return better


def worths(better: Floats, players: Sequence[str]) -> NDArray[np.float32]:
    """(E,) the mean relative return of each episode's player over all its episodes, cut to what counts.

    What one episode earned is mostly luck where players differ little; the mean of a player is what it can be asked
    for again (Paster, McIlraith & Ba 2022, condition on the mean of a cluster of trajectories in the same way).
    """
    means = {player: better[[other == player for other in players]].mean() for player in dict.fromkeys(players)}
    return np.clip([means[player] for player in players], LOWEST, HIGHEST).astype(np.float32)


def returns_to_go(better: Floats, periods: int) -> NDArray[np.float32]:
    """(E, T) the mean relative reward of each period and those that follow, `periods` in all, or those that are left;
    cut to what counts."""
    length = better.shape[1]
    total = np.concatenate([np.zeros((len(better), 1)), better.cumsum(1)], axis=1)
    ends = np.minimum(np.arange(length) + periods, length)
    mean = (total[:, ends] - total[:, :-1]) / (ends - np.arange(length))
    return np.clip(mean, LOWEST, HIGHEST).astype(np.float32)
