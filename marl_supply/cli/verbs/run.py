"""``marl-supply run``: run an experiment, or go on with it, and report."""

from __future__ import annotations

import shlex
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from marl_supply.cli.parser import add_set
from marl_supply.errors import InputError

if TYPE_CHECKING:
    from marl_supply.report.write import Report
    from marl_supply.study.experiment import Experiment
    from marl_supply.study.model_file import ModelFile
    from marl_supply.study.sweep import Cells
    from marl_supply.study.vary import Series

HELP = "run an experiment, or go on with one that was interrupted, and report"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "experiment", metavar="EXPERIMENT", help="a shipped name, or the path of an experiment or model file"
    )
    parser.add_argument("--dry-run", action="store_true", help="check everything, say what would be done, do nothing")
    where = "folder of all results (results)"
    parser.add_argument("--results", "--out", default="results", metavar="DIR", help=where)
    parser.add_argument("--fresh", action="store_true", help="delete what an earlier run of the same file left")
    where = "work on a ray cluster: auto, HOST:PORT or ray://HOST:10001 (docs/cluster.md)"
    parser.add_argument("--on", metavar="ADDRESS", help=where)
    add_set(parser, "train.env_steps=100000 or game.horizon=50")


def execute(options: Namespace) -> int:
    """Run; the last line printed is the path of the report, or of the pretrained model."""
    from marl_supply.study import model_file, sweep, vary
    from marl_supply.study.load import load

    model = model_file.load(options.experiment, options.set)
    if model is not None:
        return _pretrain(model, options)
    searches = sweep.load(options.experiment, options.set)
    if searches is not None:
        return _search(searches, options)
    series = vary.load(options.experiment, options.set)
    if series is not None:
        return _vary(series, options)
    experiment = load(options.experiment, options.set)
    if options.dry_run:
        return _dry(experiment, options.results)
    signal.signal(signal.SIGTERM, _interrupt)
    return _run(experiment, options)


def _dry(experiment: Experiment, results: str) -> int:
    from marl_supply.study.plan import check, describe
    from marl_supply.study.run import folder_of, resumption

    print("\n".join(describe(experiment, check(experiment))))
    folder = folder_of(experiment, results)
    print("\n".join(resumption(folder, experiment) or [f"would write {folder.path}"]))
    return 0


def _pretrain(model: ModelFile, options: Namespace) -> int:
    """Record and pretrain what a model file says; the last line printed is the path of the model."""
    from marl_supply.study.model import describe_model, make_model
    from marl_supply.study.progress import Progress

    if options.on:
        raise InputError("--on: a model is recorded and pretrained on this machine; leave it out")
    if options.dry_run:
        print("\n".join(describe_model(model, options.results)))
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress({model.name: "model"}, 1)

    def report(share: float, words: str) -> None:
        progress.update(model.name, share, words)

    command = ["marl-supply", *sys.argv[1:]]
    try:
        path = make_model(model, options.results, report, fresh=options.fresh, command=command)
    except KeyboardInterrupt:
        raise _kept(options) from None
    print(path)
    return 0


def _search(searches: list[Cells], options: Namespace) -> int:
    """Train the rows of a sweep, a topology after the other; the last line printed is the path of the last report."""
    from marl_supply.study.attempts import RowFailed
    from marl_supply.study.plan import check
    from marl_supply.study.trials import describe

    if options.dry_run:
        for cells in searches:
            check(cells.experiment)
            print("\n".join(describe(cells, options.results)))
        return 0
    from marl_supply.study.search import run_search

    signal.signal(signal.SIGTERM, _interrupt)
    command = ["marl-supply", *sys.argv[1:]]
    for cells in searches:
        try:
            folder = run_search(cells, options.results, fresh=options.fresh, command=command, on=options.on)
        except KeyboardInterrupt:
            raise _kept(options) from None
        except RowFailed as error:
            print(error, file=sys.stderr)
            return 1
        print((folder.path / "trials.md").read_text(encoding="utf-8"))
        print(folder.path / "trials.md")
    return 0


def _vary(series: Series, options: Namespace) -> int:
    """Run the experiments of a series one after another; the last line printed is the path of the report over all."""
    from marl_supply.report.series import write_series
    from marl_supply.report.write import write
    from marl_supply.study.vary import run_series

    if options.dry_run:
        for point, experiment in zip(series.section.points, series.experiments, strict=True):
            print(f"{series.section.path or series.section.title} = {point}")
            _dry(experiment, options.results)
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    command = ["marl-supply", *sys.argv[1:]]

    def work() -> Report:
        for folder in run_series(series, options.results, fresh=options.fresh, command=command, on=options.on):
            print(write(folder.path).path, file=sys.stderr)
        return write_series(series.folder(options.results).path)

    return _reported(work, options)


def _run(experiment: Experiment, options: Namespace) -> int:
    from marl_supply.report.write import write
    from marl_supply.study.run import run

    command = ["marl-supply", *sys.argv[1:]]

    def work() -> Report:
        return write(run(experiment, options.results, fresh=options.fresh, command=command, on=options.on).path)

    return _reported(work, options)


def _reported(work: Callable[[], Report], options: Namespace) -> int:
    """Do the work and print its report; a row that failed, or an interrupt, leaves what is done."""
    from marl_supply.study.attempts import RowFailed

    try:
        report = work()
    except KeyboardInterrupt:
        raise _kept(options) from None
    except RowFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(report.text)
    print(report.path)
    return 0


def _kept(options: Namespace) -> KeyboardInterrupt:
    again = shlex.join(["marl-supply", "run", options.experiment])
    return KeyboardInterrupt(f"what is done is kept; `{again}` with the same options goes on from there")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
