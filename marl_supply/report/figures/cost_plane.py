"""Who pays what, where two agents play: each training seed a point, lines of equal total, optimum and equilibria."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marl_supply.report.drawing import STYLES, colours, legend_below, panels
from marl_supply.report.results import Results, Row

CAPTION = (
    "What one agent pays against what the other pays: a point for each training seed or rule, crosses are references. "
    "Along a dashed line the total of both is that of a reference; the distance between two of them is what one costs "
    "more than the other, whoever pays it."
)
ROOM = 0.08


def draw(results: Results) -> Figure | None:
    """One panel; nothing unless exactly two agents play, and more than one row or reference is there to compare."""
    agents = results.rows[0].record["agents"]
    known = {
        n: r["by_agent"] for n, r in results.report["references"].items() if set(r.get("by_agent", {})) == set(agents)
    }
    if len(agents) != 2 or len(results.rows) + len(known) < 2:
        return None
    figure, (panel,) = panels(1, width=5.6, height=4.6)
    of_row = colours([row.name for row in results])
    points = {row.name: _points(row, agents) for row in results}
    for name, found in points.items():
        panel.plot(found[:, 0], found[:, 1], "o", color=of_row[name], markersize=5, label=name)
    crosses = np.array([[by[agent] for agent in agents] for by in known.values()]).reshape(-1, 2)
    for (across, up), name in zip(crosses, known, strict=True):
        panel.plot(across, up, "x", color="#000000", markersize=7, markeredgewidth=1.6)
        panel.annotate(name.replace("_", " "), (across, up), textcoords="offset points", xytext=(6, 4), fontsize=8)
    _limits(panel, np.vstack([*points.values(), crosses]))
    _totals(panel, [float(reference["cost"]) for reference in results.report["references"].values()])
    panel.set_xlabel(f"{agents[0]}, {results.measure}")
    panel.set_ylabel(f"{agents[1]}, {results.measure}")
    legend_below(figure, [panel])
    return figure


def _points(row: Row, agents: list[str]) -> np.ndarray:
    """(seeds, 2) what each agent pays, in the figure of the criterion."""
    costs = [[result["cost"]["by_agent"][agent] / row.divisor for agent in agents] for result in row.record["results"]]
    return np.array(costs)


def _limits(panel: Axes, points: np.ndarray) -> None:
    low, high = points.min(0), points.max(0)
    room = ROOM * np.maximum(high - low, 0.02 * np.abs(high)) + 1e-9
    panel.set_xlim(low[0] - room[0], high[0] + 2 * room[0])
    panel.set_ylim(low[1] - room[1], high[1] + room[1])


def _totals(panel: Axes, totals: list[float]) -> None:
    """Lines along which both together pay as much as at a reference."""
    ends = np.array(panel.get_xlim())
    for style, total in enumerate(dict.fromkeys(totals)):
        panel.plot(ends, total - ends, color="#999999", linewidth=0.9, linestyle=STYLES[style % len(STYLES)], zorder=0)
