"""Rules for chains in which some rows have a fast and a slow supplier and others one supplier.

A rule for two suppliers plays the first kind of row, base stock the second, so that one name stands for a whole game.
With base stock at the rows with two suppliers as well the name is `base_stock`, which orders on each row's first edge.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.dual_index import DualIndex
from marl_supply.policies.rule import FloatArray, Parameter, Rule
from marl_supply.policies.tailored_base_surge import TailoredBaseSurge
from marl_supply.policies.two_suppliers import (
    POSITION,
    express_edges,
    express_orders,
    express_position,
    place,
    regular_edges,
)
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Decisions

_Figure = Callable[[Seat], FloatArray]


def has_two_suppliers(seat: Seat) -> FloatArray:
    """(rows,) 1 where the fastest inbound edge is not the slowest, else 0."""
    return np.asarray(express_edges(seat) != regular_edges(seat), dtype=np.float64)


def _where(parameter: Parameter, share: _Figure) -> Parameter:
    """The same parameter, 0 and not searched on the rows whose share is 0."""

    def only(figure: _Figure) -> _Figure:
        return lambda seat: np.asarray(figure(seat) * share(seat) + 0.0, dtype=np.float64)

    return replace(parameter, start=only(parameter.start), low=only(parameter.low), high=only(parameter.high))


def _parameters(dual: type[Rule]) -> tuple[Parameter, ...]:
    """A base-stock level for the rows with one supplier, the parameters of another rule for the rest."""
    single = [_where(one, lambda seat: 1 - has_two_suppliers(seat)) for one in BaseStock.parameters]
    return (*single, *(_where(one, has_two_suppliers) for one in dual.parameters))


class _Mixed(Rule):
    """Express orders up to a level of what arrives soon and regular orders beside them, or base stock."""

    needs = POSITION | {"inventory_position"}

    @classmethod
    def worth_trying(cls, seat: Seat) -> bool:
        """Whether the chain has rows with two suppliers and rows with one."""
        inbound = np.bincount(seat.network.customer, minlength=len(seat.network.rows))
        return bool((inbound > 1).any() and (inbound == 1).any())

    @abstractmethod
    def regular(self, observation: Observation, express: Array) -> Array:
        """(rows, B) units from the slow supplier of rows that have two, beside the express orders (rows, B)."""

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        seat = observation.seat
        two = has_two_suppliers(seat)[:, None]
        express = express_orders(seat, self.value("express_level") - express_position(observation)) * two
        alone = np.maximum(self.value("base_stock_level") - observation.inventory_position, 0)
        return place(seat, express, np.where(two > 0, self.regular(observation, express), alone)), memory


class DualIndexOrBaseStock(_Mixed):
    """`dual_index` on rows with two suppliers, `base_stock` on rows with one.

    Two suppliers: ``express = max(0, express_level - express position)``, then
    ``regular = max(0, regular_level - position - express)``; one:
    ``order = max(0, base_stock_level - inventory_position)``. Suppliers with the same lead time count as one, the
    earlier in the file.

    Close to optimal for one echelon with two suppliers (Veeraraghavan & Scheller-Wolf 2008, Now or later, Operations
    Research 56(4)), and base stock is optimal for a store with backorders and a supplier that is never short; in a
    chain of both it is a heuristic, with all levels to be tuned together.
    """

    parameters = _parameters(DualIndex)

    def regular(self, observation: Observation, express: Array) -> Array:
        return np.maximum(self.value("regular_level") - observation.inventory_position - express, 0)


class TailoredBaseSurgeOrBaseStock(_Mixed):
    """`tailored_base_surge` on rows with two suppliers, `base_stock` on rows with one.

    Two suppliers: ``express = max(0, express_level - express position)`` and ``regular = regular_quantity``; one:
    ``order = max(0, base_stock_level - inventory_position)``. Suppliers with the same lead time count as one, the
    earlier in the file.

    Good for two suppliers of which one is far slower (Allon & Van Mieghem 2010, Management Science 56(1); Xin &
    Goldberg 2018, Management Science 64(1)); in a chain it is a heuristic, with all levels to be tuned together.
    """

    parameters = _parameters(TailoredBaseSurge)

    def regular(self, observation: Observation, express: Array) -> Array:
        return np.broadcast_to(self.value("regular_quantity"), express.shape)
