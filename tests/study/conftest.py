"""A small experiment with rules and stub learners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marl_supply.study.experiment import Experiment
from marl_supply.study.load import load

SMALL: dict[str, Any] = {
    "name": "small",
    "topology": "beer_game_uniform",
    "game": {"horizon": 20, "warm_up": 5},
    "compare": {
        "base_stock": {"policy": "base_stock"},
        "people": {"policy": "sterman"},
        "mixed": {"policy": "sterman", "seats": {"retailer": "base_stock"}},
        "team": {"learner": "happo", "reward": "shared"},
        "selfish": {"learner": "ppo", "reward": "individual"},
    },
    "train": {"env_steps": 10_000, "seeds": 3},
    "evaluate": {"replications": 40, "seed": 7},
}


@pytest.fixture
def make() -> Callable[..., Experiment]:
    """The small experiment, with some of its keys changed and others set."""

    def made(*overrides: str, **sections: Any) -> Experiment:
        return load({**SMALL, **sections}, overrides)

    return made


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder for results that does not exist yet."""
    return tmp_path / "results"
