"""Further training of a pretrained model on one game."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_transformer import policy_of, random_model

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.learning.foundation.fine_tune import fine_tune, pretrained
from marl_supply.learning.trained import save_policies
from marl_supply.learning.trained.transformer_policy import ANYBODY

FEW = {"lucks": 2, "copies": 4, "periods": 10, "reach": 5, "epochs": 2, "evaluation_replications": 32, "evaluations": 2}
STEPS = 2 * 4 * 10


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    save_policies(path, {ANYBODY: policy_of(random_model(), 0.0)})
    return path


def a_game(**settings: Any) -> Game:
    return Game("lost_sales", horizon=30, warm_up=5, **settings)


def cost_of(path: Path) -> float:
    return evaluate(a_game(), {"store": pretrained(path)}, 256, 3).figure


def test_a_poor_policy_becomes_better_and_says_how(model: Path, tmp_path: Path) -> None:
    settings = {**FEW, "learning_rate": 0.01, "copies": 16}
    tuned = fine_tune(a_game(), model, 20 * 320 + 7, 0, tmp_path / "tuned.npz", settings)
    assert cost_of(tuned) < 0.9 * cost_of(model)
    said = pretrained(tuned).training["fine_tuned"]
    assert said["of_env_steps"] == 20 * 320 and 0 < said["env_steps"] <= 20 * 320
    assert (said["game"], said["seed"]) == ("lost_sales", 0)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(model: Path, tmp_path: Path) -> None:
    settings = {**FEW, "learning_rate": 0.01, "copies": 16}
    made = [
        fine_tune(a_game(), model, 20 * 320, seed, tmp_path / f"{number}.npz", settings)
        for number, seed in enumerate((0, 0, 3))
    ]
    first, again, other = (pretrained(path).arrays() for path in made)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_agents_of_a_team_are_tuned_together(tmp_path: Path, model: Path) -> None:
    game = Game("beer_game_basic", horizon=12)
    tuned = fine_tune(game, model, STEPS, 0, tmp_path / "tuned.npz", FEW)
    assert evaluate(game, dict.fromkeys(game.agents, pretrained(tuned)), 8).replications == 8


@pytest.mark.parametrize(
    ("game", "steps", "settings", "words"),
    [
        (a_game, STEPS - 1, {}, "fewer than the 80 of one update"),
        (lambda: Game("newsvendor"), STEPS, {}, "whole units"),
        (a_game, STEPS, {"copys": 3}, "copies"),
        (a_game, STEPS, {"copies": 1}, "2 or more"),
        (a_game, STEPS, {"device": "cuda:99"}, "device"),
    ],
)
def test_what_cannot_be_tuned_is_refused_and_nothing_written(
    model: Path, tmp_path: Path, game: Any, steps: int, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        fine_tune(game(), model, steps, 0, tmp_path / "tuned.npz", {**FEW, **settings})
    assert not (tmp_path / "tuned.npz").exists()
