"""Read recorded datasets back, and refuse what is damaged or not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.data.card import CARD, FORMAT, VERSION
from marl_supply.data.episode import Episode
from marl_supply.data.minari_files import MAIN, METADATA, datasets_root, digest, imported
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.topology import load as load_topology


@dataclass(frozen=True)
class Instance:
    """The episodes of one chain of a dataset.

    Attributes
    ----------
    dataset_id : str
        What ``minari.load_dataset`` takes.
    folder : Path
        Where they lie.
    settings : mapping
        What was drawn for it, by path in the topology file.
    topology : mapping
        The resolved topology, by value, with the game that was played on it.
    episode_count, step_count : int
        How many.
    """

    dataset_id: str
    folder: Path
    settings: Mapping[str, Any]
    topology: Mapping[str, Any]
    episode_count: int
    step_count: int

    def game(self) -> Game:
        """The game that was played."""
        return Game(load_topology(dict(self.topology)))

    def episodes(self) -> Iterator[Episode]:
        """Its episodes, in the order in which they were recorded."""
        agents = self.game().agents
        with imported("h5py").File(self.folder / "data" / MAIN, "r") as file:
            for number in range(self.episode_count):
                yield _episode(file[f"episode_{number}"], agents)


@dataclass(frozen=True)
class Dataset:
    """A recorded dataset: its card, as `card.json` has it, and its instances."""

    folder: Path
    card: Mapping[str, Any]
    instances: tuple[Instance, ...]

    @property
    def common_seeds(self) -> bool:
        """Whether all policies played the same seeds on each instance; false of cards that do not say."""
        return bool(self.card["recorded"].get("common_seeds", False))

    @property
    def exploring_starts(self) -> int:
        """Periods at most in which chance began its episodes, see `exploring_periods`."""
        return int(self.card["recorded"].get("exploring_starts", 0))

    def episodes(self) -> Iterator[Episode]:
        """All episodes, instance by instance."""
        for instance in self.instances:
            yield from instance.episodes()


def load_dataset(path: str | Path) -> Dataset:
    """Open a dataset that `marl-supply dataset` has recorded; every file is compared with its digest first.

    Parameters
    ----------
    path
        Its folder, or its name under MINARI_DATASETS_PATH.

    Raises
    ------
    InputError
        For what is no such dataset, is of another format, or is damaged or cut short.
    """
    folder = Path(path) if Path(path).is_dir() else datasets_root() / path
    card = _card(folder)
    try:
        instances = tuple(_instance(folder, entry) for entry in card["instances"])
    except (KeyError, TypeError):
        raise InputError(f"{folder / CARD}: an entry of its instances is damaged; record the dataset anew.") from None
    return Dataset(folder, card, instances)


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    if not path.is_file():
        raise InputError(
            f"{folder}: no dataset of marl-supply, for it has no {CARD}; record one with marl-supply dataset."
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path}: it is damaged or cut short; record the dataset anew.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT or "instances" not in card:
        raise InputError(f"{path}: it is no card of a dataset of marl-supply; record one with marl-supply dataset.")
    if card.get("format_version") != VERSION:
        found = card.get("format_version")
        raise InputError(f"{path}: its format is version {found}, and this reads {VERSION}; record the dataset anew.")
    return card


def _instance(folder: Path, entry: Mapping[str, Any]) -> Instance:
    own = folder / Path(entry["folder"]).name
    for name in (MAIN, METADATA):
        file = own / "data" / name
        if not file.is_file():
            raise InputError(f"{file}: it is missing; copy the dataset again or record it anew.")
        if digest(file) != entry["sha256"][name]:
            raise InputError(f"{file}: it is not what was recorded, cut short or changed; copy or record it anew.")
    if json.loads((own / "data" / METADATA).read_text(encoding="utf-8"))["total_episodes"] != entry["episodes"]:
        raise InputError(f"{folder / CARD}: it counts other episodes than {own.name} has; copy or record it anew.")
    return Instance(entry["dataset_id"], own, entry["settings"], entry["topology"], entry["episodes"], entry["steps"])


def _episode(group: Any, agents: tuple[str, ...]) -> Episode:
    def by_agent(part: Any) -> dict[str, Any]:
        return {agents[0]: part[()]} if len(agents) == 1 else {agent: part[agent][()] for agent in agents}

    infos = group["infos"]
    return Episode(
        int(group.attrs["seed"]),
        str(group.attrs["policy"]),
        by_agent(group["observations"]),
        by_agent(group["actions"]),
        {agent: np.asarray(infos["rewards"][agent]) for agent in agents},
        {agent: np.asarray(infos["costs"][agent]) for agent in agents},
    )
