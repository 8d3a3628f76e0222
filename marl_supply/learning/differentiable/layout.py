"""A chain as a graph network sees it: features of every row, who its neighbours are, and what its orders mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.table import Table
from marl_supply.learning.differentiable.head import LEAST_SPREAD, Floats, Head, Ints, head_of
from marl_supply.learning.differentiable.safety import (
    at_markets,
    customers_of,
    periods_covered,
    safety_factors,
    suppliers_of,
)
from marl_supply.topology.network import Network

FEATURES = 17
"""Numbers that describe a row at a decision point: 8 that change, 9 that do not."""
EDGE_FEATURES = 4
"""Numbers that describe what a component orders on."""


@dataclass(frozen=True)
class Layout:
    """Constants of one chain; everything is relative to mean demand, its deviation and the highest holding cost.

    Attributes
    ----------
    matrix, shift : (N f, F), (N f, 1)
        Features of the rows, ``matrix @ table + shift``, row by row.
    customers, suppliers : (N, N)
        Averages over the customers of a row, weighted by their mean demand, and over its suppliers.
    own, above : (n, N)
        For each component its row and its supplier; 0 where that is a source.
    edge : (n, g)
        Static features of each component.
    head : Head
    """

    matrix: Floats
    shift: Floats
    customers: Floats
    suppliers: Floats
    own: Floats
    above: Floats
    edge: Floats
    head: Head


def layout_of(network: Network, kind: str, orders: str, start: str) -> Layout:
    """The layout of a chain whose agents all see everything."""
    table = Table(network)
    head = head_of(network, table, kind, orders, start, echelons=True)
    matrix, shift = _features(network, table)
    rows = np.arange(len(network.rows))
    edges = np.concatenate([np.flatnonzero(network.customer == row) for row in rows])
    edges = edges if kind == "quantity" else network.first_edge
    supplier = network.supplier[edges]
    above = np.where((supplier >= 0)[:, None], supplier[:, None] == rows, False)
    own = network.customer[edges][:, None] == rows
    return Layout(
        matrix.astype(np.float32),
        shift.astype(np.float32)[:, None],
        customers_of(network).astype(np.float32),
        suppliers_of(network).astype(np.float32),
        own.astype(np.float32),
        above.astype(np.float32),
        _edges(network, edges).astype(np.float32),
        head,
    )


def _edges(network: Network, edges: Ints) -> NDArray[np.float64]:
    """(n, g) lead time, delay, relative price and whether the supplier is a source."""
    highest = max(float(network.holding_cost.max()), 1e-9)
    prices = network.purchase_cost[edges]
    cheapest = np.full(len(network.rows), np.inf)
    np.minimum.at(cheapest, network.customer, network.purchase_cost)
    extra = (prices - cheapest[network.customer[edges]]) / highest
    lead, delay = network.lead_time[edges] / 5, network.information_delay[edges] / 5
    return np.stack([lead, delay, np.minimum(extra, 10) / 10, network.supplier[edges] < 0], axis=1)


def _features(network: Network, table: Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N f, F) and (N f,) the features of every row as sums over the table and constants."""
    size = len(network.rows)
    matrix, shift = np.zeros((size, FEATURES, len(table.entries))), np.zeros((size, FEATURES))
    mean = np.maximum(network.mean_demand, 1e-9)
    periods = np.zeros(size)
    np.maximum.at(periods, network.customer, network.lead_time + network.information_delay + 1)
    covered = periods_covered(network)
    spread, echelon_spread = (
        np.maximum(network.demand_deviation * np.sqrt(p), LEAST_SPREAD * mean) for p in (periods, covered)
    )
    edge_of_slot, ahead = network.pipeline_slots[:, 0], network.pipeline_slots[:, 1]
    static = _static(network, periods)
    for row in range(size):
        add = _Adder(matrix[row], table)
        edges, lines = np.flatnonzero(network.customer == row), np.flatnonzero(network.line_place == row)
        add(0, "on_hand", [row], mean[row])
        add(1, "on_hand", [row], spread[row] * 2)
        add(2, "owed", lines, mean[row])
        add(3, "inventory_position", [row], spread[row] * 3)
        shift[row, 3] = -mean[row] * periods[row] / (spread[row] * 3)
        add(4, "echelon_inventory_position", [row], echelon_spread[row] * 3)
        shift[row, 4] = -mean[row] * covered[row] / (echelon_spread[row] * 3)
        add(5, "incoming_orders", lines, mean[row])
        add(6, "on_order", edges, mean[row] * periods[row])
        shift[row, 5:7] = -1
        near = np.isin(edge_of_slot, edges) & (ahead == 1)
        add(7, "pipeline", np.flatnonzero(near), mean[row])
        shift[row, 8:] = static[row]
    return matrix.reshape(size * FEATURES, -1), shift.reshape(-1)


class _Adder:
    """Writes a feature of one row as a sum of numbers of the table over a unit."""

    def __init__(self, matrix: NDArray[np.float64], table: Table) -> None:
        self.matrix, self.table = matrix, table

    def __call__(self, feature: int, name: str, numbers: object, unit: float) -> None:
        where = self.table.start[name] + np.asarray(numbers, dtype=np.int64)
        self.matrix[feature, where] += 1 / unit


def _static(network: Network, periods: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 9) what never changes: costs and what follows from them, times, variability and place in the chain."""
    holding = network.holding_cost
    highest = max(float(holding.max()), 1e-9)
    above = suppliers_of(network) @ holding
    _, _, served, losing = at_markets(network)
    line_penalty = np.zeros(len(holding))
    own = network.line_place < len(holding)
    np.maximum.at(line_penalty, network.line_place[own], network.backorder_cost[own] + network.lost_sale_cost[own])
    return np.stack(
        [
            holding / highest,
            (holding - above) / highest,
            safety_factors(network),
            periods / 5,
            periods_covered(network) / 10,
            2 * network.demand_deviation / np.maximum(network.mean_demand, 1e-9),
            served,
            losing,
            np.minimum(line_penalty / highest, 20) / 10,
        ],
        axis=1,
    )
