"""Every error is one sentence with the file, the place, what is wrong and the fix: whole sentences are asserted."""

from pathlib import Path

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import load
from marl_supply.topology.shipped import shipped_folder

BEER_GAME = (shipped_folder() / "beer_game.yaml").read_text()
CD_CHAIN = (shipped_folder() / "cd_retail_chain.yaml").read_text()

CYCLE = "manufacturer -> distributor -> wholesaler -> retailer -> manufacturer"
PROCESSES = (
    "ar1, gamma, geometric, linear_price, logistic_price, logistic_rivals, markov_modulated, merton, "
    "negative_binomial, normal, poisson, rating_choice, seasonal, step, trace, uniform_integer"
)


def sentence_of(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("to: wholesaler}", "to: wholesalr}", "edges[2].to: no node 'wholesalr' (did you mean 'wholesaler'?)"),
        ("from: brewery, ", "from: brewry,", "edges[0].from: no node 'brewry' (did you mean 'brewery'?)"),
        (
            "edges:\n",
            "edges:\n  - {from: retailer, to: manufacturer}\n",
            f"edges: {CYCLE} is a cycle; goods must flow one way, remove one of its edges",
        ),
        (
            "edges:\n",
            "edges:\n  - {from: retailer, to: retailer}\n",
            "edges: retailer -> retailer is a cycle; goods must flow one way, remove one of its edges",
        ),
        (
            "timing:",
            "  - {from: wholesaler, to: retailer}\ntiming:",
            "edges[4].name: 'wholesaler-retailer' is also edges[3]; give parallel edges a name each",
        ),
        ("to: manufacturer,", "", "edges[0]: no 'to'; it has no default"),
        (
            "lead_time: 3,",
            "lead_time: 3, lead_time: 4,",
            "line 14: the key 'lead_time' stands twice in one mapping; remove one",
        ),
        ("lead_time: 3,", "lead_time: -1,", "edges[0].lead_time: must be at least 0, not -1"),
        ("lead_time: 3,", "lead_time: 1.5,", "edges[0].lead_time: 1.5 is not a whole number"),
        (
            "lead_time: 3,",
            "lead_time: 3, pipeline: [4, 4],",
            "edges[0].pipeline: holds 2 numbers but lead_time is 3; give a list of 3, or one number for all",
        ),
        (
            "information_delay: 0}",
            "information_delay: 1, orders_in_transit: [4, 4]}",
            "edges[0].orders_in_transit: holds 2 numbers but information_delay is 1; give a list of 1, "
            "or one number for all",
        ),
        ("lead_time: 3,", "lead_time: 3, pipeline: [4, 4, -4],", "edges[0].pipeline[2]: must be at least 0, not -4"),
        (
            "lead_time: 3,",
            "lead_time: 3, pipeline: [4, 4, 1.5],",
            "edges[0].pipeline[2]: 1.5 is not a whole number; round it, or set units: continuous",
        ),
        ("lead_time: 3,", "lead_time: 3, pipeline: some,", "edges[0].pipeline: 'some' is not a number"),
        ("on_hand: 12", "on_hnd: 12", "defaults.node: unknown key 'on_hnd' (did you mean 'on_hand'?)"),
        ("edge: {", "egde: {", "defaults: unknown key 'egde' (did you mean 'edge'?)"),
        (
            "manufacturer: {}",
            "manufacturer: {holding_cots: 2}",
            "nodes.manufacturer: unknown key 'holding_cots' (did you mean 'holding_cost'?)",
        ),
        (
            "manufacturer: {}",
            "manufacturer: {holding_cost: -2}",
            "nodes.manufacturer.holding_cost: must be at least 0, not -2",
        ),
        (
            "manufacturer: {}",
            "manufacturer: {holding_cost: .nan}",
            "nodes.manufacturer.holding_cost: nan is not a finite number",
        ),
        (
            "manufacturer: {}",
            "manufacturer: {holding_cost: no}",
            "nodes.manufacturer.holding_cost: 'no' is not a number",
        ),
        (
            "manufacturer: {}",
            "manufacturer: {allocation: prority}",
            "nodes.manufacturer.allocation: 'prority' is not one of proportional, priority, first_come, fair_share, "
            "decided (did you mean 'priority'?)",
        ),
        ("manufacturer: {}", "manufacturer: {review: []}", "nodes.manufacturer.review: is empty; give at least one"),
        ("manufacturer: {}", "manufacturer: [1]", "nodes.manufacturer: [1] is not a mapping; write {key: value, ...}"),
        (
            "manufacturer: {}",
            "north.plant: {}",
            "nodes.north.plant: 'north.plant' is no name; use letters, digits, '_' and '-' (and 'NODE:PRODUCT')",
        ),
        (
            "kind: source",
            "kind: source, on_hand: 3",
            "nodes.brewery.on_hand: a source keeps no stock and owes nothing; remove it",
        ),
        (
            "timing:",
            "  - {from: wholesaler, to: brewery}\ntiming:",
            "edges[4].to: 'brewery' is a source and orders nothing; make it kind: stock",
        ),
        (
            "process: step",
            "process: stp",
            "nodes.retailer.demand.process: no demand process 'stp' (did you mean 'step'?)",
        ),
        ("process: step, ", "", f"nodes.retailer.demand: no 'process'; name one of {PROCESSES}"),
        ("before: 4,", "befor: 4,", "nodes.retailer.demand: unknown key 'befor' (did you mean 'before'?)"),
        ("before: 4,", "before: 4, prise: 3,", "nodes.retailer.demand: unknown key 'prise' (did you mean 'price'?)"),
        ("before: 4,", "", "nodes.retailer.demand: no 'before'; it has no default"),
        ("before: 4,", "before: -4,", "nodes.retailer.demand.before: must be at least 0, not -4"),
        (
            "before: 4,",
            "before: 4, served_by: [retailer],",
            "nodes.retailer.demand.served_by: it is served by 'retailer'; write other markets under markets",
        ),
        ("period: week", "perod: week", "unknown key 'perod' (did you mean 'period'?)"),
        (
            "period: week",
            "units: integers",
            "units: 'integers' is not one of integer, continuous (did you mean 'integer'?)",
        ),
        (
            "period: week",
            "markets: {retailer: {served_by: [retailer], process: poisson, mean: 4}}",
            "markets.retailer: nodes.retailer.demand makes a market 'retailer' too; give this one another name",
        ),
        (
            "period: week",
            "markets: {web: {served_by: [retialer], process: poisson, mean: 4}}",
            "markets.web.served_by: no node 'retialer' (did you mean 'retailer'?)",
        ),
        (
            "period: week",
            "markets: {web: {process: poisson, mean: 4}}",
            "markets.web: no 'served_by'; it has no default",
        ),
        (
            "period: week",
            "markets: {web: {served_by: [brewery], process: poisson, mean: 4}}",
            "markets.web.served_by: 'brewery' is a source and serves no market; make it kind: stock",
        ),
        (
            "before_ordering",
            "before_orderin",
            "timing.demand_visible: 'before_orderin' is not one of after_ordering, before_ordering (did you mean "
            "'before_ordering'?)",
        ),
        (
            "horizon: 101",
            "horizon: 101, warm_up: 101",
            "game.warm_up: 101 of 101 periods leaves none to count; lower it or raise the horizon",
        ),
        (
            "horizon: 101",
            "horizon: 101, reward: {blend: 2}",
            "game.reward: {blend: 2} is not individual, shared or {blend: a} with a between 0 and 1",
        ),
        (
            "horizon: 101",
            "horizon: 101, agents: {team: {decides: [retaler]}}",
            "game.agents.team.decides[0]: no node, edge or market 'retaler' (did you mean 'retailer'?)",
        ),
        (
            "horizon: 101",
            "horizon: 101, agents: {team: {decdes: [retailer]}}",
            "game.agents.team: unknown key 'decdes' (did you mean 'decides'?)",
        ),
        (
            "kind: demand_plus",
            "knd: demand_plus",
            "game.actions: no 'kind' in it; write a name such as order_up_to, or {kind: order_up_to, ...}",
        ),
        (
            "base_stock: {retailer:",
            "base_stock: {retaler:",
            "policies.base_stock: no stock node 'retaler' (did you mean 'retailer'?)",
        ),
        (
            "base_stock: {retailer: 32",
            "base_stock: {retailer: much",
            "policies.base_stock.retailer: 'much' is not a number; write a number, or {PARAMETER: number}",
        ),
        ("period: week", "contract: {backorder_share: 2}", "contract.backorder_share: must be at most 1, not 2"),
        (
            "period: week",
            "contract: {transfers: [{from: retailer, to: wholesalerr, rate: 1, per: ordered, at: retailer}]}",
            "contract.transfers[0].to: no node 'wholesalerr' (did you mean 'wholesaler'?)",
        ),
        (
            "period: week",
            "extends: beer_gam",
            "extends: no topology 'beer_gam' (did you mean 'beer_game'?); the name of your own file ends in .yaml",
        ),
        ("period: week", "extends: my.yaml", "extends: my.yaml -> my.yaml is a cycle; let one of them stand alone"),
        ("period: week", "period: [week", "line 4: expected ',' or ']', but got ':'; this is not YAML"),
        (
            "period: week",
            "period: !!python/object:os.system ls",
            "line 3: the tag 'tag:yaml.org,2002:python/object:os.system' is not allowed; remove it",
        ),
    ],
)
def test_a_file(tmp_path: Path, old: str, new: str, sentence: str):
    assert sentence_of(tmp_path / "my.yaml", changed(BEER_GAME, old, new)) == f"my.yaml: {sentence}"


MARKET = "my.yaml: markets.web_customers"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "data/cdnow_daily.csv",
            "no_such.csv",
            MARKET + ".file: there is no file '{folder}/no_such.csv'; paths are relative to the topology file",
        ),
        (
            "column: units",
            "column: unit",
            MARKET + ".column: demand.csv has no column 'unit' (did you mean 'units'?)",
        ),
        (
            "from: 1997-04-01",
            "from: 1996-04-01",
            MARKET + ": 1996-04-01 is outside demand.csv, which runs from 1997-03-31 to 1998-06-30",
        ),
        (
            "to: 1998-06-30",
            "to: 1999-06-30",
            MARKET + ": 1999-06-30 is outside demand.csv, which runs from 1997-03-31 to 1998-06-30",
        ),
        ("window: 60", "window: 400", MARKET + ".window: 400 periods do not fit into the 306 values; shorten it"),
    ],
)
def test_a_data_file(tmp_path: Path, old: str, new: str, sentence: str):
    rows = (shipped_folder() / "data" / "cdnow_daily.csv").read_text().splitlines()
    start = next(number for number, row in enumerate(rows) if row.startswith("1997-03-31"))
    (tmp_path / "demand.csv").write_text("\n".join([rows[0], *rows[start:]]))
    text = changed(CD_CHAIN, old, new).replace("data/cdnow_daily.csv", "demand.csv")
    assert sentence_of(tmp_path / "my.yaml", text) == sentence.format(folder=tmp_path)


@pytest.mark.parametrize(("cell", "given"), [("nan", "nan"), ("-7", "-7"), ("many", "many"), ("inf", "inf")])
def test_a_demand_that_is_no_number_or_is_negative(tmp_path: Path, cell: str, given: str):
    (tmp_path / "demand.csv").write_text(f"date,units\n1998-01-01,3\n1998-01-02,{cell}\n")
    text = "nodes: {shop: {demand: {process: trace, file: demand.csv, column: units}}}\n"
    assert sentence_of(tmp_path / "my.yaml", text) == (
        f"my.yaml: nodes.shop.demand: demand.csv line 3: units is {given}; demand must be a number that is 0 or more"
    )


def test_a_short_list_for_a_pair_is_one_sentence():
    with pytest.raises(InputError) as caught:
        load({"nodes": {"shop": {"demand": {"process": "normal", "mean": 3, "sd": 1, "clip": [1]}}}})
    assert str(caught.value).startswith("topology: nodes.shop.demand.clip") and "\n" not in str(caught.value)
