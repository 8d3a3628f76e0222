"""Order the forecast, and a share of what the position lacks: order-up-to rules that smooth orders.

``order = smoothed + damping * (safety_stock + cover * smoothed - position)``, not below 0 (Dejonckheere, Disney,
Lambrecht & Towill 2003; John, Naim & Towill 1994). With a damping of 1 it is an order-up-to rule that follows a
forecast; below 1 an error of the position is made good over several periods, so that orders vary less than demand does
under the same forecast.
"""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.forecast_base_stock import EchelonForecastBaseStock, ForecastBaseStock, Smoothing
from marl_supply.policies.rule import Parameter, constant, lines_by_row, on_first_edge
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions

_DAMPING = Parameter("damping", "-", constant(0.2), constant(0.02), constant(1.0))


class _Proportional(Smoothing):
    """The order of both rules."""

    def order(self, seat: Seat, smoothed: Array, position: Array) -> Decisions:
        """The forecast and a share of what a position (rows, B) lacks, on each row's first edge."""
        level = self.value("safety_stock") + self.value("cover") * smoothed
        return on_first_edge(seat, np.maximum(smoothed + self.value("damping") * (level - position), 0))


class ProportionalOrderUpTo(_Proportional):
    """Orders the smoothed claims and a share of what the local inventory position lacks."""

    needs = frozenset({"inventory_position", "incoming_orders"})
    parameters = (*ForecastBaseStock.parameters, _DAMPING)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        smoothed = self.follow(seat, lines_by_row(seat, observation.incoming_orders), memory)
        return self.order(seat, smoothed, observation.inventory_position), smoothed


class EchelonProportionalOrderUpTo(_Proportional):
    """Orders the smoothed demand of the markets and a share of what the echelon inventory position lacks."""

    needs = frozenset({"echelon_inventory_position", "market_demand"})
    parameters = (*EchelonForecastBaseStock.parameters, _DAMPING)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        smoothed = self.follow(seat, NUMPY.add_up(seat.market_reach, observation.market_demand), memory)
        return self.order(seat, smoothed, observation.echelon_inventory_position), smoothed
