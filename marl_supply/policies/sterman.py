"""How people order in the beer game: anchoring and adjustment (Sterman 1989)."""

from __future__ import annotations

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import (
    FloatArray,
    Parameter,
    Rule,
    constant,
    edges_by_row,
    lead_time_demand,
    lines_by_row,
    zeros,
)
from marl_supply.simulation.state import Decisions


def _stock(seat: Seat) -> FloatArray:
    return seat.mean_demand


def _pipeline(seat: Seat) -> FloatArray:
    return seat.mean_demand * seat.total_lead_time


class Sterman(Rule):
    """``order = max(0, claims - stock_weight (level - stock_anchor) - pipeline_weight (on order - pipeline_anchor))``.

    The level and what is on order are read before this period's receipt and claims, as in the code of Oroojlooyjadid
    et al. (2022), whose weights .5 and .2 are the defaults; the order is rounded half to even. It describes what people
    do, who underweight what is on order, and is optimal nowhere (Sterman 1989, Modeling managerial behavior, Management
    Science 35(3)).
    """

    needs = frozenset({"on_hand", "receipts", "backorders", "on_order", "incoming_orders"})
    parameters = (
        Parameter("stock_anchor", "units", _stock, zeros, lambda seat: 2 * lead_time_demand(seat)),
        Parameter("pipeline_anchor", "units", _pipeline, zeros, lambda seat: 3 * lead_time_demand(seat)),
        Parameter("stock_weight", "-", constant(0.5), zeros, constant(1.0)),
        Parameter("pipeline_weight", "-", constant(0.2), zeros, constant(1.0)),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        receipts = edges_by_row(seat, observation.receipts)
        level = observation.on_hand - receipts - lines_by_row(seat, observation.backorders)
        stock = self.value("stock_weight") * (level - self.value("stock_anchor"))
        ordered = edges_by_row(seat, observation.on_order) + receipts - self.value("pipeline_anchor")
        return Decisions(demand_plus=-stock - self.value("pipeline_weight") * ordered), memory
