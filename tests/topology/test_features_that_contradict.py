"""Limits, chances and shared parts that contradict one another: one sentence with the place and the fix."""

from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.topology import load

SHOPS = ["north", "south"]


def chain() -> dict[str, Any]:
    shop = {"on_hand": 2, "demand": {"process": "poisson", "mean": 2}}
    return {
        "name": "chain",
        "nodes": {"plant": {"kind": "source"}, "depot": {"on_hand": 5}, **{name: dict(shop) for name in SHOPS}},
        "edges": [{"from": "plant", "to": "depot"}, *({"from": "depot", "to": name} for name in SHOPS)],
    }


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "delay without lead time": (
        {"edges.0.lead_time": 0, "edges.0.delay": [0.5, 0.5]},
        "edges[0].lead_time: delay needs a lead time of at least 1; raise it",
    ),
    "loss without lead time": (
        {"edges.0.lead_time": 0, "edges.0.shipping_loss": 0.5},
        "edges[0].lead_time: shipping_loss needs a lead time of at least 1; raise it",
    ),
    "storage without lead time": (
        {"edges.0.lead_time": 0, "nodes.depot.storage": 9},
        "edges[0].lead_time: storage of 'depot' needs a lead time of at least 1; raise it",
    ),
    "probabilities": ({"edges.0.delay": [0.5, 0.4]}, "edges[0].delay: the probabilities add up to 0.9, not 1"),
    "crossing": (
        {"edges.0.delay": [0.6, 0.1, 0.3], "edges.0.crossing": False},
        "edges[0].delay: without crossing the chance to arrive must not fall with age, and here it is 0.6, 0.25; set "
        "crossing: true, or change the probabilities",
    ),
    "pipeline of a delay": (
        {"edges.0.delay": [0.5, 0.5], "edges.0.pipeline": [1, 2, 3]},
        "edges[0].pipeline: holds 3 numbers but lead_time and delay is 2; give a list of 2, or one number for all",
    ),
    "limit and batch": (
        {"edges.0.order_limit": 10, "edges.0.batch": 4},
        "edges[0].order_limit: 10 is no multiple of the batch 4; make it one",
    ),
    "broken batch": (
        {"edges.0.batch": 2.5},
        "edges[0].batch: 2.5 is not a whole number; round it, or set units: continuous",
    ),
    "broken capacity": (
        {"nodes.depot.capacity": 2.5},
        "nodes.depot.capacity: 2.5 is not a whole number; round it, or set units: continuous",
    ),
    "discounts": (
        {"edges.0.discounts": [{"from": 5, "purchase_cost": 1}, {"from": 5, "purchase_cost": 2}]},
        "edges[0].discounts: their quantities do not rise; order them by 'from', each once",
    ),
    "shelf life": ({"nodes.depot.shelf_life": 2}, "nodes.depot.shelf_life: 2 is not one of 1"),
    "shared by nobody": (
        {"shared": {"docks": {"rows": ["depott"], "capacity": 3}}},
        "shared.docks.rows: no stock node 'depott' (did you mean 'depot'?)",
    ),
    "shared twice": (
        {"shared": {"a": {"rows": SHOPS, "capacity": 3}, "b": {"rows": ["north"], "capacity": 3}}},
        "shared.b.rows: 'north' shares its capacity in 'a' too; take it out",
    ),
    "shared and own storage": (
        {"shared": {"a": {"rows": SHOPS, "storage": 3}}, "nodes.north.storage": 3},
        "nodes.north.storage: it is shared in 'shared.a' already; remove one",
    ),
    "expedite from a source": (
        {
            "markets": {
                "city": {
                    "served_by": ["north"],
                    "process": "poisson",
                    "mean": 1,
                    "expedite": {"from": "plant", "probability": 0.5},
                }
            }
        },
        "markets.city.expedite.from: 'plant' is a source and delivers to no customer; name a node that keeps stock",
    ),
    "expedite from the node itself": (
        {
            "markets": {
                "city": {
                    "served_by": ["north"],
                    "process": "poisson",
                    "mean": 1,
                    "expedite": {"from": "north", "probability": 0.5},
                }
            }
        },
        "markets.city.expedite.from: 'north' serves the market already; name another node",
    ),
    "price outside its range": (
        {
            "markets": {
                "city": {"served_by": ["north"], "process": "poisson", "mean": 1, "price": 5, "price_range": [6, 9]}
            }
        },
        "markets.city.price_range: the price 5 is not between 6 and 9; widen the range or change the price",
    ),
    "correlation": (
        {"correlation": [{"markets": ["north", "south"], "coefficient": 2}]},
        "correlation[0]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_contradictions_are_refused(case: str) -> None:
    changes, sentence = WRONG[case]
    with pytest.raises(InputError) as caught:
        load(chain(), changes)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_rows_that_share_a_capacity_ship_together() -> None:
    changes = {"edges.1.lead_time": 0, "shared": {"docks": {"rows": ["depot", "north"], "capacity": 3}}}
    with pytest.raises(InputError, match=r"chain: shared.docks.capacity: 'depot' ships before 'north'"):
        Game(load(chain(), changes))


def test_demand_that_follows_prices_is_not_seen_before_them() -> None:
    market = {"served_by": ["north"], "process": "linear_price", "intercept": 9, "slope": 1}
    changes = {"markets": {"city": market}, "timing.demand_visible": "before_ordering"}
    with pytest.raises(InputError, match="demand of 'city' follows the decisions of its period"):
        Game(load(chain(), changes))


def test_a_market_of_several_nodes_is_not_carried() -> None:
    changes = {"markets": {"city": {"served_by": SHOPS, "process": "poisson", "mean": 1}}}
    with pytest.raises(InputError, match="does not carry a market served by several nodes yet; name one"):
        Game(load(chain(), changes))
