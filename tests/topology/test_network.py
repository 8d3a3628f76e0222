"""What the simulator does not carry is refused by `Network` in one sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import load
from marl_supply.topology.network import Network


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ("nodes.retailer.capacity=5", "nodes.retailer.capacity: the simulator does not carry 'capacity' yet"),
        ("nodes.retailer.storage=5", "nodes.retailer.storage: the simulator does not carry 'storage' yet"),
        ("nodes.retailer.review=[3, 4]", "nodes.retailer.review: the simulator does not carry 'review' yet"),
        ("nodes.retailer.shelf_life=1", "nodes.retailer.shelf_life: the simulator does not carry 'shelf_life' yet"),
        ("nodes.retailer.allocation=decided", "nodes.retailer.allocation: the simulator does not carry"),
        ("markets.retailer.unmet=lost", "timing.demand_visible: the simulator does not carry lost sales with demand"),
    ],
)
def test_refuses_what_it_does_not_carry(override: str, place: str) -> None:
    with pytest.raises(InputError, match=f"beer_game: {re.escape(place)}.*leave it out"):
        Network(load("beer_game", [override]))


def test_refuses_a_node_that_nothing_leads_to() -> None:
    chain: dict[str, Any] = {
        "name": "cut_off",
        "nodes": {
            "factory": {"kind": "source"},
            "shop": {"demand": {"process": "poisson", "mean": 4}},
            "island": {"demand": {"process": "poisson", "mean": 4}},
        },
        "edges": [{"from": "factory", "to": "shop"}],
    }
    with pytest.raises(InputError, match="cut_off: nodes.island: no edge leads to it; add one, or make it a source"):
        Network(load(chain))
