"""Where the cost arises: by node and account, a bar for each row."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results

CAPTION = (
    "Cost by node and account, before it is given to agents (transfers are payments between nodes): mean over "
    "training seeds and replications."
)


def draw(results: Results) -> Figure | None:
    """A panel for each node."""
    costs = {row.name: row.mean_of("accounts") for row in results}
    divisor, every = results.rows[0].divisor, next(iter(costs.values()))
    accounts = [a for a in every if any(any(found[a].values()) for found in costs.values())]
    places = [p for p in next(iter(every.values()), {}) if any(f[a][p] for f in costs.values() for a in accounts)]
    if not accounts or not places:
        return None
    names = list(costs)
    figure, axes = panels(len(places), width=4.4, height=0.9 + 0.32 * len(names), across=3 if len(places) == 3 else 2)
    of_account = colours(accounts)
    for number, (panel, place) in enumerate(zip(axes, places, strict=True)):
        below, above = np.zeros(len(names)), np.zeros(len(names))
        for account in accounts:
            value = np.array([costs[name][account][place] / divisor for name in names])
            left = np.where(value >= 0, above, below)
            panel.barh(names, value, left=left, color=of_account[account], label=account.replace("_", " "), height=0.7)
            above, below = above + np.maximum(value, 0), below + np.minimum(value, 0)
        panel.set_title(place)
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
        panel.set_xlabel(results.measure)
        if number % (3 if len(places) == 3 else 2):
            panel.tick_params(labelleft=False)
    low, high = min(panel.get_xlim()[0] for panel in axes), max(panel.get_xlim()[1] for panel in axes)
    for panel in axes:
        panel.set_xlim(low, high)
    legend_below(figure, axes)
    return figure
