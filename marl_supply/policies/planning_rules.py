"""Rules for a seat that decides production, orders, prices and exposure at once.

Section VII of Jiang, Liu, Ren, Wang, Zheng, Du, Peng & Zhang (2024), "Deep Reinforcement Learning for Solving
Management Problems", describes such a planner and prints no rule for it: these are the plain ones of its parts.
"""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.exposure_rules import MyopicExposure, equal_shares, random_shares
from marl_supply.policies.pricing_rules import ConstantPrice, price_of_markets
from marl_supply.policies.random_order import RandomOrder
from marl_supply.policies.rule import Rule
from marl_supply.policies.two_suppliers import (
    EXPRESS_LEVEL,
    POSITION,
    express_edges,
    express_position,
    regular_edges,
)
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

LEVEL, PRICE = BaseStock.parameters[0], ConstantPrice.parameters[0]
PLAN = frozenset({"order", "price", "exposure"})


def one_method(observation: Observation, level: Array, express_level: Array) -> Array:
    """(e, B) orders up to a level, all on one edge of each row: the fastest where little comes soon, else the slowest.

    Little is less than the express level, (rows, B), of what is on hand or arrives within the fastest lead time.
    """
    seat = observation.seat
    quantity = np.maximum(level - observation.inventory_position, 0)
    urgent = express_position(observation) < express_level
    order = np.zeros((len(seat.edges), observation.replications))
    order[regular_edges(seat)] = np.where(urgent, 0.0, quantity)
    order[express_edges(seat)] += np.where(urgent, quantity, 0.0)
    return order


class OneMethodEqualExposure(Rule):
    """Order up to `base_stock_level` by one method a period, ask a constant price, expose everything equally.

    The method is the fastest where the stock, and what arrives within its lead time, is below `express_level`, and the
    slowest otherwise.
    """

    decides = PLAN
    needs = POSITION | {"inventory_position"}
    parameters = (LEVEL, EXPRESS_LEVEL, PRICE)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        order = one_method(observation, self.value("base_stock_level"), self.value("express_level"))
        price = price_of_markets(observation, self.value("price"))
        return Decisions(order=order, price=price, exposure=equal_shares(observation)), memory


class OneMethodMyopicExposure(MyopicExposure):
    """As `OneMethodEqualExposure`, but exposed as by `MyopicExposure`, which takes prices to be the file's."""

    decides = PLAN
    needs = MyopicExposure.needs | OneMethodEqualExposure.needs
    parameters = OneMethodEqualExposure.parameters

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Only where it is named: searching its levels takes minutes, since every period looks for its exposure."""
        return False

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        order = one_method(observation, self.value("base_stock_level"), self.value("express_level"))
        price = price_of_markets(observation, self.value("price"))
        return Decisions(order=order, price=price, exposure=self.exposure(observation)), memory


class RandomPlan(Rule):
    """Everything by chance: one edge of each row, its order uniform on 0 to `highest_order`, prices on their range.

    Exposure is uniform on the simplex, and prices lie whole units of money above the lowest.
    """

    decides = PLAN
    parameters = RandomOrder.parameters

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Only where it is named: it is a floor, and what data for learning may begin with."""
        return False

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        order, price = _random_orders(self, observation), _random_prices(observation)
        return Decisions(order=order, price=price, exposure=random_shares(observation)), memory


def _random_orders(rule: Rule, observation: Observation) -> Array:
    """(e, B) units, on one edge of each row."""
    seat, rows = observation.seat, len(observation.seat.rows)
    number, quantity = np.split(observation.noise(2 * rows, "orders"), 2)
    number = np.floor(number * np.bincount(seat.edge_rows, minlength=rows)[:, None])
    highest = rule.value("highest_order")
    quantity = np.floor(quantity * (highest + 1)) if seat.integer else quantity * highest
    place = np.array([(seat.edge_rows[:edge] == row).sum() for edge, row in enumerate(seat.edge_rows)])
    return np.where(number[seat.edge_rows] == place[:, None], quantity[seat.edge_rows], 0.0)


def _random_prices(observation: Observation) -> Array:
    """(priced markets, B) money: the lowest price and whole units of money above it."""
    seat = observation.seat
    low, high = seat.network.price_range[seat.scope.priced_markets].T[:, :, None]
    drawn = observation.noise(len(low), "prices")
    return np.asarray(low + np.floor(drawn * (np.floor(high - low) + 1)))
