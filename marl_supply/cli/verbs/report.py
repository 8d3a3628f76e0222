"""``marl-supply report``: write the report of a results folder."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from marl_supply.cli.parser import add_json, print_json

HELP = "write the report of a results folder: tables, comparisons and figures"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", metavar="RESULTS_FOLDER", help="a folder that `run` wrote: results/NAME/HASH")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Write it; the last line printed is its path."""
    from marl_supply.report.series import is_series, write_series
    from marl_supply.report.write import write

    report = write_series(options.folder) if is_series(options.folder) else write(options.folder)
    if options.json:
        print_json(report.summary)
        return 0
    print(report.text)
    print(report.path)
    return 0
