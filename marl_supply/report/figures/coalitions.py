"""How the cost of all is shared: what each agent pays alone, and its Shapley share."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import legend_below, panels
from marl_supply.report.results import Results
from marl_supply.report.sections import analysed

CAPTION = (
    "What each agent pays standing alone, in equilibrium, and its Shapley share of the cost of all together; whiskers "
    "are 95% intervals. The difference is its part of what cooperation saves."
)


def draw(results: Results) -> Figure | None:
    """One panel; nothing unless coalitions were asked for."""
    found = analysed(results, "coalitions")
    if found is None:
        return None
    alone = {each["members"][0]: each["cost"] for each in found["coalitions"] if len(each["members"]) == 1}
    figure, (panel,) = panels(1, width=5.2, height=3.2)
    places = np.arange(len(found["agents"]))
    bars = {"alone": (-0.2, alone, "#999999"), "Shapley share": (0.2, found["shares"], "#0072b2")}
    for label, (shift, costs, colour) in bars.items():
        own = [costs[agent] for agent in found["agents"]]
        means = np.array([cost["mean"] for cost in own])
        spread = [[abs(cost[end] - cost["mean"]) for cost in own] for end in ("low", "high")]
        panel.bar(places + shift, means, 0.4, yerr=spread, label=label, color=colour)
    panel.set_xticks(places, found["agents"])
    panel.set_ylabel(results.measure)
    panel.grid(axis="x", visible=False)
    legend_below(figure, [panel])
    return figure
