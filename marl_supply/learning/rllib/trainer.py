"""On-policy learners as `train` uses them: one update at a time, greedy costs, weights, and a state to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
import torch
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_OPTIMIZER, COMPONENT_RL_MODULE
from ray.rllib.utils.metrics import LEARNER_RESULTS, WEIGHTS_SEQ_NO

from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.held_out import held_out_costs
from marl_supply.learning.interface import Interface
from marl_supply.learning.rllib.algorithm import GameConfig
from marl_supply.learning.rllib.modules import Actor
from marl_supply.learning.rllib.session import ensure_ray
from marl_supply.learning.trained.choosing_policy import ChoosingPolicy, choosing_policies
from marl_supply.learning.trained.recurrent_policy import RecurrentPolicy
from marl_supply.learning.trainer import identity_of

Layers = dict[str, list[tuple[np.ndarray, np.ndarray]]]


class OnPolicyTrainer:
    """One training of K copies.

    Attributes
    ----------
    interface : Interface
        What the learning agents see and choose.
    """

    config_class: ClassVar[type[GameConfig]] = GameConfig
    components: tuple[str, ...] = (COMPONENT_RL_MODULE, COMPONENT_OPTIMIZER, WEIGHTS_SEQ_NO)
    """What of the learner's state the next updates depend on."""

    def __init__(
        self,
        game: Game,
        learner: Any,
        seeds: Sequence[int],
        env_steps: int,
        fixed: dict[str, Policy],
        env_runners: int = 0,
        learners: int = 0,
    ) -> None:
        config = self.config_class().play(game, learner, seeds, env_steps, fixed)
        config.env_runners(num_env_runners=env_runners)
        config.learners(num_learners=learners)
        self.game, self.learner, self.seeds, self.fixed = game, learner, config.seeds, fixed
        self.updates = config.updates
        self.interface: Interface = config.interface()
        self._identity = identity_of(game, learner, self.seeds, env_steps, fixed)
        ensure_ray(runners=env_runners)
        self.algorithm = config.build_algo()
        self._last: dict[str, Any] = {}

    def identity(self) -> dict[str, Any]:
        """What makes a checkpoint belong to this training."""
        return self._identity

    def update(self) -> None:
        """Sample once and update once."""
        self._last = self.algorithm.train()

    def losses(self) -> dict[str, float]:
        """What the learner measured in the last update, ``MODULE/NAME``."""
        measured: dict[str, Any] = {}
        for module, found in self._last.get(LEARNER_RESULTS, {}).items():
            own = found.items() if isinstance(found, Mapping) else [("", found)]
            measured |= {f"{module}/{name}".rstrip("/"): value for name, value in own}
        return {
            name: float(value)
            for name, value in measured.items()
            if isinstance(value, int | float | np.number) and np.isfinite(value) and not name.endswith("_lifetime")
        }

    def greedy_costs(self) -> np.ndarray:
        """(agents of the game, K) costs of the most probable choices on held-out demand."""
        choose = self.algorithm.env_runner.greedy()
        return held_out_costs(self.game, self.learner, self.seeds, choose, self.fixed)

    def layers(self) -> Layers:
        """For each actor its weights (K, in, out) and biases (K, 1, out)."""
        return {
            name: [(_copied(weight), _copied(bias)) for weight, bias in self._actor(name).network.layers()]
            for name in self.interface.modules
        }

    def _actor(self, name: str) -> Actor:
        module: Actor = self.algorithm.get_module(name)
        return module

    def snapshot(self, copy: int) -> Layers:
        """The layers of one copy."""
        return {name: [(weight[copy], bias[copy]) for weight, bias in own] for name, own in self.layers().items()}

    def policies(self, snapshot: Layers, record: Mapping[str, Any]) -> dict[str, ChoosingPolicy]:
        """The learning agents of a snapshot."""
        kind = RecurrentPolicy if self.learner.memory_width else ChoosingPolicy
        return choosing_policies(self.interface, snapshot, record, kind=kind)

    def get_state(self) -> dict[str, Any]:
        """Weights, optimizers, value moments and the arenas: everything the next updates depend on."""
        learner = self.algorithm.learner_group.get_state()[COMPONENT_LEARNER]
        kept = {name: learner[name] for name in self.components}
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
