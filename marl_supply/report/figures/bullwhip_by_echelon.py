"""Bullwhip ratios along the chain: a line for each row, from the market upwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator

from marl_supply.metrics.intervals import Interval, over_seeds
from marl_supply.report.drawing import COLOURS, STYLES, colours, legend_below, panels
from marl_supply.report.results import Results, Row

CAPTION = (
    "Variance of a node's orders over that of the market demand downstream of it, from the market (left) upstream: a "
    "line for each row, of trained rows the mean over seeds with its 95% interval from three seeds on. Orders vary as "
    "much as demand on the grey line; dotted lines stand between echelons of several nodes."
)
STEEP = 20.0
"""A ratio above this makes the scale logarithmic, from 1 on: ratios below 1, zero among them, stay linear."""
APART = 0.03
"""Between the whiskers of two rows, in nodes."""
LETTER, HANDLE = 0.085, 0.55
"""Room for a letter of a name and for the sign before it in the legend, inches."""


def draw(results: Results) -> Figure | None:
    """One panel; nothing unless bullwhip is shown and two nodes at least have demand downstream that varies."""
    distance = _distances(results.experiment["topology"])
    nodes = _nodes(results, distance)
    if "bullwhip" not in results.report["show"] or len(nodes) < 2:
        return None
    names = [row.name for row in results]
    width = max(6.0, 1.2 + 0.9 * len(nodes))
    columns = max(1, min(4, int(width / (HANDLE + LETTER * max(map(len, names))))))
    figure, (panel,) = panels(1, width=width, height=3.4 + 0.2 * -(-len(names) // columns))
    of_row = colours(names)
    for number, row in enumerate(results):
        aside = (number - (len(names) - 1) / 2) * min(APART, 0.6 / len(names))
        style = ((0, ()), *STYLES)[number // len(COLOURS) % (1 + len(STYLES))]
        _line(panel, row, nodes, aside, color=of_row[row.name], linestyle=style)
    panel.axhline(1, color="#999999", linewidth=0.9, zorder=0)
    found = [_ratio(row, node) for row in results for node in nodes]
    _scale(panel, max(ratio.mean for ratio in found), max(ratio.high or ratio.mean for ratio in found))
    _across(panel, nodes, [distance[node] for node in nodes], width / len(nodes))
    legend_below(figure, [panel], columns=columns)
    return figure


def _nodes(results: Results, distance: dict[str, int]) -> list[str]:
    """The nodes whose ratio is known in every row, from the market upstream; equally far ones as in the file."""
    bullwhips = [result["bullwhip"] for row in results for result in row.record["results"]]
    known = [node for node in bullwhips[0] if all(bullwhip[node] is not None for bullwhip in bullwhips)]
    return sorted(known, key=lambda node: distance[node])


def _distances(topology: dict[str, Any]) -> dict[str, int]:
    """By node the least number of edges down to one that serves a market; only nodes that reach a market."""
    reached = list(dict.fromkeys(node for market in topology["markets"].values() for node in market["served_by"]))
    distance = dict.fromkeys(reached, 0)
    for node in reached:  # grows while it is walked through, nearest first
        for edge in topology["edges"]:
            if edge["to"] == node and edge["from"] not in distance:
                distance[edge["from"]] = distance[node] + 1
                reached.append(edge["from"])
    return distance


def _ratio(row: Row, node: str) -> Interval:
    return over_seeds([result["bullwhip"][node] for result in row.record["results"]])


def _line(panel: Axes, row: Row, nodes: list[str], aside: float, **drawn: Any) -> None:
    found = [_ratio(row, node) for node in nodes]
    whiskers = [interval.half_width or 0.0 for interval in found] if found[0].half_width is not None else None
    means = [interval.mean for interval in found]
    places = np.arange(len(nodes)) + aside
    panel.errorbar(places, means, yerr=whiskers, marker="o", markersize=3.5, capsize=2.5, label=row.name, **drawn)


def _scale(panel: Axes, highest: float, end: float) -> None:
    """From zero to the highest end of a whisker, logarithmic above 1 where ratios are far apart."""
    steep = highest > STEEP
    if steep:
        panel.set_yscale("symlog", linthresh=1.0)
        panel.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
    panel.set_ylim(0, max(end, 1.0) * (1.4 if steep else 1.06))
    panel.set_ylabel("bullwhip ratio" + (" (logarithmic above 1)" if steep else ""))


def _across(panel: Axes, nodes: list[str], distances: list[int], room: float) -> None:
    """Names of the nodes, and lines between echelons where one has several nodes."""
    panel.set_xticks(range(len(nodes)), nodes)
    panel.tick_params(axis="x", labelrotation=30 if LETTER * (2 + max(map(len, nodes))) > room else 0)
    panel.set_xlabel("from the market upstream")
    panel.grid(axis="x", visible=False)
    if len(set(distances)) < len(distances):
        for place in range(1, len(nodes)):
            if distances[place] > distances[place - 1]:
                panel.axvline(place - 0.5, color="#999999", linewidth=0.9, linestyle=STYLES[1], zorder=0)
