"""A policy as a table: for every decision point what to order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.seat import Seat
from marl_supply.simulation.state import Decisions
from marl_supply.solvers.markov.decision_process import DecisionProcess

IntArray = NDArray[np.int64]
_SEEN_AS = {"incoming": "incoming_orders", "last_demand": "market_demand"}
"""Fields of an observation that have another name than in a state."""


class OrderTable(Policy):
    """Reads orders from a table over the states of a decision process.

    Parameters
    ----------
    process
        Whose states.
    orders : (1 or T, E, n) units
        By state; one table for every period, or one for each period of an episode.
    """

    needs = frozenset({"on_hand", "owed", "backorders", "on_order", "pipeline", "receipts"})

    def __init__(self, process: DecisionProcess, orders: NDArray[np.int32]) -> None:
        self.process = process
        self.orders = orders
        if process.others:
            self.needs = frozenset({"everything"})  # type: ignore[misc]
        elif any(name == "last_demand" for name, _ in process.points.fields):
            self.needs = self.needs | {"market_demand"}  # type: ignore[misc]

    def start(self, seat: Seat, replications: int) -> Memory:
        """How many periods have passed, where the table asks."""
        return 0 if self._counts_periods else None

    @property
    def _counts_periods(self) -> bool:
        points = self.process.points
        return len(self.orders) > 1 or points.cycle > 1 or points.first_repeat > 0

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Order what the table says.

        Raises
        ------
        InputError
            In a state that no play from the file's stocks can reach, or after the table's last period.
        """
        period = 0 if memory is None else int(memory)
        numbers = self.process.numbering.find(self._columns(observation, period))
        if numbers.min(initial=0) < 0:
            name = self.process.game.topology.name
            raise InputError(f"{name}: the optimum is known only for episodes that begin with the stocks of its file.")
        table = self.orders[min(period, len(self.orders) - 1)]
        order = table[:, numbers][observation.seat.scope.edges].astype(np.float64)
        return Decisions(order=order), period + 1 if self._counts_periods else None

    def _columns(self, observation: Observation, period: int) -> IntArray:
        """(w, B) what the seat sees, as columns of the process."""
        points = self.process.points
        columns = self._of_all(observation) if self.process.others else self._of_own(observation)
        columns[-1] = _moment(period, points.first_repeat, points.cycle)
        return points.net(columns)

    def _of_all(self, observation: Observation) -> IntArray:
        """The columns of a chain of which the seat is a part, and of which it sees everything."""
        points, table = self.process.points, self.process.game.table
        columns = np.zeros((points.size, observation.replications), dtype=np.int64)
        everything = np.empty((len(table.entries), observation.replications))
        everything[self.process.game.seen[self.process.agent]] = observation.vector()
        slots = [("pipeline", points.network.pipeline_slots), ("travelling", points.network.travelling_slots)]
        for name, numbers in [*points.fields, *slots]:
            if len(numbers):
                first = table.start[_SEEN_AS.get(name, name)]
                columns[points.columns_of(name)] = everything[first : first + len(numbers)]
        return columns

    def _of_own(self, observation: Observation) -> IntArray:
        """The columns of a chain whose every row is the seat's own."""
        points, seat = self.process.points, observation.seat
        columns = np.zeros((points.size, observation.replications), dtype=np.int64)
        own = {"on_hand": seat.scope.rows, "owed": seat.line_numbers, "backorders": seat.line_numbers}
        own |= {"receipts": seat.scope.edges}
        for name, _ in points.fields:
            block = columns[points.columns_of(name)]
            if name in own:
                block[own[name]] = getattr(observation, name)
            elif name == "last_demand":
                block[seat.markets_downstream] = observation.market_demand
            elif name == "revealed" and len(block):
                block[:] = self._revealed(observation)
        columns[points.columns_of("pipeline")][_slots(seat)] = observation.pipeline
        return columns

    def _revealed(self, observation: Observation) -> IntArray:
        """(e, B) units ordered in the period before from sources that hear of it now: on order, and not in transit."""
        seat, points = observation.seat, self.process.points
        network = points.network
        on_order = np.zeros((len(network.edges), observation.replications))
        on_order[seat.scope.edges] = observation.on_order
        for number, slot in enumerate(_slots(seat)):
            on_order[network.pipeline_slots[slot, 0]] -= observation.pipeline[number]
        return np.asarray(on_order[points.late], dtype=np.int64)


def _moment(period: int, first_repeat: int, cycle: int) -> int:
    return period if period < first_repeat else first_repeat + (period - first_repeat) % cycle


@lru_cache(maxsize=256)
def _slots(seat: Seat) -> IntArray:
    """(s,) which slot of the network's pipelines each number of the field `pipeline` is."""
    slots = seat.network.pipeline_slots
    own = [np.flatnonzero(slots[:, 0] == edge) for edge in seat.scope.edges]
    return np.concatenate(own) if own else np.zeros(0, dtype=np.int64)
