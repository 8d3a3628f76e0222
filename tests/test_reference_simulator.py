"""The slow reference simulator by hand: allocation, timing, lead time 0, contracts, conservation."""

from random import Random
from typing import Any

import pytest
from reference_allocation import fair_share, first_come, priority, proportional
from reference_simulator import ReferenceSimulator

from marl_supply.topology.load import load


def play(chain: dict[str, Any], demand: dict[str, list[int]], decide: Any, periods: int, **options: Any) -> list[Any]:
    simulator = ReferenceSimulator(load(chain), demand, decide, **options)
    return [simulator.period() for _ in range(periods)]


def ordering(**quantities: list[Any]) -> Any:
    """Per node the edge it orders on and its quantities by period."""

    def player(edge: str, numbers: list[int]) -> Any:
        left = iter(numbers)
        return lambda state: {"order": {edge: next(left)}}

    return {node: player(edge, numbers) for node, (edge, *numbers) in quantities.items()}


def test_proportional_breaks_ties_towards_the_earlier_line() -> None:
    assert proportional(2, [1, 1, 1], integer=True) == [1, 1, 0]
    assert proportional(5, [3, 1, 4], integer=True) == [2, 1, 2]  # shares 1.875, .625, 2.5
    assert proportional(1.5, [1.0, 2.0], integer=False) == [0.5, 1.0]


def test_priority_and_first_come() -> None:
    assert priority(5, [3, 4, 2]) == [3, 2, 0]
    assert first_come(4, [5, 4], old=[0, 3], integer=True) == [1, 3]  # 3 old, then 1 of the new 5 and 1
    assert first_come(2, [5, 4], old=[3, 3], integer=True) == [1, 1]


def test_fair_share_raises_the_lowest_position_per_mean_demand() -> None:
    # quotients 0, 1, 3: two units to the first (scale 2) bring it to 1, then ties go to the earlier line.
    assert fair_share(2, [9, 9, 9], [0, 1, 3], [2.0, 1.0, 1.0], integer=True) == [2, 0, 0]
    assert fair_share(3, [9, 9, 9], [0, 1, 3], [2.0, 1.0, 1.0], integer=True) == [3, 0, 0]
    assert fair_share(4, [9, 9, 9], [0, 1, 3], [2.0, 1.0, 1.0], integer=True) == [3, 1, 0]
    assert fair_share(5, [1, 9, 9], [0, 1, 3], [2.0, 1.0, 0.0], integer=True) == [1, 4, 0]
    together = fair_share(4.0, [9.0, 9.0, 9.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0], integer=False)
    assert together == pytest.approx([10 / 3, 2 / 3, 0.0])  # both stand at 5/3 of their mean demand
    short = fair_share(4.0, [1.0, 2.0, 9.0], [0.0, 1.0, 3.0], [2.0, 1.0, 0.0], integer=False)
    assert short == pytest.approx([1.0, 2.0, 1.0])


SHOP = {
    "name": "shop",
    "nodes": {
        "plant": {"kind": "source"},
        "store": {
            "on_hand": 2,
            "holding_cost": 1,
            "backorder_cost": 9,
            "demand": {"process": "poisson", "mean": 2},
        },
    },
    "edges": [{"from": "plant", "to": "store", "lead_time": 2, "pipeline": [1, 5], "purchase_cost": 10}],
}


def test_order_of_t_serves_the_demand_of_t_plus_lead_time() -> None:
    records = play(SHOP, {"store": [4, 0, 0]}, ordering(store=["plant-store", 7, 0, 0]), 3)
    assert [r["seen"]["on_hand"]["store"] for r in records] == [3, 5, 11]
    assert [r["end"]["backorders"]["store"] for r in records] == [1, 0, 0]
    assert [r["costs"]["store"] for r in records] == [9 + 70, 4, 11]
    assert records[1]["seen"]["owed"]["store"] == 1 and records[1]["seen"]["incoming"]["store"] == 4


def test_lead_time_0_is_shipped_on_in_the_same_step() -> None:
    chain = {**SHOP, "edges": [{"from": "plant", "to": "store", "lead_time": 0}]}
    (record,) = play(chain, {"store": [4]}, ordering(store=["plant-store", 5]), 1)
    assert record["shipped"]["store"] == 4 and record["end"]["on_hand"]["store"] == 3


TREE = {
    "name": "tree",
    "nodes": {
        "plant": {"kind": "source"},
        "depot": {"on_hand": 6, "holding_cost": 1, "lost_sale_cost": 3},
        "east": {"demand": {"process": "poisson", "mean": 2}, "backorder_cost": 4},
        "west": {"demand": {"process": "poisson", "mean": 2}, "backorder_cost": 4},
    },
    "edges": [
        {"from": "plant", "to": "depot"},
        {"from": "depot", "to": "east", "information_delay": 1, "orders_in_transit": 8, "unmet": "lost"},
        {"from": "depot", "to": "west", "information_delay": 1, "orders_in_transit": 4},
    ],
}


def idle(state: dict[str, Any]) -> dict[str, Any]:
    return {"order": {}}


IDLE = dict.fromkeys(("depot", "east", "west"), idle)


def test_a_lost_order_leaves_on_order_and_is_seen_only_as_far_as_stock_goes() -> None:
    (record,) = play(TREE, {"east": [0], "west": [0]}, IDLE, 1)
    assert record["seen"]["owed"]["depot-east"] == 6 and record["seen"]["on_order"]["depot-east"] == 6
    assert record["shipped"]["depot-east"] == 4 and record["lost"]["depot-east"] == 4  # claims of 8 and 4
    assert record["end"]["backorders"] == {
        "east": 0,
        "west": 0,
        "plant-depot": 0,
        "depot-east": 0,
        "depot-west": 2,
    }
    assert record["end"]["on_order"]["depot-east"] == 4
    assert record["costs"]["depot"] == 3 * 4


def test_units_are_neither_created_nor_lost() -> None:
    draw, chain = Random(1), load("network_2x3")
    inbound = {node: [edge.name for edge in chain.edges if edge.to == node] for node in chain.nodes}
    decide = {
        node: lambda state, edges=edges: {"order": {edge: draw.randint(0, 4) for edge in edges}}
        for node, edges in inbound.items()
    }
    simulator = ReferenceSimulator(chain, lambda market, period: draw.randint(0, 4), decide)
    inside = sum(simulator.on_hand.values()) + sum(map(simulator.in_transit, simulator.edges))
    for _ in range(100):
        record = simulator.period()
        inside += sum(record["shipped"][edge.name] for edge in chain.edges if edge.from_.startswith("source"))
        inside -= sum(record["shipped"][market] for market in chain.markets)
        assert inside == sum(record["end"]["on_hand"].values()) + sum(record["end"]["in_transit"].values())
        assert min(record["end"]["on_hand"].values()) >= 0


def test_shared_backorder_cost_is_a_zero_sum_transfer() -> None:
    chain = {**TREE, "contract": {"backorder_share": 0.25}}
    (record,) = play(chain, {"east": [2], "west": [1]}, IDLE, 1, reward={"blend": 0.5})
    assert record["accounts"] == {"plant": 0, "depot": 12, "east": 8, "west": 4}
    assert record["costs"] == {"plant": 0, "depot": 12 + 9, "east": 2, "west": 1}
    assert record["rewards"] == {"depot": -14.5, "east": -5, "west": -4.5}  # halfway to the mean of -8


def test_downstream_first_counts_the_order_of_this_period() -> None:
    chain: dict[str, Any] = {
        **TREE,
        "edges": [{"from": "plant", "to": "depot"}, {"from": "depot", "to": "east"}],
    }
    chain["nodes"] = {name: chain["nodes"][name] for name in ("plant", "depot", "east")}
    levels = {"depot": lambda state: {"order_up_to": 8}, "east": lambda state: {"order_up_to": 3}}
    placed = {}
    for order in ("simultaneous", "downstream_first"):
        (record,) = play({**chain, "timing": {"decision_order": order}}, {"east": [0]}, levels, 1)
        placed[order] = record["order"]
    assert placed["simultaneous"] == {"plant-depot": 2, "depot-east": 3}
    assert placed["downstream_first"] == {"plant-depot": 5, "depot-east": 3}
