"""Curves between boxes, ports where they begin and end, and places for labels that cover no other and no box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top."""
STEPS = 24
ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
"""Where on its curve a label may stand, the best first."""
ABOVE, AWAY = 0.05, 0.06
"""How far above a level line its label stands, and how far from boxes and other labels, inches."""


def ports(ends: Sequence[int], aims: Sequence[float], heights: FloatArray, pitch: float) -> FloatArray:
    """Return how far above the centre of its box each link leaves (or reaches) it.

    Parameters
    ----------
    ends
        The box of each link.
    aims
        The y of the link's other end: higher ones get higher ports, links given earlier first among equals.
    heights : (boxes,)
    pitch : float
        Distance of neighbouring ports, less where the box is too low for it.
    """
    offset = np.zeros(len(ends))
    for end in set(ends):
        members = sorted((number for number, other in enumerate(ends) if other == end), key=lambda n: -aims[n])
        step = min(pitch, 0.75 * heights[end] / max(len(members) - 1, 1))
        offset[members] = step * ((len(members) - 1) / 2 - np.arange(len(members)))
    return offset


def curve(start: tuple[float, float], end: tuple[float, float], bow: float = 0.0) -> FloatArray:
    """Return the points (STEPS + 1, 2) of a curve that leaves and arrives level, lifted by `bow` in its middle."""
    (left, low), (right, high) = start, end
    reach = 0.45 * (right - left)
    lift = bow / 0.75
    corners = np.array([start, (left + reach, low + lift), (right - reach, high + lift), end])
    along = np.linspace(0, 1, STEPS + 1)[:, None]
    weights = [(1 - along) ** 3, 3 * along * (1 - along) ** 2, 3 * along**2 * (1 - along), along**3]
    return np.asarray(sum(weight * corner for weight, corner in zip(weights, corners, strict=True)))


def place_labels(
    sizes: Sequence[tuple[float, float]],
    lines: Sequence[FloatArray],
    curves: Sequence[FloatArray],
    boxes: Sequence[Rectangle],
) -> list[Rectangle]:
    """Return where each label stands: on its line, away from other labels and boxes, on as few other curves as can be.

    Parameters
    ----------
    sizes
        Width and height of each label.
    lines
        The part of its curve on which each label may stand, (n, 2).
    curves
        All curves, those of the labels first and in their order.
    boxes
        What must not be covered.
    """
    taken = [_wider(rectangle) for rectangle in boxes]
    found: list[Rectangle] = []
    for number, (size, line) in enumerate(zip(sizes, lines, strict=True)):
        others = np.concatenate(
            [points for other, points in enumerate(curves) if other != number] or [np.zeros((0, 2))]
        )
        options = [_at(line, share, size) for share in ALONG]
        costs = [
            1000 * sum(overlap(option, other) for other in taken) + _inside(option, others) + 0.01 * rank
            for rank, option in enumerate(options)
        ]
        best = options[int(np.argmin(costs))]
        found.append(best)
        taken.append(_wider(best))
    return found


def overlap(one: Rectangle, other: Rectangle) -> float:
    """Return the area that two rectangles share, square inches."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return wide * tall if wide > 0 and tall > 0 else 0.0


def _at(line: FloatArray, share: float, size: tuple[float, float]) -> Rectangle:
    """On the line, or above it where it is level."""
    x, y = (float(value) for value in line[round(share * (len(line) - 1))])
    if np.ptp(line[:, 1]) < 0.12:
        y = float(line[:, 1].max()) + size[1] / 2 + ABOVE
    return x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2


def _wider(rectangle: Rectangle) -> Rectangle:
    return rectangle[0] - AWAY, rectangle[1] - AWAY / 2, rectangle[2] + AWAY, rectangle[3] + AWAY / 2


def _inside(rectangle: Rectangle, points: FloatArray) -> int:
    left, bottom, right, top = rectangle
    within = (points[:, 0] > left) & (points[:, 0] < right) & (points[:, 1] > bottom) & (points[:, 1] < top)
    return int(within.sum())
