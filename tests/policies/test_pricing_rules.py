"""Rules that set prices: what they decide, where they are optimal, and whom they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.simulation import Decisions
from marl_supply.solvers.solve import solve
from marl_supply.topology import load

NAMES = ("base_stock_list_price", "reorder_point_price", "myopic_price")


def decided(
    game: Game, name: str, parameters: dict[str, float], on_hand: float, owed: float = 0
) -> tuple[float, float]:
    """Order and price at a stock."""
    state = game.start(1)
    state = state.changed(on_hand=np.array([[on_hand]]), owed=np.array([[owed]]), backorders=np.array([[owed]]))
    player = seat_everybody(game, name, {"seller": parameters})["seller"]
    found, _ = player.act(game.observe(state, "seller"), None)
    return float(found.order[0, 0]), float(found.price[0, 0])


def test_list_price_up_to_the_level_and_less_above() -> None:
    game = Game(load("pricing_frozen_competitor"))
    rule = {"base_stock_level": 7, "list_price": 31}
    assert decided(game, "base_stock_list_price", rule, 3) == (4, 31)
    assert decided(game, "base_stock_list_price", rule, 0, 2) == (9, 31)
    order, price = decided(game, "base_stock_list_price", rule, 30)
    assert order == 0 and price < 31


def test_the_myopic_price_is_best_for_one_period() -> None:
    """Against every price, by the law of demand: at 7 units each sold one is bought again for 10."""
    game = Game(load("pricing_frozen_competitor"))
    process = game.processes["seller"]

    def profit(price: int) -> float:
        law = process.distribution(given=price)
        left = np.maximum(7 - law.values, 0) @ law.probabilities
        short = np.maximum(law.values - 7, 0) @ law.probabilities
        return float((price - 10) * law.mean - 0.5 * left - 5 * short)

    best = max(range(1, 51), key=profit)
    assert decided(game, "myopic_price", {"base_stock_level": 7}, 2) == (5, best)
    rule = {"reorder_point": 3, "order_up_to_level": 7, "unit_value": 10}
    assert decided(game, "reorder_point_price", rule, 2) == (5, best)
    assert decided(game, "reorder_point_price", rule, 4)[0] == 0


def test_prices_follow_what_the_competitor_asks() -> None:
    game = Game(load("pricing_replenishment"))
    player = seat_everybody(game, "myopic_price", {"seller": {"base_stock_level": 12}})["seller"]
    state = game.start(3)
    (market,) = state.memory
    for number, rival in enumerate((8.0, 25.0, 50.0)):
        state.memory[market]["competitor_price"][0, number] = rival
    found, _ = player.act(game.observe(state, "seller"), None)
    assert found.price[0, 0] != found.price[0, 1] != found.price[0, 2]


@pytest.mark.parametrize("name", NAMES)
def test_tuned_it_is_optimal_without_lead_time_competition_and_fixed_cost(name: str) -> None:
    game = Game(load("pricing_frozen_competitor", {"game.horizon": 300}))
    (tuned,) = solve(game, name)
    assert abs(tuned.solution.cost + 76.962057) < 4 * tuned.solution.standard_error < 1
    assert tuned.solution.parameters["seller"].get("base_stock_level", 7) == 7


@pytest.mark.parametrize(
    "chain, name, message",
    [
        ("lost_sales", "myopic_price", "decides no price"),
        ("pricing_competition", "base_stock", "decides no orders"),
        ("pricing_frozen_competitor", "constant_price", "decides orders, which the rule constant_price does not"),
    ],
)
def test_seats_that_a_rule_does_not_fit_are_refused(chain: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        seat_everybody(Game(load(chain)), name)


@pytest.mark.parametrize(
    "price, message", [(50.5, "outside its price_range, 1 to 50"), (np.nan, "NaN"), (0.5, "1 to 50")]
)
def test_prices_that_the_market_does_not_take_are_refused(price: float, message: str) -> None:
    game = Game(load("pricing_frozen_competitor"))
    with pytest.raises(ValueError, match=message):
        game.step(game.start(1), {"seller": Decisions(order=np.zeros((1, 1)), price=np.array([[price]]))})


def test_a_rule_for_one_row_refuses_several() -> None:
    market: dict[str, Any] = {"process": "logistic_price", "price": 9, "price_range": [1, 20]}
    document = {
        "nodes": {"source": {"kind": "source"}, "a": {"demand": market}, "b": {"demand": market}},
        "edges": [{"from": "source", "to": "a"}, {"from": "source", "to": "b"}],
        "game": {"agents": {"both": {"decides": ["a", "b"]}}},
    }
    with pytest.raises(InputError, match="a seat of one row"):
        seat_everybody(Game(document), "myopic_price")
