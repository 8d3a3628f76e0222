"""A two-stage chain of competition that is small enough for everything."""

from __future__ import annotations

from typing import Any

from marl_supply.game.game import Game
from marl_supply.topology import load

CHANGES: dict[str, Any] = {
    "nodes.retailer.demand": {"process": "uniform_integer", "low": 0, "high": 2},
    "nodes.retailer.on_hand": 3,
    "nodes.supplier.on_hand": 1,
    "edges.inbound.pipeline": 1,
    "edges.outbound.pipeline": 1,
    "game.horizon": 250,
    "game.warm_up": 50,
}
"""What makes the chain of Cachon & Zipkin small: demand of 0 to 2 units, short games."""


def small_chain(alpha: float = 0.4, **settings: Any) -> Game:
    """The small chain, the retailer bearing a share of the backorder cost."""
    return Game(load("cachon_zipkin", {**CHANGES, "contract.backorder_share": alpha}), **settings)
