"""``marl-supply run``: run an experiment, or go on with it, and report."""

from __future__ import annotations

import shlex
import signal
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from marl_supply.cli.parser import add_set

if TYPE_CHECKING:
    from marl_supply.study.experiment import Experiment

HELP = "run an experiment, or go on with one that was interrupted, and report"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("experiment", metavar="EXPERIMENT", help="a shipped name, or the path of an experiment file")
    parser.add_argument("--dry-run", action="store_true", help="check everything, say what would be done, do nothing")
    parser.add_argument("--results", default="results", metavar="DIR", help="folder of all results (results)")
    parser.add_argument("--fresh", action="store_true", help="delete what an earlier run of the same file left")
    add_set(parser, "train.env_steps=100000 or game.horizon=50")


def execute(options: Namespace) -> int:
    """Run; the last line printed is the path of the report."""
    from marl_supply.study.load import load

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


def _run(experiment: Experiment, options: Namespace) -> int:
    from marl_supply.report.write import write
    from marl_supply.study.jobs import RowFailed
    from marl_supply.study.run import run

    try:
        folder = run(
            experiment,
            options.results,
            fresh=options.fresh,
            command=["marl-supply", *sys.argv[1:]],
        )
        report = write(folder.path)
    except KeyboardInterrupt:
        again = shlex.join(["marl-supply", "run", options.experiment])
        raise KeyboardInterrupt(f"what is done is kept; `{again}` with the same options goes on from there") from None
    except RowFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(report.text)
    print(report.path)
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
