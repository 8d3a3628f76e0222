"""Sterman (1989) as coded by Oroojlooyjadid et al. (2022): totals of the classic beer game over 101 periods.

The two totals settle every question of timing: receipts, information delays, demand seen before ordering, and
what a Sterman player reads: its level before the period's receipt and before the order that arrives.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from reference_simulator import Decide, ReferenceSimulator

from marl_supply.topology.load import load

PERIODS = 101  # the horizon of the published totals


def base_stock(node: str, inbound: Any, line: str, level: Any) -> Decide:
    return lambda state: {"order_up_to": level}


def sterman(node: str, inbound: Any, line: str, anchors: Any) -> Decide:
    """a = max(0, round(arriving order - .5 (IL - a_b) - .2 (OO - b_b))), IL and OO before this period."""

    def decide(state: dict[str, Any]) -> dict[str, Any]:
        arriving, receipt = state["incoming"][line], state["receipts"][inbound]
        level = state["on_hand"][node] - receipt - (state["owed"][line] - arriving)
        on_order = state["on_order"][inbound] + receipt
        above = 0.5 * (level - anchors["stock_anchor"]) + 0.2 * (on_order - anchors["pipeline_anchor"])
        return {"order": {inbound: max(0, round(arriving - above))}}

    return decide


PLAYERS = {"base_stock": base_stock, "sterman": sterman}


def total_cost(topology: Any, demand: Any, rules: Mapping[str, str]) -> float:
    """Cost of all nodes over the published horizon, on the reference simulator."""
    inbound = {edge.to: edge.name for edge in topology.edges}
    line = {edge.from_: edge.name for edge in topology.edges} | {name: name for name in topology.markets}
    decide = {
        node: PLAYERS[rule](node, inbound[node], line[node], topology.policies[rule][node])
        for node, rule in rules.items()
    }
    simulator = ReferenceSimulator(topology, demand, decide)
    return sum(sum(simulator.period()["costs"].values()) for _ in range(PERIODS))


def everyone(topology: Any, rule: str) -> dict[str, str]:
    return {name: rule for name, node in topology.nodes.items() if node.kind == "stock"}


@pytest.mark.parametrize(("rule", "total"), [("base_stock", 180.0), ("sterman", 5997.5)])
def test_classic_total(rule: str, total: float) -> None:
    topology = load("beer_game")
    assert total_cost(topology, lambda market, period: 4 if period < 4 else 8, everyone(topology, rule)) == total
