"""Serial chains: the optimum of the periodic convention (Clark & Scarf 1960), and Snyder & Shen's Example 6.1.

The file's convention: orders are placed before the demand of the period is known, so an order covers lead time + 1
periods. Snyder & Shen order after demand (`timing`), so that every stage covers its lead time only; their cost includes
what is on the way to the stages below, at the holding cost of the stage that sent it.
"""

import numpy as np
import pytest
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.topology import generators, load

OPTIMUM = {"stage_1": 15, "stage_2": 27}


def evaluated(levels: dict[str, float], chain: object = "serial_clark_scarf", replications: int = 1500) -> Evaluation:
    """Echelon base-stock levels played on a chain, cost a period."""
    game = Game(chain, horizon=600, warm_up=100, criterion="average", observe="shared_demand", reward="shared")
    return evaluate(game, seat_everybody(game, "echelon_base_stock", levels), replications, seed=21)


def test_cost_of_the_optimum_with_what_is_on_the_way() -> None:
    evaluation = evaluated(OPTIMUM)
    assert_agrees(evaluation, 10.238924, width=0.005)
    pipeline = evaluation.accounts["pipeline"].sum(0) / evaluation.periods
    assert pipeline.mean() == pytest.approx(0.5 * 5, rel=0.002)  # holding cost x mean demand x lead time


def test_cost_of_the_optimum_without_it() -> None:
    chain = load("serial_clark_scarf", {"edges.stage_2-stage_1.holding_cost": 0})
    assert_agrees(evaluated(OPTIMUM, chain), 7.738924, width=0.006)


def test_the_file_suggests_the_optimum() -> None:
    np.testing.assert_array_equal(evaluated({}, replications=2).cost, evaluated(OPTIMUM, replications=2).cost)


@pytest.mark.parametrize("levels", [(13, 27), (17, 27), (15, 24), (15, 30), (14, 25), (16, 29)])
def test_other_levels_cost_more(levels: tuple[int, int]) -> None:
    """Paired on common demand: the loss exceeds its own 99.9% interval. One unit off costs too little to be seen."""
    best = evaluated(OPTIMUM, replications=400).sample
    loss = evaluated(dict(zip(OPTIMUM, levels, strict=True)), replications=400).sample - best
    assert loss.mean() > NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))


def test_example_6_1_of_snyder_and_shen() -> None:
    """N(5, 1), lead times 1, 1, 2, echelon holding costs 3, 2, 2, p = 37.12: cost 47.65 to 47.67."""
    demand = {"process": "normal", "mean": 5, "sd": 1, "round": False}
    chain = load(
        generators.serial([1, 1, 2], [7, 4, 2], 37.12, demand),
        {
            "units": "continuous",
            "timing": {"demand_visible": "before_ordering", "decision_order": "downstream_first"},
            "edges.stage_2-stage_1.holding_cost": 4,
            "edges.stage_3-stage_2.holding_cost": 2,
        },
    )
    levels = {"stage_1": 6.49, "stage_2": 12.02, "stage_3": 22.71}
    assert_agrees(evaluated(levels, chain, 800), 47.66, rounding=0.01, width=0.003)
