"""What can reach what in a chain: levels, markets downstream, mean demand, order bounds, ways nobody can avoid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from marl_supply.topology.file import Edge, Topology


def suppliers_first(topology: Topology) -> list[str]:
    """Return the nodes in an order in which each supplier comes before its customers, ties as in the file."""
    depth = levels(topology)
    return sorted(topology.nodes, key=lambda name: depth[name])


def levels(topology: Topology) -> dict[str, int]:
    """Return for each node the number of edges on the longest way to it from above."""
    inbound = edges_into(topology)
    depth: dict[str, int] = {}
    pending = list(topology.nodes)
    while pending:
        node = pending[-1]
        waiting = [edge.from_ for edge in inbound[node] if edge.from_ not in depth]
        if waiting:
            pending += waiting
        else:
            depth[pending.pop()] = max((depth[edge.from_] + 1 for edge in inbound[node]), default=0)
    return depth


def edges_into(topology: Topology) -> dict[str, list[Edge]]:
    """Return for each node the edges that end there, in the order of the file."""
    found: dict[str, list[Edge]] = {name: [] for name in topology.nodes}
    for edge in topology.edges:
        found[edge.to].append(edge)
    return found


def edges_out_of(topology: Topology) -> dict[str, list[Edge]]:
    """Return for each node the edges that begin there, in the order of the file."""
    found: dict[str, list[Edge]] = {name: [] for name in topology.nodes}
    for edge in topology.edges:
        found[edge.from_].append(edge)
    return found


def downstream(topology: Topology) -> dict[str, frozenset[str]]:
    """Return for each node the nodes that its goods can reach, itself included."""
    reach: dict[str, frozenset[str]] = {}
    outbound = edges_out_of(topology)
    for node in reversed(suppliers_first(topology)):
        reach[node] = frozenset({node}).union(*(reach[edge.to] for edge in outbound[node]))
    return reach


def supplied(topology: Topology) -> frozenset[str]:
    """Return the nodes that goods from a source can reach, the sources included."""
    reach = downstream(topology)
    return frozenset().union(*(reach[name] for name, node in topology.nodes.items() if node.kind == "source"))


def markets_reached(topology: Topology) -> dict[str, list[str]]:
    """Return for each node the markets that its goods can reach, in the order of the file."""
    reach = downstream(topology)
    served: dict[str, list[str]] = {name: [] for name in topology.nodes}
    for name, market in topology.markets.items():
        for node in market.served_by:
            served[node].append(name)
    place = {name: number for number, name in enumerate(topology.markets)}
    return {
        node: sorted({name for below in reach[node] for name in served[below]}, key=place.__getitem__)
        for node in topology.nodes
    }


def mean_demand(topology: Topology) -> dict[str, float]:
    """Return for each node the mean demand of all markets that its goods can reach, units a period."""
    means = {name: market.process.mean for name, market in topology.markets.items()}
    return {node: sum(means[name] for name in names) for node, names in markets_reached(topology).items()}


def order_bounds(topology: Topology) -> dict[str, float]:
    """Return for each edge its order limit, or the default bound where none is stated, units.

    The default is ceil(4 x mean demand that can reach the customer x its longest review); it bounds the
    actions of learners and random players, and rules are not clipped to it.
    """
    means = mean_demand(topology)
    return {
        edge.name: math.ceil(4 * means[edge.to] * max(topology.nodes[edge.to].review))
        if edge.order_limit is None
        else edge.order_limit
        for edge in topology.edges
    }


def unavoidable(topology: Topology) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return for each node, and for each edge, the markets that no source can reach without it.

    Markets that no source reaches at all count nowhere.
    """
    ways: dict[str, frozenset[tuple[str, str]]] = {}
    inbound = edges_into(topology)
    for name in suppliers_first(topology):
        if topology.nodes[name].kind == "source":
            ways[name] = frozenset({("node", name)})
            continue
        each = [ways[edge.from_] | {("edge", edge.name)} for edge in inbound[name] if edge.from_ in ways]
        if each:
            ways[name] = frozenset.intersection(*each) | {("node", name)}
    by_node: dict[str, list[str]] = {name: [] for name in topology.nodes}
    by_edge: dict[str, list[str]] = {edge.name: [] for edge in topology.edges}
    for market, section in topology.markets.items():
        served = [ways[name] for name in section.served_by if name in ways]
        for kind, name in frozenset.intersection(*served) if served else ():
            (by_node if kind == "node" else by_edge)[name].append(market)
    return by_node, by_edge


def depends_on(topology: Topology, node: str) -> list[str]:
    """Return the markets that no source can reach but through `node`."""
    return unavoidable(topology)[0][node]


def cheapest_way(topology: Topology, cost: Mapping[str, float]) -> dict[str, float]:
    """Return for each node the least sum of `cost`, by edge, on a way from a source; infinite where there is none."""
    least: dict[str, float] = {}
    inbound = edges_into(topology)
    for name in suppliers_first(topology):
        ways: Iterable[float] = (least[edge.from_] + cost[edge.name] for edge in inbound[name])
        least[name] = 0.0 if topology.nodes[name].kind == "source" else min(ways, default=math.inf)
    return least
