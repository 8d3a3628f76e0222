"""Base-stock rules for uneven review: a level for each interval of the cycle between orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, Parameter, Rule, constant
from marl_supply.simulation.state import Decisions

INTERVALS = 7
"""Most intervals in a cycle; levels of intervals that a row's cycle does not have are 0 and are not searched."""


def _intervals(seat: Seat) -> list[tuple[int, ...]]:
    """(rows,) lengths of the intervals of each row's cycle."""
    return [tuple(seat.network.topology.nodes[row].review) for row in seat.rows]


def _level(number: int, means: float, deviations: float) -> Callable[[Seat], FloatArray]:
    """(rows,) units: an order at the start of an interval of R periods meets demand of L + 1 to L + R periods."""

    def level(seat: Seat) -> FloatArray:
        length = np.array([cycle[number] if number < len(cycle) else 0 for cycle in _intervals(seat)])
        mean = seat.mean_demand * (seat.total_lead_time + (length + 1) / 2)
        deviation = seat.demand_deviation * np.sqrt(seat.total_lead_time + length)
        return np.asarray(np.ceil((means * mean + deviations * deviation) * (length > 0)), dtype=np.float64)

    return level


class IntervalBaseStock(Rule):
    """On the first review day of the cycle order up to `level_1`, on the next up to `level_2`, and so on.

    With backorders the level of an interval of R periods is the smallest S with
    ``(1/R) sum over j < R of P(demand of L + 1 + j periods <= S) >= b / (b + h)``, optimal where the next level is not
    lower. With ``review: [1]`` it is base stock.
    """

    needs = frozenset({"inventory_position", "periods_to_review"})
    parameters = tuple(
        Parameter(
            f"level_{number + 1}",
            "units",
            _level(number, 1, 1),
            constant(0.0),
            _level(number, 2, 6),
            integer=True,
        )
        for number in range(INTERVALS)
    )

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether some row has intervals of different lengths."""
        return any(len(cycle) > 1 for cycle in _intervals(seat))

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if seat is not None:
            for row, cycle in zip(seat.rows, _intervals(seat), strict=True):
                if len(cycle) > INTERVALS:
                    what = f"nodes.{row}.review: {len(cycle)} intervals"
                    raise InputError(
                        f"interval_base_stock: {what}; the rule has levels for {INTERVALS}; choose another rule."
                    )

    def start(self, seat: Seat, replications: int) -> Memory:
        """(rows, B) how many reviews there have been."""
        return np.zeros((len(seat.rows), replications), dtype=np.int64)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        reviews = self.start(seat, observation.replications) if memory is None else memory
        reviews = reviews + (observation.periods_to_review == 0)
        cycle = np.array([[len(lengths)] for lengths in _intervals(seat)])
        now = np.maximum(reviews - 1, 0) % cycle
        levels = np.stack([np.broadcast_to(self.value(level.name), now.shape) for level in self.parameters])
        return Decisions(order_up_to=np.take_along_axis(levels, now[None], 0)[0]), reviews
