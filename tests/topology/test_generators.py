"""Generators: the shape they promise, at steady state, accepted wherever a file is."""

import time

import networkx as nx
import pytest

from marl_supply.errors import InputError
from marl_supply.topology import from_networkx, generators, load
from marl_supply.topology.check import check

EVERY = [
    generators.single,
    generators.serial,
    generators.dual_sourcing,
    generators.one_warehouse,
    generators.bipartite,
    generators.layered,
    generators.random_dag,
]


@pytest.mark.parametrize("generator", EVERY, ids=lambda generator: generator.__name__)
def test_each_makes_a_chain_without_warnings(generator):
    graph = generator()
    assert isinstance(graph, nx.MultiDiGraph)
    chain = load(graph)
    assert chain.name == generator.__name__
    assert check(chain) == []
    assert from_networkx(chain.to_networkx()) == chain


def test_serial_numbers_stages_from_the_customers():
    chain = load(generators.serial([1, 2, 3], [3, 2, 1], 9, {"process": "poisson", "mean": 4}, information_delay=1))
    leads = {(edge.from_, edge.to): (edge.lead_time, edge.information_delay) for edge in chain.edges}
    assert leads == {("source", "stage_3"): (3, 0), ("stage_3", "stage_2"): (2, 1), ("stage_2", "stage_1"): (1, 1)}
    assert [chain.nodes[f"stage_{number}"].holding_cost for number in (1, 2, 3)] == [3, 2, 1]
    assert chain.nodes["stage_1"].backorder_cost == 9 and chain.nodes["stage_2"].backorder_cost == 0


def test_stock_and_pipelines_start_at_the_mean_that_passes_through():
    chain = load(generators.one_warehouse(stores=3, demand={"process": "poisson", "mean": 4}))
    assert chain.nodes["warehouse"].on_hand == 12 and chain.nodes["store_2"].on_hand == 4
    assert [edge.pipeline for edge in chain.edges] == [(12, 12), (4,), (4,), (4,)]


def test_dual_sourcing_has_two_parallel_edges():
    regular, express = load(generators.dual_sourcing((3, 0), (0, 20))).edges
    assert (regular.name, regular.lead_time, regular.purchase_cost) == ("regular", 3, 0)
    assert (express.name, express.lead_time, express.purchase_cost) == ("express", 0, 20)


def test_layers_are_joined_completely():
    graph = generators.layered([3, 2], holding_costs=[1, 0.5])
    assert graph.in_degree("level_1_3") == 2 and graph.out_degree("level_2_1") == 3
    graph = generators.bipartite(suppliers=2, customers=4)
    assert graph.number_of_edges() == 2 + 2 * 4


def test_sequences_of_different_length_are_refused():
    with pytest.raises(InputError) as caught:
        generators.serial([1, 2], [1])
    assert str(caught.value) == (
        "serial: lead_times has 2 and holding_costs has 1; give one for each, in the same order"
    )
    with pytest.raises(InputError) as caught:
        generators.one_warehouse(stores=0)
    assert str(caught.value) == "stores: 0 is too few; give at least 1"


def test_a_random_dag_joins_every_node_between_the_source_and_the_markets():
    graph = generators.random_dag(nodes=60, levels=4, seed=3)
    assert nx.is_directed_acyclic_graph(graph) and graph.number_of_nodes() == 61
    assert nx.descendants(graph, "source") == set(graph) - {"source"}
    markets = {name for name, attributes in graph.nodes(data=True) if "demand" in attributes}
    assert {name for name in graph if graph.out_degree(name) == 0} == markets
    level = {name: int(name.split("_")[1]) for name in graph if name != "source"}
    assert [list(level.values()).count(number) for number in (4, 3, 2, 1)] == [4, 8, 16, 32]
    assert {graph.in_degree(name) for name in level} == {1, 2}
    assert all(level[a] > level[b] for a, b in graph.edges() if a != "source")


def test_a_random_dag_is_made_of_its_parameters_and_nothing_else():
    chain = load(generators.random_dag(nodes=30, seed=5, lead_times=(2, 4), mean_demands=(3, 3)))
    assert chain == load(generators.random_dag(nodes=30, seed=5, lead_times=(2, 4), mean_demands=(3, 3)))
    assert chain != load(generators.random_dag(nodes=30, seed=6, lead_times=(2, 4), mean_demands=(3, 3)))
    assert {edge.lead_time for edge in chain.edges} == {2, 3, 4}
    assert {market.process.mean for market in chain.markets.values()} == {3}
    joined = [(edge.from_, edge.to, edge.lead_time) for edge in load(generators.random_dag(nodes=7, levels=3)).edges]
    assert joined == [
        ("source", "level_3_1", 3),
        ("level_3_1", "level_2_1", 2),
        ("level_3_1", "level_2_2", 3),
        ("level_2_1", "level_1_1", 2),
        ("level_2_2", "level_1_1", 3),
        ("level_2_1", "level_1_2", 3),
        ("level_2_2", "level_1_2", 3),
        ("level_2_1", "level_1_3", 2),
        ("level_3_1", "level_1_3", 2),
        ("level_2_2", "level_1_4", 3),
        ("level_2_1", "level_1_4", 1),
    ]


def test_a_random_dag_starts_at_the_demand_that_passes_through():
    chain = load(generators.random_dag(nodes=40, seed=2))
    demand = sum(market.process.mean for market in chain.markets.values())
    released = sum(edge.pipeline[0] for edge in chain.edges if edge.from_ == "source")
    assert released == pytest.approx(demand, abs=4)
    lone = next(edge for edge in chain.edges if [other.to for other in chain.edges].count(edge.to) == 1)
    assert set(lone.pipeline) == {chain.nodes[lone.to].on_hand}


def test_agents_of_a_random_dag_are_its_nodes_or_its_levels():
    assert load(generators.random_dag()).game.agents is None
    agents = load(generators.random_dag(nodes=15, levels=2, agents="level")).game.agents
    assert {name: len(agent.decides) for name, agent in agents.items()} == {"level_2": 5, "level_1": 10}


def test_a_file_extends_a_generator_and_changes_what_it_made(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "extends: {generator: serial, lead_times: [1, 2], holding_costs: [1, 0.5]}\n"
        "nodes: {stage_1: {demand: {mean: 4}}}\n"
        "edges: [{from: source, to: stage_2, lead_time: 3}]\n"
    )
    chain = load(path)
    assert (chain.name, chain.markets["stage_1"].process.mean, chain.nodes["stage_2"].holding_cost) == ("mine", 4, 0.5)
    assert [(edge.to, edge.lead_time) for edge in chain.edges] == [("stage_2", 3), ("stage_1", 1)]
    assert load({"extends": {"generator": "bipartite"}}) == load(generators.bipartite())


@pytest.mark.parametrize(
    ("extends", "sentence"),
    [
        ({"generator": "seral"}, "no generator 'seral' (did you mean 'serial'?); there are single, serial, "),
        ({"generator": "single", "stores": 2}, "single: got an unexpected keyword argument 'stores'"),
        ({"nodes": 4}, "no generator ''"),
        (4, "4 is not text; name a shipped topology, a file, or {generator: NAME}"),
        ({"generator": "random_dag", "levels": 9, "nodes": 4}, "levels: 9 do not fit 4 nodes; give from 1 to one for"),
        ({"generator": "random_dag", "agents": "nodes"}, "agents: 'nodes' is neither node nor level"),
    ],
)
def test_what_extends_cannot_name_is_refused(extends, sentence):
    with pytest.raises(InputError) as caught:
        load({"name": "mine", "extends": extends})
    assert f"mine: extends: {sentence}" in str(caught.value)


def test_a_thousand_nodes_load_in_time():
    """0.2 s on the machine it was written on."""
    began = time.process_time()
    chain = load("random_dag_1000")
    assert time.process_time() - began < 2
    assert len([node for node in chain.nodes.values() if node.kind == "stock"]) == 1000
    assert (len(chain.edges), len(chain.markets)) == (1481, 517)
