"""Totals of the beer game over 101 periods (REFERENCE F, equal to the code of Oroojlooyjadid et al. 2022)."""

from typing import Any

import pytest

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody


def total(chain: str, rule: str, replications: int, seats: Any = None, **settings: Any) -> Evaluation:
    """Everybody plays one rule with the parameters of the file, but for some seats."""
    game = Game(chain, **{"horizon": 101, **settings})
    return evaluate(game, seat_everybody(game, rule, seats=seats), replications, seed=3)


@pytest.mark.parametrize(("rule", "expected"), [("base_stock", 180.0), ("sterman", 5997.5)])
def test_classic_totals_are_exact(rule: str, expected: float) -> None:
    evaluation = total("beer_game", rule, 2)
    assert evaluation.mean == expected and evaluation.standard_error == 0


# Tolerance: the stated error of the published figure, and three standard errors of this sample.
@pytest.mark.parametrize(
    ("rule", "seats", "expected", "error"),
    [
        ("base_stock", None, 682.48, 0.90),
        ("sterman", None, 11_220, 24),
        ("sterman", {"retailer": "base_stock"}, 7_931, 10),
    ],
)
def test_basic_totals(rule: str, seats: Any, expected: float, error: float) -> None:
    evaluation = total("beer_game_basic", rule, 4000, seats)
    assert abs(evaluation.mean - expected) < error + 3 * evaluation.standard_error


def test_basic_long_run_cost_of_base_stock() -> None:
    """5.180 a period; the retailer alone pays for backorders, and all pay for what they hold."""
    evaluation = total("beer_game_basic", "base_stock", 300, horizon=1100, warm_up=100, criterion="average")
    assert abs(evaluation.figure - 5.180) < 0.0005 + 3 * evaluation.standard_error / evaluation.periods
