"""Bullwhip ratios with one cause after another switched off."""

from __future__ import annotations

from typing import Any

from marl_supply.report.results import Results
from marl_supply.report.sections import ends
from marl_supply.report.tables import markdown

FOOT = (
    "The variance of a node's orders over that of the market demand downstream, as the chain is and without each of "
    "the causes of Lee, Padmanabhan & Whang (1997) and the lead time. Causes act on one another: what each takes away "
    "does not add up to the whole. Causes that the chain does not have are left out."
)


def section(found: dict[str, Any], results: Results) -> list[str]:
    """A row for each cause."""
    nodes = list(next(iter(found["ratios"].values())))
    cells: list[list[Any]] = [["switched off", *nodes]]
    for cause, ratios in found["ratios"].items():
        name = "nothing" if cause == "nothing switched off" else cause
        cells.append([name, *("-" if ratios[node] is None else ends(ratios[node]) for node in nodes)])
    return ["## Why orders vary more than demand", f"All nodes play `{found['policy']}`.", markdown(cells), FOOT]
