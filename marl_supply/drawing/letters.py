"""Letters as small images: drawn by matplotlib once, then stamped on a frame, which is a hundred times faster."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from marl_supply.drawing import paper

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
BLACK, RED, DARK, WHITE = (0, 0, 0), (204, 0, 0), (51, 51, 51), (255, 255, 255)


def stamp(
    image: Image,
    x: float,
    y: float,
    text: str,
    dots: int,
    points: float = paper.SMALL,
    colour: Colour = BLACK,
    bold: bool = False,
    align: float = 0.5,
    covers: bool = False,
) -> None:
    """Write lines of text on an image (H, W, 3), in place; what lies outside is cut off.

    Parameters
    ----------
    x, y : float
        Middle of the block of lines, pixels from the left and the top; `align` moves it: 0 begins at x, 1 ends there.
    dots : int
        Pixels an inch.
    covers : bool
        Whether the text hides what it stands on.
    """
    lines = text.split("\n")
    step = points * 1.15 * dots / 72
    top = y - step * len(lines) / 2
    widths = [advance(line, points, bold) * dots for line in lines]
    if covers and text:
        left = x - align * max(widths)
        fill(image, left - 1, top, left + max(widths) + 1, top + step * len(lines), WHITE)
    for number, (line, wide) in enumerate(zip(lines, widths, strict=True)):
        _line(image, x - align * wide, top + step * (number + 0.78), line, dots, points, colour, bold)


def fill(image: Image, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    """Colour a rectangle of an image, in place; what lies outside is cut off."""
    rows, columns = slice(max(round(top), 0), max(round(bottom), 0)), slice(max(round(left), 0), max(round(right), 0))
    image[rows, columns] = colour


@cache
def advance(text: str, points: float, bold: bool = False) -> float:
    """Return the width of a text when its letters are set one after another, inches."""
    if len(text) != 1:
        return sum(advance(letter, points, bold) for letter in text)
    return paper.width(f"x{text}x", points, bold) - paper.width("xx", points, bold)


def _line(
    image: Image, x: float, baseline: float, text: str, dots: int, points: float, colour: Colour, bold: bool
) -> None:
    for letter in text:
        _put(image, _letter(letter, dots, points, bold), round(x), round(baseline), colour)
        x += advance(letter, points, bold) * dots


def _put(image: Image, mask: NDArray[np.float64], x: int, baseline: int, colour: Colour) -> None:
    """Blend a letter into an image; its origin lies a third of its cell from the left and two thirds from the top."""
    size = len(mask)
    left, top = x - size // 3, baseline - 2 * size // 3
    rows = slice(max(top, 0), max(min(top + size, image.shape[0]), 0))
    columns = slice(max(left, 0), max(min(left + size, image.shape[1]), 0))
    under = image[rows, columns]
    if under.size:
        part = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, None]
        image[rows, columns] = (under * (1 - part) + np.array(colour) * part + 0.5).astype(np.uint8)


@cache
def _letter(letter: str, dots: int, points: float, bold: bool) -> NDArray[np.float64]:
    """How much of each pixel a letter covers, in a square cell of three times its size."""
    size = 3 * int(np.ceil(points * dots / 72))
    figure = Figure(figsize=(size / dots, size / dots), dpi=dots, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    origin = (size // 3 / size, 1 - 2 * size // 3 / size)
    figure.text(*origin, letter, size=points, ha="left", va="baseline", weight="bold" if bold else "normal")
    canvas.draw()
    return 1.0 - np.asarray(canvas.buffer_rgba())[:size, :size, 0] / 255.0
