"""The datasets that a model learns from: each recorded once, kept in a folder named after what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from marl_supply.data import Dataset, load_dataset
from marl_supply.data.card import EXACT
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.study.dataset import record_dataset
from marl_supply.study.family import Range, draw_family
from marl_supply.study.mixed import Mixed
from marl_supply.study.model_file import RecordedTask
from marl_supply.study.players import seat_players

DATASETS = "datasets"
"""The folder of all datasets in a folder of results; MINARI_DATASETS_PATH for whoever reads them with Minari."""


def check_task(task: RecordedTask) -> None:
    """Draw its first instance and seat the rules that play it; search, solve and record nothing.

    Raises
    ------
    InputError
        For policies that cannot be read or do not fit, and values that the topology refuses.
    """
    mix = _mix(task)
    for number, own in enumerate(mix):
        if own.label in (other.label for other in mix[:number]):
            raise InputError(f"policies: '{own.label}' stands twice; give more episodes instead")
    ((_, topology),) = draw_family(task.topology, _stated(task), _ranges(task), 1, task.seed, task.cases)
    game = Game(topology)
    for own in mix:
        if own.policy != EXACT:
            seat_players(game, own.policy, own.parameters, own.seats)


def recorded(task: RecordedTask, name: str, results: Path, told: Callable[[str], None] = lambda line: None) -> Dataset:
    """The dataset ``datasets/<name>`` of a task in a folder of results, recorded now unless it is there.

    Raises
    ------
    InputError
        If what is there is damaged, or the task cannot be played.
    """
    root = results / DATASETS
    if not (root / name).is_dir():
        record_dataset(
            task.topology,
            name,
            _mix(task),
            task.episodes,
            overrides=_stated(task),
            ranges=_ranges(task),
            cases=task.cases,
            instances=task.instances,
            seed=task.seed,
            first_episode_seed=task.first_episode_seed,
            common_seeds=True,
            exploring_starts=task.exploring_starts,
            jobs=task.jobs,
            root=root,
            told=told,
        )
    return load_dataset(root / name)


def _mix(task: RecordedTask) -> list[Mixed]:
    return [Mixed.parse(stated) for stated in task.policies]


def _stated(task: RecordedTask) -> list[str]:
    """What is left to set: nothing where the topology is resolved."""
    return [f"{path}={json.dumps(value)}" for path, value in task.set.items()]


def _ranges(task: RecordedTask) -> list[Range]:
    return [Range.parse(stated) for stated in task.ranges]
