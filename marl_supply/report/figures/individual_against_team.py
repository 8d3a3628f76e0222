"""What each agent pays against the total of all: a panel for each agent, with the ray along which anarchy grows."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marl_supply.report.anarchy import Anarchy, anarchy
from marl_supply.report.drawing import colours, legend_below, panels
from marl_supply.report.results import Results, Row

CAPTION = (
    "What each agent pays against the total of all: a point for each training seed or rule, crosses are references. "
    "The grey ray leads from the cheapest cooperation that sees as much as the dearest selfish row to the price of "
    "anarchy times that, all agents paying in proportion: who lies above it bears more of the anarchy than its part. "
    "Rows that cost more than twice the dearest selfish row are left out."
)
TOO_DEAR = 2.0


def draw(results: Results) -> Figure | None:
    """A panel for each agent; nothing unless agents play for themselves in some rows and not in others."""
    found = anarchy(results)
    if found is None or found.measured is None:
        return None
    dearest = TOO_DEAR * float(found.selfish.figures.mean())
    shown = [row for row in results if float(row.figures.mean()) <= dearest]
    agents = results.rows[0].record["agents"]
    of_row = colours([row.name for row in shown])
    figure, axes = panels(len(agents), width=4.4, height=3.2)
    for panel, agent in zip(axes, agents, strict=True):
        for row in shown:
            own = row.part(agent).figures
            panel.plot(row.figures, own, _mark(row), color=of_row[row.name], markersize=4.5, label=row.name)
        _references(panel, results, agent)
        _ray(panel, found, agent)
        panel.set_title(agent)
        panel.set_ylabel(f"own {results.measure}")
        panel.set_xlabel(f"{results.measure}, all agents")
    figure.tight_layout()
    legend_below(figure, axes)
    return figure


def _mark(row: Row) -> str:
    return "o" if row.trained else "s"


def _references(panel: Axes, results: Results, agent: str) -> None:
    for name, known in results.report["references"].items():
        if agent in known.get("by_agent", {}):
            panel.plot(known["cost"], known["by_agent"][agent], "x", color="#000000", markeredgewidth=1.5)
            place = (known["cost"], known["by_agent"][agent])
            panel.annotate(name.replace("_", " "), place, textcoords="offset points", xytext=(5, 3), fontsize=7)


def _ray(panel: Axes, found: Anarchy, agent: str) -> None:
    assert found.measured is not None
    ends = np.array([1.0, found.measured.mean])
    total = float(found.cooperative.figures.mean())
    own = float(found.cooperative.part(agent).figures.mean())
    panel.plot(ends * total, ends * own, color="#999999", linewidth=1.2, zorder=0)
    told = f"× {found.measured.mean:.3f}"
    place = (ends[1] * total, ends[1] * own)
    panel.annotate(told, place, textcoords="offset points", xytext=(-8, 5), fontsize=8, color="#666666")
