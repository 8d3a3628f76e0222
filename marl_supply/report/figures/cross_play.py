"""What mixed teams cost: a matrix for each row, teams down, whose member joins across."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import panels
from marl_supply.report.results import Results
from marl_supply.report.sections import analysed

CAPTION = (
    "Cost of a team (down, by training seed) with one member of another team (across), averaged over the seats; on the "
    "diagonal the teams themselves. Even colour: teams understand each other."
)


def draw(results: Results) -> Figure | None:
    """A panel for each row; nothing unless cross-play was asked for."""
    found = analysed(results, "cross_play")
    if found is None:
        return None
    figure, axes = panels(len(found["rows"]), width=3.6, height=3.2)
    for panel, row in zip(axes, found["rows"], strict=True):
        costs = np.array(row["costs"])
        image = panel.imshow(costs, cmap="cividis_r")
        middle = (costs.min() + costs.max()) / 2
        for (down, across), cost in np.ndenumerate(costs):
            colour = "#ffffff" if cost > middle else "#000000"
            panel.text(across, down, f"{cost:.4g}", ha="center", va="center", fontsize=7, color=colour)
        seeds = [str(seed) for seed in row["seeds"]]
        panel.set_xticks(range(len(seeds)), seeds)
        panel.set_yticks(range(len(seeds)), seeds)
        panel.set_xlabel("member of seed")
        panel.set_ylabel("team of seed")
        panel.grid(visible=False)
        panel.set_title(f"{row['row']}, {results.measure}")
        figure.colorbar(image, ax=panel, shrink=0.8)
    figure.tight_layout()
    return figure
