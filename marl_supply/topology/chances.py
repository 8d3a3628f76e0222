"""What chance decides beside demand: which numbers a period draws, and the parts of a chain that use them.

Every chance number is uniform on [0, 1); a period's are one array (C, B), laid out by `Network.chances`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.topology.file import Disruption, Edge, Topology
from marl_supply.topology.incidence import FloatArray, Index, IntArray, compact, ints


@dataclass(frozen=True)
class Chance:
    """Numbers of one kind for one part of a chain: stream says what for, name for which, size how many a period."""

    stream: str
    name: str
    size: int


def chances_of(topology: Topology) -> tuple[Chance, ...]:
    """All chance numbers of a period, in the order of their array."""
    found = [
        Chance("delay", edge.name, edge.longest_delay if edge.crossing else 1)
        for edge in topology.edges
        if edge.longest_delay
    ]
    found += [Chance("loss", edge.name, 1) for edge in topology.edges if edge.shipping_loss]
    found += [Chance("node_disruption", name, 1) for name, node in topology.nodes.items() if _random(node.disruption)]
    found += [Chance("edge_disruption", edge.name, 1) for edge in topology.edges if _random(edge.disruption)]
    found += [Chance("expedite", name, 1) for name, market in topology.markets.items() if market.expedite]
    for name, market in topology.markets.items():
        if isinstance(market.process, ResponsiveProcess) and market.process.uniforms:
            found.append(Chance("demand", name, market.process.uniforms))
    return tuple(found)


def _random(disruption: Disruption | None) -> bool:
    return disruption is not None and disruption.probability > 0


def hazards(delay: tuple[float, ...]) -> FloatArray:
    """(D,) chances that a shipment arrives after 0, 1, ..., D - 1 periods of delay, given that it has not before."""
    left = np.cumsum(delay[::-1])[::-1][:-1]
    return np.where(left > 1e-12, np.asarray(delay[:-1]) / np.maximum(left, 1e-300), 1.0)


@dataclass(frozen=True)
class Delay:
    """Edges whose shipments may arrive `late` periods beyond their lead time, or later.

    edges: (n,); ahead: how many periods before the latest possible one that is; hazard (n, 1): the chance to arrive
    now; chance (n,): where the numbers stand.
    """

    edges: IntArray
    ahead: int
    hazard: FloatArray
    chance: IntArray


@dataclass(frozen=True)
class Disruptions:
    """What can be down: at random (X items with a state of their own) and by schedule (S items).

    target (X,), planned_target (S,): a place's number, or P plus an edge's; probability, recovery (X, 1); chance (X,);
    first, last: for each planned item (n,) periods between which it is down.
    """

    target: IntArray
    probability: FloatArray
    recovery: FloatArray
    chance: Index
    planned_target: IntArray
    first: tuple[IntArray, ...]
    last: tuple[IntArray, ...]

    def planned(self, period: int | IntArray) -> FloatArray:
        """(S, 1 or B) 1 where a planned item is down in a period of the episode, or in one for each replication."""
        now = np.atleast_1d(period)[:, None]
        down = [((now >= first) & (now <= last)).any(1) for first, last in zip(self.first, self.last, strict=True)]
        return np.array(down, dtype=np.float64)


class ChanceTable:
    """Where each chance number stands.

    Parameters
    ----------
    chances
        The layout.
    """

    def __init__(self, chances: tuple[Chance, ...]) -> None:
        self.size = sum(chance.size for chance in chances)
        self._start: dict[tuple[str, str], int] = {}
        start = 0
        for chance in chances:
            self._start[chance.stream, chance.name] = start
            start += chance.size

    def rows(self, stream: str, names: Iterable[str], offset: int = 0) -> IntArray:
        """(n,) rows of the first number of each name, or of a later one."""
        return np.array([self._start[stream, name] + offset for name in names], dtype=np.int64)


def delays_of(edges: tuple[Edge, ...], table: ChanceTable) -> tuple[Delay, ...]:
    """Edges with random delays, by how late a shipment is and how long it can still take."""
    longest = max((edge.longest_delay for edge in edges), default=0)
    found = []
    for late in range(longest):
        for most in range(late + 1, longest + 1):
            members = [number for number, edge in enumerate(edges) if edge.longest_delay == most]
            if not members:
                continue
            chance = [table.rows("delay", [edges[n].name], late if edges[n].crossing else 0)[0] for n in members]
            hazard = np.array([hazards(edges[n].delay)[late] for n in members])[:, None]
            found.append(Delay(np.array(members), most - late, hazard, np.array(chance, dtype=np.int64)))
    return tuple(found)


def disruptions_of(topology: Topology, places: tuple[str, ...], table: ChanceTable) -> Disruptions | None:
    """What can be down in a chain; None when nothing can."""
    items: list[tuple[int, tuple[str, str], Disruption]] = [
        (places.index(name), ("node_disruption", name), node.disruption)
        for name, node in topology.nodes.items()
        if node.disruption is not None
    ]
    items += [
        (len(places) + number, ("edge_disruption", edge.name), edge.disruption)
        for number, edge in enumerate(topology.edges)
        if edge.disruption is not None
    ]
    if not items:
        return None
    random = [item for item in items if item[2].probability > 0]
    planned = [item for item in items if item[2].at]
    chance = ints(table.rows(stream, [name])[0] for _, (stream, name), _ in random)
    return Disruptions(
        target=ints(item[0] for item in random),
        probability=np.array([item[2].probability for item in random], dtype=np.float64).reshape(-1, 1),
        recovery=np.array([item[2].recovery for item in random], dtype=np.float64).reshape(-1, 1),
        chance=compact(chance, table.size),
        planned_target=ints(item[0] for item in planned),
        first=tuple(ints(item[2].at) for item in planned),
        last=tuple(ints(item[2].at) + item[2].length - 1 for item in planned),
    )
