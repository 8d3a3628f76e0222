"""What each agent would save by its best response: a panel for each class of policies, bars by agent and row."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.exploits import found_rows
from marl_supply.report.results import Results

ENDS = ("low", "high")
CAPTION = (
    "What each agent would save by the best response that was found, the others staying as they are; whiskers are 95% "
    "intervals. A row without bars is as near an equilibrium of the class as the searches tell."
)


def draw(results: Results) -> Figure | None:
    """A panel for each class; nothing before best responses were looked for."""
    rows = found_rows(results)
    if not rows:
        return None
    classes = list(dict.fromkeys(within for row in rows for within in row["gain"]))
    agents = list(rows[0]["cost"])
    of_agent = colours(agents)
    figure, axes = panels(len(classes), height=0.9 + 0.2 * len(agents) * len(rows))
    width = 0.8 / len(agents)
    for panel, within in zip(axes, classes, strict=True):
        shown = [row for row in rows if within in row["gain"]]
        for number, agent in enumerate(agents):
            gains = [row["gain"][within][agent] for row in shown]
            means = np.array([gain["mean"] for gain in gains])
            ends = np.array([[gain[end] if gain[end] is not None else gain["mean"] for gain in gains] for end in ENDS])
            places = np.arange(len(shown)) + (number - (len(agents) - 1) / 2) * width
            panel.barh(places, means, width, xerr=np.abs(ends - means), color=of_agent[agent], label=agent)
        panel.set_yticks(np.arange(len(shown)), [row["row"] for row in shown])
        panel.set_ylim(len(shown) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
        panel.set_title(f"among {within.replace('_', ' ')}")
        panel.set_xlabel(f"saved, {results.measure}")
    legend_below(figure, axes)
    return figure
