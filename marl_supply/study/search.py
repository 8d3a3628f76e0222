"""Run the search of a sweep: rules here, learners' rows by Ray Tune, each row trained once however often this stops."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marl_supply.learning.checkpoint import load_checkpoint, save_checkpoint
from marl_supply.learning.extras import check_installed
from marl_supply.learning.settings import learner_named
from marl_supply.learning.train import evaluation_updates
from marl_supply.study import provenance, trials
from marl_supply.study.analysis import Say
from marl_supply.study.attempts import RowFailed
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import LearnerRow
from marl_supply.study.folder import Folder, join_tables, read_json, write_json
from marl_supply.study.plan import check
from marl_supply.study.progress import Progress
from marl_supply.study.remote import dotted_paths
from marl_supply.study.sweep import Cells
from marl_supply.study.work import work

if TYPE_CHECKING:
    from marl_supply.learning.rllib.tuner import Search, Start, Tell

STOPPED = "stopped.json"
"""In the folder of a row that was stopped early."""
SETTINGS = "settings.json"
"""In the folder of a row whose settings have changed: those it has, and the changes."""


def run_search(
    cells: Cells,
    results: str | Path = "results",
    *,
    fresh: bool = False,
    command: Sequence[str] = (),
    on: str | None = None,
    say: Say | None = None,
) -> Folder:
    """Work out what is not there yet, write the table of trials and the best settings, and return the folder.

    Parameters
    ----------
    cells
        Of `sweep.load`.
    results
        Folder of all results. With nodes on other machines it must be one that they share.
    on
        Address of a ray cluster; None trains here, `train.jobs` rows at a time.
    fresh, command, say
        As in `run`.

    Raises
    ------
    InputError
        If the search cannot be run.
    RowFailed
        If a row failed more often than `train.failures` allows; all others are done then.
    """
    experiment, folder = cells.experiment, cells.folder(Path(results).resolve())
    check(experiment)
    check_installed()
    with folder.held():
        if fresh:
            for entry in (folder.rows, folder.path / "tune"):
                shutil.rmtree(entry, ignore_errors=True)
        write_json(folder.path / "experiment.json", experiment.to_dict())
        session = provenance.session(command)
        earlier = _sessions(folder)
        todo = [name for name in experiment.compare if not folder.finished(name) and not stopped(folder, name)]
        kept = [name for name in experiment.compare if name not in todo]
        progress = Progress({n: "learner" if n in cells.swept else "policy" for n in todo}, experiment.train.jobs)
        if kept:
            (say or progress.say)(f"resuming {folder.path}, done before and kept: {', '.join(kept)}")
        try:
            _rules(folder, experiment, todo, progress)
            failed = _learners(folder, cells, todo, progress, on)
        finally:
            session["ended"] = provenance.now()
            write_json(
                folder.path / "provenance.json",
                {
                    **provenance.describe(experiment, [*earlier, session]),
                    "sweep": cells.section.model_dump(mode="json"),
                },
            )
        if failed:
            raise RowFailed("; ".join(f"{name}: {why}" for name, why in failed.items()))
        parts = [folder.row(n) / "episodes.parquet" for n in experiment.compare if folder.finished(n)]
        if parts:
            join_tables(folder.path / "episodes.parquet", parts)
        trials.write(folder, cells)
    return folder


def stopped(folder: Folder, name: str) -> bool:
    """Whether a row was stopped early."""
    return (folder.row(name) / STOPPED).is_file()


def _sessions(folder: Folder) -> list[dict[str, Any]]:
    path = folder.path / "provenance.json"
    return list(read_json(path)["sessions"]) if path.is_file() else []


def _rules(folder: Folder, experiment: Experiment, todo: Sequence[str], progress: Progress) -> None:
    for name in [name for name in todo if name not in experiment.learners]:
        work(folder, experiment, name, lambda share, words, row=name: progress.update(row, share, words))  # type: ignore[misc]
        progress.finish(name)


def _learners(folder: Folder, cells: Cells, todo: Sequence[str], progress: Progress, on: str | None) -> dict[str, str]:
    """Train the rows; returns those that failed and why. All rows take part, those done before by what they told."""
    rows = [name for name in todo if name in cells.swept]
    if not rows:
        return {}
    from marl_supply.learning.rllib.connection import connect, disconnect, plug_in_modules
    from marl_supply.learning.rllib.session import ensure_ray
    from marl_supply.learning.rllib.tuner import run_trials

    if on is None:
        ensure_ray(runners=cells.experiment.train.jobs * (1 + cells.experiment.train.env_runners))
    else:
        connect(on, plug_in_modules(dotted_paths(cells.experiment.to_dict())))
    search, failed = _search(cells, on), dict[str, str]()

    def ended(name: str, error: str | None) -> None:
        if error is not None:
            failed[name] = error
        elif not folder.finished(name):
            write_json(folder.row(name) / STOPPED, {"stopped_by": cells.section.scheduler})
        if name in rows:
            progress.finish(name)

    def heard(name: str, told: Mapping[str, Any]) -> None:
        if name in rows:
            share = told["training_iteration"] / search.evaluations
            words = f"{told['env_steps']:,} steps, {cells.section.metric} {told['metric']:.4g}"
            progress.update(name, min(share, 1.0), words)

    storage = folder.path / "tune"
    shutil.rmtree(storage, ignore_errors=True)
    trial = partial(train_cell, folder=folder.path, cells=cells)
    everybody = {name: _present_settings(folder, cells, name) for name in cells.swept}
    try:
        run_trials(trial, everybody, search, storage, heard, ended)
    finally:
        disconnect()
    shutil.rmtree(storage, ignore_errors=True)
    return failed


def _search(cells: Cells, on: str | None) -> Search:
    from marl_supply.learning.rllib.tuner import Search
    from marl_supply.study.remote import resources

    train, section = cells.experiment.train, cells.section
    rows = [cells.experiment.learners[name] for name in cells.swept]
    return Search(
        scheduler=section.scheduler,
        evaluations=max(len(_stops(row)) for row in rows),
        grace=section.grace,
        drawn=cells.drawn if section.scheduler == "pbt" else {},
        failures=train.failures,
        at_once=train.jobs if on is None else None,
        resources=resources(train, rows[0]),
        seed=section.seed,
    )


def _stops(row: LearnerRow) -> set[int]:
    learner = learner_named(row.learner, row.settings)
    return evaluation_updates(learner.updates(row.env_steps), learner.evaluations)


def _rows(row: LearnerRow) -> int:
    return learner_named(row.learner, row.settings).rows


def _present_settings(folder: Folder, cells: Cells, name: str) -> dict[str, Any]:
    """The swept settings of a row, as it was left by an earlier run."""
    path = folder.row(name) / SETTINGS
    changed = read_json(path)["settings"] if path.is_file() else {}
    return {**{key: value for key, value in cells.swept[name].items() if key != "reward"}, **changed}


def train_cell(start: Start, tell: Tell, *, folder: Path, cells: Cells) -> None:
    """What a trial does: train a row from where its folder stands, score it, tell after every evaluation.

    A row that has been done before is not computed again: it tells what it told.
    """
    place = Folder(folder)
    training = place.row(start.row) / "training"
    if start.inherited is not None and not place.finished(start.row):
        take_over(start.inherited, training, cells, start)
    if not place.finished(start.row) and not stopped(place, start.row) and start.inherited is None:
        _note_changes(place, cells, start)
    told = 0 if start.again else len(_costs(training, cells))
    count = _Count(training, cells, tell, told)
    if not stopped(place, start.row) and not place.finished(start.row):
        experiment = cells.with_settings(start.row, start.settings)
        last = max(_stops(experiment.learners[start.row])) * _rows(experiment.learners[start.row])
        count.catch_up(last)
        work(place, experiment, start.row, lambda share, words: count.catch_up(last))
    if cells.section.scheduler != "pbt":  # which would have it take over another row after its end
        count.catch_up()


class _Count:
    """Tells of each evaluation once."""

    def __init__(self, training: Path, cells: Cells, tell: Tell, told: int) -> None:
        self.training, self.cells, self.tell, self.told = training, cells, tell, told
        self._seen: int | None = None

    def catch_up(self, before: float = inf) -> None:
        """Tell of the evaluations that are new, those at less than so many steps: the last comes when all is done."""
        path = self.training / "curve.jsonl"
        size = path.stat().st_size if path.is_file() else None
        if size is None or (size == self._seen and before < inf):
            return
        costs = _costs(self.training, self.cells)
        self._seen = size
        for steps, cost in [point for point in costs[self.told :] if point[0] < before]:
            self.told += 1
            self.tell(cost, steps, self.training)


def _costs(training: Path, cells: Cells) -> list[tuple[int, float]]:
    """Environment steps and the metric, mean over seeds, of the evaluations after the start."""
    found: dict[int, list[float]] = {}
    with suppress(OSError):
        for line in (training / "curve.jsonl").read_text(encoding="utf-8").splitlines():
            point = json.loads(line)
            metric = point["cost"] if cells.section.metric == "cost" else point["by_agent"][cells.section.metric]
            found.setdefault(int(point["env_steps"]), []).append(metric)
    return [(steps, sum(costs) / len(costs)) for steps, costs in sorted(found.items()) if steps > 0]


def take_over(donor: Path, training: Path, cells: Cells, start: Start) -> None:
    """Make another row's checkpoint this one's, with this one's settings, and note it.

    Raises
    ------
    InputError
        If the checkpoint is damaged.
    """
    training.mkdir(parents=True, exist_ok=True)
    _change_learner(donor / "checkpoint.pt", training / "checkpoint.pt", cells, start)
    shutil.copyfile(donor / "curve.jsonl", training / "curve.jsonl")
    _write_settings(training.parent, start.settings, {"from": start.donor, "env_steps": _last(training, cells)})


def _note_changes(place: Folder, cells: Cells, start: Start) -> None:
    """Give the row's own checkpoint the settings that it has now, if they are others than it was made with."""
    training = place.row(start.row) / "training"
    if start.settings == _present_settings(place, cells, start.row) or not (training / "checkpoint.pt").is_file():
        return
    _change_learner(training / "checkpoint.pt", training / "checkpoint.pt", cells, start)
    _write_settings(place.row(start.row), start.settings, {"from": start.row, "env_steps": _last(training, cells)})


def _change_learner(source: Path, target: Path, cells: Cells, start: Start) -> None:
    """Write a checkpoint as that of a training with the row's present settings."""
    state = load_checkpoint(source)
    row = cells.with_settings(start.row, start.settings).learners[start.row]
    learner = learner_named(row.learner, row.settings)
    save_checkpoint(target, {**state, "identity": {**state["identity"], "learner": learner.to_dict()}})


def _last(training: Path, cells: Cells) -> int:
    costs = _costs(training, cells)
    return costs[-1][0] if costs else 0


def _write_settings(place: Path, settings: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    path = place / SETTINGS
    before = read_json(path)["changes"] if path.is_file() else []
    write_json(path, {"settings": dict(settings), "changes": [*before, {**change, "settings": dict(settings)}]})
