"""What rules with a fast and a slow supplier share: which edge is which, and what can be counted on soon.

The express edge of a row is its fastest, the regular edge its slowest; ties go to the earlier in the file. A row with
one edge has it in both parts, and orders the sum of both quantities on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.seat import IntArray, Seat
from marl_supply.policies.rule import FloatArray, Parameter, Rule, lines_by_row
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions
from marl_supply.topology.incidence import Sum

POSITION = frozenset({"on_hand", "owed", "on_order", "pipeline"})
"""Fields that `express_position` reads."""


class TwoSuppliers(Rule):
    """A rule for rows with a fast and a slow supplier."""

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether some row has two."""
        return bool((express_edges(seat) != regular_edges(seat)).any())


def express_edges(seat: Seat) -> IntArray:
    """(rows,) the fastest inbound edge of each row, as a position in ``seat.edges``."""
    return _ends(seat)[0]


def regular_edges(seat: Seat) -> IntArray:
    """(rows,) the slowest inbound edge of each row, as a position in ``seat.edges``."""
    return _ends(seat)[1]


def place(seat: Seat, express: Array, regular: Array) -> Decisions:
    """Orders (rows, B) of both kinds on their edges."""
    order = np.zeros((len(seat.edges), express.shape[1]))
    order[regular_edges(seat)] = regular
    order[express_edges(seat)] += express
    return Decisions(order=order)


def express_orders(seat: Seat, shortfall: Array) -> Array:
    """(rows, B) units of (rows, B): 0 or more, and within the edge's order limit: what it cuts off never comes."""
    limit = seat.network.order_limit
    positive = np.maximum(shortfall, 0)
    return positive if limit is None else np.minimum(positive, limit[seat.scope.edges[express_edges(seat)]][:, None])


def express_position(observation: Observation) -> Array:
    """(rows, B) units: on hand - owed + all on order that arrives within the express lead time.

    With an express lead time of 0 that is the net stock after this period's receipts.
    """
    seat = observation.seat
    position = observation.on_hand - lines_by_row(seat, observation.owed)
    position = position + observation.on_order[express_edges(seat)]
    slots, rows = _soon(seat)
    if len(slots):
        position = position + NUMPY.add_up(Sum(rows, len(seat.rows)), observation.pipeline[slots])
    return position


def covering(edges: Callable[[Seat], IntArray], deviations: float) -> Callable[[Seat], FloatArray]:
    """(rows,) units: mean demand over an edge's lead time and one period, and that many standard deviations of it."""

    def level(seat: Seat) -> FloatArray:
        periods = _periods(seat)[edges(seat)] + 1
        return np.rint(seat.mean_demand * periods + deviations * seat.demand_deviation * np.sqrt(periods))

    return level


def _high(edges: Callable[[Seat], IntArray]) -> Callable[[Seat], FloatArray]:
    level = covering(edges, 3)
    return lambda seat: 2 * level(seat) + 1


def _below(seat: Seat) -> FloatArray:
    """(rows,) units: a dear express supplier may be worth its price only once customers wait."""
    return -covering(regular_edges, 0)(seat)


EXPRESS_LEVEL = Parameter(
    "express_level", "units", covering(express_edges, 1), _below, _high(express_edges), integer=True
)
REGULAR_LEVEL = Parameter(
    "regular_level", "units", covering(regular_edges, 1), _below, _high(regular_edges), integer=True
)


def _periods(seat: Seat) -> IntArray:
    """(edges,) periods from order to receipt."""
    return seat.lead_time + seat.information_delay


@lru_cache(maxsize=256)
def _ends(seat: Seat) -> tuple[IntArray, IntArray]:
    """The fastest and the slowest edge of each row."""
    own = [np.flatnonzero(seat.edge_rows == row) for row in range(len(seat.rows))]
    periods = _periods(seat)
    fastest = [edges[periods[edges].argmin()] for edges in own]
    slowest = [edges[periods[edges].argmax()] for edges in own]
    return np.array(fastest, dtype=np.int64), np.array(slowest, dtype=np.int64)


@lru_cache(maxsize=256)
def _soon(seat: Seat) -> tuple[IntArray, IntArray]:
    """Entries of the field `pipeline` on other edges that arrive within the express lead time, and their rows."""
    express, network = express_edges(seat), seat.network
    within = _periods(seat)[express]
    entries, rows, passed = [], [], 0
    for edge, row in enumerate(seat.edge_rows):
        for number, ahead in network.pipeline_slots:
            if number != seat.scope.edges[edge]:
                continue
            if edge != express[row] and ahead <= within[row]:
                entries.append(passed)
                rows.append(int(row))
            passed += 1
    return np.array(entries, dtype=np.int64), np.array(rows, dtype=np.int64)
