"""An RLlib env runner that steps one game as a batch: K copies x B chains, one forward pass a period."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import gymnasium as gym
import numpy as np
import ray
import torch
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.core.columns import Columns
from ray.rllib.env import INPUT_ENV_SINGLE_SPACES, INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.metrics import NUM_ENV_STEPS_SAMPLED, NUM_ENV_STEPS_SAMPLED_LIFETIME, WEIGHTS_SEQ_NO

from marl_supply.learning.arena import Arena, Step, View
from marl_supply.learning.held_out import Choose
from marl_supply.learning.networks import last_open, propagate, sample, stacked
from marl_supply.learning.recurrent import propagate_period
from marl_supply.learning.rllib.modules import CRITIC, MEMORY, heads, module_spaces

ENDS = "ends"
"""Batch column: whether a trajectory ends after the row, because its episode was cut or the batch is over."""
CUT = "cut"
"""Batch column: whether its episode was cut after the row."""
FINAL = "final"
"""Batch column: the state after the row, filled in where `ENDS`."""
HIGHEST = "highest"
"""Batch column: number of the highest open choice of each component; absent where all are open on all days."""
COMPONENT_ARENA = "arena"


class BatchedEnvRunner(EnvRunner, Checkpointable):
    """Samples a game for all copies at once.

    A sample is a `MultiAgentBatch` with a part for each learning agent (observations, actions, log probabilities,
    rewards) and one for the critics (states, cuts). Rows are chain by chain with whole trajectories contiguous, so that
    any split by multiples of the period count keeps them; copies are the second axis.
    """

    def __init__(self, *, config: Any, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        torch.set_num_threads(1)
        self.arena: Arena | None = None
        self._memory: torch.Tensor | None = None
        self.module: Any = None
        self.num_env_steps_sampled_lifetime: int = 0
        self._weights_seq_no = 0
        if self.samples():
            self.make_env()
        self.make_module()

    def samples(self) -> bool:
        """Whether this runner plays; the local one does not where there are remote ones."""
        return self.num_workers == 0 or (self.worker_index or 0) > 0 or self.config.create_env_on_local_worker

    def make_env(self) -> None:
        """Start this runner's share of the chains."""
        config = self.config
        runners = max(self.num_workers or 0, 1)
        share = config.learner.replications // runners
        number = max((self.worker_index or 0) - 1, 0)
        first = number * share
        foresight = getattr(config.learner, "foresight", 0)
        self.arena = Arena(config.game(), config.learner, config.seeds, config.fixed, share, first, foresight=foresight)
        self.env = self.arena
        self._view = self.arena.view()
        if config.learner.memory_width:
            networks = len(self.arena.interface.agents) * self.arena.copies
            self._memory = torch.zeros(networks, share, config.learner.memory_width)

    def make_module(self) -> None:
        """Build the actors."""
        self.module = self.config.get_multi_rl_module_spec(inference_only=True).build()
        self._stack()

    def _stack(self) -> None:
        interface = self.config.interface()
        actors = [self.module[interface.module_of[agent]] for agent in interface.agents]
        with torch.no_grad():
            self._layers = [(w.contiguous(), b.contiguous()) for w, b in stacked([actor.network for actor in actors])]
            self._heads = heads(actors)
            self._last = last_open(self._heads.prior)[:, None, None]

    @torch.no_grad()
    def sample(self, **kwargs: Any) -> MultiAgentBatch:
        """Play the settings' number of periods and return them."""
        assert self.arena is not None
        record = _Record(self.arena, self.config.learner.periods, self._view)
        for period in range(record.periods):
            view = self._view
            uniforms = torch.from_numpy(self.arena.uniforms().transpose(0, 2, 3, 1))
            last = self._last if view.highest is None else torch.from_numpy(view.highest)
            logits, memory = self.logits(view, self._memory)
            actions, log_probabilities = sample(logits, uniforms, last)
            step = self.arena.step(actions.numpy())
            record.put(period, view, actions.numpy(), log_probabilities.numpy(), step)
            self._view = step.view
            if memory is not None:
                record.put_memory(period, self._memory)
                memory[:, step.cut] = 0
                self._memory = memory
        record.close(self._view)
        batch = record.batch(self.arena.interface.agents)
        self._count(len(record.rewards[0]) * record.periods)
        return batch

    @torch.no_grad()
    def logits(self, view: View, memory: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(A, K, B, C, n) of the choices at a decision point, and (A K, B, H) what recurrent actors then remember."""
        agents, copies, rows, size = view.actors.shape
        inputs = torch.from_numpy(view.actors).view(agents * copies, rows, size)
        highest = None if view.highest is None else torch.from_numpy(view.highest)
        if self.config.learner.memory_width:
            scores, memory = propagate_period(self._layers, inputs, memory)
        else:
            scores = propagate(self._layers, inputs)
        return self._heads.logits(scores, highest), memory

    def greedy(self) -> Choose:
        """The most probable choices, asked from the first decision point of a game to the last."""
        memory: torch.Tensor | None = None

        def choose(view: View) -> np.ndarray:
            nonlocal memory
            logits, memory = self.logits(view, memory)
            chosen: np.ndarray = logits.argmax(-1).numpy()
            return chosen

        return choose

    def _count(self, steps: int) -> None:
        self.num_env_steps_sampled_lifetime += steps
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED, steps, reduce="sum")
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED_LIFETIME, steps, reduce="lifetime_sum")

    def get_metrics(self) -> Any:
        """What was logged since the last call."""
        return self.metrics.reduce()

    def get_spaces(self) -> dict[str, tuple[gym.Space, gym.Space]]:
        """Spaces of one chain by module: scaled numbers in, choices out."""
        spaces = module_spaces(self.config.interface())
        both = (
            gym.spaces.Dict({agent: observed for agent, (observed, _) in spaces.items()}),
            gym.spaces.Dict({agent: chosen for agent, (_, chosen) in spaces.items()}),
        )
        return {INPUT_ENV_SPACES: both, INPUT_ENV_SINGLE_SPACES: both, **spaces}

    def assert_healthy(self) -> None:
        """Check that the runner can sample."""
        assert self.module is not None
        assert self.arena is not None or not self.worker_index

    def stop(self) -> None:
        """Nothing to release."""

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Step count, weights, and the arena with everything its next periods depend on."""
        state: dict[str, Any] = {NUM_ENV_STEPS_SAMPLED_LIFETIME: self.num_env_steps_sampled_lifetime}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(
                components=self._get_subcomponents(COMPONENT_RL_MODULE, components),
                not_components=self._get_subcomponents(COMPONENT_RL_MODULE, not_components),
                **kwargs,
            )
            state[WEIGHTS_SEQ_NO] = self._weights_seq_no
        if self.arena is not None and self._check_component(COMPONENT_ARENA, components, not_components):
            state[COMPONENT_ARENA] = self.where_it_stands()
        return state

    def where_it_stands(self) -> dict[str, Any]:
        """Everything that the next sample depends on beside the weights; `clock` among it."""
        assert self.arena is not None
        own = {} if self._memory is None else {MEMORY: self._memory.numpy().copy()}
        return {**self.arena.get_state(), **own}

    def go_on(self, state: dict[str, Any]) -> None:
        """Go on from `where_it_stands`."""
        assert self.arena is not None
        self.arena.set_state(state)
        self._view = self.arena.view()
        if self._memory is not None:
            self._memory = torch.tensor(state[MEMORY])

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`, or take new weights."""
        if COMPONENT_RL_MODULE in state:
            number = state.get(WEIGHTS_SEQ_NO, 0)
            if number == 0 or self._weights_seq_no < number:
                weights = state[COMPONENT_RL_MODULE]
                self.module.set_state(ray.get(weights) if isinstance(weights, ray.ObjectRef) else weights)
                self._stack()
            self._weights_seq_no = number or self._weights_seq_no
        if COMPONENT_ARENA in state and self.arena is not None:
            self.go_on(state[COMPONENT_ARENA])
        self.num_env_steps_sampled_lifetime = state.get(
            NUM_ENV_STEPS_SAMPLED_LIFETIME, self.num_env_steps_sampled_lifetime
        )

    @property
    def weights_number(self) -> int:
        """Which weights these are: how many updates they have seen."""
        return self._weights_seq_no

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[()], dict[str, Any]]:
        """What makes an equal runner."""
        return (), {"config": self.config, "worker_index": self.worker_index, "num_workers": self.num_workers}

    def get_checkpointable_components(self) -> list[tuple[str, Checkpointable]]:
        """The actors."""
        return [(COMPONENT_RL_MODULE, self.module)]


class _Record:
    """The arrays of one sample, chains first, then periods, then copies."""

    def __init__(self, arena: Arena, periods: int, view: View) -> None:
        interface = arena.interface
        agents, components = interface.choices.shape
        lead = (arena.replications, periods, arena.copies)
        self.periods = periods
        self.observations = np.empty((agents, *lead, interface.seen.shape[1]), dtype=np.float32)
        self.actions = np.empty((agents, *lead, components), dtype=np.int64)
        self.highest = None if view.highest is None else np.empty_like(self.actions)
        self.log_probabilities = np.empty((agents, *lead), dtype=np.float32)
        self.rewards = np.empty((agents, *lead), dtype=np.float32)
        self.state = np.empty((*lead, view.state.shape[-1]), dtype=np.float32)
        self.final = np.zeros(self.state.shape, dtype=np.float32)
        self.cut = np.zeros(lead[:2], dtype=bool)
        width = interface.learner.memory_width
        self.memory = np.empty((agents, *lead, width), dtype=np.float32) if width else None

    def put(self, period: int, view: View, actions: np.ndarray, log_probabilities: np.ndarray, step: Step) -> None:
        """Record one period of all copies and chains."""
        self.observations[:, :, period] = view.actors.transpose(0, 2, 1, 3)
        self.state[:, period] = view.state.transpose(1, 0, 2)
        self.actions[:, :, period] = actions.transpose(0, 2, 1, 3)
        if self.highest is not None and view.highest is not None:
            self.highest[:, :, period] = view.highest.transpose(0, 2, 1, 3)
        self.log_probabilities[:, :, period] = log_probabilities.transpose(0, 2, 1)
        self.rewards[:, :, period] = step.rewards.transpose(0, 2, 1)
        if len(step.cut):
            self.cut[step.cut, period] = True
            self.final[step.cut, period] = step.final.transpose(1, 0, 2)

    def put_memory(self, period: int, memory: torch.Tensor | None) -> None:
        """Record what recurrent actors remembered before a period."""
        if self.memory is not None and memory is not None:
            chains, _, copies, width = self.memory.shape[1:]
            self.memory[:, :, period] = memory.numpy().reshape(-1, copies, chains, width).transpose(0, 2, 1, 3)

    def close(self, view: View) -> None:
        """Record the states that the last period led to, where an episode was not cut there."""
        going = ~self.cut[:, -1]
        self.final[going, -1] = view.state.transpose(1, 0, 2)[going]

    def batch(self, agents: tuple[str, ...]) -> MultiAgentBatch:
        """The record as RLlib's batch, a part for each agent and one for the critics."""
        ends = self.cut.copy()
        ends[:, -1] = True
        rows = ends.size
        parts = {agent: SampleBatch(self._of_agent(number, rows)) for number, agent in enumerate(agents)}
        parts[CRITIC] = SampleBatch(
            {
                Columns.OBS: self.state.reshape(rows, *self.state.shape[2:]),
                FINAL: self.final.reshape(rows, *self.final.shape[2:]),
                ENDS: ends.reshape(rows),
                CUT: self.cut.reshape(rows),
            }
        )
        return MultiAgentBatch(parts, env_steps=rows)

    def _of_agent(self, number: int, rows: int) -> dict[str, np.ndarray]:
        columns: dict[str, np.ndarray] = {
            Columns.OBS: self.observations,
            Columns.ACTIONS: self.actions,
            Columns.ACTION_LOGP: self.log_probabilities,
            Columns.REWARDS: self.rewards,
        }
        if self.highest is not None:
            columns[HIGHEST] = self.highest
        if self.memory is not None:
            columns[MEMORY] = self.memory
        return {name: values[number].reshape(rows, *values.shape[3:]) for name, values in columns.items()}
