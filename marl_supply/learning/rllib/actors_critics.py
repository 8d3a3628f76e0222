"""Actors and critics of all copies on a batch: what they said and should have said, for learners and workers alike."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.policy.sample_batch import MultiAgentBatch
from torch import Tensor

from marl_supply.learning.actor_critic import ActorCriticLearner
from marl_supply.learning.interface import Interface
from marl_supply.learning.networks import propagate, stacked
from marl_supply.learning.objectives import Total, advantages, alone, number_of, sum_over
from marl_supply.learning.recurrent import propagate_windows
from marl_supply.learning.rllib.modules import CRITIC, MEMORY, Actor, Critic, as_rows, heads
from marl_supply.learning.rllib.runner import CUT, ENDS, FINAL, HIGHEST

EVERY = slice(None)
AXES = {"inputs": 1, "targets": 1, "going": 0}
"""Axis of the rows, or windows, in the parts of a batch; 2 in all others."""


@dataclass
class Batch:
    """A batch as tensors. Axes: A agents that are updated, K copies, N rows chain by chain, P parties.

    observations (A, K, N, o), actions (A, K, N, C), log_probabilities (A, K, N) and advantages (A, K, N) of the actors;
    inputs (P K, N, i) and targets (P K, N), in units of the moments, of the critics; unit (P, K, 1) that unit, money
    scaled; highest (A, K, N, C) open choices and decides (A, K, N), whether the agent had a choice; None where all
    choices are open on all days. Of recurrent actors, whose rows are windows of W successive periods: memory
    (A, K, N / W, H) at the start of each window, and going (N / W, W), 0 where an episode begins within it and else 1.
    """

    observations: Tensor
    actions: Tensor
    log_probabilities: Tensor
    advantages: Tensor
    inputs: Tensor
    targets: Tensor
    unit: Tensor
    highest: Tensor | None = None
    decides: Tensor | None = None
    memory: Tensor | None = None
    going: Tensor | None = None

    def shuffled(self, order: np.ndarray, window: int = 1) -> Batch:
        """Some of the windows of rows, or all, in another order, so that a minibatch is a slice."""
        windows = torch.from_numpy(order)
        rows = (windows[:, None] * window + torch.arange(window)).view(-1)
        values: dict[str, Any] = {"unit": self.unit}
        for item in fields(self):
            if item.name not in values:
                value, by = getattr(self, item.name), windows if item.name in ("memory", "going") else rows
                values[item.name] = None if value is None else value.index_select(AXES.get(item.name, 2), by)
        return Batch(**values)


class ActorsCritics:
    """The modules of a training and what is computed with them on a batch.

    Parameters
    ----------
    module
        RLlib's modules: actors by name, and the critics.
    interface, settings
        What actors see and choose, and how returns are estimated.
    total
        Sum over all processes that hold a shard of the batch.
    """

    def __init__(self, module: Any, interface: Interface, settings: ActorCriticLearner, total: Total = alone) -> None:
        self.module, self.interface, self.settings, self.total = module, interface, settings, total

    @property
    def critic(self) -> Critic:
        """The critics."""
        return self.module[CRITIC]

    @torch.no_grad()
    def prepare(self, batch: MultiAgentBatch, agents: list[str]) -> Batch:
        """Turn RLlib's batch into tensors: advantages in money scaled, and value targets, which the moments take in."""
        parts, everybody = batch.policy_batches, self.interface.agents
        highest = decides = None
        if HIGHEST in parts[everybody[0]]:
            highest = torch.stack([as_rows(parts[agent][HIGHEST]) for agent in everybody])
            decides = (highest > 0).any(-1)
        inputs = self.critic.inputs(as_rows(parts[CRITIC][Columns.OBS]))
        estimates, targets = self._advantages(parts, inputs, decides)
        mean, deviation = self.critic.moments.current()
        numbers = [everybody.index(agent) for agent in agents]
        return Batch(
            observations=torch.stack([as_rows(parts[agent][Columns.OBS]) for agent in agents]),
            actions=torch.stack([as_rows(parts[agent][Columns.ACTIONS]) for agent in agents]),
            log_probabilities=torch.stack([as_rows(parts[agent][Columns.ACTION_LOGP]) for agent in agents]),
            advantages=estimates.expand(len(everybody), -1, -1)[numbers],
            inputs=inputs,
            targets=(targets - mean) / deviation,
            unit=deviation.view(len(estimates), -1, 1).expand(len(everybody), -1, -1)[numbers],
            highest=None if highest is None else highest[numbers],
            decides=None if decides is None else decides[numbers],
            **self._remembered(parts, agents),
        )

    def _remembered(self, parts: Any, agents: list[str]) -> dict[str, Tensor]:
        """`memory` and `going` of a batch of recurrent actors; nothing for others."""
        if not self.settings.recurrent:
            return {}
        window, cut = self.settings.together, torch.tensor(parts[CRITIC][CUT])
        going = torch.ones(len(cut) // window, window)
        going[:, 1:] -= cut.view(-1, window)[:, :-1].float()
        memory = torch.stack([as_rows(parts[agent][MEMORY][::window]) for agent in agents])
        return {"memory": memory, "going": going}

    def _advantages(self, parts: Any, inputs: Tensor, decides: Tensor | None) -> tuple[Tensor, Tensor]:
        """(P, K, N) advantages and (P K, N) value targets, which the moments take in; money scaled."""
        critic, settings, part = self.critic, self.settings, parts[CRITIC]
        copies, parties = part[Columns.OBS].shape[1], critic.parties
        agents = self.interface.agents[:parties]
        rewards = torch.stack([as_rows(parts[agent][Columns.REWARDS]) for agent in agents])
        values = critic.values(inputs)
        ends = torch.tensor(part[ENDS])
        following = torch.roll(values, -1, dims=1)
        following[:, ends] = critic.values(critic.inputs(as_rows(part[FINAL][part[ENDS]])))
        by_chain = (parties, copies, -1, settings.periods)
        cut = torch.tensor(part[CUT]).view(-1, settings.periods)
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
        critic.moments.update(targets, self.total)
        return estimates, targets

    def value_loss(self, batch: Batch, rows: slice = EVERY) -> Tensor:
        """Half the mean squared error of the critics on some rows or on all, in units of the moments, added up."""
        squares = (self.critic.normalised(batch.inputs[:, rows]) - batch.targets[:, rows]).square()
        return 0.5 * (sum_over(squares, None) / number_of(squares, None, self.total)).sum()

    def logits(self, agents: list[str], batch: Batch, numbers: slice, rows: slice = EVERY) -> Tensor:
        """(a, K, rows, C, n) of some agents, on some rows or on all."""
        modules: list[Actor] = [self.module[self.interface.module_of[agent]] for agent in agents]
        seen = batch.observations[numbers, :, rows]
        highest = None if batch.highest is None else batch.highest[numbers, :, rows]
        inputs = seen.reshape(-1, *seen.shape[2:])
        layers = stacked([module.network for module in modules])
        if batch.memory is None or batch.going is None:
            return heads(modules).logits(propagate(layers, inputs), highest)
        windows = self._windows(rows)
        memory = batch.memory[numbers, :, windows].flatten(0, 1)
        return heads(modules).logits(propagate_windows(layers, inputs, memory, batch.going[windows]), highest)

    def _windows(self, rows: slice) -> slice:
        """Which windows some rows are."""
        window = self.settings.together
        return rows if rows == EVERY else slice(rows.start // window, rows.stop // window)

    def gain(self, values: Tensor, decides: Tensor | None) -> Tensor:
        """The mean of (a, K, rows) over the rows where there was a choice, added over agents and copies."""
        return (sum_over(values, decides) / number_of(values, decides, self.total)).sum()

    def parameters_of(self, agents: list[str]) -> dict[str, list[Any]]:
        """The parameters of their actors, by module."""
        names = dict.fromkeys(self.interface.module_of[agent] for agent in agents)
        return {name: list(self.module[name].parameters()) for name in names}
