"""Long plays hold no more memory than short ones: noise is dropped when its periods have passed."""

import gc
import tracemalloc

import numpy as np
import pytest

from marl_supply.game import Game
from marl_supply.simulation import Decisions


@pytest.mark.parametrize("periods", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_long_plays_hold_no_more_than_short_ones(periods: int) -> None:
    chain = {
        "name": "long",
        "nodes": {
            "plant": {"kind": "source"},
            "shop": {"disruption": {"probability": 0.1}, "demand": {"process": "poisson", "mean": 3}},
        },
        "edges": [{"from": "plant", "to": "shop", "lead_time": 2, "delay": [0.5, 0.5], "shipping_loss": 0.1}],
    }
    game = Game(chain, horizon=20_000)
    state, orders, held = game.start(16, seed=1), Decisions(order=np.full((1, 16), 3.0)), []
    tracemalloc.start()
    for period in range(1, periods + 1):
        game.observe(state, "shop").noise(2)
        state, _ = game.step(state, orders)
        if period in (1_000, periods):
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[1] < held[0] + 50_000
