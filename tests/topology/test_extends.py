"""`extends`: what merges, what is replaced, and where data files are found."""

from pathlib import Path

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import load
from marl_supply.topology.extends import merge


def test_a_shipped_topology_is_changed_by_key(tmp_path: Path):
    path = tmp_path / "dear.yaml"
    path.write_text("extends: beer_game\nnodes: {retailer: {backorder_cost: 7}}\ngame: {horizon: 50}\n")
    dear, plain = load(path), load("beer_game")
    assert dear.name == "dear" and dear.game.horizon == 50
    assert dear.nodes["retailer"].backorder_cost == 7 and dear.nodes["retailer"].on_hand == 12
    assert dear.markets == plain.markets and dear.edges == plain.edges
    assert dear.game.actions == plain.game.actions


def test_edges_merge_by_name_and_new_ones_follow(tmp_path: Path):
    path = tmp_path / "express.yaml"
    path.write_text(
        "extends: beer_game\n"
        "edges:\n"
        "  - {name: express, from: brewery, to: manufacturer, lead_time: 0}\n"
        "  - {from: wholesaler, to: retailer, lead_time: 1}\n"
    )
    chain = load(path)
    assert [edge.name for edge in chain.edges[-2:]] == ["wholesaler-retailer", "express"]
    assert chain.edges[3].lead_time == 1 and chain.edges[3].pipeline == (4,)


def test_another_process_drops_the_parameters_of_the_old_one():
    chain = load({"extends": "beer_game", "nodes": {"retailer": {"demand": {"process": "poisson", "mean": 3}}}})
    assert chain.markets["retailer"].process.mean == 3


def test_another_kind_drops_the_parameters_of_the_old_one():
    chain = load({"extends": "beer_game", "game": {"actions": {"kind": "order_up_to", "highest": 40}}})
    assert chain.game.actions == {"kind": "order_up_to", "highest": 40}


def test_the_childs_defaults_are_under_the_parents_own_keys():
    chain = load({"extends": "beer_game", "defaults": {"edge": {"lead_time": 1}}})
    assert [edge.lead_time for edge in chain.edges] == [3, 1, 1, 1]


def test_merge_does_not_change_its_arguments():
    under, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge(under, over) == {"a": {"b": 1, "c": 2}}
    assert under == {"a": {"b": 1}} and over == {"a": {"c": 2}}


def test_data_files_are_found_beside_the_file_that_is_extended(tmp_path: Path):
    path = tmp_path / "cheap.yaml"
    path.write_text("extends: cd_retail_chain\nnodes: {web_retailer: {holding_cost: 0.01}}\n")
    assert load(path).markets == load("cd_retail_chain").markets


def test_a_path_is_relative_to_the_file(tmp_path: Path):
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "one.yaml").write_text("extends: ../two.yaml\nperiod: day\n")
    (tmp_path / "two.yaml").write_text("nodes: {shop: {demand: {process: poisson, mean: 1}}}\n")
    (tmp_path / "three.yaml").write_text("extends: bases/one.yaml\n")
    chain = load(tmp_path / "three.yaml")
    assert chain.period == "day" and chain.name == "three"


def test_files_that_extend_each_other(tmp_path: Path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "one.yaml")
    assert (
        str(caught.value)
        == "one.yaml: extends: one.yaml -> two.yaml -> one.yaml is a cycle; let one of them stand alone"
    )
