"""Q-learning as `train` uses it; what is evaluated and exported are the target networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from marl_supply.learning.arena import View
from marl_supply.learning.held_out import held_out_costs
from marl_supply.learning.networks import propagate
from marl_supply.learning.rllib.q_learning.algorithm import QConfig
from marl_supply.learning.rllib.q_learning.learner import COMPONENT_REPLAY, QLearner
from marl_supply.learning.rllib.q_learning.modules import closed_choices
from marl_supply.learning.rllib.trainer import Layers, OnPolicyTrainer
from marl_supply.learning.trained.choosing_policy import ChoosingPolicy, choosing_policies


class QTrainer(OnPolicyTrainer):
    """One training of K copies of Q-networks."""

    config_class = QConfig
    components = (*OnPolicyTrainer.components, COMPONENT_REPLAY)

    def layers(self) -> Layers:
        """For each agent the weights (K, in, out) and biases (K, 1, out) of its target network."""
        agents, copies = self.interface.agents, len(self.seeds)
        return {
            agent: [(w[n * copies : (n + 1) * copies], b[n * copies : (n + 1) * copies]) for w, b in self._target()]
            for n, agent in enumerate(agents)
        }

    def _target(self) -> list[list[np.ndarray]]:
        (layers,) = [result.get() for result in self.algorithm.learner_group.foreach_learner(_target_layers)]
        found: list[list[np.ndarray]] = layers
        return found

    def greedy_costs(self) -> np.ndarray:
        """(agents of the game, K) costs of the choices of largest value on held-out demand."""
        layers = [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in self._target()]
        closed = torch.from_numpy(closed_choices(self.interface)[:, 0].astype(np.float32))[:, None, None]

        @torch.no_grad()
        def choose(view: View) -> np.ndarray:
            values = _values(layers, torch.from_numpy(view.actors)) + closed
            chosen: np.ndarray = values.argmax(-1, keepdim=True).numpy()
            return chosen

        return held_out_costs(self.game, self.learner, self.seeds, choose, self.fixed)

    def policies(self, snapshot: Layers, record: Mapping[str, Any]) -> dict[str, ChoosingPolicy]:
        """The learning agents of one copy as policies that take the choice of the largest value."""
        return choosing_policies(self.interface, snapshot, record, closed_choices(self.interface))


def _values(layers: list[tuple[Tensor, Tensor]], seen: Tensor) -> Tensor:
    """(A, K, B, n) values from (A, K, B, o)."""
    agents, copies = seen.shape[:2]
    return propagate(layers, seen.flatten(0, 1)).view(agents, copies, seen.shape[2], -1)


def _target_layers(learner: QLearner) -> list[list[np.ndarray]]:
    return learner.target_layers()
