"""Alvo, Russo & Kanoria (2023), Neural Inventory Control: the serial system and the single store with backlog.

Orders are placed before the demand of the period is known; units are continuous, and nothing is charged for what is on
the way. Optimal costs a period were computed exactly; the levels are stated to two or three decimals.
"""

import numpy as np
import pytest
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.topology import generators, load

STATED = {"stage_1": 14.66, "stage_2": 32.54, "stage_3": 56.82, "stage_4": 67.36}


def evaluated(levels: dict[str, float], replications: int) -> Evaluation:
    game = Game("serial_alvo", horizon=800, warm_up=100)
    return evaluate(game, seat_everybody(game, "echelon_base_stock", levels), replications, seed=23)


def test_cost_of_the_optimum() -> None:
    evaluation = evaluated({}, 1200)
    assert_agrees(evaluation, 8.36690, width=0.007)
    assert {name for name, account in evaluation.accounts.items() if account.any()} == {"holding", "backorder"}


@pytest.mark.parametrize("stage", STATED)
@pytest.mark.parametrize("move", [-2, 2])
def test_other_levels_cost_more(stage: str, move: float) -> None:
    """Paired on common demand: the loss exceeds its own 99.9% interval."""
    loss = evaluated({**STATED, stage: STATED[stage] + move}, 250).sample - evaluated(STATED, 250).sample
    assert loss.mean() > NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))


def test_one_store_with_backlog() -> None:
    """N(5, 1.6), lead time 4, p = 9: level 29.585, cost 6.27689."""
    demand = {"process": "normal", "mean": 5, "sd": 1.6, "round": False}
    game = Game(
        load(generators.single(4, 1, 9, demand), {"units": "continuous"}),
        horizon=700,
        warm_up=100,
        criterion="average",
    )
    evaluation = evaluate(game, seat_everybody(game, "base_stock", {"stage_1": 29.585}), 1500, seed=24)
    assert_agrees(evaluation, 6.27689, width=0.007)
