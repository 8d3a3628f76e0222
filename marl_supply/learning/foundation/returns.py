"""Returns-to-go relative to a tuned baseline that met the same luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marl_supply.data.episode import Episode
from marl_supply.errors import InputError

Floats = NDArray[np.float64]

LOWEST, HIGHEST = -1.0, 1.0
"""Relative returns are cut here: whoever does worse than that, does badly."""


def relative_returns(
    episodes: Sequence[Episode], baseline: str, agent: str, periods: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What an agent was given from each period on, compared with what the baseline was given on the same seed.

    ``(mean reward of the coming periods - the same of the baseline) / |mean reward of the baseline|``: 0 is as good as
    the baseline, .05 a twentieth of its cost (or profit) better. Both met the same demand, so luck, which would
    otherwise be learned as merit (Paster, McIlraith & Ba 2022), mostly cancels. The mean is over `periods` periods, or
    those that are left.

    Parameters
    ----------
    episodes
        Of one instance, of equal length T, those of the baseline among them.
    baseline : str
        Name of its player.
    agent : str
    periods : int

    Returns
    -------
    (E, T) relative returns, and (T,) the number of periods that each is a mean of

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
    better = rewards - rewards[[own[episode.seed] for episode in episodes]]
    total = np.concatenate([np.zeros((len(better), 1)), better.cumsum(1)], axis=1)
    length = better.shape[1]
    ends = np.minimum(np.arange(length) + periods, length)
    counted = ends - np.arange(length)
    relative = (total[:, ends] - total[:, :-1]) / counted / unit
    return np.clip(relative, LOWEST, HIGHEST).astype(np.float32), counted
