"""Generators: the shape they promise, at steady state, accepted wherever a file is."""

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
