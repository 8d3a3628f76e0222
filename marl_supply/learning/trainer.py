"""What trains all copies of a learner, one update at a time; `train` does the rest for all of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.settings import Learner
from marl_supply.learning.trained import TrainedPolicy


class Trainer(Protocol):
    """One training of K copies; made with (game, learner, seeds, env_steps, fixed, env_runners,
    learners).

    Attributes
    ----------
    game, learner, seeds
        What is trained.
    updates : int
        Planned for the budget.
    """

    game: Game
    learner: Learner
    seeds: Sequence[int]
    updates: int

    def update(self) -> None:
        """Play once and update once."""

    def greedy_costs(self) -> NDArray[np.float64]:
        """(agents of the game, K) costs of what would be exported now, on held-out demand, by the game's criterion."""

    def snapshot(self, copy: int) -> Any:
        """What one copy has learned so far, as a tree of arrays."""

    def policies(self, snapshot: Any, record: Mapping[str, Any]) -> Mapping[str, TrainedPolicy]:
        """The learning agents of a snapshot as policies; `record` says how they were trained."""

    def losses(self) -> dict[str, float]:
        """What was measured in the last update, by name, for loggers."""

    def identity(self) -> dict[str, Any]:
        """What makes a checkpoint belong to this training, JSON-able."""

    def get_state(self) -> Any:
        """Everything that the next updates depend on, as a tree of arrays and numbers."""

    def set_state(self, state: Any) -> None:
        """Go on from `get_state`."""

    def stop(self) -> None:
        """Release what is held."""


def trainer_of(
    game: Game,
    learner: Learner,
    seeds: Sequence[int],
    env_steps: int,
    fixed: Mapping[str, Policy] | None = None,
    env_runners: int = 0,
    learners: int = 0,
) -> Trainer:
    """The trainer that a learner names, ready to begin."""
    module, _, name = learner.trainer.partition(":")
    make = getattr(importlib.import_module(module), name)
    trainer: Trainer = make(game, learner, seeds, env_steps, dict(fixed or {}), env_runners, learners)
    return trainer


def identity_of(
    game: Game, learner: Learner, seeds: Sequence[int], env_steps: int, fixed: Mapping[str, Policy]
) -> dict[str, Any]:
    """What makes a checkpoint belong to a training, JSON-able."""
    return {
        "topology": game.topology.to_dict(),
        "learner": learner.to_dict(),
        "seeds": list(seeds),
        "env_steps": int(env_steps),
        "fixed": sorted(fixed),
    }
