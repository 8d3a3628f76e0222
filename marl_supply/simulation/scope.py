"""What one decision maker decides: rows and the edges it orders on, split by when orders are worked out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marl_supply.topology.incidence import Index, IntArray, compact
from marl_supply.topology.network import Network
from marl_supply.topology.stages import DecisionLevel


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
        The rows that it has a say in. Its edges are the inbound edges of these rows, row by row in file order.
    orders, ships, prices, exposes : bool
        Whether it decides the rows' orders; how much ships on the lines of those whose allocation is left to an agent;
        the prices of the markets that state a range; the exposure of the markets that have one.
    """

    def __init__(
        self,
        network: Network,
        rows: IntArray,
        orders: bool = True,
        ships: bool = True,
        prices: bool = True,
        exposes: bool = True,
    ) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        inbound = [np.flatnonzero(network.customer == row) for row in self.rows]
        self.edges = np.concatenate(inbound) if inbound else np.zeros(0, dtype=np.int64)
        self.one_supplier_each = all(len(edges) == 1 for edges in inbound)
        self.orders = orders
        at_once = (DecisionLevel(self.rows, network.immediate),)
        levels = network.decision_levels if network.downstream_first else at_once
        self.parts = tuple(self._part(network, level) if orders else None for level in levels)
        own = np.isin(network.line_place, self.rows)
        self.decided_lines = network.decided_lines[own[network.decided_lines] & ships]
        served = np.isin(network.market_row, self.rows)
        self.priced_markets = network.priced_markets[served[network.priced_markets] & prices]
        self.exposed_markets = network.exposed_markets[served[network.exposed_markets] & exposes]

    def size_of(self, kind: str) -> int:
        """How many numbers a field of `Decisions` holds for one replication."""
        by_kind = {"order": self.edges, "allocation": self.decided_lines, "price": self.priced_markets}
        return len(by_kind.get(kind, self.rows))

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
