"""`--set`: values changed before the file is checked."""

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import load


def test_nodes_edges_sections_and_demand():
    chain = load(
        "beer_game",
        [
            "nodes.retailer.holding_cost=2",
            "edges.brewery-manufacturer.lead_time=5",
            "edges[1].lead_time=0",
            "contract.backorder_share=.3",
            "game.horizon=1e2",
            "game.reward.blend=.5",
            "nodes.retailer.demand.after=9",
            "policies.base_stock.retailer=33",
            "timing.decision_order=downstream_first",
        ],
    )
    assert chain.nodes["retailer"].holding_cost == 2
    assert chain.edges[0].pipeline == (4,) * 5 and chain.edges[1].pipeline == ()
    assert chain.contract.backorder_share == 0.3
    assert chain.game.horizon == 100 and chain.game.reward == {"blend": 0.5}
    assert chain.markets["retailer"].process.mean == 9
    assert chain.policies["base_stock"]["retailer"] == 33
    assert chain.timing.decision_order == "downstream_first"


def test_a_mapping_of_paths():
    assert load("beer_game", {"game.horizon": 7, "game": {"warm_up": 2}}).game.warm_up == 2


def test_one_string_is_one_override():
    assert load("beer_game", "game.horizon=7").game.horizon == 7


def test_defaults_are_changed_for_those_that_state_nothing():
    chain = load("beer_game", ["defaults.node.on_hand=3", "nodes.retailer.on_hand=5"])
    assert [node.on_hand for node in chain.nodes.values()] == [0, 3, 3, 3, 5]


def test_another_process_drops_the_parameters_of_the_old_one():
    chain = load("beer_game", ["nodes.retailer.demand.process=poisson", "nodes.retailer.demand.mean=5"])
    assert chain.markets["retailer"].process.mean == 5


def test_another_process_keeps_the_parameters_that_it_has_too():
    chain = load("lost_sales", ["nodes.store.demand.process=geometric"])
    assert chain.markets["store"].process.mean == 5 and chain.markets["store"].unmet == "lost"


def test_two_nodes_that_share_a_mapping_are_changed_apart():
    store = {"on_hand": 3, "demand": {"process": "poisson", "mean": 4}}
    chain = {
        "name": "twins",
        "nodes": {"plant": {"kind": "source"}, "east": store, "west": store},
        "edges": [{"from": "plant", "to": "east"}, {"from": "plant", "to": "west"}],
    }
    changed = load(chain, ["nodes.east.on_hand=7"])
    assert (changed.nodes["east"].on_hand, changed.nodes["west"].on_hand) == (7, 3)


def test_a_nodes_demand_is_also_reached_as_a_market_and_the_other_way_round():
    assert load("beer_game", ["markets.retailer.price=3"]).markets["retailer"].price == 3
    resolved = load("beer_game").to_dict()
    assert load(resolved, ["nodes.retailer.demand.price=3"]).markets["retailer"].price == 3


def test_the_span_of_recorded_demand():
    chain = load("cd_retail_chain", ["markets.web_customers.from=1998-01-01", "markets.web_customers.window=30"])
    assert len(chain.markets["web_customers"].process.values) == 31


def test_the_span_of_a_resolved_file_is_not_changed_silently():
    with pytest.raises(InputError) as caught:
        load(load("cd_retail_chain"), ["markets.web_customers.from=1998-01-01"])
    assert str(caught.value) == (
        "--set markets.web_customers.from: the recorded values are in the file already; change the file they came from"
    )


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "nodes.retaler.holding_cost=2",
            "--set nodes.retaler.holding_cost: no node 'retaler' (did you mean 'retailer'?)",
        ),
        (
            "nodes.retailer.holding_cst=2",
            "--set nodes.retailer.holding_cst: unknown key 'holding_cst' (did you mean 'holding_cost'?)",
        ),
        (
            "edges.brewery-manufactur.lead_time=2",
            "--set edges.brewery-manufactur.lead_time: no edge 'brewery-manufactur' "
            "(did you mean 'brewery-manufacturer'?)",
        ),
        (
            "edges.9.lead_time=2",
            "--set edges.9.lead_time: no edge '9'; there are brewery-manufacturer, manufacturer-distributor, "
            "distributor-wholesaler, wholesaler-retailer",
        ),
        ("gme.horizon=2", "--set gme.horizon: unknown key 'gme' (did you mean 'game'?)"),
        ("game.horizn=2", "--set game.horizn: unknown key 'horizn' (did you mean 'horizon'?)"),
        ("game.horizon", "--set game.horizon: no '=' in it; write PATH=VALUE, such as game.horizon=101"),
        (
            "game.horizon=[1",
            "--set game.horizon: line 1: expected ',' or ']', but got '<stream end>'; this is not YAML",
        ),
        ("game.horizon=abc", "beer_game.yaml: game.horizon: 'abc' is not a whole number"),
        ("edges.0.lead_time=-1", "beer_game.yaml: edges[0].lead_time: must be at least 0, not -1"),
        (
            "edges.0.pipeline=[1]",
            "beer_game.yaml: edges[0].pipeline: holds 1 numbers but lead_time is 3; "
            "give a list of 3, or one number for all",
        ),
        (
            "nodes.retailer.demand.beforre=2",
            "--set nodes.retailer.demand.beforre: unknown key 'beforre' (did you mean 'before'?)",
        ),
        ("game.horizon.x=2", "--set game.horizon.x: 'horizon' has no keys; set it as a whole"),
        (
            "markets.retailer.process=poison",
            "beer_game.yaml: nodes.retailer.demand.process: no demand process 'poison' (did you mean 'poisson'?)",
        ),
    ],
)
def test_what_leads_nowhere(override: str, sentence: str):
    with pytest.raises(InputError) as caught:
        load("beer_game", [override])
    assert str(caught.value) == sentence
