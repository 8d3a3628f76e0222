"""Forecast-following (s, S): formula, the rules that it contains, and moving demand, where it beats a fixed (s, S)."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shipped_chains import ORDERING

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.policies.forecast_reorder_point import ForecastReorderPoint
from marl_supply.testing import check_policy
from marl_supply.topology import load

SEAT = Game("single_echelon").seats["store"]  # Poisson demand with mean 5
MOVING = {"process": "markov_modulated", "means": [2, 12], "transition": [[0.95, 0.05], [0.05, 0.95]]}


def seen(claims: list[float], positions: list[float]) -> Any:
    return SimpleNamespace(
        seat=SEAT,
        replications=len(claims),
        incoming_orders=np.array([claims], dtype=float),
        inventory_position=np.array([positions], dtype=float),
    )


def costs(chain: Any, rule: str, **values: float) -> Any:
    game = Game(chain, horizon=300)
    return evaluate(game, seat_everybody(game, rule, {"store": values}), 200, 5).sample


def test_both_levels_follow_the_smoothed_claims() -> None:
    """s = 4 + 2 x and S = s + 10 + 3 x, with x = 5 first and .5 (claims + x) after."""
    player = ForecastReorderPoint(
        {"safety_stock": 4, "cover": 2, "smoothing": 0.5, "lot_size": 10, "lot_cover": 3}, SEAT
    )
    first, memory = player.act(seen([9, 9, 9], [15, 14, 0]), player.start(SEAT, 3))
    assert first.order.tolist() == [[0, 39 - 14, 39]]
    second, memory = player.act(seen([1, 9, 5], [10, 18, 15]), memory)
    assert memory.tolist() == [[3, 7, 5]]
    assert second.order.tolist() == [[10 + 10 + 9 - 10, 18 + 10 + 21 - 18, 0]]


def test_it_contains_reorder_point_and_forecast_base_stock() -> None:
    fixed = costs(
        "single_echelon", "forecast_reorder_point", safety_stock=8, cover=0, smoothing=0.4, lot_size=12, lot_cover=0
    )
    np.testing.assert_array_equal(
        fixed, costs("single_echelon", "reorder_point", reorder_point=8, order_up_to_level=20)
    )
    forecast = {"safety_stock": 4.0, "cover": 3.0, "smoothing": 0.25}
    no_lot = costs("single_echelon", "forecast_reorder_point", **forecast, lot_size=0, lot_cover=0)
    np.testing.assert_array_equal(no_lot, costs("single_echelon", "forecast_base_stock", **forecast))


@pytest.mark.parametrize("chain", ORDERING)
def test_it_plays_every_chain(chain: str) -> None:
    check_policy("forecast_reorder_point", chain)


def test_where_demand_moves_and_orders_cost_it_beats_a_fixed_reorder_point() -> None:
    """Poisson demand of mean 2 or 12, 20 periods each on average; 30 an order; both rules at levels a search found."""
    chain = load("single_echelon", {"nodes.store.demand": MOVING, "edges.0.fixed_order_cost": 30})
    fixed = costs(chain, "reorder_point", reorder_point=31, order_up_to_level=50)
    following = costs(
        chain, "forecast_reorder_point", safety_stock=10.75, cover=1.875, smoothing=0.34, lot_size=23.3, lot_cover=0
    )
    saved = fixed - following
    assert saved.mean() > 0.08 * fixed.mean() and saved.mean() > 6 * saved.std(ddof=1) / np.sqrt(len(saved))
