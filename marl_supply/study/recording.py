"""Play a mix of policies on the instances of a family and write each as a Minari dataset, here or in processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from marl_supply.data.card import returns_of
from marl_supply.data.episode import Episode, Player
from marl_supply.data.minari_files import MAIN, METADATA, digest, write_episodes
from marl_supply.data.record import record
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import parameters_of
from marl_supply.study.mix_players import MixPlayers
from marl_supply.study.mixed import Mixed
from marl_supply.topology import Topology

Family = Sequence[tuple[Mapping[str, Any], Topology]]
"""Of each instance what is special about it, by path in the topology file, and the instance."""
Returns = dict[str, list[float]]
"""By label of the mix, the sum of the rewards of each episode, money."""


@dataclass(frozen=True)
class Recording:
    """What is recorded on every instance.

    Attributes
    ----------
    name : str
        Of the dataset.
    folder : Path
        In which each instance gets a folder of its own.
    mix
        Who plays.
    episodes : int
        Of each, on every instance.
    first_episode_seed : int
        The seeds follow one after another from here.
    common_seeds : bool
        Whether all of the mix play the same seeds on an instance; else every episode has a seed of its own.
    exploring_starts : int
        Periods at most at the beginning of an episode in which chance acts, the same for whoever plays its seed.
    """

    name: str
    folder: Path
    mix: tuple[Mixed, ...]
    episodes: int
    first_episode_seed: int = 0
    common_seeds: bool = False
    exploring_starts: int = 0

    @property
    def stated(self) -> dict[str, Any]:
        """What the card says of its episodes."""
        return {key: getattr(self, key) for key in ("first_episode_seed", "common_seeds", "exploring_starts")}

    def seeds(self, instance: int, player: int) -> range:
        """Of a player's episodes on an instance."""
        block = instance if self.common_seeds else instance * len(self.mix) + player
        start = self.first_episode_seed + block * self.episodes
        return range(start, start + self.episodes)

    def instance(self, number: int, settings: Mapping[str, Any], topology: Topology) -> tuple[dict[str, Any], Returns]:
        """Record and write one instance; its entry in the card, and the returns of its episodes.

        Raises
        ------
        InputError
            For policies that do not fit it.
        """
        game = Game(topology)
        players = MixPlayers(game, self.exploring_starts > 0)
        played: list[Episode] = []
        returns: Returns = {}
        did: dict[str, Any] = {}
        for place, own in enumerate(self.mix):
            player, found = players.player(own)
            its = list(record(game, player, self.seeds(number, place), self.exploring_starts))
            returns[own.label] = [float(episode.total_rewards.sum()) for episode in its]
            did[own.label] = _did(game, player, found, returns[own.label])
            played += its
        return {**self._write(number, game, settings, played), "policies": did}, returns

    def _write(self, number: int, game: Game, settings: Mapping[str, Any], played: Sequence[Episode]) -> dict[str, Any]:
        own = f"instance_{number:03d}-v0"
        dataset_id, document = f"{self.name}/{own}", game.topology.to_dict()
        about = {
            "description": f"{game.topology.name}, instance {number}, recorded by marl-supply dataset",
            "settings": dict(settings),
            "topology": json.dumps(document, allow_nan=False),
        }
        sha256 = {MAIN: write_episodes(self.folder / own, dataset_id, game, played, about)}
        sha256[METADATA] = digest(self.folder / own / "data" / METADATA)
        return {
            "dataset_id": dataset_id,
            "folder": own,
            "settings": dict(settings),
            "episodes": len(played),
            "steps": sum(map(len, played)),
            "sha256": sha256,
            "topology": document,
        }


def record_all(recording: Recording, family: Family, jobs: int = 1) -> Iterator[tuple[dict[str, Any], Returns]]:
    """Each instance's entry in the card and returns, in order, as they are done; `jobs` at once, in processes."""
    tasks = [(recording, number, settings, topology) for number, (settings, topology) in enumerate(family)]
    if min(jobs, len(tasks)) == 1:
        yield from map(_instance, tasks)
        return
    with get_context("spawn").Pool(min(jobs, len(tasks))) as pool:
        yield from pool.imap(_instance, tasks)


def _instance(task: tuple[Recording, int, Mapping[str, Any], Topology]) -> tuple[dict[str, Any], Returns]:
    recording, number, settings, topology = task
    try:
        return recording.instance(number, settings, topology)
    except InputError as error:
        where = ", ".join(f"{path}={value}" for path, value in settings.items())
        raise InputError(f"instance {number}{f' ({where})' if where else ''}: {error}") from None


def _did(game: Game, player: Player, found: Mapping[str, Any], returns: Sequence[float]) -> dict[str, Any]:
    """What a player's parameters were on an instance, how they were found, and what it earned there."""
    return {
        "parameters": parameters_of(game, player.policies),
        "found": dict(found),
        "returns": returns_of([returns]),
    }
