"""RLlib Learners for batches of copies: critics and advantages are common, subclasses say how actors are updated."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.policy.sample_batch import MultiAgentBatch
from ray.rllib.utils.metrics import ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME
from torch import Tensor

from marl_supply.learning.networks import log_probability
from marl_supply.learning.objectives import clip_gradients, clipped_gain, standardised
from marl_supply.learning.rllib.actors_critics import ActorsCritics, Batch
from marl_supply.learning.rllib.modules import CRITIC

PERMUTATIONS = 2022
"""Key of the generator of minibatches and agent orders, the same for every seed so that copies can share them."""


class StackedLearner(TorchLearner):
    """Holds the stacked networks of all copies, and steps their optimizers.

    Several of these may share a batch, a shard of whole trajectories each: sums over rows, and gradients, are added up
    over all of them, so that each makes the step that one alone would make.
    """

    def _make_modules_ddp_if_necessary(self) -> None:
        """Leave the modules alone: gradients are added up by hand, before each copy's are clipped."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of one's own: RLlib's optimizers write into the arrays that they are given."""
        super().set_state(deepcopy(state))

    def compute_loss_for_module(self, **kwargs: Any) -> Tensor:
        """Not RLlib's way: losses belong to all copies, and in sequence to one agent, so `update` computes them."""
        raise NotImplementedError(f"{type(self).__name__} computes its own losses")

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """An optimizer over the stack; its steps are elementwise, so copies do not mix."""
        parameters = self.get_parameters(self._module[module_id])
        self.register_optimizer(module_id=module_id, optimizer=self.optimizer_over(parameters), params=parameters)

    def optimizer_over(self, parameters: Any) -> torch.optim.Optimizer:
        """Adam (Kingma and Ba 2015)."""
        return torch.optim.Adam(parameters, lr=self.config.learner.learning_rate, eps=1e-5, fused=True)

    def before_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Set the step sizes of this update."""
        super().before_gradient_based_update(timesteps=timesteps)
        for optimizer in self._named_optimizers.values():
            self._set_optimizer_lr(optimizer, self.config.learner.learning_rate * self.remaining)

    @property
    def remaining(self) -> float:
        """Share of the planned updates that are still to come."""
        return self.config.remaining(self._weights_seq_no)

    def agents_to_update(self) -> list[str]:
        """The learning agents whose actors are not frozen."""
        interface = self.config.interface()
        return [a for a in interface.agents if self.should_module_be_updated(interface.module_of[a])]

    def total(self, values: Tensor) -> Tensor:
        """The sum over all learners."""
        if self.config.num_learners < 2:
            return values
        summed = values.clone()
        torch.distributed.all_reduce(summed)
        return summed

    def descend(self, loss: Tensor, modules: dict[str, list[Any]]) -> None:
        """One step of each module's optimizer down the loss of all learners together."""
        for parameters in modules.values():
            for parameter in parameters:
                parameter.grad = None
        loss.backward()
        if self.config.num_learners > 1:
            self._add_up([parameter.grad for parameters in modules.values() for parameter in parameters])
        self.step(modules)

    def _add_up(self, gradients: list[Any]) -> None:
        """Make of each gradient the sum over all learners, in one message."""
        summed = self.total(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = summed.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def step(self, modules: dict[str, list[Any]]) -> None:
        """One step of each module's optimizer, gradients clipped by network and copy."""
        for module, parameters in modules.items():
            clip_gradients(parameters, self.config.learner.gradient_clip)
            for _, optimizer in self.get_optimizers_for_module(module):
                optimizer.step()


class BatchLearner(StackedLearner):
    """Learns from a batch at each update."""

    def update(
        self,
        batch: MultiAgentBatch | None = None,
        *,
        training_data: TrainingData | None = None,
        timesteps: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Learn from one batch; returns metrics."""
        self._check_is_built()
        self.before_gradient_based_update(timesteps=timesteps or {})
        data = TrainingData(batch=batch) if training_data is None else training_data
        data.validate()
        data.solve_refs()
        assert data.batch is not None, "one batch an update"
        self._weights_seq_no += 1
        self.learn(data.batch)
        steps = data.batch.env_steps()
        self.metrics.log_value((ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME), steps, reduce="lifetime_sum")
        self.after_gradient_based_update(timesteps=timesteps or {})
        return self.metrics.reduce()

    @abstractmethod
    def learn(self, batch: MultiAgentBatch) -> None:
        """All gradient steps of an update."""


class GameLearner(BatchLearner):
    """Updates all copies of actors and critics from one batch; a copy's update is that of a run of its seed alone."""

    def build(self) -> None:
        """Build modules and optimizers."""
        super().build()
        self.networks = ActorsCritics(self.module, self.config.interface(), self.config.learner, self.total)

    @abstractmethod
    def update_actors(self, batch: Batch, agents: list[str], minibatches: list[slice]) -> None:
        """Update the actors of `agents`; `minibatches` are rows."""

    def learn(self, batch: MultiAgentBatch) -> None:
        """Perform all epochs of one update."""
        agents = self.agents_to_update()
        self._generator = np.random.default_rng([PERMUTATIONS, self._weights_seq_no])
        prepared = self.prepare(batch, agents)
        window = self.config.learner.together
        order, parts = self._shuffle(prepared.inputs.shape[1] // window, window)
        prepared, minibatches = prepared.shuffled(order, window), list(self._minibatches(parts))
        if self._weights_seq_no > self.config.learner.critic_only_updates and agents:
            self.update_actors(prepared, agents, minibatches)
        self._update_critics(prepared, minibatches)

    def prepare(self, batch: MultiAgentBatch, agents: list[str]) -> Batch:
        """The batch with advantages standardised once, over each copy's rows."""
        prepared = self.networks.prepare(batch, agents)
        return replace(prepared, advantages=standardised(prepared.advantages, prepared.decides, self.total))

    def _shuffle(self, windows: int, window: int) -> tuple[np.ndarray, list[slice]]:
        """An order of this learner's windows in which the minibatches are slices, and the rows of those slices.

        The minibatches are those of one learner that holds all windows; of each, several learners take what lies in
        their own shard.
        """
        settings, shards = self.config.learner, max(self.config.num_learners, 1)
        size = windows * shards // settings.minibatches
        whole = self._generator.permutation(windows * shards) - windows * self._learner_index
        parts = [whole[part * size : (part + 1) * size] for part in range(settings.minibatches)]
        own = [part[(part >= 0) & (part < windows)] for part in parts]
        ends = (window * np.cumsum([0, *map(len, own)])).tolist()
        return np.concatenate(own), [slice(start, end) for start, end in pairwise(ends)]

    def _minibatches(self, parts: list[slice]) -> Iterator[slice]:
        """The rows of each minibatch: the same parts in every epoch, each time in another order."""
        for _ in range(self.config.learner.epochs):
            for part in self._generator.permutation(len(parts)).tolist():
                yield parts[part]

    def _update_critics(self, batch: Batch, minibatches: list[slice]) -> None:
        parameters = list(self.networks.critic.parameters())
        loss = torch.zeros(())
        for rows in minibatches:
            loss = self.networks.value_loss(batch, rows)
            self.descend(loss, {CRITIC: parameters})
        self.metrics.log_value((CRITIC, "value_loss"), float(loss.detach()) / batch.targets.shape[0], window=1)

    def objective(self, logits: Tensor, batch: Batch, rows: slice, numbers: slice, advantage: Tensor) -> Tensor:
        """Loss of some agents on a minibatch: clipped objective and entropy bonus, added over agents and copies.

        Parameters
        ----------
        logits : (a, K, rows, C, n)
        advantage : (a, K, N)
        """
        settings = self.config.learner
        taken, entropy = log_probability(logits, batch.actions[numbers, :, rows])
        log_ratio = taken - batch.log_probabilities[numbers, :, rows]
        decides = None if batch.decides is None else batch.decides[numbers, :, rows]
        gain = clipped_gain(log_ratio, advantage[:, :, rows], settings.clip)
        return -self.networks.gain(gain + settings.entropy * self.remaining * entropy, decides)


class SimultaneousLearner(GameLearner):
    """All agents climb their objectives at once, in one stacked pass."""

    def update_actors(self, batch: Batch, agents: list[str], minibatches: list[slice]) -> None:
        """Update the actors of `agents`; `minibatches` are rows."""
        modules, everybody = self.networks.parameters_of(agents), slice(0, len(agents))
        for rows in minibatches:
            logits = self.networks.logits(agents, batch, everybody, rows)
            self.descend(self.objective(logits, batch, rows, everybody, batch.advantages), modules)


class SequentialLearner(GameLearner):
    """Agents are updated one after another in random order, each on the advantage times M (Kuba et al. 2022).

    M is the product of the new to old probabilities of the actions of the agents before, on the whole batch.
    """

    def update_actors(self, batch: Batch, agents: list[str], minibatches: list[slice]) -> None:
        """Update the actors of `agents`; `minibatches` are rows."""
        change = torch.ones_like(batch.advantages[0])
        for number in self._generator.permutation(len(agents)).tolist():
            agent, one = agents[number], slice(number, number + 1)
            modules = self.networks.parameters_of([agent])
            advantage = (batch.advantages[number] * change).unsqueeze(0)
            for rows in minibatches:
                logits = self.networks.logits([agent], batch, one, rows)
                self.descend(self.objective(logits, batch, rows, one, advantage), modules)
            change = change * self.change_of(agent, batch, one)

    @torch.no_grad()
    def change_of(self, agent: str, batch: Batch, one: slice) -> Tensor:
        """(K, N) new to old probability of the actions that an agent took."""
        taken, _ = log_probability(self.networks.logits([agent], batch, one), batch.actions[one])
        return (taken - batch.log_probabilities[one])[0].exp()
