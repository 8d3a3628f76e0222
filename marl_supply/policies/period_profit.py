"""What one period is expected to earn at each price, given the stock that serves it and what the market shows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.seat import Seat
from marl_supply.simulation.arrays import Array

FloatArray = NDArray[np.float64]
WIDEST = 2.0**20
"""Above any price: what tells two remembered prices apart in one number."""
DEVIATIONS = 8
"""Stock up to so many standard deviations above the largest mean demand: more of it changes no price."""


class PeriodProfit:
    """Expected profit of one period of a row that decides its price and its orders.

    What the market shows is rounded to whole money, so that few laws of demand are worked out.

    Parameters
    ----------
    seat
        Of one row with one market, whose price it decides.

    Attributes
    ----------
    prices : (P,) money
        The whole prices of the market's range.
    purchase_cost : float
        Money a unit.

    Raises
    ------
    InputError
        For another seat, and where the law of demand is not known in whole units.
    """

    def __init__(self, seat: Seat) -> None:
        network = seat.network
        self.where = f"{network.topology.name}: game.agents.{seat.agent}"
        markets = seat.scope.priced_markets
        if len(seat.rows) != 1 or len(seat.lines) != 1 or len(markets) != 1 or not seat.scope.one_supplier_each:
            raise InputError(
                f"{self.where}: this rule is for a seat of one row with one supplier and one market whose price it "
                "decides; choose another rule."
            )
        self.market = int(markets[0])
        self.line, edge = int(seat.line_numbers[0]), int(seat.scope.edges[0])
        stated = network.topology.markets[network.markets[self.market]].price_range
        assert stated is not None
        self.prices: FloatArray = np.arange(np.ceil(stated[0]), np.floor(stated[1]) + 1)
        self.purchase_cost = float(network.purchase_cost[edge])
        self.lead_time = int(network.lead_time[edge])
        self._network = network
        self._waits = bool(network.keeps[self.line])
        self._holding = float(network.holding_cost[seat.scope.rows[0]])
        shortage = network.backorder_cost if self._waits else network.lost_sale_cost
        self._shortage = float(shortage[self.line])
        self._process = list(network.processes.values())[self.market]
        self._names = tuple((name, size) for number, name, size in network.public_memory if number == self.market)
        self._numbers: dict[tuple[float, ...], int] = {}
        most = max(self._law((), price).mean for price in self.prices)
        self.low, self.high = -int(2 * most + 1), int(most + DEVIATIONS * np.sqrt(most) + 1)
        shape = (1, self.high - self.low + 1, len(self.prices))
        self._profit, self._used = np.empty(shape), np.empty(shape)  # (tables, stock, price)

    def best_price(self, observation: Observation, level: Array, unit_value: Array) -> FloatArray:
        """(1, B) the price that earns most, given the stock before demand and what a unit left over is worth.

        Parameters
        ----------
        level : (1, B) units
            Net stock that meets the demand of the period.
        unit_value : (1, 1) or (1, B) money
            Of each unit that the period does not use up.
        """
        which = self._shown(observation)
        stock = np.clip(level[0], self.low, self.high).astype(np.int64) - self.low
        worth = np.broadcast_to(unit_value, level.shape)[0][:, None]
        earned = self._profit[which, stock] - worth * self._used[which, stock]
        return np.asarray(self.prices[earned.argmax(1)][None])

    def _shown(self, observation: Observation) -> NDArray[np.int64]:
        """(B,) the number of the table that belongs to what the market shows; tables are made when first needed."""
        if not self._names:
            return np.full(observation.replications, self._number(()), dtype=np.int64)
        seen = np.rint(observation.market_state)
        codes = seen[0]
        for row in seen[1:]:
            codes = codes * WIDEST + row
        _, first, which = np.unique(codes, return_index=True, return_inverse=True)
        numbers = np.array([self._number(tuple(column)) for column in seen[:, first].T.tolist()], dtype=np.int64)
        return np.asarray(numbers[which])

    def _number(self, memory: tuple[float, ...]) -> int:
        if memory not in self._numbers:
            number = self._numbers[memory] = len(self._numbers)
            if number == len(self._profit):
                self._profit, self._used = (np.concatenate([kept, kept]) for kept in (self._profit, self._used))
            self._profit[number], self._used[number] = self._table(memory)
        return self._numbers[memory]

    def _table(self, memory: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
        stock = np.arange(self.low, self.high + 1)[:, None]
        profit, used = (np.empty((len(stock), len(self.prices))) for _ in range(2))
        on_sale = bool(self._network.paid_on_sale[self.market])
        for number, price in enumerate(self.prices):
            law = self._law(memory, float(price))
            demand, chance = law.values, law.probabilities
            sold = np.minimum(demand, np.maximum(stock, 0)) @ chance
            paid = law.mean if self._waits and not on_sale else sold
            left, short = np.maximum(stock - demand, 0) @ chance, np.maximum(demand - stock, 0) @ chance
            profit[:, number] = price * paid - self._holding * left - self._shortage * short
            used[:, number] = law.mean if self._waits else sold
        return profit, used

    def _law(self, memory: tuple[float, ...], price: float) -> Distribution:
        """The law of the period's demand; without memory, once the market has settled."""
        process = self._process
        if memory and isinstance(process, ResponsiveProcess):
            ends = np.cumsum([size for _, size in self._names])
            parts = np.split(np.array(memory), ends[:-1])
            law = process.law({name: part for (name, _), part in zip(self._names, parts, strict=True)}, price)
        else:
            law = (
                process.distribution(given=price) if isinstance(process, ResponsiveProcess) else process.distribution()
            )
        if not isinstance(law, Distribution):
            raise InputError(f"{self.where}: this rule needs demand in whole units; round it.")
        return law


@lru_cache(maxsize=64)
def period_profit(seat: Seat) -> PeriodProfit:
    """The profit of a seat, made once."""
    return PeriodProfit(seat)
