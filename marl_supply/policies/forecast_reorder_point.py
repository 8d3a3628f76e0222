"""Reorder points that follow a forecast: (s, S) whose two levels are a + b x exponentially smoothed claims."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.forecast_base_stock import ForecastBaseStock
from marl_supply.policies.reorder_point import ReorderQuantity
from marl_supply.policies.rule import FloatArray, Parameter, constant, lines_by_row, on_first_edge
from marl_supply.simulation.state import Decisions

_ECONOMIC_LOT = next(one for one in ReorderQuantity.parameters if one.name == "order_quantity")


def _longest_cover(seat: Seat) -> FloatArray:
    return np.asarray(3.0 * (seat.total_lead_time + 1), dtype=np.float64)


class ForecastReorderPoint(ForecastBaseStock):
    """(s, S) that follows demand: if ``inventory_position <= s``, order up to ``S``.

    ``s = safety_stock + cover * smoothed`` and ``S = s + lot_size + lot_cover * smoothed``, where `smoothed` is
    ``smoothing * claims + (1 - smoothing) * smoothed`` (Brown 1959), the claims that reached the row, and starts at the
    mean of the demand process.

    With a fixed cost for each order and demand whose law depends on a Markov chain, (s, S) levels that change with the
    chain's state are optimal (Sethi & Cheng 1997, Operations Research 45(6)); levels that follow the forecast of mean
    demand come close where demand moves slowly (Bollapragada & Morton 1999, A simple heuristic for computing
    nonstationary (s, S) policies, Operations Research 47(4)). With ``cover = lot_cover = 0`` it is `reorder_point`;
    with ``lot_size = lot_cover = 0`` it is `forecast_base_stock`.
    """

    parameters = (
        *ForecastBaseStock.parameters,
        Parameter("lot_size", "units", _ECONOMIC_LOT.start, constant(0.0), _ECONOMIC_LOT.high),
        Parameter("lot_cover", "periods", constant(0.0), constant(0.0), _longest_cover),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat, position = observation.seat, observation.inventory_position
        smoothed = self.follow(seat, lines_by_row(seat, observation.incoming_orders), memory)
        low = self.value("safety_stock") + self.value("cover") * smoothed
        high = low + self.value("lot_size") + self.value("lot_cover") * smoothed
        return on_first_edge(seat, (position <= low) * np.maximum(high - position, 0)), smoothed
