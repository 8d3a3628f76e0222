"""How large an exact solution would be, estimated before it is begun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.solvers.markov.demand_outcomes import INSTEAD
from marl_supply.solvers.markov.one_period import OnePeriod
from marl_supply.solvers.markov.order_bounds import NO_FLOOR, OrderBounds

FloatArray = NDArray[np.float64]
MOST_TRANSITIONS = 60_000_000
MICROSECONDS = 0.4
"""A transition takes so long from the simulator to the solution; measured on one core of a shared machine."""
BYTES = 40
"""A transition needs so much memory while the process is built."""


@dataclass(frozen=True)
class ProcessSize:
    """An estimate: number of states, of (state, order) pairs, of transitions; memory in bytes; time in seconds."""

    states: float
    pairs: float
    transitions: float

    @property
    def memory(self) -> float:
        """Bytes."""
        return self.transitions * BYTES

    @property
    def seconds(self) -> float:
        """On one core."""
        return self.transitions * MICROSECONDS * 1e-6

    def __str__(self) -> str:
        numbers = f"about {self.states:,.0f} states, {self.pairs:,.0f} orders in them, "
        costs = f"{self.memory / 1e9:.1f} GB and {self.seconds:,.0f} seconds"
        return f"{numbers}{self.transitions:,.0f} transitions, {costs}"


def size_within(period: OnePeriod, bounds: OrderBounds, most: int | None) -> ProcessSize:
    """The size of a process whose orders stay in a box.

    Raises
    ------
    InputError
        If there are more transitions than `most`.
    """
    size = _count(period, bounds)
    if most is not None and size.transitions > most:
        raise InputError(f"{period.game.topology.name}: an exact solution has {size}; {INSTEAD}.")
    return size


def _count(period: OnePeriod, bounds: OrderBounds) -> ProcessSize:
    network, outcomes = period.game.network, period.outcomes
    states = pairs = moves = 1.0
    largest = float(outcomes.demand.sum(0).max())
    for row in range(len(network.rows)):
        stock, pipelines = _parts(bounds, row, largest)
        position = np.add.outer(stock, np.arange(len(pipelines)))
        counts = pipelines * (position <= bounds.ceiling[row]) * (position >= stock[0] + _depth(bounds, row, largest))
        orders = _orders(bounds, row, position)
        demands = np.minimum(stock + 1, len(outcomes)) if row == period.losing_row else np.full(len(stock), 1.0)
        states, pairs = states * float(counts.sum()), pairs * float((counts * orders).sum())
        moves *= float(demands @ (counts * orders).sum(1)) / float((counts * orders).sum())
    if period.losing_row < 0:
        moves = float(len(outcomes))
    if network.reviews is not None:
        moments, days = period.points.cycle, float(network.reviews.cycle.max())
        share = max(len(network.topology.nodes[row].review) for row in network.rows) / days
        states, pairs = states * moments, moments * (states * (1 - share) + pairs * share)
    return ProcessSize(states, pairs, pairs * moves)


def _parts(bounds: OrderBounds, row: int, largest: float) -> tuple[FloatArray, FloatArray]:
    """Net stocks of a row, units, and how many pipelines hold 0, 1, 2, ... units."""
    ceiling = bounds.ceiling[row]
    keeps = bounds.floor[row] > NO_FLOOR
    lowest = bounds.floor[row] - bounds.slack[row] - largest if keeps else 0.0
    caps = [int(min(bounds.cap[edge], ceiling - lowest)) for edge in _waiting(bounds, row)]
    below = lowest - len(caps) * largest if keeps else 0.0
    stock = np.arange(below, ceiling + 1)
    pipelines = np.zeros(len(stock))
    pipelines[0] = 1.0
    for cap in caps:
        pipelines = _one_more(pipelines, cap)
    return stock, pipelines


def _depth(bounds: OrderBounds, row: int, largest: float) -> float:
    """Units: how far net stock may lie below the lowest position, because some of it is on its way."""
    return len(_waiting(bounds, row)) * largest if bounds.floor[row] > NO_FLOOR else 0.0


def _waiting(bounds: OrderBounds, row: int) -> list[int]:
    """The edges of a row, each as often as orders on it are in different places at a decision point."""
    network = bounds.network
    places = network.lead_time + network.information_delay - (network.edge_line < 0)
    return [int(edge) for edge in np.flatnonzero(network.customer == row) for _ in range(int(places[edge]))]


def _orders(bounds: OrderBounds, row: int, position: FloatArray) -> FloatArray:
    """How many orders a row may place at inventory positions, one by one."""
    room = np.maximum(bounds.ceiling[row] - position, 0.0).astype(np.int64)
    ways = np.zeros(int(room.max()) + 1)
    ways[0] = 1.0
    for edge in np.flatnonzero(bounds.network.customer == row):
        ways = _one_more(ways, int(min(bounds.cap[edge], len(ways))))
    return np.asarray(np.cumsum(ways)[room], dtype=np.float64)


def _one_more(ways: FloatArray, cap: int) -> FloatArray:
    """Ways to reach each sum with one more number from 0 to a cap."""
    reach = np.cumsum(ways)
    reach[cap + 1 :] -= np.cumsum(ways)[: max(len(ways) - cap - 1, 0)]
    return np.asarray(reach, dtype=np.float64)
