"""Arguments of all verbs. Whatever cannot be parsed is an `InputError` with the nearest name."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from marl_supply import __version__
from marl_supply.cli import verbs
from marl_supply.errors import InputError, nearest


class Verb(Protocol):
    """What a module of `verbs/` has."""

    HELP: str

    def describe(self, parser: ArgumentParser) -> None:
        """Add the verb's arguments."""

    def execute(self, options: Namespace) -> int:
        """Do it; return the exit code."""


class Parser(ArgumentParser):
    """A parser whose errors are sentences."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}; see {self.prog} --help")


def parse(arguments: Sequence[str]) -> tuple[Verb, Namespace]:
    """Return the verb that is asked for, and its options.

    Raises
    ------
    InputError
        For an unknown verb or option, and for missing ones.
    SystemExit
        After ``--help`` and ``--version``.
    """
    known = _verbs()
    parser = Parser(
        prog="marl-supply",
        description="Supply chains as multi-agent games: look at them, play rules on them, train on them, compare.",
        epilog="marl-supply VERB --help says more about each verb.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"marl-supply {__version__}")
    places = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    parsers: dict[str, Parser] = {}
    for name, verb in known.items():
        parsers[name] = places.add_parser(name, help=verb.HELP, description=verb.HELP, allow_abbrev=False)
        verb.describe(parsers[name])
    if arguments and not arguments[0].startswith("-") and arguments[0] not in known:
        hint = nearest(arguments[0], known) or f"; the verbs are {', '.join(known)}"
        raise InputError(f"marl-supply: no verb '{arguments[0]}'{hint}")
    options, others = parser.parse_known_args(arguments)
    if options.verb is None:
        parser.print_help()
        raise SystemExit(0)
    if others:
        _refuse(others[0], parsers[options.verb])
    return known[options.verb], options


def add_set(parser: ArgumentParser, example: str) -> None:
    """Add ``--set PATH=VALUE``."""
    text = f"change a value of the file, such as {example}; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help=text)


def add_json(parser: ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def print_json(value: Any) -> None:
    """Print JSON; numbers that are not finite are refused."""
    print(json.dumps(value, indent=2, allow_nan=False))


def _verbs() -> dict[str, Verb]:
    """The modules of `verbs/` by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(verbs.__path__))
    return {name: importlib.import_module(f"{verbs.__name__}.{name}") for name in names}


def _refuse(argument: str, parser: Parser) -> NoReturn:
    flags = [flag for action in parser._actions for flag in action.option_strings]
    kind = "option" if argument.startswith("-") else "further argument"
    raise InputError(
        f"{parser.prog}: no {kind} '{argument.partition('=')[0]}'{nearest(argument, flags)}; see {parser.prog} --help"
    )


def positive(text: str) -> int:
    """A whole number of at least 1, for `type=`."""
    if not text.replace("_", "").isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def natural(text: str) -> int:
    """A whole number of at least 0, for `type=`."""
    if not text.replace("_", "").isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 0")
    return int(text)
