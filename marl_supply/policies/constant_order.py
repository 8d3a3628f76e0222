"""The same order every period."""

from __future__ import annotations

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import Parameter, Rule, on_first_edge, zeros
from marl_supply.simulation.state import Decisions


class ConstantOrder(Rule):
    """``order = order_quantity``.

    For lost sales: asymptotically optimal as the lead time grows (Goldberg, Katz-Rogozhnikov, Lu, Sharma & Squillante
    2016, Asymptotic optimality of constant-order policies for lost sales inventory models with large lead times,
    Mathematics of Operations Research 41(3)). Where customers wait, nothing bounds what is owed.
    """

    parameters = (
        Parameter(
            "order_quantity",
            "units/period",
            lambda seat: np.rint(seat.mean_demand),
            zeros,
            lambda seat: np.ceil(2 * seat.mean_demand),
            integer=True,
        ),
    )

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether all customers of the seat's rows leave when they are not served: else what is owed has no bound."""
        return bool((seat.network.keeps[seat.line_numbers] == 0).all())

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        shape = (len(observation.seat.rows), observation.replications)
        return on_first_edge(observation.seat, np.broadcast_to(self.value("order_quantity"), shape)), memory
