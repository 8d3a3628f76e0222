"""The search finds known optima, says what it did, and refuses what it cannot tune."""

from __future__ import annotations

import pytest

from marl_supply.errors import InputError
from marl_supply.game.compare import compare
from marl_supply.game.game import Game
from marl_supply.policies import seat_everybody
from marl_supply.solvers import tune

ONE_STORE = {
    "name": "one_store",
    "nodes": {
        "factory": {"kind": "source"},
        "store": {
            "on_hand": 15,
            "holding_cost": 1,
            "backorder_cost": 9,
            "demand": {"process": "poisson", "mean": 5},
        },
    },
    "edges": [{"from": "factory", "to": "store", "lead_time": 2, "pipeline": 5}],
    "game": {"horizon": 400, "warm_up": 20, "criterion": "average"},
}


def test_finds_the_newsvendor_level_of_one_echelon() -> None:
    """S = 20 and cost 7.123 a period: Poisson(5), h = 1, b = 9, lead time 2 (Snyder & Shen 2019, chapter 4)."""
    game = Game(ONE_STORE)
    found = tune("base_stock", game, replications=200)
    assert found.parameters == {"store": {"base_stock_level": 20.0}}
    assert found.cost / 380 == pytest.approx(7.123, abs=4 * found.standard_error / 380)
    assert found.second_best[1] > found.cost
    assert found.periods == found.candidates * 200 * 400


def test_finds_the_optimum_of_cachon_and_zipkin() -> None:
    """Local levels (supplier 4, retailer 12) are optimal for P1: echelon (12, 16) (Cachon & Zipkin 1999)."""
    found = tune("base_stock", Game("cachon_zipkin", horizon=300, warm_up=20), replications=128)
    assert found.parameters == {"supplier": {"base_stock_level": 4.0}, "retailer": {"base_stock_level": 12.0}}


def test_is_reproducible_and_reports_progress() -> None:
    game = Game(ONE_STORE, horizon=30, warm_up=0)
    lines: list[str] = []
    first = tune("forecast_base_stock", game, replications=16, progress=lambda line, tried: lines.append(line))
    second = tune("forecast_base_stock", game, replications=16)
    assert first.parameters == second.parameters
    assert lines and lines[0].startswith("cost ")


@pytest.mark.slow
def test_tuned_rule_beats_its_start_out_of_sample() -> None:
    game = Game("serial_liu_merton", horizon=100)
    found = tune("forecast_base_stock", game, replications=64)
    told = compare(game, {"start": seat_everybody(game, "forecast_base_stock"), "tuned": found.players}, 300)
    assert told.differences["tuned"].significant
    assert told.differences["tuned"].mean < 0


def test_refuses_a_rule_without_parameters_to_tune() -> None:
    with pytest.raises(InputError, match="no parameters to tune"):
        tune("random_order", Game(ONE_STORE))
    with pytest.raises(InputError, match="hides from 'store'; use observe: shared_demand"):
        tune("echelon_base_stock", Game(ONE_STORE))
