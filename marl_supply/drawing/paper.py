"""White paper: a figure measured in inches, the sizes of its letters, and the marks that all pictures are made of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Polygon
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
DOTS = 150
"""Dots an inch of what is written to a file."""
TITLE, SMALL = 9.0, 7.5
"""Sizes of letters, points."""
LINE = 1.28
"""Height of a line of text, as a multiple of the size of its letters."""
GREY, PALE = "#555555", "#eeeeee"


@cache
def width(text: str, points: float, bold: bool = False) -> float:
    """Return how wide a text is, inches."""
    properties = FontProperties(size=points, weight="bold" if bold else "normal")
    extent = _measuring().get_renderer().get_text_width_height_descent(text, properties, False)
    return float(extent[0]) / 720


def block(lines: Sequence[str], points: float = SMALL, bold: bool = False) -> tuple[float, float]:
    """Return the width and height of lines that stand under each other, inches."""
    return max((width(line, points, bold) for line in lines), default=0.0), len(lines) * points * LINE / 72


def wrapped(texts: Iterable[str], letters: int) -> list[str]:
    """Return the texts as lines of at most so many letters, each text beginning a line of its own.

    A number stays with the word before it.
    """
    bound = (re.sub(r" (?=\d)", "\u00a0", text) for text in texts)
    lines = (line for text in bound for line in textwrap.wrap(text, letters, break_long_words=False) or [""])
    return [line.replace("\u00a0", " ") for line in lines]


def sheet(left: float, right: float, bottom: float, top: float, dots: int = DOTS) -> tuple[Figure, Axes]:
    """Return a white figure and its only axes, whose coordinates are inches."""
    figure = Figure(figsize=(right - left, top - bottom), dpi=dots, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    return figure, axes


def write(
    axes: Axes, x: float, top: float, lines: Sequence[str], points: float = SMALL, align: str = "center", **style: Any
) -> float:
    """Write lines under each other, the first one's top at `top`; return the bottom of the last one."""
    step = points * LINE / 72
    for number, line in enumerate(lines):
        axes.text(x, top - (number + 0.5) * step, line, size=points, ha=align, va="center_baseline", **style)
    return top - len(lines) * step


def box(axes: Axes, left: float, bottom: float, wide: float, tall: float, **style: Any) -> None:
    """Draw a box with round corners."""
    look = {"facecolor": "white", "edgecolor": "black", "linewidth": 1.0, "zorder": 3, **style}
    shape = f"round,pad=0,rounding_size={min(0.06, wide / 4, tall / 4)}"
    axes.add_patch(FancyBboxPatch((left, bottom), wide, tall, boxstyle=shape, **look))


def arrow_head(axes: Axes, points: FloatArray, length: float = 0.09, **style: Any) -> None:
    """Draw the head at the end of a curve (n, 2), along its last piece."""
    tip = points[-1]
    far = points[np.hypot(*(points - tip).T) >= length]
    along = tip - (far[-1] if len(far) else points[0])
    along = along / max(float(np.hypot(*along)), 1e-9) * length
    across = np.array([-along[1], along[0]]) * 0.38
    corners = np.array([tip, tip - along + across, tip - along - across])
    look = {"color": "black", "linewidth": 0, "zorder": 4, **style}
    axes.add_patch(Polygon(corners, closed=True, **look))


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all; the same picture is the same bytes.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=figure.dpi, metadata={"Software": None})
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content.getvalue())
    partial.replace(path)


@cache
def _measuring() -> FigureCanvasAgg:
    """A canvas of 720 dots an inch, to measure on."""
    return FigureCanvasAgg(Figure(figsize=(1, 1), dpi=720))
