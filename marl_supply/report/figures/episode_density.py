"""How the cost or profit of an episode is distributed: a kernel density for each row, where the report shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Array, Results, Row

CAPTION = (
    "Kernel density (Gaussian, bandwidth of Scott 1992) of what episodes cost or earn, over common replications; of "
    "trained rows the replications of all seeds together. A vertical line is a row whose episodes are all alike; rows "
    "that spread far wider than the others are told in words."
)
WIDE = 6.0
PLACES, REACH = 256, 5.0
"""Places at which a density is worked out, and how many bandwidths they reach beyond the episodes."""


def draw(results: Results) -> Figure | None:
    """One panel; nothing unless `density` is shown, or where there is but one realised path."""
    return draw_side_by_side([""], [results])


def draw_side_by_side(titles: Sequence[str], several: Sequence[Results]) -> Figure | None:
    """A panel for each experiment, under its title; nothing as for `draw`."""
    if "density" not in several[0].report["show"] or any(row.one_path for results in several for row in results):
        return None
    width, height = (5.6, 3.6) if len(several) == 1 else (4.6, 3.2)
    figure, axes = panels(len(several), width, height)
    of_row = colours(list(dict.fromkeys(row.name for results in several for row in results)))
    for panel, title, results in zip(axes, titles, several, strict=True):
        values = {row.name: episodes(results, row) for row in results}
        for row in results:
            _draw_row(panel, row, values[row.name], of_row[row.name])
        _narrow(panel, values)
        panel.set_title(title)
        panel.set_xlabel(measure(results))
    for panel in axes[:: min(len(axes), 2)]:
        panel.set_ylabel("density")
    legend_below(figure, axes, columns=3)
    return figure


def wide_rows(values: Mapping[str, Array]) -> list[str]:
    """The rows whose episodes spread `WIDE` times as far as the median row's, beside which others would be lines."""
    spread = {name: float(own.std()) for name, own in values.items()}
    return [name for name, own in spread.items() if own > WIDE * float(np.median(list(spread.values())))]


def _narrow(panel: Axes, values: Mapping[str, Array]) -> None:
    """Show where the other rows lie, and say where the wide ones do."""
    wide = wide_rows(values)
    if wide:
        others = np.concatenate([own for name, own in values.items() if name not in wide])
        margin = 0.1 * float(np.ptp(others))
        panel.set_xlim(float(others.min()) - margin, float(others.max()) + margin)
        told = [f"{name}: mean {values[name].mean():,.4g}, deviation {values[name].std():,.3g}" for name in wide]
        panel.text(0.01, 0.985, "\n".join(told), transform=panel.transAxes, va="top", fontsize=7)


def density(values: Array) -> tuple[Array, Array] | None:
    """The kernel density of numbers.

    Parameters
    ----------
    values : (N,) array
        Money.

    Returns
    -------
    tuple of (256,) arrays, or None
        Places from five bandwidths below the least to five above the greatest, and the density there; None where all
        numbers are alike (to a billionth), so that there is none.
    """
    spread = float(np.ptp(values))
    if spread <= 1e-9 * max(1.0, float(np.abs(values).max())):
        return None
    kernel = gaussian_kde(values)
    reach = REACH * float(np.sqrt(kernel.covariance[0, 0]))
    places = np.linspace(values.min() - reach, values.max() + reach, PLACES)
    return places, kernel(places)


def episodes(results: Results, row: Row) -> Array:
    """(seeds x replications,) what each episode of a row cost, as the table has it, or earned a period (`measure`)."""
    if not _priced(results):
        return row.by_seed.ravel()
    return -row.by_seed.ravel() * (row.divisor / row.periods)


def measure(results: Results) -> str:
    """What the figure is over: profit a period where a market pays a price, else what the table has."""
    return f"profit a {results.period}" if _priced(results) else results.measure


def _priced(results: Results) -> bool:
    return any(market.get("price") for market in results.experiment["topology"]["markets"].values())


def _draw_row(panel: Axes, row: Row, values: Array, colour: str) -> None:
    found = density(values)
    if found is None:
        panel.axvline(float(values[0]), color=colour, label=row.name)
    else:
        panel.plot(*found, color=colour, label=row.name)
