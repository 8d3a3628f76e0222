"""An env runner that is a worker of A3C: it samples its chains and computes the gradients itself."""

from __future__ import annotations

from typing import Any

import torch

from marl_supply.learning.objectives import mean_over
from marl_supply.learning.rllib.a3c.gradients import Gradient, Weights, loss, put_weights
from marl_supply.learning.rllib.actors_critics import ActorsCritics
from marl_supply.learning.rllib.modules import CRITIC
from marl_supply.learning.rllib.runner import BatchedEnvRunner


class GradientRunner(BatchedEnvRunner):
    """Plays its share of the chains with its own actors and critics.

    Workers are numbered from 1; number 0 holds the newest actors for evaluations and plays nothing.
    """

    def samples(self) -> bool:
        """Whether this runner plays."""
        return (self.worker_index or 0) > 0

    def make_module(self) -> None:
        """Build actors and critics."""
        self.module = self.config.get_multi_rl_module_spec(inference_only=False).build()
        self.networks = ActorsCritics(self.module, self.config.interface(), self.config.learner)
        self._stack()

    def take(self, weights: Weights) -> None:
        """Play on with these weights."""
        put_weights(self.module, weights.arrays)
        self._weights_seq_no = weights.version
        self._stack()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`, also where its weights are older than the present ones."""
        self._weights_seq_no = 0
        self.set_state(state)

    def sample_and_grad(self, weights: Weights | None = None) -> Gradient:
        """Play the settings' number of periods, with new weights if given, and return the gradient there."""
        if weights is not None:
            self.take(weights)
        sampled = self.sample()
        agents = self.config.agents_to_train()
        batch = self.networks.prepare(sampled, agents)
        modules = {**self.networks.parameters_of(agents), CRITIC: list(self.networks.critic.parameters())}
        parameters = [parameter for own in modules.values() for parameter in own]
        entropy = self.config.learner.entropy * self.config.remaining(self._weights_seq_no)
        gradients = iter(torch.autograd.grad(loss(self.networks, agents, batch, entropy), parameters))
        arrays = {name: [next(gradients).numpy() for _ in own] for name, own in modules.items()}
        mean, deviation = self.networks.critic.moments.current()
        targets = batch.targets * deviation + mean
        return Gradient(
            self._weights_seq_no,
            arrays,
            mean_over(targets, None).numpy(),
            mean_over(targets.square(), None).numpy(),
            sampled.env_steps(),
        )
