"""Orders over time by node, a panel for each row: how demand is amplified on its way up."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results

CAPTION = (
    "Orders by node in one replication, the same for every row (of trained rows the first seed); grey is market "
    "demand. Bullwhip ratios, over all replications, stand in the table."
)


def draw(results: Results) -> Figure | None:
    """A panel for each row, all to one scale unless orders of one are far above the others'."""
    tables = {row.name: table for row in results if (table := row.table("orders")) is not None}
    if not any(table["quantity"].to_numpy()[_orders(table)].any() for table in tables.values()):
        return None
    nodes = results.rows[0].record["nodes"]
    of_node = colours(nodes)
    figure, axes = panels(len(tables), width=4.6, height=2.5)
    highest = []
    for panel, (name, table) in zip(axes, tables.items(), strict=True):
        period, kind = table["period"].to_numpy(), np.array(table["kind"].to_pylist())
        whose, quantity = np.array(table["name"].to_pylist()), table["quantity"].to_numpy()
        asked = np.bincount(period[kind == "demand"], weights=quantity[kind == "demand"])
        panel.fill_between(np.arange(len(asked)), asked, step="mid", label="demand", color="#d5d5d5", linewidth=0)
        for node in reversed(nodes):
            own = (kind == "order") & (whose == node)
            panel.step(period[own], quantity[own], where="mid", color=of_node[node], linewidth=1.1, label=node)
        highest.append(float(quantity[kind != "price"].max()))
        panel.set_title(name)
        panel.set_xlabel(results.period)
    common = np.median(highest) * 1.5
    for panel, top in zip(axes, highest, strict=True):
        panel.set_ylim(0, 1.05 * (max(h for h in highest if h <= common) if top <= common else top))
    for panel in axes[::2]:
        panel.set_ylabel(f"units a {results.period}")
    legend_below(figure, axes)
    return figure


def _orders(table: Any) -> Any:
    return np.array(table["kind"].to_pylist()) == "order"
