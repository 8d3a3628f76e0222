"""A period of a game as an image: the network drawn once, then stocks, backorders, flows and costs frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from marl_supply.drawing import paper
from marl_supply.drawing.letters import BLACK, DARK, RED, Colour, fill, stamp
from marl_supply.drawing.stage import FULL, build
from marl_supply.game import Game, Outcome
from marl_supply.simulation import State
from marl_supply.topology import Topology
from marl_supply.topology.outline import outline
from marl_supply.topology.reach import edges_into, mean_demand

Column = NDArray[np.float64]
Image = NDArray[np.uint8]
MANY, TOO_MANY = 12, 40
"""Places of a level drawn one by one, and places of a chain: more are drawn as one, or by levels."""
BARS = 6
"""Rows of a place that get bars of their own; of more the sum is drawn."""
BASE, HIGH, THICK = 0.25, 0.38, 0.2
"""Where bars stand in their box, how high the longest and how thick the thickest are, inches."""
WIDEST = 7.0
"""Width of the line of the largest flow, points."""


class PeriodPicture:
    """The network of a game, ready for frames.

    In each box two bars for each row, or for all rows together where they are many: stock (dark) and what is owed to
    customers (red), with their numbers, and the cost of the period under them. A full bar is twice the mean demand of
    lead time, delay and period; numbers go on beyond. A line is as wide as what was shipped on it, compared with mean
    demand.

    Parameters
    ----------
    game
        What is played; the first replication is drawn.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.parts = parts = outline(game.topology, MANY, TOO_MANY)
        network = game.network
        rows, edges, markets = (_numbers(names) for names in (network.rows, network.edges, network.markets))
        self._rows = [_bars([rows[node] for node in place.nodes if node in rows]) for place in parts.places]
        self._edges = [[edges[edge.name] for edge in lane.edges] for lane in parts.lanes]
        number = {id(market): markets[name] for name, market in game.topology.markets.items()}
        self._markets = [[number[id(market)] for market in sale.markets] for sale in parts.sales]
        self._full, self._usual = _scales(game.topology, network.rows)
        self.stage = build(parts)
        self._lines = [self._line(points) for points in self.stage.curves]
        self._canvas = FigureCanvasAgg(self.stage.figure)
        self._canvas.draw()
        self._background: Any = self._canvas.copy_from_bbox(self.stage.figure.bbox)

    def frame(self, title: str, state: State, outcome: Outcome | None) -> Image:
        """Return an image of the period before, or of the stocks alone where there is no outcome.

        Parameters
        ----------
        title : str
            Begins the line at the top; the cost of the period follows.
        state, outcome
            The decision point, and what the period that led to it brought.

        Returns
        -------
        (H, W, 3) uint8
            Of one size for a game.
        """
        if outcome is not None:
            title += f": cost {float(np.asarray(outcome.costs)[:, 0].sum()):.2f}"
        image = self._with_lines(outcome)
        self._write(image, *self.stage.title, title, points=paper.TITLE, bold=True, align=0.0)
        if outcome is None:
            owed = state.arrays.add_up(self.game.network.line_sum, state.owed)
            self._stocks(image, _first(state.on_hand), _first(owed))
            self._lanes(image, None, None, _first(state.in_transit))
        else:
            flows = outcome.flows
            owed = self.game.books.arrays.add_up(self.game.network.line_sum, flows.backorders)
            self._stocks(image, _first(flows.on_hand), _first(owed))
            self._lanes(image, _first(flows.order), _first(flows.shipment), _first(flows.in_transit))
            self._costs(image, _first(self.game.books.costs(flows)))
            self._sales(image, outcome)
        return image

    def _with_lines(self, outcome: Outcome | None) -> Image:
        """The still picture with lines as wide as the flows."""
        self._canvas.restore_region(self._background)
        if outcome is not None:
            shipment, sales = _first(outcome.flows.shipment), _first(outcome.flows.sales)
            flows = [shipment[edges].sum() for edges in self._edges]
            flows += [sales[markets].sum() for markets in self._markets]
            for line, flow in zip(self._lines, flows, strict=True):
                if flow > 0:
                    line.set_linewidth(max(WIDEST * min(float(flow) / (3 * self._usual), 1.0), 0.8))
                    self.stage.axes.draw_artist(line)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def _stocks(self, image: Image, on_hand: Column, owed: Column) -> None:
        for bars, (left, bottom, right, _) in zip(self._rows, self.stage.places, strict=True):
            slot = (right - left - 0.2) / max(len(bars), 1)
            thick = min(THICK, slot / 2.6)
            for number, rows in enumerate(bars):
                middle = left + 0.1 + slot * (number + 0.5)
                full = float(self._full[rows].sum())
                for side, values, colour in ((-0.5, on_hand, DARK), (0.5, owed, RED)):
                    amount = float(values[rows].sum())
                    x = middle + side * max(1.2 * thick, slot / 4)
                    self._bar(image, x, bottom + BASE, thick, amount, min(amount / full, 1.0), colour)

    def _bar(
        self, image: Image, x: float, bottom: float, thick: float, amount: float, share: float, colour: Colour
    ) -> None:
        """A bar and its number above it; nothing owed is not written."""
        if amount == 0 and colour == RED:
            return
        left, top = self.stage.pixel(x - thick / 2, bottom + HIGH * share)
        right, low = self.stage.pixel(x + thick / 2, bottom)
        fill(image, left, min(top, low - 1), right, low, colour)
        points = paper.SMALL if thick > THICK / 2 else 5.5
        self._write(image, x, bottom + HIGH * share + 0.07, _short(amount), colour=colour, points=points)

    def _lanes(self, image: Image, order: Column | None, shipment: Column | None, transit: Column) -> None:
        for edges, (left, bottom, right, top) in zip(self._edges, self.stage.labels, strict=False):
            moving = _short(float(transit[edges].sum()))
            if order is None or shipment is None:
                text = f"on the way {moving}" if self.stage.detail == FULL else f"({moving})"
            else:
                ordered, shipped = _short(float(order[edges].sum())), _short(float(shipment[edges].sum()))
                full = f"ordered {ordered}\nshipped {shipped}\non the way {moving}"
                text = full if self.stage.detail == FULL else f"{shipped} / {ordered} ({moving})"
            self._write(image, (left + right) / 2, (bottom + top) / 2, text, covers=True)

    def _costs(self, image: Image, costs: Column) -> None:
        for bars, (left, bottom, right, _) in zip(self._rows, self.stage.places, strict=True):
            if bars:
                cost = sum(float(costs[rows].sum()) for rows in bars)
                self._write(image, (left + right) / 2, bottom + 0.12, f"cost {_short(cost)}")

    def _sales(self, image: Image, outcome: Outcome) -> None:
        flows = outcome.flows
        demand, sales = _first(flows.demand), _first(flows.sales)
        lost = np.zeros(len(sales)) if flows.lost is None else _first(flows.lost)[self.game.network.market_line]
        for markets, (left, bottom, right, _) in zip(self._markets, self.stage.markets, strict=True):
            asked, sold, gone = (float(values[markets].sum()) for values in (demand, sales, lost))
            text = f"asked {_short(asked)}, got {_short(sold)}"
            self._write(image, (left + right) / 2, bottom + 0.27, text)
            if gone:
                self._write(image, (left + right) / 2, bottom + 0.13, f"lost {_short(gone)}", colour=RED)

    def _line(self, points: NDArray[np.float64]) -> Line2D:
        (line,) = self.stage.axes.plot(*points.T, color="#333333", animated=True, solid_capstyle="butt", zorder=2)
        return line

    def _write(self, image: Image, x: float, y: float, text: str, colour: Colour = BLACK, **style: Any) -> None:
        stamp(image, *self.stage.pixel(x, y), text, self.stage.dots, colour=colour, **style)


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _bars(rows: list[int]) -> list[list[int]]:
    """Rows that have bars of their own, or all together."""
    return [[row] for row in rows] if len(rows) <= BARS else [rows]


def _scales(topology: Topology, rows: Sequence[str]) -> tuple[Column, float]:
    """(N,) the stock of a full bar, and the flow of an ordinary line, units."""
    means, inbound = mean_demand(topology), edges_into(topology)
    full = []
    for row in rows:
        periods = max((edge.lead_time + edge.information_delay for edge in inbound[row]), default=0) + 1
        full.append(max(1.0, topology.nodes[row].on_hand, 2 * means[row] * periods))
    return np.array(full), max(float(np.mean([means[row] for row in rows])), 1e-9)


def _first(values: Any) -> Column:
    """The first replication."""
    return np.asarray(values, dtype=np.float64)[:, 0]


def _short(amount: float) -> str:
    return f"{amount:.0f}" if amount == round(amount) and abs(amount) < 1e6 else f"{amount:.4g}"
