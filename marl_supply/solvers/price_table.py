"""The best policy of a priced row as a table: for every state what to ask and what to order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.seat import Seat
from marl_supply.simulation.state import Decisions
from marl_supply.solvers.priced_row import PricedRow
from marl_supply.solvers.pricing import Optimum

FloatArray = NDArray[np.float64]
SAME = 1e-6
"""Money within which what a market shows is one of the states of a table."""


class PriceTable(Policy):
    """Reads prices and orders from the table of an optimum; stock beyond the table is read at its edge.

    Parameters
    ----------
    row
        Whose table; its market must show all that it remembers.
    found
        The table.
    """

    needs = frozenset({"on_hand", "owed", "pipeline", "market_state"})

    def __init__(self, row: PricedRow, found: Optimum) -> None:
        self.row, self.found = row, found

    def start(self, seat: Seat, replications: int) -> Memory:
        """None: it remembers nothing."""
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Ask and order what the table says.

        Raises
        ------
        InputError
            Where the market shows what no price of the grid can lead to.
        """
        place: tuple[Any, ...] = (self._market(observation),)
        prices = self.found.prices
        if prices.ndim > 1:
            stock = (observation.on_hand[0] - observation.owed.sum(0)).astype(np.int64) - self.found.lowest
            parts = [stock, *observation.pipeline.astype(np.int64)]
            place += tuple(np.clip(part, 0, size - 1) for part, size in zip(parts, prices.shape[1:], strict=True))
        price = prices[place][None]
        if not observation.seat.scope.orders:
            return Decisions(price=price), memory
        return Decisions(order=self.found.orders[place][None], price=price), memory

    def _market(self, observation: Observation) -> NDArray[np.int64]:
        """(B,) the market states that are seen."""
        if not self.row.market.names:
            return np.zeros(observation.replications, dtype=np.int64)
        return states_shown(self.row.market.values, observation.market_state, f"nodes.{self.row.name}")


def states_shown(values: FloatArray, seen: FloatArray, place: str) -> NDArray[np.int64]:
    """(B,) which of the states with (S, n) values a market shows by (n, B) numbers.

    Raises
    ------
    InputError
        Where it shows none of them; it begins with the place.
    """
    distinct, which = np.unique(seen, axis=1, return_inverse=True)
    distance = np.abs(values[:, :, None] - distinct).max(1)
    state = distance.argmin(0)
    if distance.min(0).max() > SAME:
        raise InputError(f"{place}: its market shows what no price of the table leads to.")
    return np.asarray(state[which.ravel()], dtype=np.int64)
