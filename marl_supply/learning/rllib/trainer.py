"""The algorithm as `train` uses it: one update at a time, greedy scores, weights, and a state to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_OPTIMIZER, COMPONENT_RL_MODULE
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO

from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.interface import Interface
from marl_supply.learning.rllib.algorithm import GameConfig
from marl_supply.learning.rllib.modules import Actor
from marl_supply.learning.rllib.session import ensure_ray
from marl_supply.learning.settings import Learner

Layers = dict[str, list[tuple[np.ndarray, np.ndarray]]]


class Trainer:
    """One training of K copies.

    Attributes
    ----------
    interface : Interface
        What the learning agents see and choose.
    updates : int
        Planned for the budget.
    """

    def __init__(
        self,
        game: Game,
        learner: Learner,
        seeds: Sequence[int],
        env_steps: int,
        fixed: dict[str, Policy],
        env_runners: int = 0,
    ) -> None:
        config = GameConfig().play(game, learner, seeds, env_steps, fixed)
        config.env_runners(num_env_runners=env_runners)
        self.learner, self.seeds, self.fixed = learner, config.seeds, fixed
        self.updates = config.updates
        self.interface: Interface = config.interface()
        self._identity = {
            "topology": config.description,
            "learner": learner.to_dict(),
            "seeds": list(self.seeds),
            "env_steps": int(env_steps),
            "fixed": sorted(fixed),
        }
        ensure_ray()
        self.algorithm = config.build_algo()

    def identity(self) -> dict[str, Any]:
        """What makes a checkpoint belong to this training."""
        return self._identity

    def update(self) -> None:
        """Sample once and update once."""
        self.algorithm.train()

    def layers(self) -> Layers:
        """For each agent its weights (K, in, out) and biases (K, 1, out)."""
        return {
            agent: [(_copied(weight), _copied(bias)) for weight, bias in self._actor(agent).network.layers()]
            for agent in self.interface.agents
        }

    def _actor(self, agent: str) -> Actor:
        module: Actor = self.algorithm.get_module(agent)
        return module

    @torch.no_grad()
    def logits(self, observations: np.ndarray) -> np.ndarray:
        """(A, K, B, C, n) from (A, K, B, o)."""
        scores: np.ndarray = self.algorithm.env_runner.logits(observations).numpy()
        return scores

    def get_state(self) -> dict[str, Any]:
        """Weights, optimizers, value moments and the arenas: everything the next updates depend on."""
        learner = self.algorithm.learner_group.get_state()[COMPONENT_LEARNER]
        kept = {name: learner[name] for name in (COMPONENT_RL_MODULE, COMPONENT_OPTIMIZER, WEIGHTS_SEQ_NO)}
        # RLlib's arrays are those that training goes on with.
        return {COMPONENT_LEARNER: deepcopy(kept), "arenas": self.algorithm.arenas()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`."""
        self.algorithm.learner_group.set_state({COMPONENT_LEARNER: state[COMPONENT_LEARNER]})
        self.algorithm.env_runner_group.sync_weights(
            from_worker_or_learner_group=self.algorithm.learner_group, inference_only=True, timeout_seconds=None
        )
        self.algorithm.set_arenas(state["arenas"])

    def stop(self) -> None:
        """Release the algorithm; ray stays."""
        self.algorithm.stop()


def _copied(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().numpy().copy()
