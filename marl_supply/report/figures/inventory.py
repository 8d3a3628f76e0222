"""Stock on hand over time, a panel for each node or product: the mean of each row and the band of its replications."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results

MOST = 12
"""Panels, at most; of a larger chain those that hold the most stock."""
CAPTION = (
    "Stock on hand at the end of each period: mean over replications and, shaded, the middle 80% of them (10th to 90th "
    "percentile; of trained rows the first seed)."
)


def draw(results: Results) -> Figure | None:
    """All panels to a scale of their own; None unless it is to be shown."""
    if "inventory" not in results.report["show"]:
        return None
    chosen = results.report.get("inventory") or [row.name for row in results]
    tables = {row.name: table for row in results if row.name in chosen and (table := row.table("inventory"))}
    if not tables:
        return None
    columns = {name: {key: table[key].to_numpy() for key in table.column_names} for name, table in tables.items()}
    nodes = _shown(columns)
    figure, axes = panels(len(nodes), width=4.6, height=2.6)
    of_row = colours(list(columns))
    for panel, node in zip(axes, nodes, strict=True):
        for name, own in columns.items():
            here = own["node"] == node
            period, mean = own["period"][here], own["mean"][here]
            panel.fill_between(period, own["low"][here], own["high"][here], color=of_row[name], alpha=0.18, linewidth=0)
            panel.plot(period, mean, color=of_row[name], linewidth=1.3, label=name)
        panel.set_ylim(bottom=0)
        panel.set_title(node)
        panel.set_xlabel(results.period)
    for panel in axes[::2]:
        panel.set_ylabel("units on hand")
    legend_below(figure, axes)
    return figure


def _shown(columns: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """The nodes that hold the most stock, in the order of the chain."""
    first = next(iter(columns.values()))
    nodes = list(dict.fromkeys(map(str, first["node"])))
    most = sorted(nodes, key=lambda node: -max(own["high"][own["node"] == node].max() for own in columns.values()))
    return [node for node in nodes if node in most[:MOST]]
