"""The slow reference simulator by hand, feature by feature: small chains whose numbers can be worked out on paper."""

from __future__ import annotations

from typing import Any

import pytest
from reference_chance import binomial, has_arrived, layout
from reference_money import purchase
from reference_simulator import ReferenceSimulator

from marl_supply.topology.load import load

MARKET = {"process": "poisson", "mean": 2}


def shop(edge: Any = None, market: Any = None, **store: Any) -> dict[str, Any]:
    """A plant and a store; customers who are not served wait."""
    return {
        "name": "shop",
        "nodes": {
            "plant": {"kind": "source"},
            "store": {"on_hand": 5, "holding_cost": 1, "backorder_cost": 9, **store},
        },
        "edges": [{"from": "plant", "to": "store", "name": "lane", "lead_time": 1, **(edge or {})}],
        "markets": {"shop": {"served_by": ["store"], **MARKET, **(market or {})}},
    }


def play(chain: dict[str, Any], demand: Any = None, chance: Any = None, **decisions: list[Any]) -> list[Any]:
    """Periods with the stated decisions by node: orders on the first inbound edge, or whole decisions.

    `chance` holds, by stream, the numbers of each period, the same for all places.
    """
    topology, periods = load(chain), max(map(len, decisions.values()))
    first = {node: next(e.name for e in topology.edges if e.to == node) for node in decisions}

    def decide(node: str, state: Any) -> Any:
        stated = decisions[node][simulator.time]
        return stated if isinstance(stated, dict) else {"order": {first[node]: stated}}

    def number(stream: str, name: str, period: int) -> list[float]:
        stated = chance[stream][period]
        return stated if isinstance(stated, list) else [stated]

    simulator = ReferenceSimulator(
        topology,
        lambda market, period: (demand or {}).get(market, [0] * periods)[period],
        {node: lambda state, node=node: decide(node, state) for node in decisions},
        chance=number,
    )
    return [simulator.period() for _ in range(periods)]


def row(records: list[Any], *path: str) -> list[Any]:
    """One number of every record."""
    for key in path:
        records = [record[key] for record in records]
    return records


def test_a_late_shipment_arrives_when_its_number_says_so() -> None:
    edge = load(shop({"delay": [0.5, 0.25, 0.25], "lead_time": 2})).edges[0]
    assert [has_arrived(edge, age, [0.4, 0.4]) for age in (1, 2, 3, 4)] == [False, True, True, True]
    assert [has_arrived(edge, age, [0.5, 0.5]) for age in (1, 2, 3, 4)] == [False, False, False, True]
    assert [has_arrived(edge, age, [0.9, 0.4]) for age in (2, 3)] == [False, True]  # number k for k periods late
    certain = load(shop({"delay": [0.0, 1.0, 0.0]})).edges[0]
    assert [has_arrived(certain, age, [0.9, 0.9]) for age in (1, 2, 3)] == [False, True, True]


def test_shipments_cross_or_queue() -> None:
    """Sent: 3 in period -2 (two late at most), 5 in period -1."""
    edge = {"delay": [0.25, 0.5, 0.25], "pipeline": [0, 3, 5]}
    numbers = {"delay": [[0.1, 0.9], [0.9, 0.9], [0.9, 0.9]]}
    crossing = play(shop(edge), chance=numbers, store=[1, 0, 0])
    assert row(crossing, "seen", "receipts", "lane") == [5, 3, 0]  # what left later is there first
    assert row(crossing, "seen", "pipeline", "lane") == [[3, 0], [0, 1], [1, 0]]
    queue = {**edge, "crossing": False}
    records = play(shop(queue), chance={"delay": [0.3, 0.2, 0.9]}, store=[1, 0, 0])
    assert row(records, "seen", "receipts", "lane") == [3, 6, 0]  # 0.3 is below 2/3 only; 0.2 is below 1/4 too
    assert row(records, "seen", "pipeline", "lane") == [[0, 5], [0, 0], [0, 0]]
    assert layout(load(shop(edge))) == [("delay", "lane", 2)] and layout(load(shop(queue))) == [("delay", "lane", 1)]


def test_one_number_fills_the_youngest_slots_of_a_pipeline_with_delays() -> None:
    records = play(shop({"delay": [0.5, 0.5], "lead_time": 2, "pipeline": 4}), chance={"delay": [0.1]}, store=[0])
    assert row(records, "seen", "pipeline", "lane") == [[0, 4]] and row(records, "seen", "receipts", "lane") == [4]


def test_missing_goods_leave_the_pipeline_and_reach_nobody() -> None:
    records = play(shop({"shipping_loss": 0.5, "pipeline": 5}), chance={"loss": [0.6, 0.2]}, store=[5, 0])
    assert row(records, "missing", "lane") == [2, 0]  # 5 x .5 x .6 = 1.5 is rounded to even, 5 x .5 x .2 = .5 too
    assert row(records, "seen", "receipts", "lane") == [3, 5]
    assert row(records, "seen", "on_order", "lane") == [0, 0]


def test_storage_is_divided_over_the_edges_and_the_rest_is_charged() -> None:
    chain = shop({"pipeline": 4}, storage=9, overflow_cost=2)
    chain["edges"].append({"from": "plant", "to": "store", "name": "other", "pipeline": 2})
    records = play(chain, {"shop": [6, 1]}, store=[{"order": {"lane": 8}}, {"order": {}}])
    assert row(records, "seen", "receipts") == [{"lane": 3, "other": 1}, {"lane": 6, "other": 0}]  # 2 2/3 and 1 1/3
    assert row(records, "overflow") == [{"lane": 1, "other": 1}, {"lane": 2, "other": 0}]
    assert row(records, "seen", "on_hand", "store") == [9, 9]
    assert row(records, "by_account", "overflow", "store") == [4, 4]


def test_rows_share_a_storage_as_it_stood_before_receipts() -> None:
    chain = shop({"pipeline": 4})
    chain["nodes"]["annex"] = {"on_hand": 2}
    chain["edges"].append({"from": "plant", "to": "annex", "pipeline": 8})
    chain["shared"] = {"house": {"rows": ["annex", "store"], "storage": 10}}
    (record,) = play(chain, store=[0], annex=[0])
    assert record["seen"]["receipts"] == {"lane": 1, "plant-annex": 2}  # room 3 for 4 and 8
    assert record["overflow"] == {"lane": 3, "plant-annex": 6}


def test_more_on_hand_than_storage_refuses_everything() -> None:
    (record,) = play(shop({"pipeline": 4}, storage=3), store=[0])
    assert record["overflow"]["lane"] == 4 and record["seen"]["on_hand"]["store"] == 5


def test_a_node_breaks_in_the_period_of_its_number_and_recovers_in_a_later_one() -> None:
    chain = shop(disruption={"probability": 0.3, "recovery": 0.5})
    numbers = {"node_disruption": [0.3, 0.29, 0.5, 0.49, 0.29]}
    records = play(chain, {"shop": [1] * 5}, numbers, store=[0] * 5)
    assert row(records, "seen", "stopped", "store") == [False, True, True, False, True]
    assert row(records, "shipped", "shop") == [1, 0, 0, 3, 0]
    assert row(records, "end", "backorders", "shop") == [0, 1, 2, 0, 1]
    assert layout(load(chain)) == [("node_disruption", "store", 1)]


def test_a_closed_edge_keeps_or_loses_its_claims_and_leaves_stock_to_others() -> None:
    for unmet, owed, lost in (("backorder", 4, 0), ("lost", 0, 4)):
        chain = shop({"disruption": {"at": [0, 3], "length": 2}, "unmet": unmet})
        chain["nodes"]["plant"]["capacity"] = 4
        chain["nodes"]["annex"] = {}
        chain["edges"].append({"from": "plant", "to": "annex"})
        records = play(chain, store=[4, 0], annex=[3, 3])
        assert row(records, "seen", "closed") == [{"lane": True, "plant-annex": False}] * 2
        assert row(records, "shipped", "plant-annex") == [3, 3] and row(records, "shipped", "lane") == [0, 0]
        assert row(records, "end", "owed", "lane") == [owed, owed]
        assert row(records, "lost", "lane") == [lost, 0]


def test_a_limited_source_owes_what_it_could_not_ship() -> None:
    chain = shop({"backorder_cost": 3, "pipeline": 0})
    chain["nodes"]["plant"]["capacity"] = 2
    records = play(chain, store=[5, 0, 0])
    assert row(records, "shipped", "lane") == [2, 2, 1]
    assert row(records, "end", "owed", "lane") == [3, 1, 0]
    assert row(records, "seen", "on_order", "lane") == [0, 3, 1]  # what is owed, and the shipment has arrived
    assert row(records, "accounts", "plant") == [9, 3, 0]


def test_reviews_follow_the_lengths_of_their_intervals() -> None:
    chain = shop(review=[1, 2], review_offset=1)
    records = play(chain, store=[7] * 6)
    assert row(records, "order", "lane") == [0, 7, 7, 0, 7, 7]
    assert row(records, "seen", "periods_to_review", "store") == [1, 0, 0, 1, 0, 0]


def test_orders_are_cut_and_then_rounded_half_to_even_batches() -> None:
    records = play(shop({"batch": 3, "order_limit": 9}), store=[1.5, 4.5, 4.6, 7.4, 20])
    assert row(records, "order", "lane") == [0, 6, 6, 6, 9]


def test_lost_customers_are_seen_only_as_far_as_stock_goes() -> None:
    chain = shop(market={"unmet": "lost"}, on_hand=2) | {"timing": {"demand_visible": "before_ordering"}}
    (record,) = play(chain, {"shop": [6]}, store=[{"order_up_to": 4}])
    assert record["seen"]["owed"]["shop"] == 2 and record["seen"]["incoming"]["shop"] == 6
    assert record["order"]["lane"] == 4 and record["shipped"]["shop"] == 2 and record["lost"]["shop"] == 4


def two_rows(**store: Any) -> dict[str, Any]:
    """Two stores that ship eight units together."""
    chain = shop(**store)
    chain["nodes"]["annex"] = {"on_hand": 9}
    chain["edges"].append({"from": "plant", "to": "annex"})
    chain["markets"]["annex"] = {"served_by": ["annex"], **MARKET}
    chain["shared"] = {"house": {"rows": ["store", "annex"], "capacity": 8}}
    return chain


def test_capacity_is_shared_in_proportion_to_what_could_be_shipped() -> None:
    (record,) = play(two_rows(), {"shop": [7], "annex": [15]}, store=[0], annex=[0])
    assert record["shipped"] | {"lane": 0} == {
        "shop": 3,
        "annex": 5,
        "lane": 0,
        "plant-annex": 0,
    }  # of 5 and 9: 2.9, 5.1
    (record,) = play(two_rows(capacity=1), {"shop": [7], "annex": [15]}, store=[0], annex=[0])
    assert record["shipped"]["shop"] == 1 and record["shipped"]["annex"] == 7  # of 1 and 9: 0.8, 7.2


def depot(**depot: Any) -> dict[str, Any]:
    """A depot with a market and two shops below it."""
    return {
        "name": "depot",
        "nodes": {"plant": {"kind": "source"}, "depot": {"on_hand": 6, **depot}, "east": {}, "west": {}},
        "edges": [{"from": "plant", "to": "depot"}, {"from": "depot", "to": "east"}, {"from": "depot", "to": "west"}],
        "markets": {"counter": {"served_by": ["depot"], **MARKET}},
    }


def test_an_agent_can_divide_stock_and_hold_it_back() -> None:
    wishes = {"counter": 2.5, "depot-east": 1, "depot-west": -3}
    decisions: Any = {"depot": [{"allocation": wishes, "order": {}}, 0], "east": [4, 0], "west": [4, 0]}
    records = play(depot(allocation="decided"), {"counter": [9, 0]}, **decisions)
    assert records[0]["shipped"] == {"counter": 2, "depot-east": 1, "depot-west": 0, "plant-depot": 0}
    assert records[1]["shipped"] == {"counter": 1, "depot-east": 1, "depot-west": 1, "plant-depot": 0}  # 3 for 7, 3, 4


def test_wishes_above_stock_are_served_in_proportion() -> None:
    wishes = {"counter": 100, "depot-east": 2}  # of claims of 9, 4 and 4: wished 9, 2 and 4
    decision = {"allocation": wishes, "order": {}}
    (record,) = play(depot(allocation="decided"), {"counter": [9]}, depot=[decision], east=[4], west=[4])
    assert record["shipped"] == {"counter": 4, "depot-east": 1, "depot-west": 1, "plant-depot": 0}  # 3.6, .8, 1.6


def test_a_binomial_number_is_the_smallest_that_reaches_its_uniform_number() -> None:
    assert [binomial(2, 0.5, number) for number in (0, 0.24, 0.25, 0.74, 0.75, 0.99)] == [0, 0, 1, 1, 2, 2]
    assert binomial(3, 1.0, 0.0) == 3 and binomial(3, 0.0, 0.99) == 0 and binomial(0, 0.5, 0.5) == 0


def with_help(expedite: Any, **market: Any) -> dict[str, Any]:
    """A store whose customers can be served from a warehouse with four units."""
    chain = shop(market={"expedite": {"from": "warehouse", **expedite}, "price": 10, **market}, on_hand=3)
    chain["nodes"]["warehouse"] = {"on_hand": 4}
    chain["edges"].append({"from": "plant", "to": "warehouse"})
    return chain


def test_customers_who_are_not_served_are_asked_once() -> None:
    """Eight ask and three are served; of five, one or fewer accept with probability 6/32, two or fewer with 1/2."""
    chain = with_help({"probability": 0.5, "cost": 2})
    idle = {"store": [0, 0], "warehouse": [0, 0]}
    first, second = play(chain, {"shop": [8, 1]}, {"expedite": [0.2, 0.9]}, **idle)
    assert first["expedited"]["shop"] == 2 and first["end"]["owed"]["shop"] == 3 and first["shipped"]["shop"] == 5
    assert first["accounts"] == {"plant": 0, "store": 3 * 9 - 8 * 10, "warehouse": 4}
    assert second["expedited"]["shop"] == 1 and second["end"]["owed"]["shop"] == 3  # only the one of this period


def test_who_leaves_pays_when_served_by_another_node() -> None:
    chain = with_help({"probability": 1, "cost": 2}, unmet="lost")
    (record,) = play(chain, {"shop": [9]}, {"expedite": [0.5]}, store=[0], warehouse=[0])
    assert record["expedited"]["shop"] == 4 and record["lost"]["shop"] == 2  # six ask, four are there
    assert record["accounts"]["store"] == -7 * 10 and record["end"]["on_hand"]["warehouse"] == 0


def test_a_node_expedites_within_what_its_capacity_has_left() -> None:
    chain = with_help({"probability": 1})
    chain["nodes"]["warehouse"]["capacity"] = 3
    chain["markets"]["own"] = {"served_by": ["warehouse"], **MARKET}
    idle = {"store": [0, 0], "warehouse": [0, 0]}
    records = play(chain, {"shop": [9, 9], "own": [2, 0]}, {"expedite": [0.5, 0.5]}, **idle)
    assert row(records, "expedited", "shop") == [1, 1]  # capacity, then stock
    chain["nodes"]["warehouse"]["disruption"] = {"at": [0]}
    assert row(play(chain, {"shop": [9, 9]}, {"expedite": [0.5, 0.5]}, **idle), "expedited", "shop") == [0, 3]


def test_leftovers_are_charged_bought_back_and_scrapped() -> None:
    chain = shop({"pipeline": 2}, shelf_life=1, salvage_value=0.5) | {"contract": {"buy_back": 3}}
    records = play(chain, {"shop": [4, 1]}, store=[6, 0])
    assert row(records, "end", "on_hand", "store") == [3, 5] and row(records, "scrapped", "store") == [3, 5]
    assert row(records, "by_account", "salvage", "store") == [-1.5, -2.5]
    assert row(records, "seen", "on_hand", "store") == [7, 6]
    assert row(records, "costs", "store") == [3 - 1.5 - 9, 5 - 2.5 - 15] and row(records, "costs", "plant") == [9, 15]


@pytest.mark.parametrize(
    ("covers", "bills"), [("all_units", [0, 18, 15, 28.5, 20, 24]), ("increment", [0, 18, 20, 33.5, 35, 39])]
)
def test_discounts(covers: str, bills: list[float]) -> None:
    prices = [{"from": 10, "purchase_cost": 1.5}, {"from": 20, "purchase_cost": 1}]
    edge = load(shop({"purchase_cost": 2, "discounts": prices, "discount_on": covers})).edges[0]
    assert [purchase(edge, quantity) for quantity in (0, 9, 10, 19, 20, 24)] == bills


def test_an_order_that_is_only_a_rounding_error_is_none() -> None:
    chain = shop({"fixed_order_cost": 7, "purchase_cost": 0}) | {"units": "continuous"}
    assert row(play(chain, store=[1e-12, 1e-3]), "by_account", "fixed_order", "store") == [0, 7]


def test_customers_answer_to_the_price_and_pay_it() -> None:
    answer = {"process": "linear_price", "intercept": 10, "slope": 2, "spread": 2}
    chain = shop(on_hand=7) | {"markets": {"shop": {"served_by": ["store"], "price": 3, **answer}}}
    decisions: list[Any] = [0, {"order": {}, "price": {"shop": 1.5}}]
    records = play(chain, None, {"demand": [0.5, 0.99]}, store=decisions)
    assert row(records, "demand", "shop") == [4, 9]  # 10 - 6 + 0; 10 - 3 + 1.96
    assert row(records, "price", "shop") == [3, 1.5]
    assert row(records, "by_account", "revenue", "store") == [-12, -13.5]  # those who wait pay when they ask
