"""Base-stock levels by regime, for demand whose mean follows a Markov chain.

No observation shows the regime: `markov_modulated` demand hides it, and `market_state` holds only what responsive
markets make public. So the rule keeps a belief. It knows the chain's law, as the myopic rules know that of demand,
and what it has seen of its own market.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from marl_supply.demand.markov_modulated import MarkovModulated
from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.rule import FloatArray, Parameter, Rule, constant, lead_time_demand, safety_stock
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

REGIMES = 4
"""Most regimes of a market; levels of regimes that a row's market does not have are 0 and are not searched."""


@lru_cache(maxsize=256)
def _markets(seat: Seat) -> tuple[tuple[int, MarkovModulated] | None, ...]:
    """For each row the line and the process of its market, where that is the only line and has regimes."""
    network, found = seat.network, []
    for row in range(len(seat.rows)):
        lines = np.flatnonzero(seat.line_rows == row)
        market = int(network.line_market[seat.line_numbers[lines[0]]]) if len(lines) == 1 else -1
        process = network.processes[network.markets[market]] if market >= 0 else None
        found.append((int(lines[0]), process) if isinstance(process, MarkovModulated) else None)
    return tuple(found)


def _mean_by_regime(process: MarkovModulated, periods: int) -> FloatArray:
    """(regimes,) units: mean demand of so many periods, the first of which has the regime."""
    transition, mean = np.array(process.transition), np.array(process.means)
    ahead, total = mean, np.zeros(len(mean))
    for _ in range(periods):
        total, ahead = total + ahead, transition @ ahead
    return np.asarray(total, dtype=np.float64)


def _level(regime: int, means: float, deviations: float) -> Callable[[Seat], FloatArray]:
    """(rows,) units: mean demand from the order to the end of the period it serves, and so many deviations of it."""

    def level(seat: Seat) -> FloatArray:
        plain = means * lead_time_demand(seat) + deviations * safety_stock(seat)
        levels = plain if regime == 0 else np.zeros(len(seat.rows))
        for row, market in enumerate(_markets(seat)):
            if market is not None:
                mean = _mean_by_regime(market[1], int(seat.total_lead_time[row]) + 1)
                inside = regime < len(mean)
                levels[row] = means * mean[regime] + deviations * np.sqrt(mean[regime]) if inside else 0.0
        return np.asarray(np.ceil(levels), dtype=np.float64)

    return level


class RegimeBaseStock(Rule):
    """``order_up_to = sum over regimes k of P(regime is k | demand seen) * level_k``.

    The probabilities are those of the coming period's regime. They start at the stationary law and follow Bayes' rule:
    ``P(k) proportional to sum over i of P(i) * Poisson(demand; means[i]) * transition[i][k]``. On a row that serves no
    market with regimes, or other rows beside it, `level_1` is a base-stock level.

    Where the regime is revealed, a level for each regime is optimal for one echelon with backorders and no fixed cost
    (Song & Zipkin 1993, Operations Research 41(2)); where it is hidden the optimal level depends on the belief, which
    the weighted mean of levels approximates (Treharne & Sox 2002, Adaptive inventory control for nonstationary demand
    and partial information, Management Science 48(5)).
    """

    needs = frozenset({"inventory_position", "incoming_orders"})
    parameters = tuple(
        Parameter(
            f"level_{regime + 1}", "units", _level(regime, 1, 1), constant(0.0), _level(regime, 2, 6), integer=True
        )
        for regime in range(REGIMES)
    )

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether some market that the seat supplies has regimes."""
        network = seat.network
        return any(isinstance(network.processes[network.markets[m]], MarkovModulated) for m in seat.markets_downstream)

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        for row, market in enumerate(_markets(seat) if seat is not None else ()):
            if seat is not None and market is not None and len(market[1].means) > REGIMES:
                what = f"{seat.network.topology.name}: nodes.{seat.rows[row]}: {len(market[1].means)} regimes"
                raise InputError(f"{what}; regime_base_stock has levels for {REGIMES}; choose another rule.")

    def start(self, seat: Seat, replications: int) -> Memory:
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        belief = self._believed(observation, memory)
        levels = np.stack([np.broadcast_to(self.value(level.name), belief.shape[1:]) for level in self.parameters])
        level = np.einsum("krb,krb->rb", belief, levels)
        return Decisions(order_up_to=np.rint(level) if seat.integer else level), belief

    def _believed(self, observation: Observation, memory: Memory) -> Array:
        """(REGIMES, rows, B) probabilities of the regimes of the coming period."""
        seat = observation.seat
        belief = _prior(seat, observation.replications) if memory is None else memory
        if memory is None and not seat.network.demand_first:
            return belief
        belief = belief.copy()
        for row, market in enumerate(_markets(seat)):
            if market is not None:
                line, process = market
                own = belief[: len(process.means), row]
                belief[: len(process.means), row] = _updated(process, own, observation.incoming_orders[line])
        return belief


def _prior(seat: Seat, replications: int) -> Array:
    """(REGIMES, rows, B) the stationary law; on a row without regimes all weight on the first."""
    prior = np.zeros((REGIMES, len(seat.rows), replications))
    for row, market in enumerate(_markets(seat)):
        law = np.ones(1) if market is None else market[1].stationary()
        prior[: len(law), row] = law[:, None]
    return prior


def _updated(process: MarkovModulated, belief: Array, demand: Array) -> Array:
    """(regimes, B) probabilities of the next period's regime, from those of this period's and its demand (B,)."""
    means = np.array(process.means)[:, None]
    with np.errstate(divide="ignore"):
        weights = np.log(belief) + special.xlogy(demand, means) - means  # what the regimes share cancels
    posterior = np.exp(weights - weights.max(axis=0))
    return np.asarray(np.array(process.transition).T @ (posterior / posterior.sum(axis=0)))
