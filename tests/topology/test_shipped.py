"""Every shipped topology, and the numbers of the files against their sources."""

import csv
import json
import math

import numpy as np
import pytest
from shipped_chains import NAMES

from marl_supply.topology import Topology, load, strict_yaml
from marl_supply.topology.check import check
from marl_supply.topology.schema import schema
from marl_supply.topology.shipped import shipped_folder, source_of

FOLDER = shipped_folder()


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_and_says_where_it_comes_from(name: str):
    chain = load(name)
    assert chain.name == name and chain.source and source_of(name) == chain.source
    assert Topology.from_dict(json.loads(json.dumps(chain.to_dict()))) == chain


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_the_schema_for_editors_as_written_and_resolved(name: str):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    for document in (strict_yaml.read(FOLDER / f"{name}.yaml"), load(name).to_dict()):
        assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": {"a": {"on_hnd": 3}}},
        {"nodes": {"a": {"on_hand": -3}}},
        {"nodes": {"a": {"demand": {"process": "poisson", "meen": 3}}}},
        {"nodes": {}, "perod": "day"},
        {"edges": []},
        {"nodes": {}, "edges": [{"from": "a"}]},
        {"nodes": {}, "markets": {"m": {"served_by": ["a"], "process": "poison"}}},
    ],
)
def test_the_schema_refuses(document: dict):
    jsonschema = pytest.importorskip("jsonschema")
    assert not jsonschema.Draft202012Validator(schema()).is_valid(document)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "beer_game"])
def test_it_gives_no_warning(name: str):
    assert check(load(name)) == []


def test_the_classic_beer_game_is_warned_of_for_its_constant_demand():
    assert [warning.place for warning in check(load("beer_game"))] == ["markets.retailer"]


# Sterman's anchors by case: stock, and pipeline for each period of information and transport time; base-stock levels
# of retailer to manufacturer; the range of `demand + x` (Oroojlooyjadid et al. 2022 and their published code).
CASES = {
    "beer_game": (8, 6, (32, 32, 32, 24), 8),
    "beer_game_basic": (1.5, 1.5, (8, 8, 0, 0), 2),
    "beer_game_uniform": (4.5, 4.5, (19, 20, 20, 14), 8),
    "beer_game_normal": (10, 10, (48, 43, 41, 30), 5),
}


@pytest.mark.parametrize("name", CASES)
def test_beer_games(name: str):
    stock, pipeline, levels, spread = CASES[name]
    chain = load(name)
    for edge, level in zip(reversed(chain.edges), levels, strict=True):
        way = edge.lead_time + edge.information_delay
        anchors = {"stock_anchor": stock, "pipeline_anchor": pipeline * way}
        assert chain.policies["sterman"][edge.to] == anchors
        assert chain.policies["base_stock"][edge.to] == level
    assert chain.game.actions == {"kind": "demand_plus", "spread": spread}
    assert chain.game.horizon == 101 and chain.timing.demand_visible == "before_ordering"


def test_costs_and_starts_of_the_beer_games():
    rows = ("retailer", "wholesaler", "distributor", "manufacturer")
    holding = {name: [load(name).nodes[row].holding_cost for row in rows] for name in CASES}
    backorder = {name: [load(name).nodes[row].backorder_cost for row in rows] for name in CASES}
    assert holding["beer_game_basic"] == [2, 2, 2, 2] and backorder["beer_game_basic"] == [2, 0, 0, 0]
    assert holding["beer_game_normal"] == [1, 0.75, 0.5, 0.25] and backorder["beer_game_normal"] == [10, 0, 0, 0]
    for name in ("beer_game", "beer_game_uniform"):
        assert holding[name] == [0.5] * 4 and backorder[name] == [1] * 4
    starts = {
        "beer_game": (12, 4),
        "beer_game_basic": (0, 0),
        "beer_game_uniform": (12, 4),
        "beer_game_normal": (10, 10),
    }
    for name, (on_hand, moving) in starts.items():
        chain = load(name)
        assert {chain.nodes[row].on_hand for row in rows} == {on_hand}
        assert {unit for edge in chain.edges for unit in edge.pipeline + edge.orders_in_transit} == {moving}


def test_serial_chain_of_liu_et_al():
    chain = load("serial_liu")
    assert all(edge.lead_time == 4 and edge.pipeline == (10,) * 4 and edge.order_limit == 20 for edge in chain.edges)
    assert chain.game.horizon == 200 and chain.game.reward == {"blend": 0.5}
    merton = load("serial_liu_merton")
    assert merton.edges == chain.edges and merton.markets["retailer"].process.cap == 20


def test_network_of_liu_et_al():
    chain = load("network_2x3")
    slow = [edge for edge in chain.edges if edge.from_.endswith("_0")]
    fast = [edge for edge in chain.edges if edge.from_.endswith("_1")]
    assert len(slow) == len(fast) == 6
    assert {(edge.lead_time, edge.purchase_cost, edge.pipeline) for edge in slow} == {(4, 0.1, (2, 2, 2, 2))}
    assert {(edge.lead_time, edge.purchase_cost, edge.pipeline) for edge in fast} == {(2, 0.2, (0, 0))}
    assert {edge.charged_on for edge in chain.edges} == {"shipment"}
    for node in chain.nodes:
        customers = [edge.to[-1] for edge in chain.edges if edge.from_ == node]
        assert customers in ([], ["1", "0"])


def column(file: str, name: str) -> list[tuple[str, float]]:
    with (FOLDER / "data" / file).open(newline="") as stream:
        return [(next(iter(row.values())), float(row[name])) for row in csv.DictReader(stream)]


def share_of_sums(series: np.ndarray, periods: int, share: float) -> float:
    """The quantile of demand over successive periods, rounded up."""
    return math.ceil(np.quantile(np.convolve(series, np.ones(periods), "valid"), share))


def test_cd_chain_starts_at_the_mean_of_the_training_span_with_levels_from_it():
    series = np.array([x for day, x in column("cdnow_daily.csv", "units") if "1997-04-01" <= day <= "1998-01-31"])
    chain = load("cd_retail_chain")
    assert tuple(series) == chain.markets["web_customers"].process.values
    mean = round(series.mean())
    for edge in chain.edges:
        node = chain.nodes[edge.to]
        if node.kind == "stock":
            periods = edge.lead_time + edge.information_delay + 1
            level = share_of_sums(series, periods, node.backorder_cost / (node.backorder_cost + node.holding_cost))
            assert chain.policies["base_stock"][edge.to] == level
            assert node.on_hand == level - periods * mean
            anchors = {"stock_anchor": mean, "pipeline_anchor": mean * (periods - 1)}
            assert chain.policies["sterman"][edge.to] == anchors
        assert set(edge.pipeline + edge.orders_in_transit) == {mean}
    assert [edge.lead_time for edge in reversed(chain.edges)] == [2, 3, 5]


def test_ausbeer_starts_at_the_mean_of_the_training_span_with_levels_from_it():
    series = np.array([x for year, x in column("ausbeer.csv", "megalitres") if 1974 <= int(year) <= 1999])
    chain = load("beer_game_ausbeer")
    process = chain.markets["retailer"].process
    assert tuple(series) == process.values and len(process.held_out_values) == chain.game.horizon == 42
    mean, level = round(series.mean()), share_of_sums(series, 2, 2 / 3)
    assert set(chain.policies["base_stock"].values()) == {level}
    assert {node.on_hand for node in chain.nodes.values() if node.kind == "stock"} == {level - 2 * mean}
    assert {unit for edge in chain.edges for unit in edge.pipeline + edge.orders_in_transit} == {mean}
