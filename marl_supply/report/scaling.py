"""How the gap of a pretrained model falls with its size and with what it has learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marl_supply.metrics.intervals import over_seeds
from marl_supply.report.requests import baseline_of, ends_of, saved
from marl_supply.report.results import Results
from marl_supply.report.tables import markdown

FOOT = "The gap is by how much a row costs more (earns less) than {baseline}, as a share of what that costs (earns)."


@dataclass(frozen=True)
class Point:
    """One model on one game.

    weights: numbers in its network; tokens: those that it was pretrained on; share: of the recorded instances that it
    learned from; gap: share of the baseline's figure, with the ends of its 95% interval where there is one.
    """

    weights: int
    tokens: int
    share: float
    gap: float
    low: float | None
    high: float | None


def points(results: Results) -> dict[str, Point]:
    """By row the models that say what they learned from, those with the fewest weights and least data first.

    Each model stands once, with the first of its rows that is not trained further.
    """
    base = baseline_of(results)
    models = [row for row in results if row.record["kind"] == "model" and not row.record["fine_tune"]]
    first = {(row.record["model"], row.record["model_hash"]): row for row in reversed(models)}
    found: dict[str, Point] = {}
    for row in first.values():
        size, better = row.record.get("pretrained"), saved(row, base)
        if size is not None and better is not None:
            ends = ends_of(better)
            low, high = (None, None) if ends is None else (-ends[1], -ends[0])
            found[row.name] = Point(size["weights"], size["tokens"], size["share"], -better.mean, low, high)
    return dict(sorted(found.items(), key=lambda item: (item[1].weights, item[1].share, item[1].tokens)))


def mean_points(several: Sequence[Results]) -> dict[str, Point]:
    """The mean gap of each model over the instances of a series, with 95% t intervals from three instances on."""
    each = [points(results) for results in several]
    found: dict[str, Point] = {}
    for name, point in each[0].items():
        if all(name in own for own in each):
            gap = over_seeds([own[name].gap for own in each])
            found[name] = replace(point, gap=gap.mean, low=gap.low, high=gap.high)
    return found


def scaling_section(results: Results) -> list[str]:
    """The parts of the page; nothing unless it is to be shown and models differ in size or data."""
    found = points(results) if "scaling" in results.report["show"] else {}
    return scaling_table(found, FOOT.format(baseline=baseline_of(results).name))


def mean_scaling_section(several: Sequence[Results]) -> list[str]:
    """The same over the instances of a series."""
    found = mean_points(several) if "scaling" in several[0].report["show"] else {}
    foot = f"{FOOT} Means over {len(several)} instances, intervals over these.".format
    return scaling_table(found, foot(baseline=baseline_of(several[0]).name))


def scaling_table(found: Mapping[str, Point], foot: str) -> list[str]:
    """Heading, table and foot; nothing where models differ in neither size nor data."""
    if not compared(list(found.values())):
        return []
    cells: list[list[Any]] = [["row", "weights", "share of the data", "tokens", "gap", "95% interval"]]
    for name, point in found.items():
        ends = "-" if point.low is None or point.high is None else f"{point.low:.1%} to {point.high:.1%}"
        size = f"{point.weights:,}", f"{point.share:.0%}", f"{point.tokens:,}"
        cells.append([name, *size, f"{point.gap:.1%}", ends])
    return ["## Size and data", markdown(cells), foot]


def compared(found: list[Point]) -> bool:
    """Whether models differ in size or in what they learned from."""
    return len({(point.weights, point.tokens, point.share) for point in found}) > 1
