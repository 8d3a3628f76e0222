"""One RLlib Learner for batches of copies: values, advantages, critics; subclasses say how actors are updated."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.policy.sample_batch import MultiAgentBatch
from ray.rllib.utils.metrics import ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME
from torch import Tensor

from marl_supply.learning.networks import log_probability, propagate, stacked
from marl_supply.learning.objectives import advantages, clip_gradients, clipped_gain, mean_over, standardised
from marl_supply.learning.rllib.modules import CRITIC, Actor, Critic, as_rows, heads
from marl_supply.learning.rllib.runner import CUT, ENDS, FINAL, HIGHEST

EVERY = slice(None)
PERMUTATIONS = 2022
"""Key of the generator of minibatches and agent orders, the same for every seed so that copies can share them."""


@dataclass
class Batch:
    """A batch as tensors. Axes: A agents that are updated, K copies, N rows chain by chain, P parties.

    observations (A, K, N, o), actions (A, K, N, C), log_probabilities (A, K, N) and advantages (A, K, N) of the actors;
    inputs (P K, N, i) and targets (P K, N), in units of the moments, of the critics; highest (A, K, N, C) open choices
    and decides (A, K, N), whether the agent had a choice; None where all choices are open on all days.
    """

    observations: Tensor
    actions: Tensor
    log_probabilities: Tensor
    advantages: Tensor
    inputs: Tensor
    targets: Tensor
    highest: Tensor | None = None
    decides: Tensor | None = None

    def shuffled(self, order: np.ndarray) -> Batch:
        """The same rows in another order, so that a minibatch is a slice."""
        rows = torch.from_numpy(order)
        values: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            axis = 1 if item.name in ("inputs", "targets") else 2
            values[item.name] = None if value is None else value.index_select(axis, rows)
        return Batch(**values)


class GameLearner(TorchLearner):
    """Updates all copies of actors and critics from one batch; a copy's update is that of a run of its seed alone."""

    @abstractmethod
    def update_actors(self, batch: Batch, agents: list[str], minibatches: list[slice]) -> None:
        """Update the actors of `agents`; `minibatches` are rows."""

    def compute_loss_for_module(self, **kwargs: Any) -> Tensor:
        """Not RLlib's way: losses belong to all copies, and in sequence to one agent, so `update` computes them."""
        raise NotImplementedError("GameLearner.update computes its own losses")

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Adam over the stack; its steps are elementwise, so copies do not mix."""
        parameters = self.get_parameters(self._module[module_id])
        optimizer = torch.optim.Adam(parameters, lr=self.config.learner.learning_rate, eps=1e-5, fused=True)
        self.register_optimizer(module_id=module_id, optimizer=optimizer, params=parameters)

    def update(
        self,
        batch: MultiAgentBatch | None = None,
        *,
        training_data: TrainingData | None = None,
        timesteps: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Perform all epochs of one update; returns metrics."""
        self._check_is_built()
        self.before_gradient_based_update(timesteps=timesteps or {})
        data = TrainingData(batch=batch) if training_data is None else training_data
        data.validate()
        data.solve_refs()
        assert data.batch is not None, "one batch an update"
        self._weights_seq_no += 1
        agents = self._agents_to_update()
        self._generator = np.random.default_rng([PERMUTATIONS, self._weights_seq_no])
        prepared = self.prepare(data.batch, agents)
        prepared = prepared.shuffled(self._generator.permutation(prepared.inputs.shape[1]))
        minibatches = list(self._minibatches(prepared.inputs.shape[1]))
        if self._weights_seq_no > self.config.learner.critic_only_updates and agents:
            self.update_actors(prepared, agents, minibatches)
        self._update_critics(prepared, minibatches)
        steps = data.batch.env_steps()
        self.metrics.log_value((ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME), steps, reduce="lifetime_sum")
        self.after_gradient_based_update(timesteps=timesteps or {})
        return self.metrics.reduce()

    def before_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Set the step sizes of this update."""
        super().before_gradient_based_update(timesteps=timesteps)
        for optimizer in self._named_optimizers.values():
            self._set_optimizer_lr(optimizer, self.config.learner.learning_rate * self.remaining)

    @property
    def remaining(self) -> float:
        """Share of the planned updates that are still to come, this one included."""
        done = self._weights_seq_no
        return max(1 - done / self.config.updates, 0.0)

    def _agents_to_update(self) -> list[str]:
        interface = self.config.interface()
        return [a for a in interface.agents if self.should_module_be_updated(interface.module_of[a])]

    def _minibatches(self, rows: int) -> Iterator[slice]:
        """The shuffled rows of each minibatch: the same parts in every epoch, each time in another order."""
        settings = self.config.learner
        size = rows // settings.minibatches
        for _ in range(settings.epochs):
            for part in self._generator.permutation(settings.minibatches).tolist():
                yield slice(part * size, (part + 1) * size)

    @torch.no_grad()
    def prepare(self, batch: MultiAgentBatch, agents: list[str]) -> Batch:
        """Turn RLlib's batch into tensors: value targets, and advantages standardised once over each copy's batch."""
        parts, everybody = batch.policy_batches, self.config.interface().agents
        highest = decides = None
        if HIGHEST in parts[everybody[0]]:
            highest = torch.stack([as_rows(parts[agent][HIGHEST]) for agent in everybody])
            decides = (highest > 0).any(-1)
        inputs = self.module[CRITIC].inputs(as_rows(parts[CRITIC][Columns.OBS]))
        estimates, targets = self._advantages(parts, inputs, decides)
        if estimates.shape[0] == 1:
            estimates = estimates.expand(len(everybody), -1, -1)
        numbers = [everybody.index(agent) for agent in agents]
        return Batch(
            observations=torch.stack([as_rows(parts[agent][Columns.OBS]) for agent in agents]),
            actions=torch.stack([as_rows(parts[agent][Columns.ACTIONS]) for agent in agents]),
            log_probabilities=torch.stack([as_rows(parts[agent][Columns.ACTION_LOGP]) for agent in agents]),
            advantages=standardised(estimates, decides)[numbers],
            inputs=inputs,
            targets=targets,
            highest=None if highest is None else highest[numbers],
            decides=None if decides is None else decides[numbers],
        )

    def _advantages(self, parts: Any, inputs: Tensor, decides: Tensor | None) -> tuple[Tensor, Tensor]:
        """(P, K, N) advantages and (P K, N) value targets in units of the moments, which take them in."""
        critic: Critic = self.module[CRITIC]
        settings, part = self.config.learner, parts[CRITIC]
        copies = part[Columns.OBS].shape[1]
        parties, periods = critic.parties, settings.periods
        agents = self.config.interface().agents[:parties]
        rewards = torch.stack([as_rows(parts[agent][Columns.REWARDS]) for agent in agents])
        values = critic.values(inputs)
        ends = torch.from_numpy(part[ENDS])
        following = torch.roll(values, -1, dims=1)
        following[:, ends] = critic.values(critic.inputs(as_rows(part[FINAL][part[ENDS]])))
        by_chain = (parties, copies, -1, periods)
        cut = torch.from_numpy(part[CUT]).view(-1, periods)
        if decides is not None:
            decides = decides.any(0, keepdim=True) if parties == 1 else decides
        estimates = advantages(
            rewards.view(by_chain),
            values.view(by_chain),
            following.view(by_chain),
            cut.expand(parties, copies, -1, -1),
            settings.discount,
            settings.trace,
            None if decides is None else decides.reshape(by_chain),
        ).reshape(parties, copies, -1)
        targets = estimates.view(parties * copies, -1) + values
        critic.moments.update(targets)
        mean, deviation = critic.moments.current()
        return estimates, (targets - mean) / deviation

    def _update_critics(self, batch: Batch, minibatches: list[slice]) -> None:
        critic: Critic = self.module[CRITIC]
        parameters = list(critic.parameters())
        loss = torch.zeros(())
        for rows in minibatches:
            errors = critic.normalised(batch.inputs[:, rows]) - batch.targets[:, rows]
            loss = 0.5 * errors.square().mean(1).sum()
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
        bonus = settings.entropy * self.remaining * mean_over(entropy, decides).sum()
        gain = clipped_gain(log_ratio, advantage[:, :, rows], settings.clip)
        return -mean_over(gain, decides).sum() - bonus

    def logits(self, agents: list[str], batch: Batch, numbers: slice, rows: slice = EVERY) -> Tensor:
        """(a, K, rows, C, n) of some agents, on some rows or on all."""
        module_of = self.config.interface().module_of
        modules: list[Actor] = [self.module[module_of[agent]] for agent in agents]
        seen = batch.observations[numbers, :, rows]
        highest = None if batch.highest is None else batch.highest[numbers, :, rows]
        inputs = seen.reshape(-1, *seen.shape[2:])
        return heads(modules).logits(propagate(stacked([module.network for module in modules]), inputs), highest)

    def parameters_of(self, agents: list[str]) -> dict[str, list[Any]]:
        """The parameters of their actors, by module."""
        module_of = self.config.interface().module_of
        return {name: list(self.module[name].parameters()) for name in dict.fromkeys(module_of[a] for a in agents)}

    def descend(self, loss: Tensor, modules: dict[str, list[Any]]) -> None:
        """One step of each module's optimizer, gradients clipped by network and copy."""
        for parameters in modules.values():
            for parameter in parameters:
                parameter.grad = None
        loss.backward()
        for module, parameters in modules.items():
            clip_gradients(parameters, self.config.learner.gradient_clip)
            for _, optimizer in self.get_optimizers_for_module(module):
                optimizer.step()


class SimultaneousLearner(GameLearner):
    """All agents climb their objectives at once, in one stacked pass."""

    def update_actors(self, batch: Batch, agents: list[str], minibatches: list[slice]) -> None:
        """Update the actors of `agents`; `minibatches` are rows."""
        modules, everybody = self.parameters_of(agents), slice(0, len(agents))
        for rows in minibatches:
            logits = self.logits(agents, batch, everybody, rows)
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
            modules = self.parameters_of([agent])
            advantage = (batch.advantages[number] * change).unsqueeze(0)
            for rows in minibatches:
                logits = self.logits([agent], batch, one, rows)
                self.descend(self.objective(logits, batch, rows, one, advantage), modules)
            change = change * self.change_of(agent, batch, one)

    @torch.no_grad()
    def change_of(self, agent: str, batch: Batch, one: slice) -> Tensor:
        """(K, N) new to old probability of the actions that an agent took."""
        taken, _ = log_probability(self.logits([agent], batch, one), batch.actions[one])
        return (taken - batch.log_probabilities[one])[0].exp()
