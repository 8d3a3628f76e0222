"""Capped base-stock rules: order up to a level, and never more than a cap in one period."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.rule import Parameter, Rule, on_first_edge, zeros
from marl_supply.simulation.state import Decisions


class CappedBaseStock(Rule):
    """``order = min(order_cap, max(0, base_stock_level - inventory_position))``.

    For lost sales with lead times: close to optimal where either base stock or a constant order is poor, and
    asymptotically optimal in the lost-sale cost and in the lead time (Johansen & Thorstenson 2008; Xin 2021,
    Understanding the performance of capped base-stock policies in lost-sales inventory models, Operations Research
    69(1)). A high cap makes it base stock, a high level makes it the constant order `order_cap`.
    """

    needs = frozenset({"inventory_position"})
    parameters = (
        *BaseStock.parameters,
        Parameter(
            "order_cap",
            "units/period",
            lambda seat: np.ceil(seat.mean_demand),
            zeros,
            lambda seat: np.ceil(2 * seat.mean_demand + 4 * seat.demand_deviation),
            integer=True,
        ),
    )

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        shortfall = np.maximum(self.value("base_stock_level") - observation.inventory_position, 0)
        return on_first_edge(observation.seat, np.minimum(shortfall, self.value("order_cap"))), memory
