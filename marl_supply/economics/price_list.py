"""What is paid for a quantity: a price a unit, or prices that change from given quantities on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.simulation.arrays import Array, Arrays
from marl_supply.topology.network import Network


class PriceList:
    """The prices of every edge.

    Parameters
    ----------
    network
        The chain.
    arrays
        The array library of the quantities.

    Attributes
    ----------
    prices : (n,) float
        Every price that somebody can pay, money a unit.
    """

    def __init__(self, network: Network, arrays: Arrays) -> None:
        self.network = network
        self.arrays = arrays
        edges = network.topology.edges
        breaks = max((len(edge.discounts) for edge in edges), default=0)
        self._first = np.zeros((breaks, len(edges)))
        self._change = np.zeros((breaks, len(edges)))
        for number, edge in enumerate(edges):
            before = edge.purchase_cost
            for level, discount in enumerate(edge.discounts):
                self._first[level, number] = discount.from_
                self._change[level, number] = discount.purchase_cost - before
                before = discount.purchase_cost
        self._all_units = np.array([edge.discount_on == "all_units" for edge in edges], dtype=np.float64)
        stated = [discount.purchase_cost for edge in edges for discount in edge.discounts]
        self.prices: NDArray[np.float64] = np.concatenate([network.purchase_cost, np.array(stated)])

    def cost(self, quantity: Array) -> Array:
        """(E, B) money for quantities (E, B): the whole order at the price it reaches, or each part at its own."""
        arrays = self.arrays
        total = self._column(self.network.purchase_cost) * quantity
        for first, change in zip(self._first, self._change, strict=True):
            start, everything = self._column(first), self._column(self._all_units)
            reached = 1.0 - arrays.less(quantity, start)
            covered = everything * quantity * reached + (1.0 - everything) * arrays.maximum(quantity - start, 0.0)
            total = total + self._column(change) * covered
        return total

    def _column(self, values: NDArray[np.float64]) -> Array:
        return self.arrays.constant(values)[:, None]
