"""``marl-supply check``: whether a topology or experiment file is sound, and what in it may not be meant."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from marl_supply.cli.parser import add_json, add_set, print_json

HELP = "whether a topology (or experiment) file is sound, and what in it may not be meant"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="TOPOLOGY|FILE", help="a shipped name, or the path of a file")
    parser.add_argument("--strict", action="store_true", help="exit with status 1 if there are warnings")
    add_set(parser, "edges.0.lead_time=3")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Print the warnings; errors are raised."""
    name, warnings = _experiment(options) if _is_experiment(options.file) else _topology(options)
    if options.json:
        print_json({"name": name, "warnings": [{"place": place, "text": text} for place, text in warnings]})
    else:
        for place, text in warnings:
            print(f"{place}: {text}")
        print(f"{name}: sound" + (f", {len(warnings)} to look at" if warnings else ""))
    return 1 if warnings and options.strict else 0


def _is_experiment(name: str) -> bool:
    """Whether a file has the key that only experiments have; shipped names are topologies first."""
    from marl_supply.study.load import names
    from marl_supply.topology import shipped, strict_yaml

    if Path(name).suffix in (".yaml", ".yml", ".json") and Path(name).is_file():
        return "compare" in strict_yaml.read(Path(name))
    return name in names() and name not in shipped.names()


def _topology(options: Namespace) -> tuple[str, list[tuple[str, str]]]:
    from marl_supply.game.game import Game
    from marl_supply.topology import load
    from marl_supply.topology.check import check

    topology = load(options.file, options.set)
    Game(topology)
    return topology.name, [(warning.place, warning.text) for warning in check(topology)]


def _experiment(options: Namespace) -> tuple[str, list[tuple[str, str]]]:
    from marl_supply.study.load import load
    from marl_supply.study.plan import check
    from marl_supply.topology.check import check as check_topology

    experiment = load(options.file, options.set)
    check(experiment)
    found = check_topology(experiment.topology)
    return experiment.name, [(f"topology.{warning.place}", warning.text) for warning in found]
