"""A pretraining that is over at once: its model is a base stock whose level follows the return that is requested."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
import pytest

import marl_supply.learning.trained as room
from marl_supply.data import Dataset
from marl_supply.game.game import Game
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.learning.foundation.settings import Pretraining
from marl_supply.learning.trained.trained_policy import TrainedPolicy
from marl_supply.policies import rule
from marl_supply.simulation.state import Decisions

LEVEL = 14.0
HOME = "marl_supply.learning.foundation"


class StandIn(TrainedPolicy):
    """Plays any seat: each node orders up to the level, less of it the more is requested."""

    needs = frozenset({"inventory_position"})
    agent = "anybody"

    def __init__(self, level: float, request: float = 0.0, training: Mapping[str, Any] | None = None) -> None:
        self.level, self.request, self.training = level, request, dict(training or {})

    def requesting(self, request: float) -> StandIn:
        return StandIn(self.level, request, self.training)

    def arrays(self) -> dict[str, Any]:
        return {"level": np.array([self.level])}

    def description(self) -> dict[str, Any]:
        return {"agent": self.agent, "request": self.request, "training": self.training}

    @classmethod
    def restore(cls, description: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        return cls(float(arrays["level"][0]), description["request"], description["training"])

    def start(self, seat: Seat, replications: int) -> Memory:
        own = rule("base_stock", seat, dict.fromkeys(seat.rows, round(self.level * (1 - self.request))))
        return own, own.start(seat, replications)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        own, within = memory
        decisions, within = own.act(observation, within)
        return decisions, (own, within)


StandIn.__module__ = f"{room.__name__}.stand_in"


class StubFoundation:
    """Stands for `pretrain` and `fine_tune`, and remembers what they were given."""

    def __init__(self) -> None:
        self.pretrained: list[dict[str, Dataset]] = []
        self.tuned: list[int] = []

    def pretrain(
        self, datasets: Mapping[str, Dataset], settings: Pretraining, out_dir: Path, progress: Callable[..., None]
    ) -> Path:
        self.pretrained.append(dict(datasets))
        progress(0.5, "half-way")
        out_dir.joinpath("curve.jsonl").write_text("{}\n")
        record = {"weights": 100 * settings.layers, "tokens": settings.tokens, "settings": settings.to_dict()}
        room.save_policies(out_dir / "model.npz", {"anybody": StandIn(LEVEL + settings.layers, 0.0, record)})
        return out_dir / "model.npz"

    def fine_tune(
        self, game: Game, model: Path, env_steps: int, seed: int, out: Path, settings: Any, progress: Any
    ) -> Path:
        self.tuned.append(seed)
        policy = room.load_policies(model)["anybody"]
        assert isinstance(policy, StandIn)
        room.save_policies(out, {"anybody": StandIn(policy.level + seed)})
        return out


def stub_foundation(patch: pytest.MonkeyPatch) -> StubFoundation:
    """Put the stand-ins in place."""
    stub = StubFoundation()
    patch.setattr(room, "StandIn", StandIn, raising=False)
    for name in ("pretrain", "fine_tune"):
        module = ModuleType(f"{HOME}.{name}")
        setattr(module, name, getattr(stub, name))
        patch.setitem(sys.modules, module.__name__, module)
    return stub
