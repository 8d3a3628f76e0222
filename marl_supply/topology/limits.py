"""What bounds a chain: storage and throughput, alone or shared by several rows, and the days of review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from marl_supply.topology.file import Node, Topology
from marl_supply.topology.incidence import FloatArray, IntArray

UNLIMITED = 1e30
"""A bound that never binds; finite in float32 too, so that 0 times it is 0."""


@dataclass(frozen=True)
class Storage:
    """Rows that stock at most `limit` together, in groups of equally many rows and inbound edges.

    rows: (g, r); edges: (g, e) all that lead to them, in file order; limit: (g, 1) units.
    """

    rows: IntArray
    edges: IntArray
    limit: FloatArray


@dataclass(frozen=True)
class SharedCapacity:
    """Rows (r,), in file order, that ship at most `limit` units a period together."""

    rows: IntArray
    limit: float


@dataclass(frozen=True)
class Reviews:
    """When rows order.

    offset, cycle: (N, 1) periods; until, length: (N, longest cycle) periods to the next review, and of the interval
    that a day of the cycle lies in.
    """

    offset: IntArray
    cycle: IntArray
    until: IntArray
    length: IntArray

    @property
    def are_uneven(self) -> bool:
        """Whether some row's intervals differ."""
        rows = zip(self.length, self.cycle.ravel(), strict=True)
        return any(len(np.unique(length[:size])) > 1 for length, size in rows)

    def periods_until(self, period: int | IntArray) -> IntArray:
        """(N, 1 or B) periods to each row's next review, from a period of the episode or one for each replication."""
        since = np.atleast_1d(period)[None] - self.offset
        within_cycle = self.until[np.arange(len(self.offset))[:, None], since % self.cycle]
        return np.where(since < 0, -since, within_cycle)

    def interval(self, period: int | IntArray) -> IntArray:
        """(N, 1 or B) periods from each row's latest review to its next; before the first, from the beginning to it."""
        since = np.atleast_1d(period)[None] - self.offset
        within_cycle = self.length[np.arange(len(self.offset))[:, None], since % self.cycle]
        return np.where(since < 0, self.offset, within_cycle)


def storages_of(topology: Topology, rows: tuple[str, ...], customer: IntArray) -> tuple[Storage, ...]:
    """All bounds on stock."""
    where = {name: number for number, name in enumerate(rows)}
    bounds: list[tuple[tuple[int, ...], float]] = [
        ((where[name],), node.storage) for name, node in topology.nodes.items() if node.storage is not None
    ]
    bounds += [
        (tuple(sorted(where[row] for row in shared.rows)), shared.storage)
        for shared in topology.shared.values()
        if shared.storage is not None
    ]
    shapes: dict[tuple[int, int], list[tuple[tuple[int, ...], IntArray, float]]] = {}
    for members, limit in bounds:
        edges = np.flatnonzero(np.isin(customer, members))
        shapes.setdefault((len(members), len(edges)), []).append((members, edges, limit))
    return tuple(
        Storage(
            np.array([members for members, _, _ in alike], dtype=np.int64),
            np.array([edges for _, edges, _ in alike], dtype=np.int64),
            np.array([[limit] for _, _, limit in alike]),
        )
        for alike in shapes.values()
    )


def capacity_of(topology: Topology, places: tuple[str, ...]) -> FloatArray | None:
    """(P,) units a period that each place can ship; None when none is bounded."""
    limits = [topology.nodes[name].capacity for name in places]
    if all(limit is None for limit in limits):
        return None
    return np.array([UNLIMITED if limit is None else limit for limit in limits])


def shared_capacities_of(topology: Topology, rows: tuple[str, ...]) -> tuple[SharedCapacity, ...]:
    """Bounds on what several rows ship together."""
    where = {name: number for number, name in enumerate(rows)}
    return tuple(
        SharedCapacity(np.array(sorted(where[row] for row in shared.rows), dtype=np.int64), shared.capacity)
        for shared in topology.shared.values()
        if shared.capacity is not None
    )


def reviews_of(nodes: Iterable[Node]) -> Reviews | None:
    """The review days of all rows; None when every row reviews in every period."""
    nodes = list(nodes)
    if all(set(node.review) == {1} and not node.review_offset for node in nodes):
        return None
    cycles = [sum(node.review) for node in nodes]
    until = np.zeros((len(nodes), max(cycles)), dtype=np.int64)
    length = np.zeros_like(until)
    for row, node in enumerate(nodes):
        days = np.cumsum([0, *node.review])
        for day in range(cycles[row]):
            until[row, day] = days[np.searchsorted(days, day)] - day
        length[row, : cycles[row]] = np.repeat(node.review, node.review)
    offset = np.array([node.review_offset for node in nodes], dtype=np.int64)
    return Reviews(offset[:, None], np.array(cycles, dtype=np.int64)[:, None], until, length)
