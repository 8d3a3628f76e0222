"""Shang & Song (2003), row 1: four stages, Poisson 16 a unit of time, lead times .25, p = 9, cost 12.6879.

Poisson 16 over .25 is a periodic chain with Poisson 4 a period and lead times 1 in which orders are placed after the
demand of the period is known (`timing`). Costs are a rate: per unit of time they are what a period is charged.
They include what is on the way between stages, at the local holding cost of the stage that sent it.
"""

import numpy as np
import pytest
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.topology import generators, load

ECHELON_HOLDING_COST = 0.25
CHAIN = load(
    generators.serial([1] * 4, [4 * 0.25, 3 * 0.25, 2 * 0.25, 0.25], 9, {"process": "poisson", "mean": 4}),
    {
        "timing": {"demand_visible": "before_ordering", "decision_order": "downstream_first"},
        **{f"edges.stage_{n + 1}-stage_{n}.holding_cost": ECHELON_HOLDING_COST * (4 - n) for n in (1, 2, 3)},
    },
)
STATED = (8, 13, 18, 22)


def evaluated(levels: tuple[int, ...], replications: int) -> Evaluation:
    game = Game(CHAIN, horizon=600, warm_up=100, criterion="average", observe="shared_demand", reward="shared")
    stages = {f"stage_{number}": level for number, level in enumerate(levels, start=1)}
    return evaluate(game, seat_everybody(game, "echelon_base_stock", stages), replications, seed=22)


def test_cost_of_the_optimum() -> None:
    assert_agrees(evaluated(STATED, 1000), 12.6879, rounding=0.00005, width=0.006)


@pytest.mark.parametrize("levels", [(7, 13, 18, 22), (9, 13, 18, 22), (8, 13, 18, 21), (8, 13, 18, 23)])
def test_neighbours_cost_more(levels: tuple[int, ...]) -> None:
    """Paired on common demand: the loss exceeds its own 99.9% interval."""
    loss = evaluated(levels, 300).sample - evaluated(STATED, 300).sample
    assert loss.mean() > NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))
