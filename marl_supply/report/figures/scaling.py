"""The gap of a pretrained model over what it has learned from, a line for each number of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results
from marl_supply.report.scaling import Point, compared, mean_points, points

CAPTION = "Gap to the baseline over what a model learned from, a line for each number of weights, 95% intervals."

WEIGHTS = "weights"
Measure = Callable[[Point], float]


def draw(results: Results) -> Figure | None:
    """The models of a report; None unless it is to be shown and they differ in size or data."""
    found = list(points(results).values()) if "scaling" in results.report["show"] else []
    return draw_points(found) if compared(found) else None


def draw_means(several: Sequence[Results]) -> Figure | None:
    """The models of a series, their gaps meant over its instances; None as above."""
    found = list(mean_points(several).values()) if "scaling" in several[0].report["show"] else []
    return draw_points(found) if compared(found) else None


def draw_points(found: Sequence[Point]) -> Figure:
    """One panel from a table of weights, tokens, shares of the data and gaps with the ends of their intervals.

    Models that learned from different shares of the data are drawn over these, else over their tokens; those that
    differ in size alone over their weights.
    """
    title, measure = _axis(found)
    figure, (panel,) = panels(1, width=5.6, height=4.0)
    lines = {"models": sorted(found, key=measure)} if title == WEIGHTS else _lines(found, measure)
    of_line = colours(list(lines))
    for name, own in lines.items():
        low, gap, high = 100 * np.array([_ends(point) for point in own]).T
        places, whiskers, colour = [measure(point) for point in own], [gap - low, high - gap], of_line[name]
        panel.errorbar(places, gap, yerr=whiskers, color=colour, marker="o", markersize=4, capsize=3, label=name)
    panel.set_xscale("log")
    panel.set_xlabel(title)
    panel.set_ylabel("gap, % of the baseline's figure")
    legend_below(figure, [panel], columns=3)
    return figure


def _axis(found: Sequence[Point]) -> tuple[str, Measure]:
    """What the models are drawn over."""
    if len({point.share for point in found}) > 1:
        return "share of the recorded instances, %", lambda point: 100 * point.share
    if len({point.tokens for point in found}) > 1:
        return "tokens of the pretraining", lambda point: point.tokens
    return WEIGHTS, lambda point: point.weights


def _lines(found: Sequence[Point], measure: Measure) -> dict[str, list[Point]]:
    """The points of each line, by its name."""
    sizes = sorted({point.weights for point in found})
    ordered = sorted(found, key=measure)
    return {f"{size:,} weights": [point for point in ordered if point.weights == size] for size in sizes}


def _ends(point: Point) -> tuple[float, float, float]:
    low = point.gap if point.low is None else point.low
    high = point.gap if point.high is None else point.high
    return low, point.gap, high
