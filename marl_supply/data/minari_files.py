"""Episodes as a Minari dataset: one folder with an HDF5 file and JSON, spaces included, and no pickle."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gymnasium import spaces

from marl_supply.data.episode import Episode
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.errors import InputError
from marl_supply.game import Game

MAIN = "main_data.hdf5"
METADATA = "metadata.json"


def imported(name: str) -> Any:
    """A package of the extra `datasets`.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"datasets need {name}; install it with pip install 'marl-supply[datasets]'.") from None


def datasets_root() -> Path:
    """Where Minari keeps datasets: MINARI_DATASETS_PATH, or ``~/.minari/datasets``."""
    return Path(imported("minari.storage").get_dataset_path())


def spaces_of(game: Game) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Of observations and of actions: the agent's own where there is one, else a `Dict` by agent."""
    seen: dict[str, spaces.Space[Any]] = {agent: observation_space(game.layouts[agent]) for agent in game.agents}
    done = {agent: action_space(game.actions[agent]) for agent in game.agents}
    if len(game.agents) == 1:
        return seen[game.agents[0]], done[game.agents[0]]
    return spaces.Dict(seen), spaces.Dict(done)


def write_episodes(
    folder: Path, dataset_id: str, game: Game, episodes: Sequence[Episode], metadata: Mapping[str, Any]
) -> str:
    """Write the episodes of one game, and return the digest of the file of numbers.

    Parameters
    ----------
    folder
        To be made; ``folder / "data"`` is what Minari opens.
    dataset_id : str
        As Minari spells it: ``namespace/name-v0``.
    metadata
        More for the dataset's JSON.
    """
    for agent in game.agents:
        if "/" in agent:
            raise InputError(f"agent '{agent}': a dataset has no room for '/' in a name; rename it under game.agents.")
    storage_of = imported("minari.dataset.minari_storage").MinariStorage
    seen, done = spaces_of(game)
    data = folder / "data"
    data.mkdir(parents=True)
    storage = storage_of.new(data, observation_space=seen, action_space=done, jpeg_encoding=False)
    version = imported("minari").__version__
    storage.update_metadata({"dataset_id": dataset_id, "minari_version": version, **metadata})
    storage.update_episodes([_buffer(game, episode) for episode in episodes])
    storage.update_episode_metadata([{"policy": episode.player} for episode in episodes])
    return digest(data / MAIN)


def _buffer(game: Game, episode: Episode) -> Any:
    alone = game.agents[0] if len(game.agents) == 1 else None
    periods = len(episode)
    return imported("minari.data_collector.episode_buffer").EpisodeBuffer(
        seed=episode.seed,
        observations=dict(episode.observations) if alone is None else episode.observations[alone],
        actions=dict(episode.actions) if alone is None else episode.actions[alone],
        rewards=episode.total_rewards,
        terminations=[False] * periods,
        truncations=[False] * (periods - 1) + [True],
        infos={"rewards": dict(episode.rewards), "costs": dict(episode.costs)},
    )


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
