"""`check`: warnings about chains that are well formed but odd."""

import time
from typing import Any

import pytest

from marl_supply.topology import load
from marl_supply.topology.check import check

SOUND: dict[str, Any] = {
    "nodes": {
        "mine": {"kind": "source"},
        "plant": {"holding_cost": 1, "backorder_cost": 1},
        "store": {"holding_cost": 2, "backorder_cost": 9, "demand": {"process": "poisson", "mean": 4}},
    },
    "edges": [{"from": "mine", "to": "plant"}, {"from": "plant", "to": "store"}],
}


def warnings(*overrides: str, **more: Any) -> list[str]:
    return [str(warning) for warning in check(load(SOUND | more, overrides))]


def test_a_sound_chain_has_none():
    assert warnings() == []


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "nodes.plant.holding_cost=3",
            "nodes.store.holding_cost: 2 is less than 3 at its supplier 'plant', "
            "so it pays to keep all stock downstream",
        ),
        (
            "nodes.plant.capacity=4",
            "nodes.plant.capacity: 4 a period is no more than 4, the mean demand only it can serve",
        ),
        (
            "edges.1.order_limit=3",
            "nodes.store: its order limits allow 3 a period, less than 4, the mean demand that only it can serve",
        ),
        (
            "nodes.store.backorder_cost=0",
            "markets.store: it has neither backorder_cost nor price, so nothing is lost by not serving it",
        ),
        (
            "nodes.store.demand.unmet=lost",
            "markets.store: it has neither lost_sale_cost nor price, so nothing is lost by not serving it",
        ),
        (
            "nodes.plant.backorder_cost=0",
            "nodes.plant.backorder_cost: it pays nothing for backorders, so with reward: individual it does best to "
            "order nothing; share the reward or add a contract",
        ),
        (
            "nodes.plant={capacity: 8, disruption: {probability: 0.2, recovery: 0.2}}",
            "nodes.plant.capacity: 8 a period in the 50% of time that it is not down is no more than 4, the mean "
            "demand only it can serve",
        ),
        (
            "edges.0.delay=[0.5, 0, 0.5]",
            "edges[0].crossing: 'mine-plant' takes 1 to 3 periods and a shipment is overtaken by the next with chance "
            "0.25, so positions no longer tell what arrives first; crossing: false keeps the law of the lead time "
            "without overtaking",
        ),
        (
            "policies={constant_order: {store: 5}}",
            "policies.constant_order.store: 5 a period against a mean demand of 4 that waits: stock or backorders grow "
            "without end",
        ),
        (
            "nodes.store.storage=3",
            "nodes.store.storage: 3 is less than 4, the mean demand between two reviews that only it can serve",
        ),
        (
            "nodes.store.review_offset=100",
            "nodes.store.review_offset: its first review, in period 100, lies beyond game.horizon = 100",
        ),
        (
            "game.horizon=2",
            "game.horizon: 2 periods do not exceed the 2 that lead times and delays add up to",
        ),
        (
            "nodes.store.demand={process: normal, mean: 4, sd: 1, round: false}",
            "markets.store: its demand is not in whole units; round it, or set units: continuous",
        ),
        (
            "nodes.store.demand={process: trace, values: [3, 4, 5]}",
            "markets.store: its series ends after 3 of game.horizon = 100 periods; shorten the horizon, or use mode: "
            "windows or bootstrap",
        ),
        (
            "nodes.store.demand={process: step, before: 4, after: 8, at: 4}",
            "markets.store: its long-run variance is 0: replications are alike, intervals have no width, and a "
            "bullwhip ratio needs demand that varies within the counted periods",
        ),
    ],
)
def test_one_thing_wrong_is_one_warning(override: str, sentence: str):
    assert warnings(override) == [sentence]


def test_nodes_that_nothing_reaches_or_leaves():
    nodes = {**SOUND["nodes"], "attic": {}}
    assert warnings(nodes=nodes) == [
        "nodes.attic: no source can reach it, so its stock is never replenished",
        "nodes.attic: no market can be reached from it, so it has no reason to order or to ship",
    ]


def test_a_contract_or_a_shared_reward_silences_the_selfish_warning():
    assert warnings("nodes.plant.backorder_cost=0", "game.reward=shared") == []
    assert warnings("nodes.plant.backorder_cost=0", "contract.backorder_share=.3") == []


def test_capacity_counts_only_demand_that_has_no_other_way():
    edges = [*SOUND["edges"], {"from": "mine", "to": "store"}]
    assert warnings("nodes.plant.capacity=1", edges=edges) == []


def test_a_heavy_load_is_told():
    assert warnings("nodes.plant.capacity=4", "nodes.store.demand.mean=3.7") == [
        "nodes.plant.capacity: 3.7 of 4 a period is a load of 92%: stocks and queues react slowly, so give episodes a "
        "long warm-up"
    ]


LOST = ("nodes.store.demand.unmet=lost", "nodes.store.lost_sale_cost=9", "nodes.store.backorder_cost=0")
# What is wrong, what mends it, and the sentence: every look has one file that it warns of and one that it lets pass.
LOOKS = [
    (
        ["edges.1.batch=40"],
        ["edges.1.order_limit=40"],
        "edges[1].batch: learners and random players order at most 16 on 'plant-store', which is rounded to no batch "
        "of 40; state an order_limit",
    ),
    (
        ["edges.1.order_limit=4.2", "units=continuous"],
        ["edges.1.order_limit=5"],
        "nodes.store: its order limits allow 4.2 a period and 4, the mean demand that only it can serve, is 95% of it: "
        "a shortage is made up for slowly",
    ),
    (
        ["edges.1.order_limit=12", "nodes.store.review=[3]"],
        ["nodes.store.review=[2]"],
        "nodes.store: its order limits allow 4 a period and 4, the mean demand that only it can serve, is 100% of it: "
        "a shortage is made up for slowly",
    ),
    (
        ["edges.1.order_limit=5", "edges.1.shipping_loss=0.6"],
        ["edges.1.shipping_loss=0.1"],
        "nodes.store: its order limits allow 3.5 a period, less than 4, the mean demand that only it can serve",
    ),
    (
        ["nodes.store.storage=7"],
        ["nodes.store.storage=8"],
        "nodes.store.storage: 7 is less than 8, the mean demand of a lead time and a review: what was ordered for it "
        "has no room when demand pauses",
    ),
    (
        [*LOST, "policies={constant_order: {store: 4}}"],
        ["policies={constant_order: {store: 3}}"],
        "policies.constant_order.store: 4 a period is no less than 4, the mean demand, of which some is lost: stock "
        "grows without end",
    ),
    (
        ["nodes.store.backorder_cost=0", "nodes.store.demand.price=3"],
        ["nodes.store.backorder_cost=1"],
        "markets.store: its customers pay 3 when they ask, served or not, and backorder_cost is 0, so nothing is lost "
        "by not serving it",
    ),
    (
        [*LOST, "edges.0.purchase_cost=7", "edges.1.purchase_cost=4"],
        ["nodes.store.demand.price=3"],
        "markets.store: a unit sold earns 0 and saves 9, no more than the 11 that it costs to buy on the cheapest way "
        "from a source, so it pays to lose every customer",
    ),
    (
        ["nodes.store.shelf_life=1", "nodes.store.salvage_value=5", "edges.1.purchase_cost=3"],
        ["edges.1.purchase_cost=4"],
        "nodes.store.salvage_value: 5 is no less than 5, what a unit from 'plant-store' costs until it is scrapped, so "
        "nothing is lost by ordering without end",
    ),
    (
        ["nodes.store.shelf_life=1", "nodes.store.review=[2]"],
        ["nodes.store.review=[1]"],
        "nodes.store.review: it orders only every 2 periods and with shelf_life: 1 scraps its stock after each, so it "
        "has nothing to sell in between",
    ),
    (
        ["edges.0.disruption={probability: 0.01, recovery: 0}"],
        ["edges.0.disruption={probability: 0.01, recovery: 0.5}"],
        "edges[0].disruption.recovery: it is 0: what breaks, in period 100 on average, never works again",
    ),
    (
        ["nodes.plant.disruption={at: [50, 120]}"],
        ["nodes.plant.disruption={at: [50, 99]}"],
        "nodes.plant.disruption.at: period 120 lies beyond game.horizon = 100",
    ),
]


@pytest.mark.parametrize(("wrong", "mended", "sentence"), LOOKS)
def test_a_look_warns_and_lets_pass(wrong: list[str], mended: list[str], sentence: str):
    assert warnings(*wrong) == [sentence]
    assert warnings(*wrong, *mended) == []


@pytest.mark.parametrize("delay", ["[0.5, 0.5]", "[0, 1]"])
def test_shipments_that_at_worst_arrive_together_do_not_cross(delay: str):
    assert warnings(f"edges.0.delay={delay}") == []


def test_shipments_in_order_do_not_cross():
    assert warnings("edges.0.delay=[0.3, 0.3, 0.4]", "edges.0.crossing=false") == []


def two_plants(*overrides: str) -> list[str]:
    plant = {"holding_cost": 1, "backorder_cost": 1, "capacity": 2}
    nodes = {**SOUND["nodes"], "plant": plant, "other": {**plant}}
    edges = [*SOUND["edges"], {"from": "mine", "to": "other"}, {"from": "other", "to": "store"}]
    return warnings(*overrides, nodes=nodes, edges=edges)


def test_limits_that_are_too_low_together_are_found_though_each_has_a_way_round_it():
    assert two_plants() == [
        "nodes.plant.capacity: 'plant', 'other' pass 4 a period together, and 4 is the mean demand that no other way "
        "can serve: a load of 100%"
    ]
    assert two_plants("nodes.other.capacity=3") == []
    assert two_plants("nodes.other.capacity=3", "nodes.store.demand.mean=4.6") == [
        "nodes.plant.capacity: 'plant', 'other' pass 5 a period together, and 4.6 is the mean demand that no other way "
        "can serve: a load of 92%"
    ]


def test_the_tightest_of_several_cuts_is_told():
    far = {"holding_cost": 2, "backorder_cost": 9, "demand": {"process": "poisson", "mean": 90}}
    nodes = {**SOUND["nodes"], "plant": {"holding_cost": 1, "backorder_cost": 1, "capacity": 200}, "far": far}
    edges = [*SOUND["edges"], {"from": "plant", "to": "far"}, {"from": "mine", "to": "far", "order_limit": 1}]
    edges[1] = {**edges[1], "order_limit": 3}
    edges += [{"from": "plant", "to": "store", "name": "second", "order_limit": 1, "purchase_cost": 1}]
    found = warnings(nodes=nodes, edges=edges)
    assert found[-1].startswith("edges[1].order_limit: 'plant-store', 'second' pass 4 a period together, and 4 is")


def test_an_edge_that_another_beats_in_every_respect():
    express = {"from": "plant", "to": "store", "name": "express", "lead_time": 0, "purchase_cost": 2}
    edges = [*SOUND["edges"], express]
    assert warnings(edges=edges) == []
    assert warnings("edges.2.purchase_cost=0", edges=edges) == [
        "edges[1]: 'plant-store' is neither sooner nor cheaper nor wider than 'express' beside it, so it is never "
        "worth an order"
    ]
    assert warnings("edges.2.purchase_cost=0", "edges.2.order_limit=5", edges=edges) == []


def test_a_buy_back_that_returns_the_whole_price():
    terms = ["nodes.store.shelf_life=1", "contract.wholesale_price=3"]
    assert warnings(*terms, "contract.buy_back=3") == [
        "contract.buy_back: 3 is no less than wholesale_price = 3, so a customer loses nothing by ordering without end"
    ]
    assert warnings(*terms, "contract.buy_back=2") == []


def test_half_of_a_demand_that_is_expedited_needs_no_way_of_its_own():
    plant = {"holding_cost": 1, "backorder_cost": 1, "capacity": 8}
    nodes = {**SOUND["nodes"], "plant": plant}
    limits = ["edges.0.order_limit=9", "edges.1.order_limit=9"]
    assert warnings(*limits, "nodes.store.demand.expedite={from: plant, probability: 0.5}", nodes=nodes) == []


def test_a_thousand_nodes_are_looked_at_in_a_moment():
    chain = load("random_dag_1000")
    begun = time.process_time()
    assert check(chain) == []
    assert time.process_time() - begun < 5
