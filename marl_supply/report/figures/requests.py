"""Achieved against requested return of a pretrained model, with the diagonal on which it does as it is told."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import STYLES, colours, legend_below, panels
from marl_supply.report.requests import Achieved, baseline_of, ends_of, requests
from marl_supply.report.results import Results

CAPTION = (
    "Achieved against requested return, relative to the baseline, with 95% intervals; on the dashed line a model "
    "reaches what is requested."
)


def draw(results: Results) -> Figure | None:
    """One panel, a line for each model; None unless it is to be shown and returns are requested."""
    found = requests(results) if "requests" in results.report["show"] else {}
    if not found:
        return None
    figure, (panel,) = panels(1, width=5.6, height=4.2)
    asked = [100 * each.requested for own in found.values() for each in own]
    ends = [min(asked), max(asked)]
    panel.plot(ends, ends, color="#595959", linestyle=STYLES[0], linewidth=1, label="as requested")
    of_model = colours(list(found))
    for model, own in found.items():
        low, mean, high = 100 * np.array([_ends(each) for each in own]).T
        places = [100 * each.requested for each in own]
        whiskers = [mean - low, high - mean]
        panel.errorbar(
            places, mean, yerr=whiskers, color=of_model[model], marker="o", markersize=4, capsize=3, label=model
        )
    panel.set_xlabel("requested return, % of the baseline's")
    panel.set_ylabel(f"achieved return, % better than {baseline_of(results).name}")
    legend_below(figure, [panel], columns=3)
    return figure


def _ends(each: Achieved) -> tuple[float, float, float]:
    mean = each.achieved.mean
    low, high = ends_of(each.achieved) or (mean, mean)
    return low, mean, high
