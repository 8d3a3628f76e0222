"""The still part of the picture of a period: boxes, arrows and where bars and numbers will stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from marl_supply.drawing import paper
from marl_supply.drawing.curves import Rectangle, curve, place_labels, ports
from marl_supply.drawing.layout import arrange
from marl_supply.topology.outline import Outline, Place

FloatArray = NDArray[np.float64]
WIDE, TALL, LOW = 1.35, 1.0, 0.32
"""Width of a place's box, its height, and the height of a source's, inches."""
MARKET_TALL = 0.62
EDGE = 0.12
LARGEST = 1600
"""Most dots that a frame is wide or high."""
FULL, BRIEF, NONE = "full", "brief", "none"
SAMPLE: dict[str, tuple[str, ...]] = {
    FULL: ("ordered 888", "shipped 888", "on the way 888"),
    BRIEF: ("88 / 88 (188)",),
    NONE: (),
}
"""Lines as wide and as many as the numbers of a lane will be."""
LEGEND = {BRIEF: "on the arrows: shipped / ordered (on the way)"}


@dataclass(frozen=True)
class Stage:
    """What does not change from frame to frame; places in inches.

    places, markets: their boxes; curves: of the lanes, then of the sales; labels: boxes for the numbers of the lanes;
    dots: pixels an inch; detail: how much those numbers say, `FULL`, `BRIEF` or `NONE`; title: where the title begins.
    """

    figure: Figure
    axes: Axes
    dots: int
    places: tuple[Rectangle, ...]
    markets: tuple[Rectangle, ...]
    curves: tuple[FloatArray, ...]
    labels: tuple[Rectangle, ...]
    detail: str
    title: tuple[float, float]

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point given in inches lies in the image, pixels from its left and its top."""
        (left, _), (_, top) = self.axes.get_xlim(), self.axes.get_ylim()
        return (x - left) * self.dots, (top - y) * self.dots


def build(parts: Outline) -> Stage:
    """Draw the boxes and the arrows, and find the places of what moves."""
    layer = [place.level for place in parts.places] + [parts.places[sale.place].level + 1 for sale in parts.sales]
    titles = [*(place.title for place in parts.places), *(sale.title for sale in parts.sales)]
    size = np.array([_size(place) for place in parts.places] + [(WIDE, MARKET_TALL)] * len(parts.sales))
    size[:, 0] = max(WIDE, *(paper.width(title, paper.SMALL, True) + 0.15 for title in titles))
    links = [(lane.supplier, lane.customer) for lane in parts.lanes]
    detail = _detail([layer[start] for start, _ in links])
    block = paper.block(SAMPLE[detail])
    links += [(sale.place, len(parts.places) + number) for number, sale in enumerate(parts.sales)]
    room = size.copy()
    starts, ends = ([link[side] for link in links] for side in (0, 1))
    for start, end in links[: len(parts.lanes)]:
        count = links.count((start, end))
        lonely = [start] * (starts.count(start) == 1) + [end] * (ends.count(end) == 1)
        for box in [start, end] if count > 1 else lonely:
            room[box, 1] = max(room[box, 1], count * (block[1] + 0.12))
    parallel = len(set(ends)) < len(ends)  # of lines that come together more is to be seen than their numbers
    gaps = np.full(max(layer), max(block[0] + (0.8 if parallel else 0.35), 0.6))
    flat = arrange(layer, room, links, gaps, apart=0.2)
    for start, end in links:
        gaps[layer[start]] = max(gaps[layer[start]], min(0.6 * abs(flat.y[start] - flat.y[end]), 2.0))
    layout = arrange(layer, room, links, gaps, apart=0.2)
    boxes = [
        (float(x - wide / 2), float(y - tall / 2), float(x + wide / 2), float(y + tall / 2))
        for x, y, (wide, tall) in zip(layout.x, layout.y, size, strict=True)
    ]
    leave = ports([start for start, _ in links], [layout.y[end] for _, end in links], size[:, 1], 0.14)
    reach = ports([end for _, end in links], [layout.y[start] for start, _ in links], size[:, 1], 0.14)
    curves = []
    for number, (start, end) in enumerate(links):
        alike = [other for other, link in enumerate(links) if link == links[number]]
        bow = ((len(alike) - 1) / 2 - alike.index(number)) * max(block[1], 0.2)
        left, right = (boxes[start][2], layout.y[start] + leave[number]), (boxes[end][0], layout.y[end] + reach[number])
        stops = [left]
        for column, (_, y) in zip(range(layer[start] + 1, layer[end]), layout.ways[number], strict=True):
            stops += [(float(layout.columns[column, 0]), y), (float(layout.columns[column, 1]), y)]
        stops.append(right)
        curves.append(np.concatenate([curve(stops[at], stops[at + 1], bow) for at in range(0, len(stops), 2)]))
    lanes = curves[: len(parts.lanes)]
    labels = [] if detail == NONE else place_labels([block] * len(lanes), _first_pieces(lanes), curves, boxes)
    return _drawn(parts, titles, boxes, curves, labels, detail)


def _size(place: Place) -> tuple[float, float]:
    return (WIDE, LOW if place.is_source else TALL)


def _detail(levels: Sequence[int]) -> str:
    beside = max(map(levels.count, levels), default=0)
    return FULL if beside <= 3 else BRIEF if beside <= 20 else NONE


def _first_pieces(curves: Sequence[FloatArray]) -> list[FloatArray]:
    """The part of each curve that lies before the next layer."""
    return [points[: curve((0, 0), (1, 1)).shape[0]] for points in curves]


def _drawn(
    parts: Outline,
    titles: Sequence[str],
    boxes: Sequence[Rectangle],
    curves: Sequence[FloatArray],
    labels: Sequence[Rectangle],
    detail: str,
) -> Stage:
    taken = [*boxes, *labels, *((*points.min(0), *points.max(0)) for points in curves)]
    left, bottom = (min(rectangle[side] for rectangle in taken) - EDGE for side in (0, 1))
    right, top = (max(rectangle[side] for rectangle in taken) + EDGE for side in (2, 3))
    right, top = max(right, left + 5.5), top + 0.34
    bottom -= 0.2 if detail in LEGEND else 0.0
    dots = int(min(100, LARGEST / (right - left), LARGEST / (top - bottom)))
    figure, axes = paper.sheet(left, right, bottom, top, dots)
    for points in curves:
        axes.plot(*points.T, color="#999999", linewidth=0.6, zorder=1)
        paper.arrow_head(axes, points, color="#999999", zorder=1.5)
    for number, (title, rectangle) in enumerate(zip(titles, boxes, strict=True)):
        _draw_box(axes, title, rectangle, parts.places[number] if number < len(parts.places) else None)
    if detail in LEGEND:
        paper.write(axes, left + EDGE, bottom + 0.22, [LEGEND[detail]], align="left", color=paper.GREY)
    places, markets = tuple(boxes[: len(parts.places)]), tuple(boxes[len(parts.places) :])
    return Stage(figure, axes, dots, places, markets, tuple(curves), tuple(labels), detail, (left + EDGE, top - 0.2))


def _draw_box(axes: Axes, title: str, rectangle: Rectangle, place: Place | None) -> None:
    """The box of a place, or of a market where there is none."""
    left, bottom, right, top = rectangle
    look = {"linestyle": (0, (4, 2))} if place is None else {"facecolor": paper.PALE} if place.is_source else {}
    paper.box(axes, left, bottom, right - left, top - bottom, **look)
    over = top - 0.07
    if place is not None and place.is_source:
        over = (top + bottom) / 2 + paper.block([title])[1] / 2
    paper.write(axes, (left + right) / 2, over, [title], weight="bold", zorder=5)
