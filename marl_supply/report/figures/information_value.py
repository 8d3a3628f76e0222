"""Cost against what the agents see: a line for each family of rows that are alike but for that."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marl_supply.report.drawing import STYLES, colours, legend_below, panels
from marl_supply.report.information import LEVELS, Family, families
from marl_supply.report.results import Results, Row
from marl_supply.report.statistics import estimate

CAPTION = (
    "Cost against what agents see, a line for each learner and reward, or rule, with 95% intervals (of trained rows "
    "over seeds, from three seeds on). Whether a difference is significant stands in the table."
)
APART = 0.05
"""Between the whiskers of two families, in levels."""


def draw(results: Results) -> Figure | None:
    """One panel; nothing where no rows are alike but for what they see."""
    found = families(results)
    if not found:
        return None
    levels = [level for level in LEVELS if any(level in family.rows for family in found)]
    figure, (panel,) = panels(1, width=6.0, height=4.0)
    of_family = colours([family.name for family in found])
    for number, family in enumerate(found):
        aside = (number - (len(found) - 1) / 2) * APART
        _line(panel, family, levels, aside, of_family[family.name], (0, ()) if family.least.trained else STYLES[0])
    panel.set_xticks(range(len(levels)), [level.replace("_", " ") for level in levels])
    panel.set_xlim(-0.3, len(levels) - 0.7)
    panel.set_xlabel("what agents see")
    panel.set_ylabel(results.measure)
    panel.grid(axis="x", visible=False)
    legend_below(figure, [panel], columns=2)
    return figure


def _line(panel: Axes, family: Family, levels: list[str], aside: float, colour: str, style: object) -> None:
    places = [levels.index(level) + aside for level in family.rows]
    low, mean, high = np.array([_ends(row) for row in family.rows.values()]).T
    panel.errorbar(
        places,
        mean,
        yerr=[mean - low, high - mean],
        color=colour,
        linestyle=style,
        marker="o",
        markersize=4,
        capsize=3,
        label=family.name,
    )


def _ends(row: Row) -> tuple[float, float, float]:
    """The interval that the table prints, around the figure; no wider than it where there is none."""
    found = estimate(row)
    interval = found.intervals[0] if found.intervals else None
    if interval is None or interval.low is None or interval.high is None:
        return found.mean, found.mean, found.mean
    return interval.low, found.mean, interval.high
