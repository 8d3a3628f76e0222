"""A family of instances: one topology with some of its values drawn at random from stated ranges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.topology import Topology, load, strict_yaml

DIGITS = 6
"""Significant digits of drawn numbers, so that a card can state them."""


@dataclass(frozen=True)
class Range:
    """What a value of the topology file is drawn from.

    Attributes
    ----------
    path : str
        As in ``--set``.
    text : str
        As it was stated: ``1,2,3`` (one of these, equally likely), ``[{...}, {...}]`` (the same with values of any
        kind, such as laws of demand) or ``1..5`` (uniform; whole numbers where both ends are, both included).
    """

    path: str
    text: str

    @classmethod
    def parse(cls, stated: str) -> Range:
        """From ``PATH=1,2,3``, ``PATH=[VALUE, VALUE]`` or ``PATH=1..5``.

        Raises
        ------
        InputError
            For anything else.
        """
        path, equals, text = stated.partition("=")
        if not equals or not path.strip() or not text.strip():
            raise InputError(f"--vary {stated}: write --vary PATH=1,2,3 or --vary PATH=1..5")
        found = cls(path.strip(), text.strip())
        found.draw(np.random.default_rng(0))
        return found

    def draw(self, generator: np.random.Generator) -> Any:
        """One value."""
        if self.text.startswith("["):
            listed = _listed(self)
            return listed[int(generator.integers(len(listed)))]
        low, dots, high = self.text.partition("..")
        if not dots:
            choices = [_value(self, part) for part in self.text.split(",")]
            return choices[int(generator.integers(len(choices)))]
        ends = _value(self, low), _value(self, high)
        if not all(isinstance(end, (int, float)) for end in ends) or ends[0] > ends[1]:
            raise InputError(f"--vary {self.path}: {self.text} is no range; write the lower number, .., and the higher")
        if all(isinstance(end, int) for end in ends):
            return int(generator.integers(ends[0], ends[1] + 1))
        return float(f"{generator.uniform(*ends):.{DIGITS}g}")


def _listed(own: Range) -> list[Any]:
    listed = strict_yaml.parse(own.text, f"--vary {own.path}")
    if not isinstance(listed, list) or not listed or any(value is None or value == "" for value in listed):
        raise InputError(f"--vary {own.path}: a value is missing in {own.text}; write PATH=[{{...}}, {{...}}]")
    return listed


def _value(own: Range, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = text.strip()
    if value == "" or isinstance(value, (dict, list)):
        raise InputError(f"--vary {own.path}: a value is missing in {own.text}; write PATH=1,2,3 or PATH=1..5")
    return value


def parse_case(stated: str) -> dict[str, Any]:
    """Values of several paths that belong together, from ``{"edges.0.lead_time": 2, "edges.0.pipeline": 5}``.

    Raises
    ------
    InputError
        For anything else.
    """
    case = strict_yaml.parse(stated, "--vary-case")
    if not isinstance(case, dict) or not case:
        raise InputError(f'--vary-case {stated}: write --vary-case \'{{"PATH": VALUE, "PATH": VALUE}}\'')
    return case


def draw_family(
    chain: Any,
    overrides: Sequence[str],
    ranges: Sequence[Range],
    count: int,
    seed: int,
    cases: Sequence[Mapping[str, Any]] = (),
) -> list[tuple[dict[str, Any], Topology]]:
    """Instances with the values that were drawn for each; instance i of a seed is the same whatever the count.

    Every instance has a value of each range and, where there are cases, one of these with all its values.

    The parameters that a file suggests for its rules belong to its numbers: where something is drawn they are left out,
    and rules begin at what they make of the instance.

    Raises
    ------
    InputError
        For values that the topology refuses, and for a path that stands in a range and in a case.
    """
    for path in sorted({path for case in cases for path in case} & {own.path for own in ranges}):
        raise InputError(f"--vary-case: '{path}' is drawn by --vary as well; state it in one of them.")
    found = []
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        settings = {own.path: own.draw(generator) for own in ranges}
        settings |= cases[int(generator.integers(len(cases)))] if cases else {}
        stated = [*overrides, *(f"{path}={json.dumps(value)}" for path, value in settings.items())]
        topology = load(chain, stated)
        if settings:
            topology = load({**topology.to_dict(), "policies": {}})
        found.append((settings, topology))
    return found
