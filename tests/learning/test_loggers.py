"""Loggers: TensorBoard's event files read back, and what is missing said before anything is trained."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from small_learner import small

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.loggers.logger import Loggers, Run, check_loggers

pytest.importorskip("tensorboardX")


def events(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Name, step and value of every scalar in a folder of event files (records: length, checksum, event, checksum)."""
    from tensorboardX.proto.event_pb2 import Event

    for path in sorted(folder.glob("events.out.tfevents.*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (size,) = struct.unpack_from("<Q", content, place)
            event = Event.FromString(content[place + 12 : place + 12 + size])
            place += size + 16
            for value in event.summary.value:
                yield value.tag, event.step, value.simple_value


def test_figures_can_be_read_back(tmp_path: Path) -> None:
    loggers = Loggers(["tensorboard"], Run(tmp_path, "claim", "row", {"clip": 0.2}))
    assert not list(tmp_path.iterdir())  # opened by the first figures
    loggers(0, {"cost/all": 3.5})
    loggers(640, {"cost/all": 2.5, "cost/retailer": 1.0})
    loggers.close()
    found = list(events(tmp_path / "tensorboard"))
    assert found == [("cost/all", 0, 3.5), ("cost/all", 640, 2.5), ("cost/retailer", 640, 1.0)]


def test_what_is_missing_is_one_sentence() -> None:
    with pytest.raises(InputError, match="no logger 'tensorbord' .did you mean 'tensorboard'"):
        check_loggers(["tensorbord"])
    for name in ("wandb", "mlflow"):
        if find_spec(name) is None:
            with pytest.raises(
                InputError, match=f"{name} needs {name}, which is not installed; run pip install {name}"
            ):
                check_loggers(["tensorboard", name])


def test_finding_loggers_imports_none_of_their_packages() -> None:
    code = (
        "import sys; from marl_supply.learning.loggers.logger import check_loggers; check_loggers(['tensorboard']);"
        "print({'tensorboardX', 'wandb', 'mlflow', 'torch', 'ray'} & set(sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "set()"


@pytest.mark.usefixtures("ray_session")
def test_a_training_tells_costs_losses_and_speed() -> None:
    pytest.importorskip("ray")
    from marl_supply.learning.train import train

    told: dict[int, dict[str, float]] = {}
    learner = small("ppo")
    game = Game("beer_game_uniform", reward="shared")
    training = train(
        game, learner, [1, 2], learner.rows * 2, watch=lambda step, figures: told.update({step: dict(figures)})
    )
    assert list(told) == [0, learner.rows, 2 * learner.rows]
    last = told[2 * learner.rows]
    costs = {point.seed: point.cost for point in training.curve if point.env_steps == 2 * learner.rows}
    assert {seed: last[f"cost_of_seed/{seed}"] for seed in costs} == pytest.approx(costs)
    assert last["cost/all"] == pytest.approx(sum(costs.values()) / 2)
    assert last["cost/all"] == pytest.approx(sum(last[f"cost/{agent}"] for agent in game.agents))
    assert last["env_steps_a_second"] > 0 and last["learner/central_critic/value_loss"] > 0
