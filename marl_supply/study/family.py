"""A family of instances: one topology with some of its values drawn at random from stated ranges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.topology import Topology, load

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
        As it was stated: ``1,2,3`` (one of these, equally likely) or ``1..5`` (uniform; whole numbers where both ends
        are, both included).
    """

    path: str
    text: str

    @classmethod
    def parse(cls, stated: str) -> Range:
        """From ``PATH=1,2,3`` or ``PATH=1..5``.

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


def _value(own: Range, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = text.strip()
    if value == "" or isinstance(value, (dict, list)):
        raise InputError(f"--vary {own.path}: a value is missing in {own.text}; write PATH=1,2,3 or PATH=1..5")
    return value


def draw_family(
    chain: Any, overrides: Sequence[str], ranges: Sequence[Range], count: int, seed: int
) -> list[tuple[dict[str, Any], Topology]]:
    """Instances with the values that were drawn for each; instance i of a seed is the same whatever the count.

    The parameters that a file suggests for its rules belong to its numbers: where something is drawn they are left out,
    and rules begin at what they make of the instance.

    Raises
    ------
    InputError
        For values that the topology refuses.
    """
    found = []
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        settings = {own.path: own.draw(generator) for own in ranges}
        stated = [*overrides, *(f"{path}={json.dumps(value)}" for path, value in settings.items())]
        topology = load(chain, stated)
        if ranges:
            topology = load({**topology.to_dict(), "policies": {}})
        found.append((settings, topology))
    return found
