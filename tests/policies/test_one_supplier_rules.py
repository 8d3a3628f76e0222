"""Capped base stock, reorder points and levels by interval: formulas, limits where they are other rules, refusals."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from long_run import simulated

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.policies import rule
from marl_supply.policies.capped_base_stock import CappedBaseStock
from marl_supply.policies.interval_base_stock import IntervalBaseStock
from marl_supply.policies.reorder_point import ReorderPoint, ReorderQuantity
from marl_supply.topology import load

LOST = Game("lost_sales").seats["store"]
UNEVEN = Game("uneven_review").seats["store"]
NEVER = 10**6


def orders(player: Any, *positions: float) -> list[float]:
    """Orders at some inventory positions."""
    seen = SimpleNamespace(
        seat=LOST, replications=len(positions), inventory_position=np.array([positions], dtype=float)
    )
    decisions, _ = player.act(seen, None)
    return list(decisions.order[0])


def assert_same_costs(
    chain: str, changes: Any, first: tuple[str, dict[str, float]], second: tuple[str, dict[str, float]]
) -> None:
    """Two rules cost the same in every replication."""
    samples = [simulated(chain, name, changes, 10, **values).total for name, values in (first, second)]
    np.testing.assert_array_equal(*samples)


def test_capped_base_stock_orders_the_shortfall_up_to_its_cap() -> None:
    player = CappedBaseStock({"base_stock_level": 17, "order_cap": 5})
    assert orders(player, 10, 12, 14, 17, 20) == [5, 5, 3, 0, 0]


def test_a_high_cap_makes_base_stock_and_a_high_level_a_constant_order() -> None:
    high_cap = ("capped_base_stock", {"base_stock_level": 16, "order_cap": NEVER})
    assert_same_costs("lost_sales", {}, high_cap, ("base_stock", {"base_stock_level": 16}))
    high_level = ("capped_base_stock", {"base_stock_level": NEVER, "order_cap": 4})
    assert_same_costs("lost_sales", {}, high_level, ("constant_order", {"order_quantity": 4}))


def test_reorder_point_waits_and_then_orders_up_to_its_level() -> None:
    player = ReorderPoint({"reorder_point": 6, "order_up_to_level": 40})
    assert orders(player, 7, 6, 5, -3) == [0, 34, 35, 43]
    assert orders(ReorderPoint({"reorder_point": 6, "order_up_to_level": 4}), 5, 6) == [0, 0]


def test_reorder_quantity_orders_the_fewest_batches_that_lift_the_position_above_its_point() -> None:
    player = ReorderQuantity({"reorder_point": 6, "order_quantity": 10})
    assert orders(player, 7, 6, -3, -4, -13, -14) == [0, 10, 10, 20, 20, 30]


def test_reorder_rules_with_a_gap_of_one_are_base_stock() -> None:
    base_stock = ("base_stock", {"base_stock_level": 20})
    assert_same_costs(
        "single_echelon", {}, ("reorder_point", {"reorder_point": 19, "order_up_to_level": 20}), base_stock
    )
    assert_same_costs(
        "single_echelon", {}, ("reorder_quantity", {"reorder_point": 19, "order_quantity": 1}), base_stock
    )


def test_the_default_gap_is_the_economic_order_quantity() -> None:
    changes = {"edges.0.fixed_order_cost": 64, "markets.store.mean": 50}
    values = rule("reorder_point", Game(load("single_echelon", changes)).seats["store"]).values
    assert values["order_up_to_level"][0] - values["reorder_point"][0] == np.sqrt(2 * 64 * 50 / 1)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="order_quantity' is not above 0"):
        ReorderQuantity({"reorder_point": 6, "order_quantity": 0})


def test_interval_levels_follow_the_cycle_day_by_day() -> None:
    player = rule("interval_base_stock", UNEVEN)
    memory, levels = player.start(UNEVEN, 2), []
    for wait in (0, 2, 1, 0, 3, 2, 1, 0, 2, 1, 0):  # intervals of 3, 4 and 3 days, and the first day of the next
        seen = SimpleNamespace(seat=UNEVEN, replications=2, periods_to_review=np.array([[wait, wait]], dtype=float))
        decisions, memory = player.act(seen, memory)
        levels.append(decisions.order_up_to[0].tolist())
    assert levels == [[28, 28]] * 3 + [[32, 32]] * 4 + [[28, 28]] * 3 + [[32, 32]]


def test_replications_stand_at_their_own_place_of_the_cycle() -> None:
    player = rule("interval_base_stock", UNEVEN)
    seen = SimpleNamespace(seat=UNEVEN, replications=2, periods_to_review=np.array([[0.0, 1.0]]))
    decisions, _ = player.act(seen, np.array([[1, 1]]))
    assert decisions.order_up_to.tolist() == [[32, 28]]


def test_orders_are_placed_on_review_days_alone() -> None:
    """With an offset of 2 the first interval begins on day 2, at level_1."""
    game = Game(load("uneven_review", {"nodes.store.review_offset": 2}))
    player = rule("interval_base_stock", game.seats["store"])
    state, memory, ordered = game.start(4, seed=3), player.start(game.seats["store"], 4), []
    for day in range(14):
        decisions, memory = player.act(game.observe(state, "store"), memory)
        position = game.observe(state, "store").inventory_position
        state, outcome = game.step(state, {"store": decisions})
        target = {2: 28, 5: 32, 9: 28, 12: 32}.get(day)
        expected = np.zeros_like(position) if target is None else np.maximum(target - position, 0)
        np.testing.assert_array_equal(outcome.flows.order, expected)
        ordered.append(outcome.flows.order.sum())
    assert min(ordered[day] for day in (2, 5, 9, 12)) > 0


def test_with_a_review_every_period_it_is_base_stock() -> None:
    interval = ("interval_base_stock", {"level_1": 20})
    assert_same_costs("single_echelon", {}, interval, ("base_stock", {"base_stock_level": 20}))


def test_levels_of_intervals_that_do_not_exist_are_not_searched() -> None:
    ranges = [(parameter.low(UNEVEN)[0], parameter.high(UNEVEN)[0]) for parameter in IntervalBaseStock.parameters]
    assert all(low < high for low, high in ranges[:2]) and set(ranges[2:]) == {(0.0, 0.0)}


def test_more_intervals_than_levels_are_refused() -> None:
    game = Game(load("uneven_review", {"nodes.store.review": [1, 2] * 4}))
    with pytest.raises(InputError, match=r"nodes.store.review: 8 intervals; the rule has levels for 7"):
        rule("interval_base_stock", game.seats["store"])
