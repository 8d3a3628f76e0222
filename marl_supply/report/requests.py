"""What a pretrained model reaches of the return that is requested of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marl_supply.report.results import Results, Row
from marl_supply.report.sentences import baselines
from marl_supply.report.statistics import Estimate, difference, times
from marl_supply.report.tables import markdown

FOOT = (
    "Requested and achieved is by how much a row costs less (earns more) than {baseline}, as a share of what that "
    "costs (earns); intervals are those of the difference."
)


@dataclass(frozen=True)
class Achieved:
    """One row of a model.

    requested, achieved: shares of the absolute figure of the baseline, 0 is the baseline's own.
    """

    row: Row
    model: str
    requested: float
    achieved: Estimate


def baseline_of(results: Results) -> Row:
    """The row that relative returns are told against: the first baseline that is no model."""
    found = baselines(results)
    return next((row for row in found if row.record["kind"] != "model"), found[0])


def saved(row: Row, base: Row) -> Estimate | None:
    """By which share of what a baseline costs a row costs less, with its intervals; None of a baseline of cost 0."""
    size = abs(float(base.figures.mean()))
    return times(difference(base, row), 1 / size) if size > 0 else None


def ends_of(found: Estimate) -> tuple[float, float] | None:
    """The ends of the first of its intervals; None where too little is known for one."""
    ends = ((interval.low, interval.high) for interval in found.intervals)
    return next(((low, high) for low, high in ends if low is not None and high is not None), None)


def requests(results: Results) -> dict[str, list[Achieved]]:
    """By model the rows that request a return, the least first; models of which one return alone is requested not."""
    base = baseline_of(results)
    by_model: dict[tuple[str, str | None], list[Achieved]] = {}
    for each in _asked(results, base):
        by_model.setdefault((each.model, each.row.record["model_hash"]), []).append(each)
    several = {key: found for key, found in by_model.items() if len({each.requested for each in found}) > 1}
    called = [name for name, _ in several]
    return {
        name if called.count(name) == 1 else f"{name} ({found[0].row.name})": sorted(found, key=lambda e: e.requested)
        for (name, _), found in several.items()
    }


def _asked(results: Results, base: Row) -> Iterator[Achieved]:
    for row in results:
        request = row.record.get("request")
        achieved = saved(row, base)
        if row.record["kind"] == "model" and isinstance(request, (int, float)) and achieved is not None:
            yield Achieved(row, model_name(row), float(request), achieved)


def model_name(row: Row) -> str:
    """A model, and how it was trained further; the same for rows that differ in what is requested alone."""
    tuned, found = row.record["fine_tune"], row.record["model"]
    others = {agent: name for agent, name in row.record["policies"].items() if name != found}
    more = [f"{tuned['env_steps']:,} steps more"] if tuned else []
    return ", ".join([found, *more, *(f"{agent} {name}" for agent, name in others.items())])


def requests_table(results: Results) -> list[list[Any]]:
    """The cells: row, model, requested and achieved with its 95% interval, shares of the baseline's figure."""
    cells: list[list[Any]] = [["row", "model", "requested", "achieved", "95% interval"]]
    for model, found in requests(results).items():
        for each in found:
            ends = ends_of(each.achieved)
            told = "-" if ends is None else f"{ends[0]:+.1%} to {ends[1]:+.1%}"
            cells.append([each.row.name, model, f"{each.requested:+.1%}", f"{each.achieved.mean:+.1%}", told])
    return cells


def requests_section(results: Results) -> list[str]:
    """The parts of the page; nothing unless it is to be shown and a model has rows with different requests."""
    if "requests" not in results.report["show"] or not requests(results):
        return []
    foot = FOOT.format(baseline=baseline_of(results).name)
    return ["## Requested and achieved returns", markdown(requests_table(results)), foot]
