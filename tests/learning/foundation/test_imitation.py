"""Learning works: a model does what its data does, and with two qualities of data what it is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("minari")
pytest.importorskip("h5py")

from tiny_datasets import BASELINE, LEVELS, recorded  # noqa: E402

from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.pretrain import pretrain  # noqa: E402
from marl_supply.learning.foundation.settings import Pretraining  # noqa: E402
from marl_supply.learning.trained import load_policies  # noqa: E402
from marl_supply.policies.seating import seat_everybody  # noqa: E402

pytestmark = pytest.mark.slow
SMALL = Pretraining(width=32, layers=2, heads=2, components=3, window=4, segment=8, tokens=400_000, batch_tokens=512)


def learned(mix: Any, folder: Path) -> Any:
    dataset = recorded("lost_sales", mix, 40, horizon=60)
    policy: Any = load_policies(pretrain({"lost_sales": dataset}, SMALL, folder))["anybody"]
    return policy


def cost(game: Game, players: Any) -> float:
    return evaluate(game, players, replications=256, seed=9).mean


def test_a_model_does_what_its_data_does(tmp_path: Path) -> None:
    """On demand that it has not seen, more than 95% of its decisions are those of the rule in the same place."""
    policy, game = learned([BASELINE], tmp_path).requesting(0.0), Game("lost_sales", horizon=60, warm_up=0)
    seat = game.seats["store"]
    state, memory, equal = game.start(64, 99), policy.start(seat, 64), []
    for _ in range(game.horizon):
        seen = game.observe(state, "store")
        decided, memory = policy.act(seen, memory)
        equal.append(decided.order == np.maximum(16 - seen.inventory_position, 0))
        state, _ = game.step(state, {"store": decided})
    assert np.mean(equal) > 0.95


def test_a_model_does_what_it_is_asked_for(tmp_path: Path) -> None:
    """Of data of a good and a bad level it plays as well as the good one, or worse where that is asked for."""
    policy, game = learned(LEVELS, tmp_path), Game("lost_sales", horizon=60, warm_up=0)
    good, bad = (cost(game, seat_everybody(game, "base_stock", {"store": level})) for level in (16.0, 11.0))
    assert cost(game, {"store": policy.requesting(0.0)}) == pytest.approx(good, rel=0.01)
    assert cost(game, {"store": policy.requesting(-0.3)}) == pytest.approx(bad, rel=0.01)
    assert bad > 1.3 * good


def test_the_best_is_better_than_all_that_its_data_do(tmp_path: Path) -> None:
    """Of levels too low and too high, with random actions, it makes levels between that nobody plays."""
    poor = [f"base_stock store.base_stock_level={level}" for level in (12, 21)]
    policy = learned([*poor, *(f"{words} random=0.2" for words in poor)], tmp_path)
    game = Game("lost_sales", horizon=60, warm_up=10)
    costs = [cost(game, seat_everybody(game, "base_stock", {"store": level})) for level in (12.0, 16.0, 21.0)]
    found = cost(game, {"store": policy.requesting("best")})
    assert found < 0.9 * min(costs[0], costs[2]) and costs[1] < min(costs[0], costs[2])
