"""Rules of sellers who decide prices alone and see what a rival asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, Parameter, Rule
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions
from marl_supply.topology.incidence import IntArray


def rival_prices(seat: Seat) -> IntArray:
    """(n,) where the rivals' prices stand in `market_state` of a seat that prices one market.

    Raises
    ------
    InputError
        For another seat, and where the market shows no rival's price.
    """
    network, markets = seat.network, seat.scope.priced_markets
    place = f"{network.topology.name}: game.agents.{seat.agent}"
    if len(markets) != 1:
        raise InputError(f"{place}: this rule sets the price of one market, not of {len(markets)}; choose another.")
    seen = [entry for entry in network.public_memory if entry[0] in set(seat.markets_downstream.tolist())]
    owners = [(number, name) for number, name, size in seen for _ in range(size)]
    wanted = {(int(markets[0]), name) for name in ("rival_price", "competitor_price")}
    found = np.flatnonzero([owner in wanted for owner in owners])
    if not len(found):
        raise InputError(f"{place}: its market shows no rival's price, which this rule answers; choose another.")
    return found


def _one(seat: Seat) -> FloatArray:
    return np.ones(len(seat.rows))


def _half_of_range(seat: Seat) -> FloatArray:
    """(rows,) money: half of the width of the price range."""
    low, high = seat.network.price_range[seat.scope.priced_markets[0]]
    return np.full(len(seat.rows), np.floor((high - low) / 2))


class UndercutPrice(Rule):
    """Ask `undercut` less than the lowest price of a rival, and the highest price of the range where that is below it.

    The competitor of Schlosser & Richly (2019).
    """

    decides = frozenset({"price"})
    needs = frozenset({"market_state"})
    parameters = (Parameter("undercut", "money/unit", _one, _one, _half_of_range, integer=True),)

    def __init__(self, values: Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if seat is not None:
            rival_prices(seat)  # refuses what the rule is not for

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        lowest: Array = observation.market_state[rival_prices(seat)].min(0, keepdims=True)
        low, high = seat.network.price_range[seat.scope.priced_markets[0]]
        below = np.minimum(lowest - self.value("undercut"), high)
        return Decisions(price=np.where(below >= low, below, high)), memory


class BestReplyPrice(Rule):
    """The static best reply: the whole price that earns most in the period if the rivals' prices stay.

    What a unit costs is the purchase cost of the row's first edge; for sellers whose stock never ends. Where the market
    remembers a reference price, it stays as well.
    """

    decides = frozenset({"price"})
    needs = frozenset({"market_state"})
    parameters = ()

    def __init__(self, values: Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if seat is not None:
            rival_prices(seat)  # refuses what the rule is not for

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        network, market = observation.seat.network, int(observation.seat.scope.priced_markets[0])
        process: Any = list(network.processes.values())[market]
        low, high = network.price_range[market]
        prices = np.arange(np.ceil(low), np.floor(high) + 1)[:, None]
        shown = [(name, size) for number, name, size in network.public_memory if number == market]
        parts = np.split(observation.market_state[:, None, :], np.cumsum([size for _, size in shown])[:-1])
        remembered = {name: part for (name, _), part in zip(shown, parts, strict=True)}
        earned = (prices - _unit_cost(observation.seat)) * process.mean_after(NUMPY, remembered, prices)
        return Decisions(price=prices[earned.argmax(0)].T), memory


def _unit_cost(seat: Seat) -> float:
    """Money: the purchase cost of the edge that feeds the priced row, 0 where nobody orders."""
    edges = np.flatnonzero(seat.network.customer == seat.network.market_row[seat.scope.priced_markets[0]])
    return float(seat.network.purchase_cost[edges[0]]) if len(edges) else 0.0
