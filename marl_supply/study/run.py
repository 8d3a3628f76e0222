"""Run an experiment: every row worked out once, kept in a folder named after what was computed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marl_supply.errors import InputError
from marl_supply.study import provenance
from marl_supply.study.analysis import Say
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import LearnerRow, ModelRow
from marl_supply.study.folder import Folder, join_tables, read_json, write_json
from marl_supply.study.jobs import do_rows
from marl_supply.study.plan import check
from marl_supply.study.progress import Progress
from marl_supply.study.stock import keep_stock, stock_file


def folder_of(experiment: Experiment, results: str | Path = "results") -> Folder:
    """The folder of an experiment's results."""
    return Folder(Path(results) / experiment.name / experiment.hash)


def run(
    experiment: Experiment,
    results: str | Path = "results",
    *,
    fresh: bool = False,
    command: Sequence[str] = (),
    say: Say | None = None,
    on: str | None = None,
) -> Folder:
    """Work out what is not there yet, and return the folder.

    Parameters
    ----------
    results
        Folder of all results; this experiment's is ``<name>/<hash>`` in it.
    fresh : bool
        Delete what an earlier run left.
    command
        For the record.
    say
        Given lines on what is kept and what goes on from where; None writes them to stderr.
    on
        Address of a ray cluster that works on the rows (see `remote.do_rows_on`); None works here.

    Raises
    ------
    InputError
        If the experiment cannot be run; no folder is left then.
    """
    check(experiment)
    folder = folder_of(experiment, results)
    new = not folder.path.exists()
    rows = list(experiment.compare)
    try:
        with folder.held():
            if fresh and not new:
                _empty(folder)
            todo = [name for name in rows if not folder.finished(name)]
            kinds = {n: _kind(experiment.compare[n]) for n in todo}
            progress = Progress(kinds, min(experiment.train.jobs, max(len(todo), 1)))
            for line in resumption(folder, experiment):
                (say or progress.say)(line)
            _work(folder, experiment, todo, progress, command, on)
    except InputError:
        if new and not any(folder.finished(name) for name in rows):
            folder.remove()
        raise
    _analyse(folder, experiment, say or progress.say)
    _keep_stock(folder, experiment)
    return folder


def resumption(folder: Folder, experiment: Experiment) -> list[str]:
    """What an earlier run left, in lines; none if there was none."""
    kept = [name for name in experiment.compare if folder.finished(name)]
    unfinished = [name for name in experiment.learners if name not in kept]
    begun = {name: step for name in unfinished if (step := folder.resume_step(name)) is not None}
    if not kept and not begun:
        return []
    lines = [f"resuming {folder.path}"]
    if kept:
        lines.append(f"  finished before and kept: {', '.join(kept)}")
    for name, step in begun.items():
        planned = experiment.learners[name].env_steps
        on = f"goes on from its checkpoint at step {step:,} of {planned:,}"
        lines.append(f"  {name}: training {on if step < planned else 'is over, scoring is not'}")
    rest = [name for name in experiment.compare if name not in kept and name not in begun]
    if not begun and not rest:
        lines.append("  nothing is left to do")
    if rest:
        lines.append(f"  still to do: {', '.join(rest)}")
    earlier = {folder.record(name)["commit"] for name in kept} - {provenance.commit()}
    if earlier:
        lines.append("  the kept rows were computed by another version of the code; --fresh computes them again")
    return lines


def _kind(row: Row) -> str:
    return "learner" if isinstance(row, LearnerRow) else "model" if isinstance(row, ModelRow) else "policy"


def _work(
    folder: Folder,
    experiment: Experiment,
    todo: Sequence[str],
    progress: Progress,
    command: Sequence[str],
    on: str | None,
) -> None:
    sessions = _sessions(folder)
    session = provenance.session(command)
    write_json(folder.path / "experiment.json", experiment.to_dict())

    def record() -> None:
        write_json(folder.path / "provenance.json", provenance.describe(experiment, [*sessions, session]))

    record()
    try:
        do_rows(folder, experiment, todo, progress, lambda name: None, on)
    finally:
        session["ended"] = provenance.now()
        session["finished_rows"] = {n: folder.record(n)["seconds"] for n in todo if folder.finished(n)}
        record()
    parts = [folder.row(name) / "episodes.parquet" for name in experiment.compare]
    join_tables(folder.path / "episodes.parquet", parts)


def _analyse(folder: Folder, experiment: Experiment, say: Say) -> None:
    """Work out what the experiment asks for and is not there yet.

    Raises
    ------
    InputError
        If a row is not finished, or an analysis cannot be worked out.
    """
    unfinished = [name for name in experiment.compare if not folder.finished(name)]
    if experiment.analyse and unfinished:
        raise InputError(f"{folder.path}: row '{unfinished[0]}' is not finished; run the experiment to its end")
    for name, analysis in experiment.analyse.items():
        path, settings = folder.analysis(name), analysis.to_dict()
        if path.is_file() and read_json(path)["settings"] == settings:
            continue
        started = time.monotonic()
        with folder.held():
            try:
                found = analysis.work(folder, experiment, _telling(say, name))
            except InputError as error:
                raise InputError(f"analyse.{name}: {error}") from None
            told = {"settings": settings, "found": found, "seconds": round(time.monotonic() - started, 1)}
            write_json(path, {**told, "ended": provenance.now(), "commit": provenance.commit()})


def _keep_stock(folder: Folder, experiment: Experiment) -> None:
    """Keep the stock over time of the rows that the report draws."""
    if "inventory" not in experiment.report.show:
        return
    with folder.held():
        for name in experiment.report.inventory or experiment.compare:
            if not stock_file(folder, name).is_file():
                keep_stock(folder, experiment, name)


def _telling(say: Say, name: str) -> Say:
    return lambda text: say(f"{name}: {text}")


def _sessions(folder: Folder) -> list[dict[str, Any]]:
    path = folder.path / "provenance.json"
    return list(read_json(path)["sessions"]) if path.is_file() else []


def _empty(folder: Folder) -> None:
    """Delete all but the lock that is held."""
    for entry in folder.path.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
