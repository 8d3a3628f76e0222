"""A seat: an agent's place in a game, with what it may know of the chain before play begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marl_supply.simulation.scope import Scope
from marl_supply.topology.incidence import Sum
from marl_supply.topology.network import Network

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seat:
    """What one agent decides and which rows, edges and lines it sees as its own.

    Parameters
    ----------
    agent : str
        Its name.
    network : Network
        The chain.
    scope : Scope
        The rows it decides and the edges it orders on, row by row.
    visible : frozenset of str
        The observation fields that the game shows it.
    """

    agent: str
    network: Network
    scope: Scope
    visible: frozenset[str]

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """(r,) names of its rows."""
        return tuple(self.network.rows[row] for row in self.scope.rows)

    @cached_property
    def edges(self) -> tuple[str, ...]:
        """(e,) names of the edges it orders on."""
        return tuple(self.network.edges[edge] for edge in self.scope.edges)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """(l,) names of the claims on its rows' stock: markets, then edges."""
        return tuple(self.network.lines[line] for line in self.line_numbers)

    @cached_property
    def line_numbers(self) -> IntArray:
        """(l,) its lines in the network."""
        own = [np.flatnonzero(self.network.line_place == row) for row in self.scope.rows]
        return np.concatenate(own) if own else np.zeros(0, dtype=np.int64)

    @cached_property
    def edge_rows(self) -> IntArray:
        """(e,) which of its rows each edge supplies."""
        where = {int(row): number for number, row in enumerate(self.scope.rows)}
        return np.array([where[int(self.network.customer[edge])] for edge in self.scope.edges], dtype=np.int64)

    @cached_property
    def line_rows(self) -> IntArray:
        """(l,) which of its rows each line claims from."""
        where = {int(row): number for number, row in enumerate(self.scope.rows)}
        return np.array([where[int(self.network.line_place[line])] for line in self.line_numbers], dtype=np.int64)

    @cached_property
    def line_sum(self) -> Sum:
        """Sums over the lines of each of its rows."""
        return Sum(self.line_rows, len(self.rows))

    @cached_property
    def edge_sum(self) -> Sum:
        """Sums over the inbound edges of each of its rows."""
        return Sum(self.edge_rows, len(self.rows))

    @cached_property
    def first_edge(self) -> IntArray:
        """(r,) for each row its first inbound edge in the file, as a position in `edges`."""
        return np.array([np.flatnonzero(self.edge_rows == row)[0] for row in range(len(self.rows))], dtype=np.int64)

    @cached_property
    def markets_downstream(self) -> IntArray:
        """(m,) the markets that its material can reach."""
        reached = np.asarray(self.network.downstream[self.scope.rows].any(axis=0))
        return np.flatnonzero(reached[self.network.market_row])

    @cached_property
    def market_reach(self) -> Sum:
        """Sums over those markets of what each of its rows can reach."""
        reached = self.network.downstream[self.scope.rows]
        return Sum.of(reached[:, self.network.market_row[self.markets_downstream]])

    @property
    def mean_demand(self) -> FloatArray:
        """(r,) units a period: mean demand of all markets that each row can reach."""
        return self.network.mean_demand[self.scope.rows]

    @property
    def demand_deviation(self) -> FloatArray:
        """(r,) units: standard deviation of that demand in one period, markets taken as independent."""
        return self.network.demand_deviation[self.scope.rows]

    @property
    def lead_time(self) -> IntArray:
        """(e,) periods."""
        return self.network.lead_time[self.scope.edges]

    @property
    def information_delay(self) -> IntArray:
        """(e,) periods."""
        return self.network.information_delay[self.scope.edges]

    @property
    def order_bound(self) -> FloatArray:
        """(e,) units: the stated order limit, else the bound of the action space."""
        return self.network.order_bound[self.scope.edges]

    @property
    def total_lead_time(self) -> IntArray:
        """(r,) periods from order to receipt on each row's first edge."""
        return (self.lead_time + self.information_delay)[self.first_edge]

    @property
    def periods_below(self) -> IntArray:
        """(r,) periods from an order of each row to the market it is furthest from, and one more."""
        return self.network.periods_below[self.scope.rows]

    @property
    def integer(self) -> bool:
        """Whether units are whole."""
        return self.network.integer
