"""Base-stock rules: order up to a fixed inventory position every period.

Optimal for one echelon with backorders and no fixed cost; echelon levels are optimal for serial systems
(Clark & Scarf 1960).
"""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import (
    FloatArray,
    Parameter,
    Rule,
    lead_time_demand,
    on_first_edge,
    safety_stock,
    zeros,
)
from marl_supply.simulation.state import Decisions


def _start(seat: Seat) -> FloatArray:
    return np.rint(lead_time_demand(seat) + safety_stock(seat))


def _high(seat: Seat) -> FloatArray:
    return np.ceil(2 * lead_time_demand(seat) + 6 * safety_stock(seat) + 1)


class BaseStock(Rule):
    """``order = max(0, base_stock_level - inventory_position)``, on the row's first edge where it has several.

    Optimal for one row with linear costs whose customers wait (Karlin & Scarf 1958), with the newsvendor level.
    """

    needs = frozenset({"inventory_position"})
    parameters = (Parameter("base_stock_level", "units", _start, zeros, _high, integer=True),)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        level = np.broadcast_to(self.value("base_stock_level"), (len(observation.seat.rows), observation.replications))
        return Decisions(order_up_to=level), memory


def _echelon_start(seat: Seat) -> FloatArray:
    periods = seat.periods_below
    return np.rint(seat.mean_demand * periods + seat.demand_deviation * np.sqrt(periods))


def _echelon_high(seat: Seat) -> FloatArray:
    periods = seat.periods_below
    return np.ceil(2 * seat.mean_demand * periods + 6 * seat.demand_deviation * np.sqrt(periods) + 1)


class EchelonBaseStock(Rule):
    """``order = max(0, echelon_base_stock_level - echelon_inventory_position)``; needs the demand of the markets.

    Optimal for serial chains with linear costs whose customers wait (Clark & Scarf 1960).
    """

    needs = frozenset({"echelon_inventory_position"})
    parameters = (Parameter("echelon_base_stock_level", "units", _echelon_start, zeros, _echelon_high, integer=True),)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        shortfall = self.value("echelon_base_stock_level") - observation.echelon_inventory_position
        return on_first_edge(observation.seat, np.maximum(shortfall, 0)), memory
