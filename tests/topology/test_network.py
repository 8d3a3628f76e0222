"""What the simulator does not carry is refused by `Network` in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import load
from marl_supply.topology.network import Network


@pytest.mark.parametrize(
    ("name", "rows", "lines", "chances"),
    [
        ("beer_game", 4, 4, 0),
        ("network_2x3", 6, 10, 0),
        ({"nodes": {"a": {"kind": "source", "capacity": 3}, "b": {}}, "edges": [{"from": "a", "to": "b"}]}, 1, 1, 0),
        (
            {
                "nodes": {"a": {"kind": "source"}, "b": {"disruption": {"probability": 0.1}}},
                "edges": [{"from": "a", "to": "b", "delay": [0.5, 0, 0.5], "shipping_loss": 0.1}],
            },
            1,
            0,
            4,
        ),
    ],
)
def test_sizes(name: Any, rows: int, lines: int, chances: int) -> None:
    """A source that capacity limits has lines; a delay of up to two periods takes two numbers."""
    network = Network(load(name))
    assert (len(network.rows), len(network.lines), network.chance_size) == (rows, lines, chances)


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
