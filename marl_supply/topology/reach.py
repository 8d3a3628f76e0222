"""What can reach what in a chain: levels, markets downstream, mean demand, order bounds."""

from __future__ import annotations

import math
from collections.abc import Collection

from marl_supply.topology.file import Topology


def suppliers_first(topology: Topology) -> list[str]:
    """Return the nodes in an order in which each supplier comes before its customers, ties as in the file."""
    depth = levels(topology)
    return sorted(topology.nodes, key=lambda name: depth[name])


def levels(topology: Topology) -> dict[str, int]:
    """Return for each node the number of edges on the longest way to it from above."""
    suppliers: dict[str, list[str]] = {name: [] for name in topology.nodes}
    for edge in topology.edges:
        suppliers[edge.to].append(edge.from_)
    depth: dict[str, int] = {}
    pending = list(topology.nodes)
    while pending:
        node = pending[-1]
        waiting = [name for name in suppliers[node] if name not in depth]
        if waiting:
            pending += waiting
        else:
            depth[pending.pop()] = max((depth[name] + 1 for name in suppliers[node]), default=0)
    return depth


def downstream(topology: Topology, without: Collection[str] = ()) -> dict[str, frozenset[str]]:
    """Return for each node the nodes that its goods can reach, itself included, none of them in `without`."""
    reach: dict[str, frozenset[str]] = {}
    for node in reversed(suppliers_first(topology)):
        customers = [edge.to for edge in topology.edges if edge.from_ == node]
        beyond = frozenset().union(*(reach[name] for name in customers))
        reach[node] = frozenset() if node in without else beyond | {node}
    return reach


def markets_reached(topology: Topology) -> dict[str, list[str]]:
    """Return for each node the markets that its goods can reach, in the order of the file."""
    reach = downstream(topology)
    return {
        node: [name for name, market in topology.markets.items() if reach[node].intersection(market.served_by)]
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


def depends_on(topology: Topology, node: str) -> list[str]:
    """Return the markets that no source can reach but through `node`."""
    before, after = _supplied(topology, ()), _supplied(topology, (node,))
    return [
        name
        for name, market in topology.markets.items()
        if before.intersection(market.served_by) and not after.intersection(market.served_by)
    ]


def _supplied(topology: Topology, without: Collection[str]) -> frozenset[str]:
    reach = downstream(topology, without)
    return frozenset().union(*(reach[name] for name, node in topology.nodes.items() if node.kind == "source"))
