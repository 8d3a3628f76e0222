"""Rules that share customers' attention: equally, at random, or by the profit of the period; alone or beside orders."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from marl_supply.game.decisions.exposure import shares_of_attention
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.crowd_profit import CrowdProfit, crowd_profit
from marl_supply.policies.rule import Parameter, Rule
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

Shares = tuple[Array, ...]
LEVEL = BaseStock.parameters[0]


def equal_shares(observation: Observation) -> Shares:
    """By market (groups, B) the same share for everybody."""
    seat = observation.seat
    sizes = [seat.network.groups[int(market)] for market in seat.scope.exposed_markets]
    return shares_of_attention(seat, [np.zeros((size, observation.replications)) for size in sizes])


def random_shares(observation: Observation) -> Shares:
    """By market (groups, B) shares uniform on the simplex, as those of exponential weights are."""
    seat = observation.seat
    sizes = [seat.network.groups[int(market)] for market in seat.scope.exposed_markets]
    weights = -np.log1p(-observation.noise(sum(sizes)))
    return shares_of_attention(seat, np.split(weights, np.cumsum(sizes)[:-1]))


def _base_stock(observation: Observation, level: Array) -> Array:
    """(rows, B) units: the level, or the inventory position that is above it already."""
    return np.broadcast_to(level, (len(observation.seat.rows), observation.replications))


class UniformExposure(Rule):
    """The same share for everybody, for a seat that decides exposure and no orders."""

    decides = frozenset({"exposure"})
    parameters = ()

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        return Decisions(exposure=equal_shares(observation)), memory


class RandomExposure(Rule):
    """Shares drawn anew every period, uniform on the simplex, for a seat that decides exposure and no orders."""

    decides = frozenset({"exposure"})
    parameters = ()

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        return Decisions(exposure=random_shares(observation)), memory


class _Myopic(Rule):
    needs = frozenset({"on_hand", "owed", "market_state"})

    def __init__(self, values: Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        self._profit: tuple[Seat, CrowdProfit] | None = None if seat is None else (seat, crowd_profit(seat))

    def exposure(self, observation: Observation) -> Shares:
        """By market (groups, B) shares."""
        seat = observation.seat
        if self._profit is None or self._profit[0] is not seat:
            self._profit = seat, crowd_profit(seat)
        return self._profit[1].best_exposure(observation)


class MyopicExposure(_Myopic):
    """The exposure of the largest expected profit of the period from the stock at hand, found greedily.

    A unit sold is worth its price less its purchase cost, one left over costs its holding, a customer not served the
    file's penalty; expected sales are those of normal demand with the mean and variance of the crowd's law. Each share
    of 1 is given away in quarters, every one to whom it earns most, and once more after the others. What is ordered in
    the same period does not count. For a seat that decides no orders.
    """

    decides = frozenset({"exposure"})
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        return Decisions(exposure=self.exposure(observation)), memory


class BaseStockMyopicExposure(_Myopic):
    """Order up to `base_stock_level`, and expose as `MyopicExposure` does."""

    decides = frozenset({"order", "exposure"})
    needs = _Myopic.needs | {"inventory_position"}
    parameters = (LEVEL,)

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Only where it is named: searching its levels takes minutes, since every period looks for its exposure."""
        return False

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        level = _base_stock(observation, self.value("base_stock_level"))
        return Decisions(order_up_to=level, exposure=self.exposure(observation)), memory


class BaseStockRandomExposure(Rule):
    """Order up to `base_stock_level`, and expose at random, uniform on the simplex."""

    decides = frozenset({"order", "exposure"})
    needs = frozenset({"inventory_position"})
    parameters = (LEVEL,)

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Only where it is named: exposure by chance is a floor, as orders by chance are."""
        return False

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        level = _base_stock(observation, self.value("base_stock_level"))
        return Decisions(order_up_to=level, exposure=random_shares(observation)), memory
