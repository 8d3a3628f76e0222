"""Base-stock rules whose level follows a forecast: ``level = safety_stock + cover * smoothed``.

`smoothed` is exponentially smoothed (Brown 1959) of what the seat can see: the claims that reached the row, or the
demand of the markets downstream. It starts at the mean of the demand process.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import (
    FloatArray,
    Parameter,
    Rule,
    constant,
    lines_by_row,
    on_first_edge,
)
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions


def _cover(seat: Seat) -> FloatArray:
    return np.asarray(seat.total_lead_time + 1, dtype=np.float64)


def _echelon_cover(seat: Seat) -> FloatArray:
    return np.asarray(seat.periods_below, dtype=np.float64)


def _parameters(periods: Callable[[Seat], FloatArray]) -> tuple[Parameter, ...]:
    """Parameters of a rule whose orders have to last for so many periods."""

    def spread(seat: Seat) -> FloatArray:
        return np.asarray(seat.demand_deviation * np.sqrt(periods(seat)), dtype=np.float64)

    def demand(seat: Seat) -> FloatArray:
        return np.asarray(seat.mean_demand * periods(seat), dtype=np.float64)

    return (
        Parameter("safety_stock", "units", spread, lambda s: -demand(s), lambda s: 2 * demand(s) + 6 * spread(s) + 1),
        Parameter("cover", "periods", periods, constant(0.0), lambda s: 3 * periods(s)),
        Parameter("smoothing", "-", constant(0.3), constant(0.02), constant(1.0)),
    )


class Smoothing(Rule):
    """Memory of a smoothed signal; (rows, B) units a period."""

    def start(self, seat: Seat, replications: int) -> Memory:
        return None

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether something foretells the demand of some market that the seat supplies."""
        network = seat.network
        return not all(network.processes[network.markets[market]].is_independent for market in seat.markets_downstream)

    def follow(self, seat: Seat, signal: Array, smoothed: Memory) -> Array:
        """The smoothed signal after one more observation; in the first period there is nothing to learn from yet."""
        if smoothed is None:
            return np.broadcast_to(seat.mean_demand[:, None], signal.shape)
        weight = self.value("smoothing")
        return weight * signal + (1 - weight) * smoothed


class ForecastBaseStock(Smoothing):
    """Orders up to ``safety_stock + cover * smoothed claims`` of local inventory position.

    For demand whose level moves: with the right smoothing close to optimal where demand is a random walk seen through
    noise, of which exponential smoothing is the best forecast (Muth 1960); on demand of one law it is base stock with
    noise added.
    """

    needs = frozenset({"inventory_position", "incoming_orders"})
    parameters = _parameters(_cover)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        claims = lines_by_row(observation.seat, observation.incoming_orders)
        smoothed = self.follow(observation.seat, claims, memory)
        return Decisions(order_up_to=self.value("safety_stock") + self.value("cover") * smoothed), smoothed


class EchelonForecastBaseStock(Smoothing):
    """Orders up to ``safety_stock + cover * smoothed market demand`` of echelon inventory position.

    The same for rows that see their markets' demand: upstream orders then do not amplify those below.
    """

    needs = frozenset({"echelon_inventory_position", "market_demand"})
    parameters = _parameters(_echelon_cover)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        demand = NUMPY.add_up(seat.market_reach, observation.market_demand)
        smoothed = self.follow(seat, demand, memory)
        level = self.value("safety_stock") + self.value("cover") * smoothed
        return on_first_edge(seat, np.maximum(level - observation.echelon_inventory_position, 0)), smoothed
