"""Loading: names, files, mappings, graphs; defaults, pipelines and markets resolved."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import Topology, load, names

CHAIN = {
    "name": "pair",
    "defaults": {"node": {"holding_cost": 1}, "edge": {"lead_time": 2}, "market": {"unmet": "lost"}},
    "nodes": {
        "plant": {"kind": "source"},
        "depot": None,
        "store": {"holding_cost": 3, "demand": {"process": "poisson", "mean": 4}},
    },
    "edges": [
        {"from": "plant", "to": "depot", "pipeline": 5},
        {"from": "depot", "to": "store", "pipeline": [1, 2], "information_delay": 1, "orders_in_transit": 7},
    ],
    "markets": {"catalogue": {"served_by": ["depot"], "process": "step", "before": 1, "after": 2, "at": 3}},
}


def test_defaults_are_for_stock_nodes_edges_and_markets_that_do_not_state_the_key():
    chain = load(CHAIN)
    assert chain.nodes["depot"].holding_cost == 1
    assert chain.nodes["store"].holding_cost == 3
    assert chain.nodes["plant"].holding_cost == 0
    assert [edge.lead_time for edge in chain.edges] == [2, 2]
    assert {market.unmet for market in chain.markets.values()} == {"lost"}


def test_pipelines_are_one_number_for_each_period_of_the_delay():
    first, second = load(CHAIN).edges
    assert first.pipeline == (5, 5) and first.orders_in_transit == ()
    assert second.pipeline == (1, 2) and second.orders_in_transit == (7,)


def test_a_nodes_demand_is_a_market_of_its_name_before_the_others():
    chain = load(CHAIN)
    assert list(chain.markets) == ["store", "catalogue"]
    assert chain.markets["store"].served_by == ("store",)
    assert chain.markets["store"].process.mean == 4
    assert chain.nodes["store"].demand is None


def test_edges_are_named_after_their_ends():
    assert [edge.name for edge in load(CHAIN).edges] == ["plant-depot", "depot-store"]


def test_a_file_has_its_own_name_by_default(tmp_path: Path):
    path = tmp_path / "corner_shop.yaml"
    path.write_text("nodes: {supplier: {kind: source}, shop: {demand: {process: poisson, mean: 1e0}}}\n")
    assert load(path).name == "corner_shop"
    assert load(str(path)) == load(path)


def test_a_loaded_topology_is_returned_as_it_is():
    chain = load("beer_game")
    assert load(chain) is chain


def test_a_topology_with_overrides_is_resolved_again():
    chain = load(load("beer_game"), ["edges.0.lead_time=5"])
    assert chain.edges[0].pipeline == (4,) * 5


def test_the_mapping_given_is_not_changed():
    before = json.dumps(CHAIN)
    load(CHAIN, ["nodes.store.demand.mean=9"])
    assert json.dumps(CHAIN) == before


def test_the_resolved_file_is_plain_and_comes_back():
    chain = load(CHAIN)
    assert Topology.from_dict(json.loads(json.dumps(chain.to_dict()))) == chain


def test_a_recorded_series_travels_by_value():
    document = load("cd_retail_chain").to_dict()
    market = document["markets"]["web_customers"]
    assert len(market["values"]) == 306 and len(market["held_out_values"]) == 150
    market["file"] = "no_such_file.csv"
    assert Topology.from_dict(document).markets["web_customers"].process.mean == pytest.approx(
        225.1435, abs=1e-3
    )  # of windows


def test_names_are_the_files():
    assert "beer_game" in names() and names() == sorted(names())


def test_loading_imports_nothing_heavy():
    code = (
        "import sys; from marl_supply.topology import load; load('beer_game');"
        "print([m for m in ('torch', 'ray', 'pandas', 'matplotlib', 'networkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("beer_gam", "no topology 'beer_gam' (did you mean 'beer_game'?); the name of your own file ends in .yaml"),
        ("chain.yaml", "chain.yaml: no such file; give the path of a topology file, or a shipped name"),
        (3, "int is no topology; give a name, a file, a mapping or a networkx graph"),
        ({}, "topology: nodes: is empty; give at least one node"),
    ],
)
def test_what_cannot_be_opened(source: object, sentence: str):
    with pytest.raises(InputError) as caught:
        load(source)  # type: ignore[arg-type]
    assert str(caught.value) == sentence


def test_parameters_of_a_generator_are_values_too(tmp_path: Path) -> None:
    chain = {"name": "sized", "extends": {"generator": "one_warehouse", "stores": 2}}
    path = tmp_path / "sized.yaml"
    path.write_text("name: sized\nextends: {generator: one_warehouse, stores: 2}\n")
    for source in (chain, path):
        found = load(source, ["extends.stores=4", "nodes.store_4.holding_cost=3"])
        assert [name for name in found.nodes if name.startswith("store")] == [f"store_{n}" for n in range(1, 5)]
        assert found.nodes["store_4"].holding_cost == 3
    assert "store_3" not in load(chain).nodes
    with pytest.raises(InputError, match="^--set extends.stores: beer_game begins with no generator; write extends"):
        load("beer_game", ["extends.stores=4"])
    with pytest.raises(InputError, match="sized.yaml: extends: one_warehouse: got an unexpected keyword .*'shops'"):
        load(path, ["extends.shops=4"])
