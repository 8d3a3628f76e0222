"""Where the parts of a layered picture stand: layers from left to right, few crossings, straight lines (Sugiyama 1981).

Lengths are inches, y points up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SWEEPS = 12


@dataclass(frozen=True)
class Layered:
    """A layout.

    x, y : (n,) centres of the boxes; ways: for each link the y at which it passes the layers between its ends, and
    their x; columns: (layers, 2) left and right end of each layer.
    """

    x: FloatArray
    y: FloatArray
    ways: tuple[tuple[tuple[float, float], ...], ...]
    columns: FloatArray


def arrange(
    layer: Sequence[int],
    size: FloatArray,
    links: Sequence[tuple[int, int]],
    gaps: Sequence[float] | FloatArray,
    apart: float = 0.25,
) -> Layered:
    """Place boxes in layers.

    Parameters
    ----------
    layer : (n,)
        The layer of each box, from 0; each link leads to a later layer.
    size : (n, 2)
        Width and height of each box.
    links
        Pairs of boxes.
    gaps : (layers - 1,)
        Widths between the layers.
    apart : float
        Least height between boxes.
    """
    boxes = len(layer)
    layers, chains = list(layer), []
    for start, end in links:
        between = range(layer[start] + 1, layer[end])
        chains.append([start, *range(len(layers), len(layers) + len(between)), end])
        layers += between
    heights = np.concatenate([size[:, 1], np.zeros(len(layers) - boxes)])
    pairs = [pair for chain in chains for pair in zip(chain, chain[1:], strict=False)]
    rows = ordered(layers, pairs)
    y = _heights(rows, pairs, heights, apart)
    columns = _columns(layers[:boxes], size[:, 0], gaps)
    centre = columns.mean(1)
    ways = tuple(tuple((float(centre[layers[part]]), float(y[part])) for part in chain[1:-1]) for chain in chains)
    return Layered(centre[list(layer)], y[:boxes], ways, columns)


def ordered(layer: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return for each layer its parts from top to bottom, by barycentre sweeps; the fewest crossings win."""
    rows: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for part, number in enumerate(layer):
        rows[number].append(part)
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for start, end in pairs:
        below[start].append(end)
        above[end].append(start)
    best, fewest = [list(row) for row in rows], crossings(rows, pairs)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            _sort(row, rows, above if down else below)
        count = crossings(rows, pairs)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def crossings(rows: Sequence[Sequence[int]], pairs: Sequence[tuple[int, int]]) -> int:
    """Return how many pairs of links between neighbouring layers cross."""
    place = {part: number for row in rows for number, part in enumerate(row)}
    layer = {part: number for number, row in enumerate(rows) for part in row}
    total = 0
    for number in range(len(rows) - 1):
        ends = sorted((place[start], place[end]) for start, end in pairs if layer[start] == number)
        total += _inversions([end for _, end in ends])
    return total


def _sort(row: list[int], rows: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]]) -> None:
    """By the mean place of a part's neighbours; parts without any keep theirs."""
    share = {part: (number + 0.5) / len(other) for other in rows for number, part in enumerate(other)}
    key = {part: float(np.mean([share[other] for other in neighbours[part] or [part]])) for part in row}
    row.sort(key=key.__getitem__)


def _inversions(values: list[int]) -> int:
    """How many pairs stand in the wrong order, by merging."""
    if len(values) < 2:
        return 0
    left, right = values[: len(values) // 2], values[len(values) // 2 :]
    total = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    return total + int(np.sum(len(left) - np.searchsorted(left, right, side="right")))


def _heights(
    rows: Sequence[Sequence[int]], pairs: Sequence[tuple[int, int]], heights: FloatArray, apart: float
) -> FloatArray:
    """Centres that follow those of their neighbours as far as the order in the layer allows."""
    y = np.zeros(len(heights))
    starts, ends = np.array(pairs, dtype=int).reshape(-1, 2).T
    leaving, reaching = np.bincount(starts, minlength=len(y)), np.bincount(ends, minlength=len(y))
    pulls: list[list[tuple[int, float]]] = [[] for _ in heights]
    for start, end in pairs:
        rivals = leaving[start] * reaching[end]
        pull = 1000.0 if rivals == 1 else 1 / rivals  # what is the only link of both its ends is to be level
        pulls[start].append((end, pull))
        pulls[end].append((start, pull))
    steps = []
    for row in rows:
        tall = heights[row]
        steps.append((tall[1:] + tall[:-1]) / 2 + np.where(tall[1:] + tall[:-1] > 0, apart, apart / 2))
        y[row] = _spread(np.zeros(len(row)), steps[-1])
    for sweep in range(2 * SWEEPS):
        order = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        for number in order:
            row = rows[number]
            wanted = np.array([_mean(y, pulls[part], y[part]) for part in row])
            y[row] = _spread(wanted, steps[number])
    return y


def _mean(y: FloatArray, pulls: Sequence[tuple[int, float]], otherwise: float) -> float:
    weight = sum(pull for _, pull in pulls)
    return sum(float(y[part]) * pull for part, pull in pulls) / weight if pulls else float(otherwise)


def _spread(wanted: FloatArray, steps: FloatArray) -> FloatArray:
    """The falling positions nearest to the wanted ones (least squares) with at least `steps` between them.

    Pooling adjacent violators on what is left of the positions when the steps are taken out.
    """
    offset = np.concatenate([[0.0], np.cumsum(steps)])
    means: list[float] = []
    sizes: list[int] = []
    for value in wanted + offset:
        means.append(float(value))
        sizes.append(1)
        while len(means) > 1 and means[-2] < means[-1]:
            size = sizes[-2] + sizes[-1]
            means[-2:] = [(means[-2] * sizes[-2] + means[-1] * sizes[-1]) / size]
            sizes[-2:] = [size]
    return np.repeat(means, sizes) - offset


def _columns(layer: Sequence[int], width: FloatArray, gaps: Sequence[float] | FloatArray) -> FloatArray:
    widths = np.zeros(max(layer) + 1)
    np.maximum.at(widths, np.asarray(layer), width)
    left = np.concatenate([[0.0], np.cumsum(widths[:-1] + np.asarray(gaps, dtype=float))])
    return np.stack([left, left + widths], axis=1)
