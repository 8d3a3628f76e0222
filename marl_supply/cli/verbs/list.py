"""``marl-supply list``: what can be named on the command line and in files."""

from __future__ import annotations

import sys
import textwrap
from argparse import ArgumentParser, Namespace

from marl_supply.cli.parser import add_json, print_json
from marl_supply.report.tables import aligned

HELP = "topologies, policies, methods, learners and experiments that can be named"
KINDS = ("topologies", "policies", "methods", "learners", "experiments")


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("kind", nargs="?", choices=KINDS, metavar="KIND", help=f"only one of {', '.join(KINDS)}")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Print names, each with a line on what it is."""
    found = {kind: _LISTS[kind]() for kind in KINDS if options.kind in (None, kind)}
    if options.json:
        print_json(found)
        return 0
    for kind, names in found.items():
        print(f"{kind}:" if names else f"{kind}: none")
        if names:
            lines = aligned([[name, _short(says)] for name, says in names.items()])
            print(textwrap.indent(lines, "  "))
    return 0


def _topologies() -> dict[str, str]:
    from marl_supply.topology import shipped

    return {name: shipped.source_of(name) for name in shipped.names()}


def _policies() -> dict[str, str]:
    from marl_supply.plugins import find, names
    from marl_supply.policies.rule import Rule

    package = "marl_supply.policies"
    return {name: _first_line(find(package, Rule, name)) for name in names(package, Rule)}


def _methods() -> dict[str, str]:
    from marl_supply.solvers.method import methods

    return {name: _first_line(type(method)) for name, method in methods().items()}


def _learners() -> dict[str, str]:
    from marl_supply.learning.settings import Learner
    from marl_supply.plugins import find, names

    package = "marl_supply.learning.learners"
    return {name: _first_line(sys.modules[find(package, Learner, name).__module__]) for name in names(package, Learner)}


def _experiments() -> dict[str, str]:
    from marl_supply.study.load import names, source_of

    return {name: source_of(name) for name in names()}


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0].replace("``", "")


def _short(text: str, width: int = 80) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


_LISTS = {
    "topologies": _topologies,
    "policies": _policies,
    "methods": _methods,
    "learners": _learners,
    "experiments": _experiments,
}
