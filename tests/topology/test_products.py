"""Products: what a file of several products means, row by row."""

from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.topology import Topology, load


def two_products(**changes: Any) -> dict[str, Any]:
    document = {
        "name": "two",
        "products": ["ale", "stout"],
        "defaults": {"node": {"backorder_cost": {"ale": 4, "stout": 9}, "storage": 60}, "edge": {"lead_time": 2}},
        "nodes": {
            "brewery": {"kind": "source", "capacity": 30},
            "depot": {"capacity": 15, "storage": 40, "holding_cost": 0.5},
            "pub": {
                "on_hand": {"ale": 3, "stout": 4},
                "demand": {"process": "poisson", "mean": {"ale": 3, "stout": 1.5}},
            },
        },
        "edges": [{"from": "brewery", "to": "depot"}, {"from": "depot", "to": "pub", "name": "lane"}],
        "policies": {"base_stock": {"pub": 10, "depot": {"ale": 14, "stout": 16}}},
    }
    return {**document, **changes}


def test_every_part_becomes_one_for_each_product() -> None:
    chain = load(two_products())
    assert list(chain.nodes) == ["brewery", "depot:ale", "depot:stout", "pub:ale", "pub:stout"]
    assert [edge.name for edge in chain.edges] == [
        "brewery-depot:ale",
        "brewery-depot:stout",
        "lane:ale",
        "lane:stout",
    ]
    assert [(edge.from_, edge.to) for edge in chain.edges][2] == ("depot:ale", "pub:ale")
    assert {name: market.process.mean for name, market in chain.markets.items()} == {"pub:ale": 3, "pub:stout": 1.5}
    assert chain.nodes["pub:stout"].on_hand == 4 and chain.nodes["depot:stout"].backorder_cost == 9
    assert all(edge.lead_time == 2 for edge in chain.edges)


def test_limits_of_a_node_are_shared_by_its_products() -> None:
    chain = load(two_products())
    assert chain.shared["depot"].rows == ("depot:ale", "depot:stout")
    assert (chain.shared["depot"].capacity, chain.shared["depot"].storage) == (15, 40)
    assert (chain.shared["pub"].capacity, chain.shared["pub"].storage) == (None, 60)
    assert chain.nodes["brewery"].capacity == 30


def test_one_agent_decides_all_products_of_a_node() -> None:
    game = Game(two_products())
    assert game.agents == ("depot", "pub") and game.seats["pub"].rows == ("pub:ale", "pub:stout")
    planner = Game(two_products(game={"agents": {"planner": {"decides": ["depot", "pub"]}}}))
    assert planner.seats["planner"].rows == ("depot:ale", "depot:stout", "pub:ale", "pub:stout")


def test_suggested_parameters_hold_for_every_product_or_name_it() -> None:
    stated = load(two_products()).policies["base_stock"]
    assert stated == {"pub:ale": 10, "pub:stout": 10, "depot:ale": 14, "depot:stout": 16}


def test_a_number_of_products_names_them() -> None:
    chain = load(
        {
            "name": "many",
            "products": 3,
            "nodes": {"plant": {"kind": "source"}, "shop": {"demand": {"process": "poisson", "mean": 2}}},
            "edges": [{"from": "plant", "to": "shop"}],
        }
    )
    assert list(chain.markets) == ["shop:product_1", "shop:product_2", "shop:product_3"]


def test_nodes_edges_and_markets_can_be_of_some_products() -> None:
    document = two_products()
    document["nodes"]["pub"]["products"] = ["ale"]
    document["markets"] = {"festival": {"served_by": ["depot"], "product": "stout", "process": "poisson", "mean": 1}}
    chain = load(document)
    assert list(chain.nodes)[3:] == ["pub:ale"] and [edge.name for edge in chain.edges][2:] == ["lane:ale"]
    assert chain.markets["festival"].served_by == ("depot:stout",) and list(chain.markets) == ["pub:ale", "festival"]


def test_what_was_expanded_is_a_file_like_any_other() -> None:
    chain = load(two_products())
    assert Topology.from_dict(chain.to_dict()) == chain
    assert load(chain, {"nodes.pub:ale.on_hand": 9}).nodes["pub:ale"].on_hand == 9


WRONG = {
    "no list": ({"products": "ale"}, "products: 'ale' is neither a list of names nor a number"),
    "twice": ({"products": ["ale", "ale"]}, "products: a name stands there twice"),
    "unknown": (
        {"edges": [{"from": "brewery", "to": "depot", "products": ["stoat"]}]},
        r"edges\[0\].products: no product 'stoat' \(did you mean 'stout'\?\)",
    ),
    "value left out": (
        {"edges": [{"from": "brewery", "to": "depot", "purchase_cost": {"ale": 1}}]},
        r"edges\[0\].purchase_cost: no value for product 'stout'; add one",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_products_that_do_not_fit_are_refused(case: str) -> None:
    changes, sentence = WRONG[case]
    with pytest.raises(InputError, match=sentence):
        load(two_products(**changes))
