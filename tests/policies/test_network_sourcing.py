"""Rules for two suppliers inside a chain: lead times above 0, suppliers that can be short, local information."""

from typing import Any

import numpy as np
import pytest

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import rule, seat_everybody
from marl_supply.policies.two_suppliers import express_position
from marl_supply.testing import check_policy
from marl_supply.topology import load

GAME = Game("network_2x3")
NODES = ("manufacturer_0", "manufacturer_1", "distributor_0", "distributor_1", "retailer_0", "retailer_1")
SOURCING = ("single_index", "dual_index", "capped_dual_index", "tailored_base_surge")


def at_retailer(short: float, late: float) -> Any:
    """The first decision of retailer_0 where its express and its regular supplier owe it some units."""
    state = GAME.start(1, seed=1)
    edges = GAME.network.edges
    waiting = np.zeros_like(state.on_order)
    waiting[edges.index("distributor_1-retailer_0")] = short
    waiting[edges.index("distributor_0-retailer_0")] = late
    return GAME.observe(state.changed(on_order=state.on_order + waiting), "retailer_0")


def order_of(name: str, observation: Any, *values: float) -> list[float]:
    """Orders on the regular edge and on the express edge, as the file has them."""
    make = type(rule(name, observation.seat))
    given = {parameter.name: value for parameter, value in zip(make.parameters, values, strict=True)}
    decisions, _ = make(given).act(observation, None)
    assert observation.seat.edges == ("distributor_0-retailer_0", "distributor_1-retailer_0")
    return list(decisions.order[:, 0])


@pytest.mark.parametrize("name", SOURCING)
def test_they_play_with_local_information(name: str) -> None:
    assert GAME.observe_level == "local"
    check_policy(name, GAME)


def test_what_suppliers_owe_is_counted_and_not_ordered_twice() -> None:
    """4 on hand and 2, 2, 2 on the slow way, of which two arrive within the express lead time of 2.

    What the express supplier owes counts as express, whenever it comes; what the regular supplier owes counts in the
    position alone.
    """
    for short, late in ((0, 0), (3, 0), (0, 5), (3, 5)):
        observation = at_retailer(short, late)
        assert express_position(observation).tolist() == [[8 + short]]
        assert observation.inventory_position.tolist() == [[10 + short + late]]


def test_orders_at_a_retailer_whose_suppliers_are_short() -> None:
    """The express position is 8 + 3 = 11, the position 10 + 3 + 5 = 18."""
    observation = at_retailer(3, 5)
    assert order_of("single_index", observation, 20, 24) == [4, 2]
    assert order_of("dual_index", observation, 13, 24) == [4, 2]
    assert order_of("capped_dual_index", observation, 13, 24, 5) == [5, 2]
    assert order_of("tailored_base_surge", observation, 13, 2) == [2, 2]


def test_without_its_starting_stock_this_chain_pays_nobody_to_order() -> None:
    """A lost sale costs 1 once, a unit in stock 1 in every period at each of three levels.

    So rules that differ on the shipped chain differ in how fast they use up the stock it starts with, which is no
    evidence about sourcing: without that stock each of them costs more than no orders at all.
    """
    empty = {f"nodes.{node}.on_hand": 0 for node in NODES} | {f"edges.{edge}.pipeline": 0 for edge in range(12)}
    game = Game(load("network_2x3", empty))
    nothing = evaluate(game, seat_everybody(game, "base_stock", dict.fromkeys(NODES, 0)), 100, 5)
    assert nothing.accounts["holding"].sum() == 0 and nothing.accounts["lost_sale"].sum() == nothing.cost.sum()
    levels = {"express_level": 2, "regular_level": 4}
    for name, values in (
        ("single_index", levels),
        ("dual_index", levels),
        ("capped_dual_index", {**levels, "regular_cap": 1}),
        ("tailored_base_surge", {"express_level": 2, "regular_quantity": 0}),
    ):
        ordering = evaluate(game, seat_everybody(game, name, dict.fromkeys(NODES, values)), 100, 5)
        more = ordering.sample - nothing.sample
        assert more.mean() > 3 * more.std(ddof=1) / np.sqrt(len(more))
