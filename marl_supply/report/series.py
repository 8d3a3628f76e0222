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
from marl_supply.report.claims import over_series, verdicts
from marl_supply.report.drawing import STYLES, colours, legend_below, panels, save
from marl_supply.report.figures import episode_density, scaling
from marl_supply.report.figures.episode_density import draw_side_by_side
from marl_supply.report.results import Results, read, read_json
from marl_supply.report.scaling import mean_scaling_section
from marl_supply.report.statistics import Estimate, estimate
from marl_supply.report.tables import aligned, markdown, number
from marl_supply.report.write import Report, claims_section

CAPTION = (
    "Left: cost of rows that were trained or are in equilibrium (marks, with 95% intervals) and of exact references "
    "(lines). Right: cost of each row whose agents play for themselves over that of the cheapest other row; lines are "
    "exact equilibria over the exact optimum."
)


@dataclass(frozen=True)
class Series:
    """Results by value or case."""

    path: Path
    label: str
    name: str
    values: list[Any]
    results: list[Results]
    cases: dict[str, dict[str, Any]] | None = None
    """What each case sets, where the values are the names of cases."""


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
    return Series(path, record["label"], record["name"], record["values"], results, record.get("cases"))


def write_series(folder: str | Path) -> Report:
    """Write report.md, summary.json and the figures of a series into its folder."""
    series = read_series(folder)
    cells = table(series) if series.cases is None else case_table(series)
    judged = [verdicts(results) for results in series.results]
    claims = over_series([str(value) for value in series.values], judged)
    text = [f"# {series.name}", *_cases(series), markdown(cells), _foot(cells), *mean_scaling_section(series.results)]
    text += [*_figures(series), _links(series)]
    page = "\n\n".join(text) + "\n" + claims_section(claims)
    (series.path / "report.md").write_text(page, encoding="utf-8")
    points = [_point(*each) for each in _pairs(series)]
    for point, found in zip(points, judged, strict=True):
        point["claims"] = [verdict.to_dict() for verdict in found]
    summary = {"name": series.name, "label": series.label, "points": points, "claims": claims}
    (series.path / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return Report(series.path / "report.md", "\n\n".join(filter(None, [aligned(cells), "\n".join(claims)])), summary)


OF_INTERVALS = "Intervals of trained rows are over training seeds, of rules over replications."
OF_ANARCHY = (
    "The price of anarchy is measured as the dearest row whose "
    "agents play for themselves over the cheapest other row, an estimate and no bound; exact, as the dearest known "
    "equilibrium of the game of the same levels over the optimum."
)


def _foot(cells: list[list[Any]]) -> str:
    """How to read the table, as far as it goes."""
    told = any("price of anarchy" in (line[0], *cells[0]) for line in cells)
    return f"{OF_INTERVALS} {OF_ANARCHY}" if told else OF_INTERVALS


def _cases(series: Series) -> list[str]:
    """What each case sets, in a list."""
    if series.cases is None:
        return []
    told = {name: ", ".join(f"`{path}` {value}" for path, value in own.items()) for name, own in series.cases.items()}
    return ["\n".join(f"- {name}: {sets or 'as the topology has it'}" for name, sets in told.items())]


def _figures(series: Series) -> list[str]:
    """Draw the curves over values, and the densities; what the page says of them."""
    drawn: list[tuple[str, str, Figure | None]] = []
    if series.cases is None:
        drawn.append(("series", CAPTION, draw(series)))
    titles = [str(value) if series.cases else f"{series.label} {value}" for value in series.values]
    drawn.append(("episode_density", episode_density.CAPTION, draw_side_by_side(titles, series.results)))
    drawn.append(("scaling", scaling.CAPTION, scaling.draw_means(series.results)))
    parts = []
    for name, caption, figure in drawn:
        if figure is not None:
            save(figure, series.path / "figures" / f"{name}.png")
            parts.append(f"![{caption}](figures/{name}.png)\n\n{caption}")
    return parts


def case_table(series: Series) -> list[list[Any]]:
    """The cells of `table` turned round: a line for each reference and row, a column for each case."""
    (_, *cases), *lines = zip(*table(series), strict=True)
    return [["row", *cases], *(list(line) for line in lines if _told_of(series, line))]


def _told_of(series: Series, line: Sequence[Any]) -> bool:
    """Whether a line says something that the report is to show."""
    hidden = "price_of_anarchy" not in series.results[0].report["show"] and line[0] in ("price of anarchy", "exact")
    return not hidden and set(line[1:]) != {"-"}


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
