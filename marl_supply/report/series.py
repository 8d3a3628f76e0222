"""The report over a series: what each row costs by the value of what varies, beside exact optima and equilibria."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marl_supply.metrics.intervals import Interval
from marl_supply.report.anarchy import Anarchy, anarchy
from marl_supply.report.drawing import STYLES, colours, legend_below, panels, save
from marl_supply.report.results import Results, read, read_json
from marl_supply.report.statistics import Estimate, estimate
from marl_supply.report.tables import aligned, markdown, number
from marl_supply.report.write import Report

CAPTION = (
    "Left: cost of rows that were trained or are in equilibrium (marks, with 95% intervals) and of exact references "
    "(lines). Right: cost of each row whose agents play for themselves over that of the cheapest other row; lines are "
    "exact equilibria over the exact optimum."
)


@dataclass(frozen=True)
class Series:
    """Results by value."""

    path: Path
    label: str
    name: str
    values: list[Any]
    results: list[Results]


def is_series(folder: str | Path) -> bool:
    """Whether a folder holds a series."""
    return (Path(folder) / "series.json").is_file()


def read_series(folder: str | Path) -> Series:
    """Read the folder of a series, and those of its experiments beside it.

    Raises
    ------
    InputError
        If one of them is missing or damaged.
    """
    path = Path(folder)
    record = read_json(path / "series.json")
    results = [read(path.parent / name) for name in record["folders"]]
    return Series(path, record["label"], record["name"], record["values"], results)


def write_series(folder: str | Path) -> Report:
    """Write report.md, summary.json and the figure of a series into its folder."""
    series = read_series(folder)
    cells = table(series)
    save(draw(series), series.path / "figures" / "series.png")
    text = [f"# {series.name}", markdown(cells), FOOT, f"![{CAPTION}](figures/series.png)\n\n{CAPTION}", _links(series)]
    (series.path / "report.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")
    summary = {"name": series.name, "label": series.label, "points": [_point(*each) for each in _pairs(series)]}
    (series.path / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return Report(series.path / "report.md", aligned(cells), summary)


FOOT = (
    "Intervals of trained rows are over training seeds. The price of anarchy is measured as the dearest row whose "
    "agents play for themselves over the cheapest other row, an estimate and no bound; exact, as the dearest known "
    "equilibrium of the game of the same levels over the optimum."
)


def table(series: Series) -> list[list[Any]]:
    """The cells: by value the references, the rows, and the price of anarchy measured and exact."""
    references = _references(series)
    names = [row.name for row in series.results[0]]
    head = [series.label, *references, *names, "price of anarchy", "exact"]
    cells: list[list[Any]] = [head]
    for value, results in _pairs(series):
        known = results.report["references"]
        rows = {row.name: _told(estimate(row)) for row in results}
        found = anarchy(results)
        measured = None if found is None else found.measured
        cells.append(
            [
                str(value),
                *(number(known[name]["cost"]) if name in known else "-" for name in references),
                *(rows.get(name, "-") for name in names),
                "-" if measured is None else _told(measured),
                _exact(found),
            ]
        )
    return cells


def draw(series: Series) -> Figure:
    """Costs, and the price of anarchy, over what varies."""
    figure, (costs, prices) = panels(2, width=5.2, height=3.8)
    numeric = all(isinstance(value, int | float) for value in series.values)
    places = np.array(series.values, dtype=float) if numeric else np.arange(len(series.values), dtype=float)
    _lines(costs, series, places)
    _rows(costs, series, places)
    _prices(prices, series, places)
    for panel in (costs, prices):
        panel.set_xticks(places, [str(value) for value in series.values])
        panel.set_xlabel(series.label.replace("_", " "))
    costs.set_ylabel(series.results[0].measure)
    prices.set_ylabel("price of anarchy")
    legend_below(figure, (costs, prices))
    return figure


def _lines(panel: Axes, series: Series, places: Any) -> None:
    for style, name in enumerate(_references(series)):
        costs = [results.report["references"].get(name, {}).get("cost", np.nan) for results in series.results]
        alone = "x" if np.isfinite(costs).sum() == 1 else ""
        drawn = STYLES[style % len(STYLES)]
        panel.plot(places, costs, color="#595959", linestyle=drawn, marker=alone, label=name.replace("_", " "))


def _rows(panel: Axes, series: Series, places: Any) -> None:
    of_row = colours(_marked(series))
    for name, colour in of_row.items():
        found = [_estimate_of(results, name) for results in series.results]
        _marks(panel, places, found, colour, name.replace("_", " "))


def _marked(series: Series) -> list[str]:
    """The rows that are drawn: those that were trained, and rules in equilibrium."""
    return [row.name for row in series.results[0] if row.trained or row.reward]


def _prices(panel: Axes, series: Series, places: Any) -> None:
    for style, name in enumerate(_references(series)[1:], start=1):
        ratios = [_over_optimum(results, name) for results in series.results]
        alone = "x" if np.isfinite(ratios).sum() == 1 else ""
        panel.plot(places, ratios, color="#595959", linestyle=STYLES[style % len(STYLES)], marker=alone)
    found = [_over_cooperation(results) for results in series.results]
    of_row = colours(_marked(series))
    for name in dict.fromkeys(name for ratios in found for name in ratios):
        _marks(panel, places, [ratios.get(name) for ratios in found], of_row[name], name.replace("_", " "))
    panel.axhline(1, color="#bbbbbb", linewidth=0.8)


def _marks(panel: Axes, places: Any, found: Sequence[Estimate | None], colour: str, label: str) -> None:
    """Means with whiskers, where there are any."""
    known = [(place, each) for place, each in zip(places, found, strict=True) if each is not None]
    if not known:
        return
    means = np.array([each.mean for _, each in known])
    halves = [(_half(each.intervals[0]) if each.intervals else 0.0) for _, each in known]
    at = [place for place, _ in known]
    panel.errorbar(at, means, yerr=halves, color=colour, marker="o", markersize=4, capsize=3, linestyle="", label=label)


def _half(interval: Interval) -> float:
    return interval.half_width or 0.0


def _over_cooperation(results: Results) -> dict[str, Estimate | None]:
    """By selfish row, what it costs over the cheapest cooperative one."""
    found = anarchy(results)
    if found is None:
        return {}
    return {found.selfish.name: found.measured, **{row.name: ratio for row, _, ratio in found.others}}


def _over_optimum(results: Results, name: str) -> float:
    known = results.report["references"]
    return float(known[name]["cost"] / known["optimum"]["cost"]) if {name, "optimum"} <= set(known) else float("nan")


def _estimate_of(results: Results, name: str) -> Estimate | None:
    return next((estimate(row) for row in results if row.name == name), None)


def _exact(found: Anarchy | None) -> str:
    """The exact prices of stability and of anarchy, where they differ."""
    if found is None or found.exact is None:
        return "-"
    return number(found.exact) if found.stability is None else f"{number(found.stability)} to {number(found.exact)}"


def _references(series: Series) -> list[str]:
    """All references of any value, the optimum first."""
    names = dict.fromkeys(name for results in series.results for name in results.report["references"])
    return sorted(names, key=lambda name: (name != "optimum", name))


def _pairs(series: Series) -> list[tuple[Any, Results]]:
    return list(zip(series.values, series.results, strict=True))


def _point(value: Any, results: Results) -> dict[str, Any]:
    found = anarchy(results)
    measured = None if found is None else found.measured
    return {
        "value": value,
        "folder": results.path.name,
        "references": {name: known["cost"] for name, known in results.report["references"].items()},
        "rows": {row.name: _ends(estimate(row)) for row in results},
        "price_of_anarchy": None if measured is None else _ends(measured),
        "exact": None if found is None else found.exact,
        "stability": None if found is None else found.stability,
    }


def _ends(found: Estimate) -> dict[str, Any]:
    interval = found.intervals[0] if found.intervals else None
    return {
        "mean": found.mean,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }


def _told(found: Estimate) -> str:
    half = _half(found.intervals[0]) if found.intervals else 0.0
    return f"{number(found.mean)} ± {number(half)}" if half else number(found.mean)


def _links(series: Series) -> str:
    lines = [f"- {value}: [{r.path.name}](../{r.path.name}/report.md)" for value, r in _pairs(series)]
    return "\n".join(["## The experiments", "", *lines])
