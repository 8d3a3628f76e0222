"""A chain too large for boxes: its nodes as dots in levels, its edges as fine lines, and a table of the levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from marl_supply.drawing import paper
from marl_supply.drawing.layout import ordered
from marl_supply.drawing.legend import lasting
from marl_supply.topology import Topology
from marl_supply.topology.facts import edge_facts, market_facts, node_facts, ranges, together
from marl_supply.topology.outline import Outline, Place
from marl_supply.topology.reach import edges_into

FloatArray = NDArray[np.float64]
WIDE, TALL = 9.0, 4.2
"""Size of the field of dots, inches."""
LETTERS = 140
MARGIN, GAP, SIDE, DOT = 0.2, 0.22, 0.45, 0.075
"""Around the figure, between columns of the table, beside the field of dots, and from dot to dot, inches."""


def crowd(topology: Topology, parts: Outline) -> Figure:
    """Return the figure: a column of dots for each level, and a table of the nodes of the levels and the edges into
    them; what does not fit into the table is said of all levels together."""
    head, rows, rest = _table(topology, parts.places)
    step = paper.SMALL * paper.LINE / 72
    under = step * (len(rows) + 2 + len(rest)) + 0.75
    figure, axes = paper.sheet(-MARGIN, WIDE + MARGIN, -under, TALL + 0.45 + MARGIN)
    paper.write(axes, 0, TALL + 0.45, [topology.name], 1.2 * paper.TITLE, "left", weight="bold")
    _dots(axes, topology, parts)
    x = 0.0
    for number, label in enumerate(head):
        cells = [row[number] for row in rows]
        wide = max(paper.block([label], bold=True)[0], paper.block(cells)[0])
        paper.write(axes, x + wide / 2, -0.45, [label], weight="bold")
        paper.write(axes, x + wide / 2, -0.45 - 1.2 * step, cells)
        x += wide + GAP
    paper.write(axes, 0, -0.55 - step * (len(rows) + 1), rest, align="left", color=paper.GREY)
    return figure


def _dots(axes: Axes, topology: Topology, parts: Outline) -> None:
    """Squares are sources; full dots serve a market."""
    where = _positions(topology, parts)
    ends = np.array([(where[edge.from_], where[edge.to]) for edge in topology.edges])
    faint = float(np.clip(200 / max(len(ends), 1), 0.08, 0.5))
    axes.add_collection(LineCollection(list(ends), colors="black", linewidths=0.5, alpha=faint, zorder=1))
    sells = {name for market in topology.markets.values() for name in market.served_by}
    sources = {name for name, node in topology.nodes.items() if node.kind == "source"}
    looks = [(sources, "s", "white"), (sells, "o", "black"), (where.keys() - sources - sells, "o", "white")]
    for names, marker, colour in looks:
        points = np.array([where[name] for name in topology.nodes if name in names]).reshape(-1, 2)
        axes.scatter(
            points[:, 0], points[:, 1], s=11, marker=marker, c=colour, edgecolors="black", linewidths=0.6, zorder=2
        )
    columns = sorted({place.level for place in parts.places})
    shown = columns[:: -(-len(columns) // 30)]
    for level in shown:
        axes.text(_column(level, columns), -0.2, str(level), size=paper.SMALL, ha="center", va="center")


def _positions(topology: Topology, parts: Outline) -> dict[str, tuple[float, float]]:
    """Each level's nodes in an order with few crossings, spread over the height of the field."""
    level = {node: place.level for place in parts.places for node in place.nodes}
    number = {name: position for position, name in enumerate(topology.nodes)}
    pairs = [
        (number[edge.from_], number[edge.to]) for edge in topology.edges if level[edge.to] == level[edge.from_] + 1
    ]
    rows = ordered([level[name] for name in topology.nodes], pairs)
    names, columns = list(topology.nodes), sorted(set(level.values()))
    tallest = max(map(len, rows))
    where = {}
    for row in rows:
        high = TALL * (len(row) / tallest) ** 0.5  # so that a short column is not a mere point beside a long one
        beside = max(1, round(len(row) * DOT / high))  # a long column stands in zigzag
        for place, part in enumerate(row):
            x = _column(level[names[part]], columns) + DOT * 1.3 * (place % beside - (beside - 1) / 2)
            where[names[part]] = (x, TALL / 2 + high * ((len(row) - 1) / 2 - place) / len(row))
    return where


def _column(level: int, columns: Sequence[int]) -> float:
    return SIDE + (WIDE - 2 * SIDE) * level / max(columns[-1], 1)


def _table(topology: Topology, places: Sequence[Place]) -> tuple[list[str], list[list[str]], list[str]]:
    """The heads of the columns, a row for each level, and the lines under the table."""
    inbound = edges_into(topology)
    rows: list[dict[str, str]] = []
    for place in places:
        edges = [edge for node in place.nodes for edge in inbound[node]]
        markets = [market for market in topology.markets.values() if market.served_by[0] in place.nodes]
        rows.append(
            {
                "level": "sources" if place.is_source else str(place.level),
                "nodes": str(len(place.nodes)),
                "edges in": str(len(edges)),
                **ranges([lasting(edge_facts(edge)) for edge in edges]),
                **ranges([node_facts(topology.nodes[node]) for node in place.nodes]),
                "markets": str(len(markets)),
                **{f"market {label}": value for label, value in ranges([market_facts(m) for m in markets]).items()},
            }
        )
    labels = list(dict.fromkeys(label for row in rows for label in row if any(other.get(label) for other in rows)))
    fitting = _fitting(labels, rows)
    rest = [
        *together([lasting(edge_facts(edge)) for edge in topology.edges]),
        *together([node_facts(node) for node in topology.nodes.values() if node.kind == "stock"]),
        *together([market_facts(market) for market in topology.markets.values()]),
    ]
    total = f"{len(topology.nodes)} nodes, {len(topology.edges)} edges, {len(topology.markets)} markets"
    under = [f"{total}. Squares: sources; full dots serve a market. Altogether: {', '.join(rest)}"]
    return fitting, [[row.get(label, "") for label in fitting] for row in rows], paper.wrapped(under, LETTERS)


def _fitting(labels: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[str]:
    """As many columns as the figure is wide."""
    chosen, x = [], 0.0
    for label in labels:
        wide = max(paper.block([label], bold=True)[0], paper.block([row.get(label, "") for row in rows])[0]) + GAP
        if x + wide <= WIDE + GAP:
            chosen.append(label)
            x += wide
    return chosen
