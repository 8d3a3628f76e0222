"""Levels by believed regime: Bayes' rule, where it is base stock, refusals, and a hidden regime that it uses."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from shipped_chains import ORDERING

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import rule, seat_everybody
from marl_supply.policies.regime_base_stock import RegimeBaseStock
from marl_supply.testing import check_policy
from marl_supply.topology import load

MEANS, TRANSITION = (2.0, 12.0), ((0.95, 0.05), (0.1, 0.9))
MOVING = {"process": "markov_modulated", "means": MEANS, "transition": TRANSITION}
CHAIN = load("single_echelon", {"nodes.store.demand": MOVING})
SEAT = Game(CHAIN).seats["store"]


def levels_of(player: Any, demands: list[float], seat: Any = SEAT) -> list[float]:
    """Levels after each demand of a path, the first before any is seen."""
    memory, levels = player.start(seat, 1), []
    for demand in (0.0, *demands):
        decisions, memory = player.act(
            SimpleNamespace(seat=seat, replications=1, incoming_orders=np.array([[demand]])), memory
        )
        levels.append(float(decisions.order_up_to[0, 0]))
    return levels


def test_levels_are_weighted_by_bayes_rule() -> None:
    player = RegimeBaseStock({"level_1": 0, "level_2": 1_000_000, "level_3": 7, "level_4": 7}, SEAT)
    belief = np.array([2 / 3, 1 / 3])  # stationary: leaves the first with .05, the second with .1
    expected = [belief[1]]
    demands = [3.0, 6.0, 7.0, 20.0, 0.0]
    for demand in demands:
        belief = belief * stats.poisson(MEANS).pmf(demand)
        belief = belief / belief.sum() @ np.array(TRANSITION)
        expected.append(belief[1])
    np.testing.assert_allclose(np.array(levels_of(player, demands)) / 1e6, expected, atol=1e-6)


def test_a_regime_that_demand_gives_away_is_revealed() -> None:
    """Without demand in the first regime and with it for sure in the second, the next regime's law is a row."""
    revealed = {"process": "markov_modulated", "means": [0, 100], "transition": TRANSITION}
    seat = Game(load("single_echelon", {"nodes.store.demand": revealed})).seats["store"]
    player = RegimeBaseStock({"level_1": 0, "level_2": 100, "level_3": 0, "level_4": 0}, seat)
    assert levels_of(player, [0, 100, 100, 0], seat) == [33, 5, 90, 90, 5]


def test_defaults_cover_the_lead_time_from_each_regime_on() -> None:
    """Three periods of demand that begins in a regime, and one deviation of it as if Poisson."""
    step = np.array(TRANSITION)
    means = sum(np.linalg.matrix_power(step, ahead) @ MEANS for ahead in range(3))
    values = RegimeBaseStock({}, SEAT).values
    assert [values[f"level_{n}"][0] for n in (1, 2)] == np.ceil(means + np.sqrt(means)).tolist()
    assert values["level_3"].tolist() == values["level_4"].tolist() == [0.0]


def test_without_regimes_it_is_base_stock() -> None:
    game = Game("beer_game", horizon=30)
    plain = evaluate(game, seat_everybody(game, "base_stock"), 10)
    levels = {node: {"level_1": level} for node, level in game.topology.policies["base_stock"].items()}
    np.testing.assert_array_equal(
        evaluate(game, seat_everybody(game, "regime_base_stock", levels), 10).cost, plain.cost
    )


def test_more_regimes_than_levels_are_refused() -> None:
    five = {"process": "markov_modulated", "means": [1, 2, 3, 4, 5], "transition": np.full((5, 5), 0.2).tolist()}
    game = Game(load("single_echelon", {"nodes.store.demand": five}))
    with pytest.raises(InputError, match=r"nodes.store: 5 regimes; .* levels for 4; choose another rule\.$"):
        rule("regime_base_stock", game.seats["store"])


@pytest.mark.parametrize("chain", ORDERING)
def test_it_plays_every_chain(chain: str) -> None:
    check_policy("regime_base_stock", chain)


def test_it_plays_hidden_regimes() -> None:
    check_policy("regime_base_stock", CHAIN)
    check_policy("regime_base_stock", load(CHAIN, {"timing.demand_visible": "before_ordering"}))


def test_where_regimes_last_it_beats_one_level_and_a_level_that_follows_a_forecast() -> None:
    """Poisson demand of mean 2 or 12, 20 periods each on average; the rules at levels that a search found."""
    lasting = {**MOVING, "transition": [[0.95, 0.05], [0.05, 0.95]]}
    game = Game(load("single_echelon", {"nodes.store.demand": lasting}), horizon=300)
    sample = {
        name: evaluate(game, seat_everybody(game, name, {"store": values}), 200, 5).sample
        for name, values in {
            "base_stock": {"base_stock_level": 40},
            "forecast_base_stock": {"safety_stock": 21.3, "cover": 1.8, "smoothing": 0.46},
            "regime_base_stock": {"level_1": 17, "level_2": 43},
        }.items()
    }
    for other, least in (("base_stock", 0.1), ("forecast_base_stock", 0.02)):
        saved = sample[other] - sample["regime_base_stock"]
        assert saved.mean() > least * sample[other].mean()
        assert saved.mean() > 4 * saved.std(ddof=1) / np.sqrt(len(saved))
