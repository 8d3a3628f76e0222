"""A chain in as few parts as a picture can show: products of one place, nodes that are alike, or levels as one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marl_supply.topology.file import Edge, Market, Topology
from marl_supply.topology.reach import edges_into, edges_out_of, levels

MANY = 9
"""Places of one level that are drawn one by one; of more, those that are alike are drawn as one."""
TOO_MANY = 100
"""Places of a chain that are drawn one by one; a larger chain is drawn by levels."""


@dataclass(frozen=True)
class Place:
    """Nodes that are drawn as one: a single node, the products of a place, alike nodes or a level.

    title: what stands over it; note: how many it stands for, or ""; level: edges on the longest way to it.
    """

    title: str
    note: str
    nodes: tuple[str, ...]
    level: int
    is_source: bool


@dataclass(frozen=True)
class Lane:
    """Edges that are drawn as one; `supplier` and `customer` are numbers of places."""

    supplier: int
    customer: int
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Sale:
    """Markets that are drawn as one; `place` is the number of the place that serves them."""

    place: int
    title: str
    markets: tuple[Market, ...]


@dataclass(frozen=True)
class Outline:
    """The parts of a picture; `by_level` where the chain is too large for anything else."""

    places: tuple[Place, ...]
    lanes: tuple[Lane, ...]
    sales: tuple[Sale, ...]
    by_level: bool


def outline(topology: Topology, many: int = MANY, too_many: int = TOO_MANY) -> Outline:
    """Return the parts of a picture of a chain, in the order of levels and of the file.

    Parameters
    ----------
    many : int
        Places of one level above which alike ones are drawn as one.
    too_many : int
        Places of the chain above which it is drawn by levels.
    """
    depth = levels(topology)
    places = _by_product(topology, depth)
    if any(count > many for count in _count(place.level for place in places).values()):
        places = _alike(topology, places)
    by_level = len(places) > too_many
    if by_level:
        places = _by_level(topology, depth)
    places.sort(key=lambda place: place.level)
    number = {node: position for position, place in enumerate(places) for node in place.nodes}
    return Outline(tuple(places), _lanes(topology, number), _sales(topology, number, by_level), by_level)


def _by_product(topology: Topology, depth: Mapping[str, int]) -> list[Place]:
    """The rows `X:product` of a node X as one place, unless goods would then flow in a circle."""
    rows = _gather(topology.nodes, lambda name: name.partition(":")[0])
    level = {name: max(depth[row] for row in members) for name, members in rows.items()}
    place = {row: name for name, members in rows.items() for row in members}
    if any(level[place[edge.from_]] >= level[place[edge.to]] for edge in topology.edges):
        rows = {name: (name,) for name in topology.nodes}
        level = dict(depth)
    return [
        Place(
            title=name,
            note="" if members == (name,) else _products([row.partition(":")[2] for row in members]),
            nodes=members,
            level=level[name],
            is_source=topology.nodes[members[0]].kind == "source",
        )
        for name, members in rows.items()
    ]


def _products(names: list[str]) -> str:
    return ", ".join(names) if len(", ".join(names)) <= 24 else f"{len(names)} products"


def _alike(topology: Topology, places: list[Place]) -> list[Place]:
    """Places with the same values, suppliers and customers as one."""
    inbound, outbound = edges_into(topology), edges_out_of(topology)
    served = _gather(topology.markets, lambda name: topology.markets[name].served_by[0])

    def mark(place: Place) -> Hashable:
        return tuple(
            (
                node.partition(":")[2],
                topology.nodes[node].model_dump_json(),
                tuple((edge.from_, _values(edge, "from_", "to", "name")) for edge in inbound[node]),
                tuple((edge.to, _values(edge, "from_", "to", "name")) for edge in outbound[node]),
                tuple(_values(topology.markets[name], "served_by", "stream") for name in served.get(node, ())),
            )
            for node in place.nodes
        )

    marks = {place.title: mark(place) for place in places}
    groups = _gather((place.title for place in places), marks.__getitem__)
    known = {place.title: place for place in places}
    return [_joined([known[title] for title in titles]) for titles in groups.values()]


def _joined(places: list[Place]) -> Place:
    first, last = places[0], places[-1]
    if len(places) == 1:
        return first
    note = f"{len(places)} alike" + (f", {first.note}" if first.note else "")
    nodes = tuple(node for place in places for node in place.nodes)
    return Place(f"{first.title} ... {last.title}", note, nodes, first.level, first.is_source)


def _by_level(topology: Topology, depth: Mapping[str, int]) -> list[Place]:
    kinds = _gather(topology.nodes, lambda name: (depth[name], topology.nodes[name].kind == "source"))
    return [
        Place(
            title="sources" if is_source else f"level {level}",
            note=f"{len(names)} node{'s' if len(names) > 1 else ''}",
            nodes=names,
            level=level,
            is_source=is_source,
        )
        for (level, is_source), names in kinds.items()
    ]


def _lanes(topology: Topology, number: Mapping[str, int]) -> tuple[Lane, ...]:
    """Edges between the same places, parallel ones apart."""
    seen: dict[tuple[str, str], int] = {}
    lanes: dict[tuple[int, int, int], list[Edge]] = {}
    for edge in topology.edges:
        parallel = seen[edge.from_, edge.to] = seen.get((edge.from_, edge.to), -1) + 1
        lanes.setdefault((number[edge.from_], number[edge.to], parallel), []).append(edge)
    return tuple(Lane(supplier, customer, tuple(edges)) for (supplier, customer, _), edges in lanes.items())


def _sales(topology: Topology, number: Mapping[str, int], by_level: bool) -> tuple[Sale, ...]:
    seen: dict[str, int] = {}
    sales: dict[tuple[int, int], list[str]] = {}
    for name, market in topology.markets.items():
        node = market.served_by[0]
        seen[node] = 0 if by_level else seen.get(node, -1) + 1
        sales.setdefault((number[node], seen[node]), []).append(name)
    return tuple(
        Sale(place, _market_title(names), tuple(topology.markets[name] for name in names))
        for (place, _), names in sales.items()
    )


def _market_title(names: list[str]) -> str:
    if len(names) > 1:
        return f"{len(names)} markets"
    return names[0] if "market" in names[0] else f"market {names[0]}"


def _values(section: Any, *without: str) -> str:
    return str(section.model_dump_json(exclude=set(without)))


def _gather(names: Iterable[str], key: Callable[[str], Any]) -> dict[Any, tuple[str, ...]]:
    found: dict[Any, list[str]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return {value: tuple(members) for value, members in found.items()}


def _count(values: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found
