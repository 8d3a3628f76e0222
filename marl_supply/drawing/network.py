"""The network of a topology as a figure: boxes in layers from sources (left) to markets (right), arrows for goods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from marl_supply.drawing import paper
from marl_supply.drawing.crowd import crowd
from marl_supply.drawing.curves import Rectangle, curve, place_labels, ports
from marl_supply.drawing.layout import Layered, arrange
from marl_supply.drawing.legend import Legend, read_lanes, read_places
from marl_supply.topology import Topology
from marl_supply.topology.facts import market_facts, together
from marl_supply.topology.outline import Outline, outline

FloatArray = NDArray[np.float64]
Links = Sequence[tuple[int, int]]
Blocks = Sequence[tuple[float, float]]
MARGIN, PAD = 0.15, 0.09
LETTERS = 30
"""Most letters in a line of a box."""
DASHES = ((0, ()), (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))


@dataclass(frozen=True)
class Card:
    """What stands in a box: its first line bold; `look` is "source", "node", "stack" or "market"."""

    title: str
    lines: tuple[str, ...]
    look: str

    def size(self) -> tuple[float, float]:
        """Return width and height, inches."""
        wide, tall = paper.block([self.title], paper.TITLE, bold=True)
        more, lower = paper.block(self.lines)
        return max(wide, more) + 2 * PAD, tall + lower + 2 * PAD * 0.7


@dataclass(frozen=True)
class Drawn:
    """A finished chart: the figure, and where boxes and labels stand (inches), for whoever adds to it or checks it."""

    figure: Figure
    axes: Axes
    boxes: tuple[Rectangle, ...]
    labels: tuple[Rectangle, ...]
    curves: tuple[FloatArray, ...]


def draw(topology: Topology) -> Figure:
    """Return the network as a figure.

    Boxes: name, costs (money a unit and period; lost sale: money a unit), capacity, storage, review days. Arrows: lead
    time, delays (periods), limits and costs; where many are alike, in a legend. Products of a place and alike places of
    a crowded level are drawn as one, and a chain of more than a hundred places is drawn as dots with a table by level.
    """
    parts = outline(topology)
    return crowd(topology, parts) if parts.by_level else chart(topology, parts).figure


def save_picture(topology: Topology, path: Path) -> None:
    """Write the figure of `draw` as a PNG; the same topology gives the same bytes."""
    paper.save(draw(topology), path)


def chart(topology: Topology, parts: Outline) -> Drawn:
    """Return the chart of a chain whose places are drawn one by one."""
    nodes, lanes = read_places(topology, parts), read_lanes(parts)
    cards = [*_place_cards(parts, nodes), *_market_cards(parts)]
    links = [(lane.supplier, lane.customer) for lane in parts.lanes]
    links += [(sale.place, len(parts.places) + number) for number, sale in enumerate(parts.sales)]
    blocks = [paper.block(label) for label in lanes.labels]
    layer = [place.level for place in parts.places] + [parts.places[sale.place].level + 1 for sale in parts.sales]
    size = _sizes(cards, layer)
    layout = _layout(layer, _room(size, links, blocks), links, blocks)
    curves = _curves(layout, layer, size, links, blocks)
    boxes = [_rectangle(layout, size, number) for number in range(len(cards))]
    labelled = [number for number, label in enumerate(lanes.labels) if label]
    first = [curves[number][: _first_gap(layer, links[number], curves[number])] for number in labelled]
    inorder = [*(curves[number] for number in labelled), *(c for n, c in enumerate(curves) if n not in labelled)]
    labels = place_labels([blocks[number] for number in labelled], first, inorder, boxes)
    figure, axes = _sheet(topology, [*boxes, *labels, *map(_around, curves)], nodes.caption, lanes)
    for number, points in enumerate(curves):
        style = lanes.styles[number] if number < len(lanes.styles) else 0
        axes.plot(*points.T, color="black", linewidth=1.0, linestyle=DASHES[style], zorder=2, solid_capstyle="butt")
        paper.arrow_head(axes, points)
    for card, rectangle in zip(cards, boxes, strict=True):
        _draw_card(axes, card, rectangle)
    for number, rectangle in zip(labelled, labels, strict=True):
        _draw_label(axes, lanes.labels[number], rectangle)
    return Drawn(figure, axes, tuple(boxes), tuple(labels), tuple(curves))


def _place_cards(parts: Outline, nodes: Legend) -> list[Card]:
    cards = []
    for place, label in zip(parts.places, nodes.labels, strict=True):
        look = "source" if place.is_source else "stack" if len(place.nodes) > 1 else "node"
        note = [f"({place.note})"] if place.note else []
        cards.append(Card(place.title, tuple(paper.wrapped([*note, *label], LETTERS)), look))
    return cards


def _market_cards(parts: Outline) -> list[Card]:
    cards = []
    for sale in parts.sales:
        process, mean, *others = together([market_facts(market) for market in sale.markets])
        if others[0].startswith("sd"):
            mean += f", {others.pop(0)}"
        cards.append(Card(sale.title, tuple(paper.wrapped([process, mean, *others], LETTERS)), "market"))
    return cards


def _sizes(cards: Sequence[Card], layer: Sequence[int]) -> FloatArray:
    """(n, 2) widths and heights; boxes of a layer are equally wide."""
    size = np.array([card.size() for card in cards])
    for column in set(layer):
        members = [number for number, other in enumerate(layer) if other == column]
        size[members, 0] = size[members, 0].max()
    return size


def _room(size: FloatArray, links: Links, blocks: Blocks) -> FloatArray:
    """The sizes, with the height that links need beside the box: labels of parallel ones, or that of the only one."""
    room = size.copy()
    starts, ends = ([link[side] for link in links[: len(blocks)]] for side in (0, 1))
    for (start, end), (_, tall) in zip(links, blocks, strict=False):
        twins = links[: len(blocks)].count((start, end))
        lonely = [start] * (starts.count(start) == 1) + [end] * (ends.count(end) == 1)
        for box in [start, end] if twins > 1 else lonely:
            room[box, 1] = max(room[box, 1], twins * (tall + 0.2) if tall else 0.0)
    return room


def _layout(layer: Sequence[int], room: FloatArray, links: Links, blocks: Blocks) -> Layered:
    """The layout with gaps wide enough for labels and not too steep for curves."""
    gaps = np.full(max(layer), 0.5)
    ends = [end for _, end in links]
    for number, link in enumerate(links[: len(blocks)]):
        more = 0.4 if ends.count(link[1]) == 1 else 0.9  # of lines that come together more is to be seen than labels
        gaps[layer[link[0]]] = max(gaps[layer[link[0]]], blocks[number][0] + more)
    flat = arrange(layer, room, links, gaps)
    for start, end in links:
        rise = abs(flat.y[start] - flat.y[end])
        labelled = any(wide for wide, _ in blocks) and rise > 1
        gaps[layer[start]] = max(gaps[layer[start]], min((0.6 if labelled else 0.4) * rise, 2.4))
    return arrange(layer, room, links, gaps)


def _curves(
    layout: Layered,
    layer: Sequence[int],
    size: FloatArray,
    links: Links,
    blocks: Blocks,
) -> list[FloatArray]:
    """The points of each link from the right of one box to the left of another."""
    toward = [way[0][1] if way else layout.y[end] for (_, end), way in zip(links, layout.ways, strict=True)]
    back = [way[-1][1] if way else layout.y[start] for (start, _), way in zip(links, layout.ways, strict=True)]
    leave = ports([start for start, _ in links], toward, size[:, 1], 0.16)
    reach = ports([end for _, end in links], back, size[:, 1], 0.16)
    curves = []
    for number, (start, end) in enumerate(links):
        stops = [(float(layout.columns[layer[start], 1]), float(layout.y[start] + leave[number]))]
        for column, (_, y) in zip(range(layer[start] + 1, layer[end]), layout.ways[number], strict=True):
            stops += [(float(layout.columns[column, 0]), y), (float(layout.columns[column, 1]), y)]
        stops.append((float(layout.columns[layer[end], 0]), float(layout.y[end] + reach[number])))
        bow = _bow(number, links, blocks)
        pieces = [curve(stops[at], stops[at + 1], bow) for at in range(0, len(stops), 2)]
        curves.append(np.concatenate(pieces))
    return curves


def _bow(number: int, links: Links, blocks: Blocks) -> float:
    """How far a link is lifted between its ends so that parallel ones are seen apart."""
    twins = [other for other, link in enumerate(links) if link == links[number]]
    if len(twins) == 1:
        return 0.0
    tall = max(blocks[other][1] for other in twins)
    return ((len(twins) - 1) / 2 - twins.index(number)) * max(tall, 0.1)


def _first_gap(layer: Sequence[int], link: tuple[int, int], points: FloatArray) -> int:
    """Number of points of a curve before it passes the next layer."""
    return len(points) // (layer[link[1]] - layer[link[0]])


def _rectangle(layout: Layered, size: FloatArray, number: int) -> Rectangle:
    (x, y), (wide, tall) = (layout.x[number], layout.y[number]), size[number] / 2
    return float(x - wide), float(y - tall), float(x + wide), float(y + tall)


def _around(points: FloatArray) -> Rectangle:
    (left, bottom), (right, top) = points.min(0), points.max(0)
    return float(left), float(bottom), float(right), float(top)


def _sheet(
    topology: Topology, taken: Sequence[Rectangle], caption: Sequence[str], lanes: Legend
) -> tuple[Figure, Axes]:
    """A sheet around boxes and labels, the title over them, captions and legend under them."""
    left, bottom = (min(rectangle[side] for rectangle in taken) for side in (0, 1))
    right, top = (max(rectangle[side] for rectangle in taken) for side in (2, 3))
    letters = max(int((right - left) / 0.062), 40)
    lines = paper.wrapped([*caption, *lanes.caption, *lanes.ties(topology)], letters)
    entries = [paper.wrapped([entry], letters - 10) for entry in lanes.entries]
    step = paper.SMALL * paper.LINE / 72
    under = step * (len(lines) + sum(map(len, entries))) + (0.16 if lines or entries else 0)
    over = paper.TITLE * 1.2 * paper.LINE / 72 + 0.12
    needed = max(
        [paper.width(topology.name, 1.2 * paper.TITLE, True), *(paper.width(line, paper.SMALL) for line in lines)]
    )
    right = max(right, left + needed, left + max((paper.block(entry)[0] + 0.5 for entry in entries), default=0))
    figure, axes = paper.sheet(left - MARGIN, right + MARGIN, bottom - under - MARGIN, top + over + MARGIN)
    paper.write(axes, left, top + over, [topology.name], 1.2 * paper.TITLE, "left", weight="bold")
    y = bottom - 0.16
    for style, entry in enumerate(entries):
        middle = y - step / 2
        axes.plot([left, left + 0.38], [middle, middle], color="black", linewidth=1.0, linestyle=DASHES[style])
        y = paper.write(axes, left + 0.48, y, entry, align="left")
    paper.write(axes, left, y, lines, align="left", color=paper.GREY)
    return figure, axes


def _draw_card(axes: Axes, card: Card, rectangle: Rectangle) -> None:
    left, bottom, right, top = rectangle
    wide, tall = right - left, top - bottom
    if card.look == "stack":
        for shift in (0.08, 0.04):
            paper.box(axes, left + shift, bottom + shift, wide, tall, zorder=2.5)
    face = paper.PALE if card.look == "source" else "white"
    dashes = (0, (4, 2)) if card.look == "market" else "solid"
    paper.box(axes, left, bottom, wide, tall, facecolor=face, linestyle=dashes)
    height = paper.block([card.title], paper.TITLE)[1] + paper.block(card.lines)[1]
    middle = (left + right) / 2
    y = paper.write(axes, middle, (top + bottom + height) / 2, [card.title], paper.TITLE, weight="bold", zorder=5)
    paper.write(axes, middle, y, card.lines, zorder=5)


def _draw_label(axes: Axes, label: Sequence[str], rectangle: Rectangle) -> None:
    left, bottom, right, top = rectangle
    axes.fill([left, right, right, left], [bottom, bottom, top, top], color="white", zorder=2.2, linewidth=0)
    paper.write(axes, (left + right) / 2, top, label, zorder=5)
