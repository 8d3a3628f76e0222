"""What all figures share: colours that stay with a row or node, sizes, and a file that is written whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#595959")
"""The palette of Okabe & Ito (2008), readable without red and green, and two more."""
STYLES = ((0, (6, 2)), (0, (2, 2)), (0, (6, 2, 1, 2)), (0, (1, 1)))

plt.rcParams.update(
    {
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.dpi": 130,
        "savefig.dpi": 130,
    }
)


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, the same whenever the names are the same."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def panels(count: int, width: float = 4.6, height: float = 3.0, across: int = 2) -> tuple[Figure, list[Axes]]:
    """A figure with `count` axes, at most `across` beside each other."""
    columns = min(count, across)
    lines = -(-count // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(width * columns, height * lines), squeeze=False)
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def legend_below(figure: Figure, axes: Sequence[Axes], columns: int = 4) -> None:
    """One legend for all axes, under them."""
    found = {}
    for each in axes:
        handles, labels = each.get_legend_handles_labels()
        found.update({label: handle for handle, label in zip(handles, labels, strict=True) if label not in found})
    lines = -(-len(found) // columns)
    height = float(figure.get_size_inches()[1])
    room = (0.2 * lines + 0.1) / height
    figure.tight_layout(rect=(0, room, 1, 1))
    figure.legend(
        list(found.values()), list(found), loc="lower center", ncols=min(columns, len(found)), bbox_to_anchor=(0.5, 0.0)
    )


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all, and free the figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(path)
    plt.close(figure)
