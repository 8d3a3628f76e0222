"""An RLlib Learner for Q-networks of several copies and agents: one stacked gradient step for all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.policy.sample_batch import MultiAgentBatch
from ray.rllib.utils.metrics import ALL_MODULES
from torch import Tensor
from torch.nn.functional import huber_loss

from marl_supply.learning.networks import propagate, stacked
from marl_supply.learning.rllib.learner import BatchLearner
from marl_supply.learning.rllib.q_learning.modules import QModule
from marl_supply.learning.rllib.q_learning.replay import Draw, Replay, Transitions
from marl_supply.learning.rllib.q_learning.runner import AGES, CUT, FEEDBACK

DRAWS = 2015
"""Key of the generator of draws from the replay, the same for every seed so that copies can share them."""
COMPONENT_REPLAY = "replay"
SMALLEST_DEVIATION = 1e-3
LAST_RATE = 0.1
"""Share of the step size that is left at the end of the training."""

Layers = Sequence[tuple[Tensor, Tensor]]


class QLearner(BatchLearner):
    """Keeps the replay and the target networks, and updates the Q-networks of all copies and agents.

    A copy's update is that of a run of its seed alone. The targets of an update are computed once, with the networks
    at its beginning.
    """

    def build(self) -> None:
        """Build the networks; the targets begin as their copies."""
        super().build()
        settings = self.config.learner
        self.replay = Replay(settings.slots, settings.returns, settings.discount)
        self._agents = list(self.config.interface().agents)
        self._closed = torch.stack([self._q(agent).closed for agent in self._agents])[:, None, None]
        self._target = self._copied()

    def _q(self, agent: str) -> QModule:
        module: QModule = self.module[agent]
        return module

    def _layers(self) -> Layers:
        return stacked([self._q(agent).network for agent in self._agents])

    @torch.no_grad()
    def _copied(self) -> Layers:
        return [(weight.clone(), bias.clone()) for weight, bias in self._layers()]

    @property
    def remaining(self) -> float:
        """Share of the step size that is left."""
        return max(super().remaining, LAST_RATE)

    def learn(self, batch: MultiAgentBatch) -> None:
        """Put the batch into the replay and perform the gradient steps of one update."""
        self.replay.add(self._transitions(batch))
        if self.replay.transitions >= self.config.learner.learning_starts:
            self._learn()

    def _transitions(self, batch: MultiAgentBatch) -> Transitions:
        """RLlib's batch, rows chain by chain, as periods of all chains: (T, B, ...)."""
        periods = self.config.learner.periods

        def by_period(value: np.ndarray) -> np.ndarray:
            return value.reshape(-1, periods, *value.shape[1:]).swapaxes(0, 1)

        def joined(column: str) -> np.ndarray:
            return by_period(np.stack([batch.policy_batches[agent][column] for agent in self._agents], axis=1))

        first = batch.policy_batches[self._agents[0]]
        return Transitions(
            observations=joined(Columns.OBS),
            actions=joined(Columns.ACTIONS),
            rewards=joined(Columns.REWARDS),
            following=joined(Columns.NEXT_OBS),
            cut=by_period(first[CUT]),
            ages=by_period(first[AGES]),
            feedback=joined(FEEDBACK),
        )

    def _learn(self) -> None:
        settings = self.config.learner
        generator = np.random.default_rng([DRAWS, self._weights_seq_no])
        draw = self.replay.draw(settings.gradient_steps * settings.batch, generator)
        deviation = np.maximum(self.replay.deviation(), SMALLEST_DEVIATION)
        observations, actions = by_network(draw.observations), by_network(draw.actions).unsqueeze(-1)
        targets = self.targets(draw, deviation)
        modules = {agent: list(self._q(agent).parameters()) for agent in self.agents_to_update()}
        loss = torch.zeros(())
        for step in range(settings.gradient_steps):
            rows = slice(step * settings.batch, (step + 1) * settings.batch)
            values = propagate(self._layers(), observations[:, rows]).gather(2, actions[:, rows]).squeeze(2)
            errors = huber_loss(values, targets[:, rows], reduction="none", delta=settings.huber)
            loss = errors.mean(1).sum()
            self.descend(loss, modules)
        self.metrics.log_value((ALL_MODULES, "td_loss"), float(loss.detach()) / len(targets), window=1)
        if self._weights_seq_no % settings.target_every == 0:
            self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the target networks to the networks."""
        for own, new in zip(self._target, self._copied(), strict=True):
            for part, other in zip(own, new, strict=True):
                part.lerp_(other, self.config.learner.target_rate)

    def target_layers(self) -> list[list[np.ndarray]]:
        """Weights (A K, in, out) and biases (A K, 1, out) of the target networks."""
        return [[part.numpy().copy() for part in layer] for layer in self._target]

    @torch.no_grad()
    def targets(self, draw: Draw, deviation: np.ndarray) -> Tensor:
        """(A K, M) rewards and the discounted value of what follows, also where a game was cut.

        Parameters
        ----------
        deviation : (A, K)
            What rewards are divided by.
        """
        following = by_network(draw.following)
        later = self._open(propagate(self._target, following))
        if self.config.learner.double:
            chosen = self._open(propagate(self._layers(), following)).argmax(2, keepdim=True)
            value = later.gather(2, chosen).squeeze(2)
        else:
            value = later.amax(2)
        rewards = by_network(draw.rewards / deviation)
        targets = rewards + torch.from_numpy(draw.discount) * value
        return targets - targets.mean(1, keepdim=True) if self.config.learner.centre else targets

    def _open(self, values: Tensor) -> Tensor:
        """(A K, rows, n) values, those of choices that do not exist far below all others."""
        agents = len(self._agents)
        return (values.view(agents, -1, *values.shape[1:]) + self._closed).view_as(values)

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """RLlib's state, the target networks and the replay."""
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(COMPONENT_REPLAY, components, not_components):
            state[COMPONENT_REPLAY] = {
                "replay": self.replay.get_state(),
                "target": self.target_layers(),
            }
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`."""
        super().set_state(state)
        if COMPONENT_REPLAY in state:
            kept = state[COMPONENT_REPLAY]
            self.replay.set_state(kept["replay"])
            self._target = [(torch.tensor(weight), torch.tensor(bias)) for weight, bias in kept["target"]]


def by_network(values: np.ndarray) -> Tensor:
    """(A K, M, ...) contiguous tensor from (M, A, K, ...) numbers."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    return tensor.movedim(0, 2).flatten(0, 1).contiguous()
