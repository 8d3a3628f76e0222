"""Topologies as networkx graphs, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from marl_supply.errors import InputError
from marl_supply.topology.file import Topology

EDGE_ORDER, MARKET_ORDER = "edge_order", "market_order"


def to_networkx(topology: Topology) -> nx.MultiDiGraph:
    """Return the chain as a graph.

    A node's attributes are the keys of `nodes` (with `demand`), an edge's those of `edges` without `from`,
    `to` and `name`, which is its key; the other sections are attributes of the graph, and so are `edge_order`
    and `market_order`, the order of the lines of a node.
    """
    document = topology.to_dict()
    nodes, edges, markets = (document.pop(key) for key in ("nodes", "edges", "markets"))
    alone = {name for name, market in markets.items() if market["served_by"] == [name]}
    graph = nx.MultiDiGraph(**document)
    graph.graph["markets"] = {name: market for name, market in markets.items() if name not in alone}
    graph.graph[MARKET_ORDER] = list(markets)
    graph.graph[EDGE_ORDER] = [edge["name"] for edge in edges]
    for name, node in nodes.items():
        demand = {key: value for key, value in markets.get(name, {}).items() if key != "served_by"}
        graph.add_node(name, **node, **({"demand": demand} if name in alone else {}))
    for edge in edges:
        graph.add_edge(edge.pop("from"), edge.pop("to"), key=edge.pop("name"), **edge)
    return graph


def from_networkx(graph: nx.Graph) -> Topology:
    """Return the topology of a directed graph; `to_networkx` gives an equal one back.

    Parameters
    ----------
    graph : networkx.DiGraph or networkx.MultiDiGraph
        Attributes as `to_networkx` writes them, all optional. An edge's name is its key if that is text, else
        its attribute `name`, else FROM-TO; its place is that in `edge_order`, else that of iteration.

    Raises
    ------
    InputError
        If the graph is undirected, or for anything a file would be refused for.
    """
    from marl_supply.topology.load import load

    return load(graph)


def document_of(graph: nx.Graph) -> dict[str, Any]:
    """Return the keys of the file that a graph stands for."""
    if not graph.is_directed():
        raise InputError(
            "the graph is undirected; use a networkx DiGraph or MultiDiGraph, its edges in the way of goods"
        )
    sections = {key: _plain(value) for key, value in graph.graph.items() if key not in (EDGE_ORDER, MARKET_ORDER)}
    nodes = {str(name): _plain(attributes) for name, attributes in graph.nodes(data=True)}
    edges = _in_order([_edge(graph, *ends) for ends in _ends(graph)], graph.graph.get(EDGE_ORDER, ()))
    markets = {**_demands(nodes), **sections.pop("markets", {})}
    ordered = [name for name in graph.graph.get(MARKET_ORDER, ()) if name in markets]
    markets = {name: markets[name] for name in dict.fromkeys([*ordered, *markets])}
    return {"name": "graph", **sections, "nodes": nodes, "edges": edges, "markets": markets}


def _ends(graph: nx.Graph) -> list[tuple[Any, Any, Any]]:
    if graph.is_multigraph():
        return list(graph.edges(keys=True))
    return [(supplier, customer, None) for supplier, customer in graph.edges()]


def _edge(graph: nx.Graph, supplier: Any, customer: Any, key: Any) -> dict[str, Any]:
    attributes = graph.get_edge_data(supplier, customer) if key is None else graph.edges[supplier, customer, key]
    named = {"name": key} if isinstance(key, str) else {}
    return {"from": str(supplier), "to": str(customer), **_plain(attributes), **named}


def _in_order(edges: list[dict[str, Any]], order: Any) -> list[dict[str, Any]]:
    place = {name: number for number, name in enumerate(order)}
    names = [edge.get("name", f"{edge['from']}-{edge['to']}") for edge in edges]
    ranked = sorted(range(len(edges)), key=lambda number: place.get(names[number], len(place)))
    return [edges[number] for number in ranked]


def _demands(nodes: dict[str, Any]) -> dict[str, Any]:
    """Take the demands out of the nodes, as markets."""
    stated = {name: node.pop("demand", None) for name, node in nodes.items()}
    return {name: {"served_by": [name], **demand} for name, demand in stated.items() if demand is not None}


def _plain(value: Any) -> Any:
    """Return numpy numbers as Python's, and copies of mappings and lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value.tolist() if hasattr(value, "tolist") else value
