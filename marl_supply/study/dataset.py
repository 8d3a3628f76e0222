"""Record a mix of policies on a family of instances, as Minari datasets with a card; whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from marl_supply.data.card import CARD, PAGE, card_of, page_of, returns_of
from marl_supply.data.minari_files import datasets_root, imported
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.study.family import Range, draw_family
from marl_supply.study.folder import write_json, write_text
from marl_supply.study.mixed import Mixed
from marl_supply.study.provenance import versions
from marl_supply.study.recording import Family, Recording, record_all
from marl_supply.topology import Topology
from marl_supply.topology.load import GENERATED

GIVEN: Mapping[str, Any] = {"vary": {}, "cases": [], "seed": None}
"""What the card says of instances that were not drawn."""
NAME = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_]*(/[A-Za-z0-9_][-A-Za-z0-9_]*)*")


def record_dataset(
    chain: Any,
    name: str,
    mix: Sequence[Mixed],
    episodes: int,
    *,
    overrides: Sequence[str] = (),
    ranges: Sequence[Range] = (),
    cases: Sequence[Mapping[str, Any]] = (),
    instances: int = 1,
    seed: int = 0,
    first_episode_seed: int = 0,
    common_seeds: bool = False,
    exploring_starts: int = 0,
    jobs: int = 1,
    root: Path | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> Path:
    """Draw a family, record a mix of policies on it as `record_instances` does, and return the dataset's folder.

    Parameters
    ----------
    chain
        What `load` takes.
    overrides, ranges, cases, instances, seed
        The family, see `draw_family`.

    Raises
    ------
    InputError
        For all that the chain and `record_instances` refuse.
    """
    family = draw_family(chain, overrides, ranges, instances, seed, cases)
    drawn = {"vary": {own.path: own.text for own in ranges}, "cases": [dict(case) for case in cases], "seed": seed}
    return record_instances(
        family,
        name,
        mix,
        episodes,
        first_episode_seed=first_episode_seed,
        common_seeds=common_seeds,
        exploring_starts=exploring_starts,
        jobs=jobs,
        root=root,
        told=told,
        drawn=drawn,
    )


def record_instances(
    family: Family,
    name: str,
    mix: Sequence[Mixed],
    episodes: int,
    *,
    first_episode_seed: int = 0,
    common_seeds: bool = False,
    exploring_starts: int = 0,
    jobs: int = 1,
    root: Path | None = None,
    told: Callable[[str], None] = lambda line: None,
    drawn: Mapping[str, Any] = GIVEN,
) -> Path:
    """Record and write a dataset of given instances, and return its folder.

    Parameters
    ----------
    family
        Of each instance what is special about it, by path in the topology file, and its topology. All have the same
        rewards, kinds of observations and actions, and horizon; and the same agents, unless their size is drawn.
    name : str
        Folders under `root`, such as ``lost_sales/v0``; instance i is the Minari dataset ``NAME/instance_00i-v0``.
    mix
        Who plays; each plays `episodes` episodes on every instance.
    first_episode_seed : int
        Seeds of episodes follow one after another from here.
    common_seeds : bool
        Whether all of the mix play the same seeds on an instance (episode k of instance i has ``first_episode_seed
        + i * episodes + k``), so that what they earn differs by what they do; else every episode has its own seed.
    exploring_starts : int
        Periods at most, drawn for each seed, in which episodes begin with random actions.
    jobs : int
        Instances recorded at once, each in a process; it changes no number.
    root
        The folder of datasets; None is MINARI_DATASETS_PATH.
    told
        Gets a line after every instance.
    drawn
        Of the card: what the instances were drawn from.

    Raises
    ------
    InputError
        For a name that is taken or not one of Minari's, and all that the policies refuse; nothing is left on disk then.
    """
    imported("h5py")
    for number, own in enumerate(mix):
        if own.label in (other.label for other in mix[:number]):
            raise InputError(f"--policy {own.label}: it stands twice; give it more --episodes instead")
    alike = _alike(family)
    final = _free_folder(name, root)
    partial = final.with_name(f".{final.name}.partial-{os.getpid()}")
    recording = Recording(name, partial, tuple(mix), episodes, first_episode_seed, common_seeds, exploring_starts)
    try:
        entries: list[dict[str, Any]] = []
        returns: dict[str, list[list[float]]] = {own.label: [] for own in mix}
        for entry, earned in record_all(recording, family, jobs):
            entries.append(entry)
            for label, those in earned.items():
                returns[label].append(those)
            told(f"instance {len(entries)} of {len(family)}: {entry['episodes']:,} episodes")
        topology = family[0][1]
        card = card_of(
            name,
            {key: getattr(topology, key) for key in ("name", "version", "source")},
            {**alike, **drawn, **recording.stated},
            [_policy(own, returns[own.label]) for own in mix],
            entries,
            {**versions(), **{package: metadata.version(package) for package in ("minari", "h5py")}},
        )
        write_json(partial / CARD, card)
        write_text(partial / PAGE, page_of(card))
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _free_folder(name: str, root: Path | None) -> Path:
    if not NAME.fullmatch(name) or len(name) < 2:
        raise InputError(f"--out {name}: use letters, digits, _ and -, and / between folders, such as lost_sales/v0")
    final = (datasets_root() if root is None else root).resolve() / name  # Minari joins a relative path to itself
    if final.exists():
        raise InputError(f"--out {name}: there is something at {final} already; choose another name or remove it")
    return final


def _alike(family: Family) -> dict[str, Any]:
    """What the card says of the games of all instances; where sizes are drawn, of agents all that stand in any."""
    if not family:
        raise InputError("a dataset has one instance at least; give some.")
    first = _of_game(family[0][1])
    for number, (settings, topology) in enumerate(family):
        sized = any(path.startswith(GENERATED) for path in settings)
        for key, value in _of_game(topology).items():
            if key == "agents" and sized:
                first[key] += [agent for agent in value if agent not in first[key]]
            elif value != first[key]:
                raise InputError(
                    f"instance {number}: its {key} are {value} and those of the first are {first[key]}; record them "
                    "under another name."
                )
    return first


def _of_game(topology: Topology) -> dict[str, Any]:
    game = Game(topology)
    return {
        "agents": list(game.agents),
        "reward": game.reward if isinstance(game.reward, str) else dict(game.reward),
        "observe": game.observe_level,
        "actions": game.action_kind,
        "horizon": game.horizon,
    }


def _policy(own: Mixed, returns: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {
        "name": own.label,
        "policy": own.policy,
        "seats": dict(own.seats),
        "parameters": {node: dict(values) for node, values in own.parameters.items()},
        "tuned": own.tuned,
        "scale": own.scale,
        "random_share": own.random_share,
        "returns": returns_of(returns),
    }
