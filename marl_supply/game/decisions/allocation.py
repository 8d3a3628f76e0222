"""`allocation`: the action is how much to ship on each line of the rows whose file leaves it to an agent."""

from __future__ import annotations

import numpy as np

from marl_supply.game.decisions.action import FloatArray, Steering
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


class Allocation(Steering):
    """Units for each line, 0 up to the order bound of its edge, or to four times the mean demand of its market.

    What is claimed is never exceeded, and where the stock is short the amounts are cut in proportion.
    """

    aspect = "allocation"

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        network, lines = self.seat.network, self.seat.scope.decided_lines
        markets = np.ceil(4 * np.array([process.mean for process in network.processes.values()]))
        high = np.where(
            network.line_edge[lines] >= 0,
            network.order_bound[network.line_edge[lines]],
            markets[network.line_market[lines]],
        )
        return np.zeros(len(lines)), high

    def decide(self, values: Array) -> Decisions:
        return Decisions(allocation=values)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.seat.network.lines[line] for line in self.seat.scope.decided_lines)
