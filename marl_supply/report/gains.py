"""Who gains and who loses where agents play for themselves, against the cheapest cooperation that sees as much."""

from __future__ import annotations

from typing import Any

from marl_supply.report.anarchy import Anarchy
from marl_supply.report.results import Row
from marl_supply.report.statistics import Estimate, difference
from marl_supply.report.tables import markdown, number

FOOT = (
    "What each agent pays where all play for themselves, less what it pays under cooperation: above 0 it gains by "
    "cooperating as it stands, below 0 it would have to be paid for it."
)


def gains_section(found: Anarchy) -> list[str]:
    """The part of the page, a line for each agent of each selfish row."""
    cells: list[list[Any]] = [["selfish row", "cooperative row", "agent", "selfish", "cooperative", "difference", ""]]
    for row, cooperative in ((found.selfish, found.cooperative), *((row, other) for row, other, _ in found.others)):
        cells += [_line(row, cooperative, agent) for agent in row.record["agents"]]
    return ["## Who gains and who loses", markdown(cells), FOOT]


def _line(row: Row, cooperative: Row, agent: str) -> list[Any]:
    own, other = row.part(agent), cooperative.part(agent)
    found = difference(own, other)
    verdict = "not significant" if not found.significant else "gains" if found.mean > 0 else "loses"
    costs = (float(own.figures.mean()), float(other.figures.mean()))
    return [
        row.name,
        cooperative.name,
        agent,
        *costs,
        _told(found),
        f"{verdict} by cooperating" if found.significant else verdict,
    ]


def _told(found: Estimate) -> str:
    interval = found.intervals[0] if found.intervals else None
    half = None if interval is None else interval.half_width
    return f"{number(found.mean)} ± {number(half)}" if half else number(found.mean)
