"""Rows that a pretrained model plays: where the model is, who sits where, and its further training on one game."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.trained import TrainedPolicy, load_policies
from marl_supply.policies.seating import parameters_of
from marl_supply.study.file import ModelRow
from marl_supply.study.folder import Folder
from marl_supply.study.model import MODEL, Report, make_model, model_folder
from marl_supply.study.model_file import ModelFile, load
from marl_supply.study.players import policy_file, policy_for, requesting, seat_some

MADE_SHARE = 0.8
"""Share of a row's work that is taken to be making its model, where it is not made yet."""

Players = dict[str, Policy]


def model_of(row: ModelRow) -> ModelFile | None:
    """The model file of a row; None where it names a file of policies."""
    return None if isinstance(row.model, str) else _by_value(json.dumps(row.model))


@lru_cache(maxsize=64)
def _by_value(text: str) -> ModelFile | None:
    return load(json.loads(text))


def results_of(folder: Folder) -> Path:
    """The folder of all results that holds an experiment's."""
    return folder.path.parent.parent


def check_model_row(game: Game, row: ModelRow) -> Players | None:
    """Who plays a row of a file of policies; None where a model file says what may be still to be made.

    Raises
    ------
    InputError
        For seats that do not exist or that leave the model none, and a file that does not fit.
    """
    seat_some(game, row.seats)
    if not [agent for agent in game.agents if agent not in row.seats]:
        raise InputError("seats: it leaves the model no agent to play; leave one out")
    return _seated(game, row, Path(row.model)) if isinstance(row.model, str) else None


def work_model(
    folder: Folder, name: str, row: ModelRow, game: Game, report: Report
) -> tuple[dict[str, Any], dict[int | None, Players]]:
    """Make the model of a row unless it is there, train it further where the row says so; the record, and who plays."""
    model = model_of(row)
    path = _made(folder, model, report) if model is not None else policy_file(Path(str(row.model)))
    if row.fine_tune:
        _fine_tune(folder, name, row, game, path, report)
    players = model_players(folder, name, row, game)
    named = Path(str(row.model)).stem if model is None else model.name
    found = {
        "kind": "model",
        "model": named,
        "model_hash": None if model is None else model.hash,
        "pretrained": _size(path),
        "request": row.request,
        "fine_tune": row.fine_tune.to_dict() if row.fine_tune else None,
        "policies": {agent: row.seats.get(agent, named) for agent in game.agents},
        "parameters": parameters_of(game, next(iter(players.values()))),
    }
    return found, players


def model_players(folder: Folder, name: str, row: ModelRow, game: Game) -> dict[int | None, Players]:
    """Who plays a row, by seed of its further training; None alone without one.

    Raises
    ------
    InputError
        If the model is not where it was made, or does not fit the game.
    """
    if row.fine_tune:
        return {seed: _seated(game, row, _tuned_file(folder, name, seed)) for seed in row.fine_tune.seeds}
    model = model_of(row)
    path = Path(str(row.model)) if model is None else model_folder(model, results_of(folder)) / MODEL
    return {None: _seated(game, row, path)}


def _made(folder: Folder, model: ModelFile, report: Report) -> Path:
    return make_model(model, results_of(folder), lambda share, words: report(MADE_SHARE * share, words))


def _fine_tune(folder: Folder, name: str, row: ModelRow, game: Game, path: Path, report: Report) -> None:
    from marl_supply.learning.foundation.fine_tune import fine_tune

    assert row.fine_tune
    seeds, settings = row.fine_tune.seeds, row.fine_tune.settings
    for number, seed in enumerate(seeds):
        out = _tuned_file(folder, name, seed)
        if out.is_file():
            continue
        out.parent.mkdir(parents=True, exist_ok=True)
        told = _telling(report, MADE_SHARE, number / len(seeds), f"seed {seed}, {number + 1} of {len(seeds)}")
        told(0.0, "further training")
        fine_tune(game, path, row.fine_tune.env_steps, seed, out, settings, told)


def _telling(report: Report, share: float, before: float, which: str) -> Report:
    return lambda done, words: report(share + (1 - share) * before, f"{which}: {words}")


def _tuned_file(folder: Folder, name: str, seed: int) -> Path:
    return folder.row(name) / "training" / f"seed_{seed}.npz"


def _seated(game: Game, row: ModelRow, path: Path) -> Players:
    policies = requesting(_read(path), row.request, path)
    own = {agent: policy_for(agent, policies, path) for agent in game.agents if agent not in row.seats}
    return {**own, **seat_some(game, row.seats)}


def _read(path: Path) -> Mapping[str, TrainedPolicy]:
    return load_policies(policy_file(path))


def _size(path: Path) -> dict[str, Any] | None:
    """How large the model of a file is, and what it learned from, as far as it says so."""
    training = next(iter(_read(path).values())).training
    size = {name: training.get(name) for name in ("weights", "tokens")}
    return None if None in size.values() else {**size, "share": training.get("settings", {}).get("share", 1.0)}
