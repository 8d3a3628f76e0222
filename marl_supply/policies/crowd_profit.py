"""What a period is expected to earn from a crowd of customers, by exposure; and the exposure that greed finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, lines_by_row
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.topology.crowds import Crowd
from marl_supply.topology.incidence import IntArray

PARTS = 4
"""Portions in which a share of 1 is given away."""
SWEEPS = 2
"""How often each share of 1 is given away anew."""


class CrowdProfit:
    """Expected profit of one period of a seat that serves all markets of one crowd.

    Parameters
    ----------
    seat
        Whose markets they are.
    crowd
        Their customers; the seat exposes all of its markets and no others.
    """

    def __init__(self, seat: Seat, crowd: Crowd) -> None:
        network, markets = seat.network, crowd.markets
        self.process = crowd.process
        own = seat.scope.exposed_markets.tolist()
        self._own = [own.index(int(market)) for market in markets]  # where an item stands in the seat's decisions
        rows = [int(np.flatnonzero(seat.scope.rows == network.market_row[market])[0]) for market in markets]
        self._rows = np.array(rows)
        lines = network.market_line[markets]
        self._waits = (network.keeps[lines] > 0)[:, None]
        on_sale = ~self._waits | network.paid_on_sale[markets][:, None]
        self._price = price = network.price[markets][:, None]
        edges = seat.scope.edges[seat.first_edge[self._rows]]
        self._earned_on_sale, self._earned_on_demand = price * on_sale, price * ~on_sale
        self._purchase = network.purchase_cost[edges][:, None]
        self._holding = network.holding_cost[seat.scope.rows[self._rows]][:, None]
        penalty = np.where(network.keeps[lines] > 0, network.backorder_cost[lines], network.lost_sale_cost[lines])
        self._penalty = penalty[:, None]
        shown = list(network.public_memory)
        starts = np.cumsum([0, *(size for _, _, size in shown)])
        downstream = set(seat.markets_downstream.tolist())
        if any(number not in downstream for number, _, _ in shown):
            raise InputError(f"{seat.agent}: other markets than those of one crowd remember; choose another rule.")
        self._memory: list[dict[str, slice]] = [
            {
                name: slice(int(starts[entry]), int(starts[entry]) + size)
                for entry, (number, name, size) in enumerate(shown)
                if number == market
            }
            for market in markets
        ]

    def profit(self, memory: list[Mapping[str, Array]], stock: Array, exposure: Array) -> FloatArray:
        """(B,) money: expected profit of a period from stock (items, B) at exposures (groups, items, B).

        Demand is taken as normal, with the mean and the variance of its law.
        """
        mean, variance = self.process.moments(NUMPY, memory, self._price, exposure)
        deviation = np.sqrt(np.maximum(variance, 1e-12))
        z = (stock - mean) / deviation
        shortage = deviation * (np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) - z * special.ndtr(-z))
        sales = mean - shortage
        earned = self._earned_on_sale * sales + self._earned_on_demand * mean
        spent = self._purchase * np.where(self._waits, mean, sales) + self._penalty * shortage
        return np.asarray((earned - spent + self._holding * sales).sum(0), dtype=np.float64)

    def best_exposure(self, observation: Observation) -> tuple[Array, ...]:
        """By market (groups, B) shares: from equal ones on, whole by whole, each portion goes where it earns most."""
        stock = (observation.on_hand - lines_by_row(observation.seat, observation.owed))[self._rows]
        seen = observation.market_state
        memory: list[Mapping[str, Any]] = [{name: seen[span] for name, span in own.items()} for own in self._memory]
        exposure = np.full((self.process.groups, self.process.items, stock.shape[1]), self.process.equal_exposure)
        for _ in range(SWEEPS):
            for groups, items in self._wholes():
                exposure[groups, items] = 0.0
                for _ in range(PARTS):
                    self._give(memory, stock, exposure, groups, items)
        exposure = np.rint(exposure * PARTS) / PARTS
        shares: list[Array] = [exposure[:, 0]] * len(self._own)
        for item, position in enumerate(self._own):
            shares[position] = exposure[:, item]
        return tuple(shares)

    def _give(
        self, memory: list[Mapping[str, Array]], stock: Array, exposure: Array, groups: IntArray, items: IntArray
    ) -> None:
        """Add one portion to the exposure, in each replication where it earns most."""
        earned = []
        for group, item in zip(groups, items, strict=True):
            exposure[group, item] += 1 / PARTS
            earned.append(self.profit(memory, stock, exposure))
            exposure[group, item] -= 1 / PARTS
        best = np.argmax(np.array(earned), axis=0)
        exposure[groups[best], items[best], np.arange(stock.shape[1])] += 1 / PARTS

    def _wholes(self) -> list[tuple[IntArray, IntArray]]:
        """The groups and items whose shares add up to 1, whole by whole."""
        groups, items = np.arange(self.process.groups), np.arange(self.process.items)
        if self.process.shared_over_items:
            return [(np.full(len(items), group), items) for group in groups]
        return [(groups, np.full(len(groups), item)) for item in items]


def crowd_profit(seat: Seat) -> CrowdProfit:
    """The expected profit of a seat.

    Raises
    ------
    InputError
        Unless it exposes the markets of exactly one crowd, all of them.
    """
    own = sorted(seat.scope.exposed_markets.tolist())
    for crowd in seat.network.crowds:
        if sorted(crowd.markets.tolist()) == own:
            return CrowdProfit(seat, crowd)
    raise InputError(
        f"{seat.agent}: its exposed markets are not those of one crowd, which the rule needs; choose another rule."
    )
