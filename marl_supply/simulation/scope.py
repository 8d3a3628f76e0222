"""What one decision maker decides: rows and the edges it orders on, split by when orders are worked out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marl_supply.topology.incidence import Index, IntArray, compact
from marl_supply.topology.network import DecisionLevel, Network


@dataclass(frozen=True)
class Part:
    """The share of a scope that is worked out at one moment.

    rows, edges: numbers in the network; first_edges: the first inbound edge of each row, on which levels and amounts
    are ordered; row_positions, edge_positions: where rows and edges stand in the seat's own arrays; immediate: those of
    the edges on which orders reach a row without delay.
    """

    rows: Index
    edges: Index
    first_edges: Index
    row_positions: Index
    edge_positions: Index
    immediate: IntArray


class Scope:
    """Rows and edges of one decision maker.

    Parameters
    ----------
    network
        The chain.
    rows : (r,) int
        The rows whose orders it decides. Its edges are the inbound edges of these rows, row by row in file order.
    """

    def __init__(self, network: Network, rows: IntArray) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        inbound = [np.flatnonzero(network.customer == row) for row in self.rows]
        self.edges = np.concatenate(inbound) if inbound else np.zeros(0, dtype=np.int64)
        self.one_supplier_each = all(len(edges) == 1 for edges in inbound)
        at_once = (DecisionLevel(self.rows, network.immediate),)
        levels = network.decision_levels if network.downstream_first else at_once
        self.parts = tuple(self._part(network, level) for level in levels)

    def _part(self, network: Network, level: DecisionLevel) -> Part | None:
        row_positions = np.flatnonzero(np.isin(self.rows, level.rows))
        if not len(row_positions):
            return None
        edge_positions = np.flatnonzero(np.isin(network.customer[self.edges], self.rows[row_positions]))
        return Part(
            rows=compact(self.rows[row_positions], len(network.rows)),
            edges=compact(self.edges[edge_positions], len(network.edges)),
            first_edges=compact(network.first_edge[self.rows[row_positions]], len(network.edges)),
            row_positions=compact(row_positions, len(self.rows)),
            edge_positions=compact(edge_positions, len(self.edges)),
            immediate=np.intersect1d(level.immediate, self.edges[edge_positions]),
        )
