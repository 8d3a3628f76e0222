"""networkx both ways: what goes out comes back, and graphs of users are read as files are."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped_chains import NAMES

from marl_supply.errors import InputError
from marl_supply.topology import Topology, from_networkx, load


def same(first: Topology, second: Topology) -> bool:
    """Whether two topologies are equal, the order of their nodes, edges and markets too."""
    return first == second and all(
        list(getattr(first, key)) == list(getattr(second, key)) for key in ("nodes", "edges", "markets")
    )


@pytest.mark.parametrize("name", NAMES)
def test_shipped_topologies_come_back(name: str):
    chain = load(name)
    graph = chain.to_networkx()
    assert isinstance(graph, nx.MultiDiGraph) and nx.is_directed_acyclic_graph(graph)
    assert same(from_networkx(graph), chain)
    assert same(load(graph), chain)


def test_edge_keys_are_names_and_attributes_those_of_the_file():
    graph = load("cachon_zipkin").to_networkx()
    assert graph.edges["supplier", "retailer", "outbound"]["holding_cost"] == 0.5
    assert graph.nodes["retailer"]["demand"]["mean"] == 4


@st.composite
def chains(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 5))
    nodes: dict[str, Any] = {f"n{number}": {"on_hand": draw(st.integers(0, 9))} for number in range(count)}
    pairs = [(supplier, customer) for supplier in range(count) for customer in range(supplier + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=8)) if pairs else []
    edges = [
        {
            "name": f"e{number}",
            "from": f"n{supplier}",
            "to": f"n{customer}",
            "lead_time": (lead_time := draw(st.integers(0, 3))),
            "pipeline": draw(st.lists(st.integers(0, 9), min_size=lead_time, max_size=lead_time)),
        }
        for number, (supplier, customer) in enumerate(chosen)
    ]
    served = draw(st.lists(st.sampled_from(sorted(nodes)), min_size=1, max_size=3))
    names_of_markets = draw(st.permutations([*nodes, *(f"m{number}" for number in range(3))]))
    markets = {
        name: {"served_by": [node], "process": "poisson", "mean": draw(st.integers(1, 9))}
        for name, node in zip(names_of_markets, served, strict=False)
    }
    return {"nodes": nodes, "edges": edges, "markets": markets}


@settings(max_examples=60, deadline=None)
@given(chains())
def test_any_chain_comes_back(document: dict[str, Any]):
    chain = load(document)
    assert same(from_networkx(chain.to_networkx()), chain)
    assert same(Topology.from_dict(chain.to_dict()), chain)


def test_a_digraph_with_numbers_as_nodes_and_numpy_values():
    graph = nx.DiGraph()
    graph.add_node(0, kind="source")
    graph.add_node(1, on_hand=np.int64(5), demand={"process": "poisson", "mean": np.float64(4)})
    graph.add_edge(0, 1, lead_time=np.int64(2), pipeline=np.array([1, 2]))
    chain = load(graph)
    assert chain.edges[0].name == "0-1" and chain.edges[0].pipeline == (1, 2)
    assert chain.nodes["1"].on_hand == 5 and chain.markets["1"].process.mean == 4


def test_edges_keep_the_order_stated_by_the_graph():
    nodes = {"a": {"kind": "source"}, "b": {}, "c": {}}
    edges = [{"from": "b", "to": "c"}, {"from": "a", "to": "c"}, {"from": "a", "to": "b"}]
    graph = load({"nodes": nodes, "edges": edges}).to_networkx()
    assert [key for *_, key in graph.edges(keys=True)] != ["b-c", "a-c", "a-b"]
    graph.add_edge("a", "b", key="express")
    assert [edge.name for edge in load(graph).edges] == ["b-c", "a-c", "a-b", "express"]


def test_an_edited_graph_is_an_edited_chain():
    graph = load("beer_game").to_networkx()
    graph.nodes["retailer"]["demand"]["after"] = 9
    graph.edges["brewery", "manufacturer", "brewery-manufacturer"]["lead_time"] = 4
    chain = load(graph, ["game.horizon=7"])
    assert chain.markets["retailer"].process.mean == 9
    assert chain.edges[0].pipeline == (4,) * 4 and chain.game.horizon == 7


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (
            nx.Graph([("a", "b")]),
            "the graph is undirected; use a networkx DiGraph or MultiDiGraph, its edges in the way of goods",
        ),
        (
            nx.DiGraph([("a", "b"), ("b", "a")]),
            "graph: edges: a -> b -> a is a cycle; goods must flow one way, remove one of its edges",
        ),
        (
            nx.MultiDiGraph([("a", "b"), ("a", "b")]),
            "graph: edges[1].name: 'a-b' is also edges[0]; give parallel edges a name each",
        ),
    ],
)
def test_graphs_that_are_refused(graph: nx.Graph, sentence: str):
    with pytest.raises(InputError) as caught:
        load(graph)
    assert str(caught.value) == sentence
