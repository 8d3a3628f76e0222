"""Rules that set a price beside an order, and a price alone; prices are whole money within the market's range."""

from __future__ import annotations

from typing import Any

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.period_profit import PeriodProfit, period_profit
from marl_supply.policies.reorder_point import ReorderPoint
from marl_supply.policies.rule import FloatArray, Parameter, Rule
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions


def _range(seat: Seat, end: int) -> FloatArray:
    """(rows,) money: one end of the price range of each row's first priced market; 0 where there is none."""
    network = seat.network
    found = np.zeros(len(seat.rows))
    for market in seat.scope.priced_markets[::-1]:
        stated = network.topology.markets[network.markets[market]].price_range
        assert stated is not None
        found[np.flatnonzero(seat.scope.rows == network.market_row[market])] = stated[end]
    return found


def _list_price(seat: Seat) -> FloatArray:
    """(rows,) money: the file's price."""
    network, found = seat.network, np.zeros(len(seat.rows))
    for market in seat.scope.priced_markets[::-1]:
        found[np.flatnonzero(seat.scope.rows == network.market_row[market])] = network.price[market]
    return np.rint(found)


def _price(name: str) -> Parameter:
    low, high = (lambda seat: np.ceil(_range(seat, 0))), (lambda seat: np.floor(_range(seat, 1)))
    return Parameter(name, "money/unit", _list_price, low, high, integer=True)


def _unit_cost(seat: Seat) -> FloatArray:
    """(rows,) money: the purchase cost on each row's first edge."""
    return np.asarray(seat.network.purchase_cost[seat.scope.edges[seat.first_edge]], dtype=np.float64)


def _highest_value(seat: Seat) -> FloatArray:
    return _range(seat, 1)


LEVEL = BaseStock.parameters[0]


class _PricedRule(Rule):
    """A rule for a seat of one row that decides its price and its orders."""

    decides = frozenset({"order", "price"})

    def __init__(self, values: Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if seat is not None:
            period_profit(seat)  # refuses what the rule is not for


class BaseStockListPrice(_PricedRule):
    """BSLP: order up to `base_stock_level` at the list price; above that level order nothing and ask less.

    Above the level the price is that of the largest expected profit of the period, a unit left over being worth its
    purchase cost, and never more than the list price. Optimal without fixed cost for demand that is a function of the
    price plus noise (Thowsen 1975; Federgruen & Heching 1999).
    """

    needs = frozenset({"inventory_position", "market_state"})
    parameters = (LEVEL, _price("list_price"))

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        profit, position = period_profit(observation.seat), observation.inventory_position
        level, price = self.value("base_stock_level"), np.broadcast_to(self.value("list_price"), position.shape)
        above = position > level
        if above.any():
            lower = profit.best_price(observation, position, np.array([[profit.purchase_cost]]))
            price = np.where(above, np.minimum(lower, price), price)
        return Decisions(order=np.maximum(level - position, 0), price=price * 1.0), memory


class ReorderPointPrice(_PricedRule):
    """(s, S, p): if the inventory position is at most `reorder_point`, order up to `order_up_to_level`; price by level.

    p(y), y the position after ordering, maximises the expected profit of a period that y serves, where each unit left
    over is worth `unit_value`. Optimal with a fixed ordering cost and additive demand, for a p(y) that need not have
    this form (Chen & Simchi-Levi 2004).
    """

    needs = frozenset({"inventory_position", "market_state"})
    parameters = (
        *ReorderPoint.parameters,
        Parameter("unit_value", "money/unit", _unit_cost, lambda seat: np.zeros(len(seat.rows)), _highest_value),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        position = observation.inventory_position
        low = position <= self.value("reorder_point")
        order = low * np.maximum(self.value("order_up_to_level") - position, 0)
        price = period_profit(observation.seat).best_price(observation, position + order, self.value("unit_value"))
        return Decisions(order=order, price=price), memory


class MyopicPrice(_PricedRule):
    """Order up to `base_stock_level`; the price maximises the period's expected profit at the stock that serves it.

    A unit left over is worth its purchase cost. After Bernstein, Li & Shang (2016), "A simple heuristic for joint
    inventory and pricing models with lead time and backorders", Management Science 62(8).
    """

    needs = frozenset({"inventory_position", "on_hand", "owed", "market_state"})
    parameters = (LEVEL,)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        profit = period_profit(observation.seat)
        order = np.maximum(self.value("base_stock_level") - observation.inventory_position, 0)
        stock = _stock_that_serves(profit, observation, order)
        price = profit.best_price(observation, stock, np.array([[profit.purchase_cost]]))
        return Decisions(order=order, price=price), memory


def _stock_that_serves(profit: PeriodProfit, observation: Observation, order: Array) -> Array:
    """(1, B) units: net stock that meets the demand of the period, with the order where its lead time is 0."""
    net = observation.on_hand - observation.owed.sum(0)
    return net + order if profit.lead_time == 0 else net


class ConstantPrice(Rule):
    """The same price every period, for a seat that decides prices and no orders."""

    decides = frozenset({"price"})
    parameters = (_price("price"),)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        return Decisions(price=price_of_markets(observation, self.value("price"))), memory


def price_of_markets(observation: Observation, price: Array) -> Array:
    """(priced markets, B) money: prices (rows, 1) or (rows, B) of a seat's rows, market by market."""
    seat = observation.seat
    rows = [int(np.flatnonzero(seat.scope.rows == seat.network.market_row[m])[0]) for m in seat.scope.priced_markets]
    return np.broadcast_to(price, (len(seat.rows), observation.replications))[rows]
