"""Balanced echelon stock: echelon order-up-to levels, and stock shared out so that those below stand alike.

Where the file gives a node a rule of allocation (`fair_share` balances too), that rule shares out its stock. Where the
file says ``allocation: decided``, the rule does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.quantities import LEVELS
from marl_supply.game.seat import IntArray, Seat
from marl_supply.game.table import Table
from marl_supply.policies.base_stock import EchelonBaseStock
from marl_supply.policies.rule import FloatArray
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.simulation.state import Decisions
from marl_supply.topology.incidence import Sum


class BalancedEchelonStock(EchelonBaseStock):
    """``order = max(0, echelon_base_stock_level - echelon_inventory_position)``, and a balanced allocation.

    A row that serves only markets has nothing below it: there the level is a base-stock level of its own position.
    Of a row whose allocation is left to it, the rule ships ``z_i >= 0`` to customer i so that ``(x_i + z_i) / m_i``
    is the same for all that get something and no higher than for the others, and ``sum z_i`` is all that the row can
    ship. `x_i` is what i has on hand and in transit less all it owes; `m_i` is its mean demand over its lead time and
    one period (a market's: one period). What i has not ordered stays where it is, so stores' levels above that
    balance leave the choice to the warehouse.

    Optimal for one warehouse and identical stores with backorders as far as stock can be balanced in every period
    (Eppen & Schrage 1981; Federgruen & Zipkin 1984, Approximations of dynamic, multilocation production and inventory
    problems, Management Science 30(1)). A heuristic elsewhere: where orders that are not filled are lost, what is held
    back for a store that did not ask for it is missing at others, and proportional shares can cost less.
    """

    needs = EchelonBaseStock.needs | {"on_hand"}

    def __init__(self, values: Mapping[str, Any] | Any = (), seat: Seat | None = None) -> None:
        super().__init__(values, seat)
        if seat is not None:
            _divisions(seat)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        decisions, memory = super().act(observation, memory)
        seat = observation.seat
        if not len(seat.scope.decided_lines):
            return decisions, memory
        allocation = np.zeros((len(seat.scope.decided_lines), observation.replications))
        for division in _divisions(seat):
            allocation[division.lines] = division.shares(observation)
        return Decisions(order=decisions.order, allocation=allocation), memory


class _Division:
    """How one row shares out its stock: its lines, and where what their customers have stands in the observation.

    lines: (c,) among the seat's decided lines; scale: (c, 1) units; plus, minus: sums over the observation vector that
    give (c, B) positions.
    """

    def __init__(self, seat: Seat, row: int, seen: dict[int, int], starts: Mapping[str, int]) -> None:
        network, self.row = seat.network, row
        place = int(seat.scope.rows[row])
        decided = seat.scope.decided_lines
        self.lines: IntArray = np.flatnonzero(network.line_place[decided] == place)
        self.scale = np.maximum(network.customer_scale[decided[self.lines]], 1e-9)[:, None]
        self.capacity = np.inf if network.capacity is None else float(network.capacity[place])
        plus: list[tuple[int, int]] = []
        minus: list[tuple[int, int]] = []
        for number, line in enumerate(decided[self.lines]):
            customer = int(network.customer[network.line_edge[line]]) if network.line_edge[line] >= 0 else -1
            owing = np.flatnonzero(network.line_place == customer) if customer >= 0 else [line]
            minus += [(number, starts["owed"] + int(one)) for one in owing]
            if customer >= 0:
                inbound = np.isin(network.pipeline_slots[:, 0], np.flatnonzero(network.customer == customer))
                plus.append((number, starts["on_hand"] + customer))
                plus += [(number, starts["pipeline"] + int(slot)) for slot in np.flatnonzero(inbound)]
        if not all(entry in seen for _, entry in (*plus, *minus)):
            where = f"{network.topology.name}: nodes.{seat.rows[row]}.allocation"
            raise InputError(
                f"{where}: '{seat.agent}' does not see the stock of those it ships to; use observe: full, let one "
                "agent decide for all of them, or choose another rule."
            )
        self._plus, self._minus = _sum_of(plus, seen, len(self.lines)), _sum_of(minus, seen, len(self.lines))

    def shares(self, observation: Observation) -> Array:
        """(c, B) units to ship."""
        vector = observation.vector()
        position = NUMPY.add_up(self._plus, vector) - NUMPY.add_up(self._minus, vector)
        return poured(position, self.scale, np.minimum(observation.on_hand[self.row], self.capacity))


def poured(position: Array, scale: FloatArray, stock: Array) -> Array:
    """Units that raise the lowest position / scale to a common level until the stock is used up.

    Parameters
    ----------
    position : (c, B) units
    scale : (c, 1) units, above 0
    stock : (B,) units, not negative

    Returns
    -------
    (c, B) units, not negative; the sum over c is `stock`.
    """
    ratio = position / scale
    order = np.argsort(ratio, axis=0)
    ranked = np.take_along_axis(ratio, order, 0)
    weight = np.cumsum(np.take_along_axis(np.broadcast_to(scale, ratio.shape), order, 0), axis=0)
    filled = np.cumsum(np.take_along_axis(position, order, 0), axis=0)
    levels = (stock + filled) / weight  # the common level if only the lowest 1, 2, ... customers got something
    raised = (levels > ranked).sum(axis=0) - 1  # the level stays above those it raises up to the last of them
    level = np.take_along_axis(levels, np.maximum(raised, 0)[None], 0)
    return np.asarray(np.maximum(level * scale - position, 0.0) * (stock > 0))


def _sum_of(pairs: list[tuple[int, int]], seen: dict[int, int], size: int) -> Sum:
    """(size, B) sums over entries of the observation vector: pairs (which sum, position in the table)."""
    where = np.array([seen[entry] for _, entry in pairs], dtype=np.int64)
    return Sum(np.array([number for number, _ in pairs], dtype=np.int64), size, where, len(seen))


@lru_cache(maxsize=256)
def _divisions(seat: Seat) -> tuple[_Division, ...]:
    """The rows that leave their allocation to the seat."""
    network, decided = seat.network, seat.scope.decided_lines
    if not len(decided):
        return ()
    level = next(name for name, shown in LEVELS.items() if shown == seat.visible)
    table = Table(network)
    seen = {int(entry): number for number, entry in enumerate(table.seen(seat, level)[1])}
    rows = [row for row, place in enumerate(seat.scope.rows) if place in network.line_place[decided]]
    return tuple(_Division(seat, row, seen, table.start) for row in rows)
