"""`check`: warnings about chains that are well formed but odd."""

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
            "edges.0.delay=[0.5, 0.5]",
            "edges[0].crossing: 'mine-plant' takes 1 to 2 periods and a shipment may overtake an earlier one, so "
            "positions no longer tell what arrives first; crossing: false keeps the law of the lead time "
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
