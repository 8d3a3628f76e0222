"""Prices over time by market, a panel for each row: who undercuts whom, and when prices rise again."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results

SHOWN = 60
"""Periods: the last of those that are kept, when play has settled."""
CAPTION = (
    "Prices that hold by market in one replication, the same for every row (of trained rows the first seed), once play "
    "has gone on for a while."
)


def draw(results: Results) -> Figure | None:
    """A panel for each row, all to one scale; None where nobody decides a price."""
    tables = {row.name: table for row in results if (table := row.table("orders")) is not None}
    paths = {}
    for name, table in tables.items():
        kind = np.array(table["kind"].to_pylist()) == "price"
        if kind.any():
            whose = np.array(table["name"].to_pylist())[kind]
            paths[name] = whose, table["period"].to_numpy()[kind], table["quantity"].to_numpy()[kind]
    if not paths:
        return None
    markets = sorted({str(market) for whose, _, _ in paths.values() for market in whose})
    of_market = colours(markets)
    figure, axes = panels(len(paths), width=4.6, height=2.5)
    lowest = min(price.min() for _, _, price in paths.values())
    highest = max(price.max() for _, _, price in paths.values())
    for panel, (name, (whose, period, price)) in zip(axes, paths.items(), strict=True):
        for market in markets:
            own = (whose == market) & (period > period.max() - SHOWN)
            panel.step(period[own], price[own], where="post", color=of_market[market], linewidth=1.1, label=market)
        panel.set_ylim(lowest - 2, highest + 2)
        panel.set_title(name)
        panel.set_xlabel(results.period)
    for panel in axes[::2]:
        panel.set_ylabel("price")
    legend_below(figure, axes)
    return figure
