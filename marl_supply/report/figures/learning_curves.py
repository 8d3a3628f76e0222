"""Cost during training: the mean over seeds with its interval, beside what rules and references cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from marl_supply.metrics.intervals import over_seeds
from marl_supply.report.drawing import STYLES, colours, legend_below, panels
from marl_supply.report.results import Results, Row

CAPTION = (
    "Cost of the greedy policies during training on demand that no training meets: mean over seeds, shaded its 95% "
    "interval over seeds; lines are rules on the same kind of demand, and references."
)
ALL = "all agents"
ROOM = 1.6
"""A line above this times the highest of the curves is named at the top of the picture instead of drawn."""


def draw(results: Results) -> Figure | None:
    """A panel for all agents together and one for each."""
    curves = {row.name: table for row in results if (table := row.table("curve")) is not None}
    if not curves:
        return None
    agents = results.rows[0].record["agents"]
    whose = [ALL, *(agents if len(agents) > 1 else [])]
    across = 3 if len(whose) in (3, 5, 6) else 2
    figure, axes = panels(len(whose), height=3.5 if len(whose) <= across else 3.0, across=across)
    of_row = colours([row.name for row in results])
    for panel, agent in zip(axes, whose, strict=True):
        tops = [_curve(panel, name, of_row[name], _points(table, agent)) for name, table in curves.items()]
        _lines(panel, results, agent, of_row, max(top for top, _ in tops), max(end for _, end in tops))
        panel.set_title(agent)
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
        panel.set_xlabel("environment steps of each seed")
    for panel in axes[::across]:
        panel.set_ylabel(_unit(results))
    legend_below(figure, axes, columns=2 * across)
    return figure


def _unit(results: Results) -> str:
    total = results.rows[0].record["criterion"] == "total"
    return "cost of an episode" if total else f"cost a {results.period}"


def _points(table: Any, agent: str) -> dict[int, NDArray[np.float64]]:
    """By environment steps, the cost of each seed."""
    steps, seeds = table["env_steps"].to_numpy(), table["training_seed"].to_numpy()
    costs, agents = table["cost"].to_numpy(), np.array(table["agent"].to_pylist())
    kept = np.ones(len(steps), dtype=bool) if agent == ALL else agents == agent
    order = {seed: number for number, seed in enumerate(dict.fromkeys(seeds.tolist()))}
    found = {int(step): np.zeros(len(order)) for step in sorted(set(steps.tolist()))}
    for step, seed, cost in zip(steps[kept], seeds[kept], costs[kept], strict=True):
        found[int(step)][order[seed]] += cost
    return found


def _curve(panel: Axes, name: str, colour: str, points: dict[int, NDArray[np.float64]]) -> tuple[float, float]:
    """Draw one row; return the highest mean in the second half of the training, and the highest end of an interval."""
    steps = np.array(list(points))
    found = [over_seeds(costs) for costs in points.values()]
    mean = np.array([interval.mean for interval in found])
    panel.plot(steps, mean, color=colour, label=name, linewidth=1.6)
    if found[0].low is not None:
        low, high = (np.array([getattr(interval, end) for interval in found], dtype=float) for end in ("low", "high"))
        panel.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    else:
        for costs in np.array(list(points.values())).T:
            panel.plot(steps, costs, color=colour, linewidth=0.6, alpha=0.6)
    top = float(mean[len(mean) // 2 :].max())
    ends = [interval.high for interval in found[len(found) // 2 :] if interval.high is not None]
    return top, max([top, *(end for end in ends if end <= ROOM * top)])


def _lines(panel: Axes, results: Results, agent: str, of_row: dict[str, str], top: float, end: float) -> None:
    """Rules and references as horizontal lines, and limits that show the curves and all lines near them."""
    known = list(_known(results, agent, of_row))
    most = ROOM * max(top, min((value for _, value, _, _ in known if value > 0), default=top))
    for name, value, colour, style in known:
        if value <= most:
            panel.axhline(value, color=colour, linestyle=style, linewidth=1.1, label=name)
    above = [f"{name} at {value:,.4g}" for name, value, _, _ in known if value > most]
    if above:
        text = f"above: {', '.join(above)}"
        panel.text(0.99, 0.985, text, transform=panel.transAxes, ha="right", va="top", fontsize=7.5)
    lowest = min(float(np.min(np.asarray(line.get_ydata()))) for line in panel.get_lines())
    highest = max([end, *(value for _, value, _, _ in known if value <= most)])
    span = highest - lowest or max(abs(highest), 1.0)
    panel.set_ylim(lowest - 0.06 * span, highest + (0.25 if above else 0.15) * span)


def _known(results: Results, agent: str, of_row: dict[str, str]) -> Iterator[tuple[str, float, str, Any]]:
    """Name, cost, colour and style of each line."""
    for row in results:
        value = None if row.trained else _rule(row, agent)
        if value is not None:
            yield row.name, value, of_row[row.name], "-."
    for number, (name, reference) in enumerate(results.report["references"].items()):
        value = reference["cost"] if agent == ALL else reference.get("by_agent", {}).get(agent)
        if value is not None:
            yield f"{name} (reference)", float(value), "black", STYLES[number % len(STYLES)]


def _rule(row: Row, agent: str) -> float | None:
    """What a rule costs on the demand of the curves."""
    known = row.record.get("training_demand")
    if known is None:
        return None
    value = known["cost"] if agent == ALL else known["by_agent"][agent]
    return None if value is None else float(value)
