"""An RLlib env runner for Q-learning: K copies x B chains of one game, a share of the actions drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch

from marl_supply.learning.arena import Step, View
from marl_supply.learning.networks import propagate, stacked
from marl_supply.learning.rllib.q_learning.feedback import Feedback
from marl_supply.learning.rllib.q_learning.replay import Transitions
from marl_supply.learning.rllib.runner import BatchedEnvRunner

CUT, AGES, FEEDBACK = "cut", "ages", "feedback"
"""Batch columns: see `Transitions`."""


class QRunner(BatchedEnvRunner):
    """Samples a game for all copies at once, epsilon-greedily.

    A sample is a `MultiAgentBatch` with a part for each learning agent. Rows are chain by chain, each with its T
    periods in order, so that the samples of several runners are those of one; copies are the second axis.
    """

    def make_env(self) -> None:
        """Start this runner's share of the chains."""
        super().make_env()
        assert self.arena is not None
        self._played = 0
        self._ages = np.zeros(self.arena.replications, dtype=np.int64)
        self._feedback = Feedback(self.arena, self.config.learner.feedback)

    def _stack(self) -> None:
        modules = [self.module[agent] for agent in self.config.interface().agents]
        with torch.no_grad():
            self._layers = [(w.contiguous(), b.contiguous()) for w, b in stacked([m.network for m in modules])]
            self._closed = torch.stack([module.closed for module in modules])[:, None, None]

    @torch.no_grad()
    def logits(self, view: View, memory: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(A, K, B, 1, n) values of the choices at a decision point; nothing is remembered."""
        agents, copies, rows, size = view.actors.shape
        values = propagate(self._layers, torch.from_numpy(view.actors).view(agents * copies, rows, size))
        return (values.view(agents, copies, rows, -1) + self._closed).unsqueeze(3), memory

    def sample(self, **kwargs: Any) -> MultiAgentBatch:
        """Play the settings' number of periods and return them."""
        assert self.arena is not None
        periods = [self._play() for _ in range(self.config.learner.periods)]
        self._count(self.arena.replications * len(periods))
        return self._batch(periods)

    def _play(self) -> Transitions:
        """One period of all chains; arrays are (B, ...)."""
        assert self.arena is not None
        present, ages = self._view.actors, self._ages.copy()
        actions = self._choose(self.logits(self._view, None)[0].argmax(-1)[..., 0].numpy())
        step = self.arena.step(actions[..., None])
        feedback = self._feedback.after(step, self._ages)
        following = self._last_seen(step)
        self._view = step.view
        self._ages += 1
        self._ages[step.cut] = 0
        cut = np.zeros(self.arena.replications, dtype=bool)
        cut[step.cut] = True
        by_chain = (2, 0, 1)
        return Transitions(
            observations=present.transpose(2, 0, 1, 3),
            actions=actions.transpose(by_chain),
            rewards=step.rewards.transpose(by_chain),
            following=following.transpose(2, 0, 1, 3),
            cut=cut,
            ages=ages,
            feedback=feedback.transpose(by_chain),
        )

    def _choose(self, greedy: np.ndarray) -> np.ndarray:
        """(A, K, B) choices: where the arena's uniform number is below epsilon, it also says which."""
        assert self.arena is not None
        uniforms = self.arena.uniforms()[:, 0]
        epsilon = self.config.learner.epsilon(self._played / (self.config.updates * self.config.learner.periods))
        self._played += 1
        if epsilon <= 0:
            return greedy
        choices = self.arena.interface.choices[:, 0][:, None, None]
        drawn = np.minimum((uniforms / epsilon * choices).astype(np.int64), choices - 1)
        return np.where(uniforms < epsilon, drawn, greedy)

    def _last_seen(self, step: Step) -> np.ndarray:
        """(A, K, B, o) the decision point after a period, where a game was cut the one that it ended in."""
        following = step.view.actors
        if not len(step.cut):
            return following
        assert self.arena is not None
        pads = np.zeros((*step.final.shape[:2], 2), dtype=np.float32)
        final = np.concatenate([step.final, pads], axis=2)[..., self.arena.interface.seen]  # (K, b, A, o)
        following = following.copy()
        following[:, :, step.cut] = final.transpose(2, 0, 1, 3)
        return following

    def _batch(self, periods: list[Transitions]) -> MultiAgentBatch:
        def rows(name: str) -> np.ndarray:
            value = np.stack([getattr(period, name) for period in periods], axis=1)
            return np.ascontiguousarray(value.reshape(-1, *value.shape[2:]))

        columns = {
            Columns.OBS: rows("observations"),
            Columns.ACTIONS: rows("actions"),
            Columns.REWARDS: rows("rewards"),
            Columns.NEXT_OBS: rows("following"),
            FEEDBACK: rows("feedback"),
        }
        common = {CUT: rows("cut"), AGES: rows("ages")}
        parts = {
            agent: SampleBatch({**{key: value[:, number] for key, value in columns.items()}, **common})
            for number, agent in enumerate(self.config.interface().agents)
        }
        return MultiAgentBatch(parts, env_steps=len(common[CUT]))

    def where_it_stands(self) -> dict[str, Any]:
        """Everything that the next sample depends on beside the weights."""
        own = {"played": self._played, "ages": self._ages.copy(), "sums": self._feedback.sums.copy()}
        return {**super().where_it_stands(), **own}

    def go_on(self, state: dict[str, Any]) -> None:
        """Go on from `where_it_stands`."""
        super().go_on(state)
        self._played = int(state["played"])
        self._ages, self._feedback.sums = np.array(state["ages"]), np.array(state["sums"])
