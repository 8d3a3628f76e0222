"""The RLlib algorithm: sample from all runners, update the copies, send the actors back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.policy.policy import PolicySpec
from ray.rllib.policy.sample_batch import MultiAgentBatch, concat_samples
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.actor_critic import ActorCriticLearner
from marl_supply.learning.arena import learning_agents
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.learning.interface import Interface
from marl_supply.learning.on_policy import OnPolicyLearner
from marl_supply.learning.rllib.learner import SequentialLearner, SimultaneousLearner
from marl_supply.learning.rllib.modules import CRITIC, module_specs
from marl_supply.learning.rllib.runner import COMPONENT_ARENA, BatchedEnvRunner
from marl_supply.learning.rllib.shares import Shares, arena_of
from marl_supply.topology.file import Topology

SAMPLE_TIMEOUT = 600.0
"""Seconds after which a remote runner's share is sampled here instead."""
PROBE_TIMEOUT = 1.0
"""Seconds that an update waits for the answer of a runner that was lost."""
UPDATES = {"simultaneous": SimultaneousLearner, "sequential": SequentialLearner}


class GameConfig(AlgorithmConfig):
    """RLlib configuration of a training: a game, a learner, the seeds of the copies, and who does not learn.

    Examples
    --------
    >>> config = GameConfig().play(Game("beer_game_uniform", reward="shared"), HAPPO(), seeds=[0, 1])  # doctest: +SKIP
    >>> algorithm = config.build_algo()  # doctest: +SKIP
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or GameAlgorithm)
        self.description: dict[str, Any] = {}
        self.held_out = False
        self.learner: ChoosingLearner = OnPolicyLearner()
        self.seeds: tuple[int, ...] = (0,)
        self.fixed: dict[str, Policy] = {}
        self.updates = 1
        self.env_runners(env_runner_cls=BatchedEnvRunner, num_env_runners=0, sample_timeout_s=SAMPLE_TIMEOUT)
        self.fault_tolerance(
            restart_failed_env_runners=True,
            delay_between_env_runner_restarts_s=1.0,
            env_runner_health_probe_timeout_s=PROBE_TIMEOUT,
        )
        self.learners(num_learners=0)
        self.framework("torch")

    def play(
        self,
        game: Game,
        learner: ActorCriticLearner,
        seeds: Sequence[int] = (0,),
        env_steps: int = 1_000_000,
        fixed: Mapping[str, Policy] | None = None,
    ) -> GameConfig:
        """Say what is trained.

        Parameters
        ----------
        game
            Its topology travels by value.
        learner
            Settings, from `marl_supply.learning.learners`.
        seeds : (K,) int
            One for each copy.
        env_steps
            Budget of each copy, over which step size and entropy bonus fall to 0.
        fixed
            Policies of the agents that do not learn.
        """
        learner_class = self.learner_class_of(learner)
        self.describe(game, learner, seeds, env_steps, fixed)
        self.training(learner_class=learner_class, train_batch_size_per_learner=learner.rows)
        self.name_modules(*self.interface().modules, CRITIC)
        return self

    def describe(
        self,
        game: Game,
        learner: ChoosingLearner,
        seeds: Sequence[int],
        env_steps: int,
        fixed: Mapping[str, Policy] | None,
    ) -> None:
        """Keep what `play` was told, by value."""
        self.description = game.topology.to_dict()
        self.held_out = game.held_out
        self.learner = learner
        self.seeds = tuple(int(seed) for seed in seeds)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise InputError(f"seeds: {list(self.seeds)} are not different whole numbers from 0 up; give one a copy.")
        self.fixed = dict(fixed or {})
        self.updates = learner.updates(env_steps)
        self.debugging(seed=self.seeds[0])

    def name_modules(self, *names: str) -> None:
        """Say in a fixed order which modules there are, and that agents have their own."""
        mapping = partial(_module_of, self.interface().module_of)
        self.multi_agent(policies={name: PolicySpec() for name in names}, policy_mapping_fn=mapping)

    def learner_class_of(self, learner: ActorCriticLearner) -> type:
        """The RLlib Learner that does what the settings say."""
        if learner.update not in UPDATES:
            raise InputError(f"learner {learner.name}: update '{learner.update}'; use simultaneous or sequential.")
        return UPDATES[learner.update]

    def remaining(self, done: int) -> float:
        """Share of the planned updates that are still to come once so many are done."""
        return max(1 - done / self.updates, 0.0)

    def game(self) -> Game:
        """The game, made from its description."""
        return Game(Topology.from_dict(self.description), held_out=self.held_out)

    def interface(self) -> Interface:
        """What the learning agents see and choose."""
        made = getattr(self, "_interface", None)
        if made is None:
            game = self.game()
            agents = learning_agents(game, self.fixed)
            made = Interface(game, agents, self.learner)
            object.__setattr__(self, "_interface", made)
        return made

    def get_multi_rl_module_spec(self, *, inference_only: bool = False, **kwargs: Any) -> MultiRLModuleSpec:
        """The actors in the order of the game and, for learners, the critics."""
        assert isinstance(self.learner, ActorCriticLearner)
        specs = module_specs(self.interface(), self.learner, self.seeds)
        kept = {name: spec for name, spec in specs.items() if not (inference_only and spec.learner_only)}
        return MultiRLModuleSpec(rl_module_specs=kept)

    def get_default_rl_module_spec(self) -> MultiRLModuleSpec:
        """The only modules there are."""
        return self.get_multi_rl_module_spec()

    def validate(self) -> None:
        """Refuse what the learners do not do."""
        super().validate()
        if self.num_learners > 1 and self.learner.replications % self.num_learners:
            raise InputError(
                f"num_learners: {self.learner.replications} replications do not divide among {self.num_learners} "
                "learners, each of which takes whole trajectories; use a number that divides them."
            )
        if self.num_env_runners > 1 and self.learner.replications % self.num_env_runners:
            raise InputError(
                f"num_env_runners: {self.learner.replications} replications do not divide among {self.num_env_runners} "
                "runners; use a number that divides them."
            )


class GameAlgorithm(Algorithm):
    """Synchronous sampling and updates of K copies."""

    @classmethod
    def get_default_config(cls) -> GameConfig:
        """An empty configuration; `GameConfig.play` fills it."""
        return GameConfig()

    def training_step(self) -> None:
        """One batch and one update."""
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            batch = self._sample()
        sampled = self.metrics.peek((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), default=0)
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            results = self.learner_group.update(batch=batch, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: sampled})
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            self.env_runner_group.sync_weights(
                from_worker_or_learner_group=self.learner_group, inference_only=True, timeout_seconds=None
            )

    def _sample(self) -> MultiAgentBatch:
        """A whole batch, whatever happens to remote runners."""
        if not self.env_runner_group.num_remote_env_runners():
            batch = self.env_runner.sample()
            self.metrics.aggregate([self.env_runner.get_metrics()], key=ENV_RUNNER_RESULTS)
            return batch
        sampled = self.shares.sample()
        self.metrics.aggregate([metrics for _, metrics, _ in sampled], key=ENV_RUNNER_RESULTS)
        return concat_samples([batch for batch, _, _ in sampled])

    @property
    def shares(self) -> Shares:
        """Where the chains of the remote runners stand."""
        if not hasattr(self, "_shares"):
            self._shares = Shares(self.env_runner_group, self.config)
        return self._shares

    def arenas(self) -> dict[int, Any]:
        """State of the arena of each runner that samples, by its number."""
        if self.env_runner_group.num_remote_env_runners():
            return self.shares.read()
        return dict([arena_of(self.env_runner)])

    def set_arenas(self, arenas: Mapping[int, Any]) -> None:
        """Go on from `arenas`.

        Raises
        ------
        InputError
            If they are those of another number of runners.
        """
        here = self.shares.numbers or [0]
        if arenas and sorted(arenas) != here:
            raise InputError(
                f"env_runners: the checkpoint is that of {len(set(arenas) - {0})} remote runners; go on with as many."
            )
        if not arenas:
            return
        if here == [0]:
            self.env_runner.set_state({COMPONENT_ARENA: arenas[0]})
        else:
            self.shares.put(arenas)

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and the arenas of remote runners."""
        state = super().get_state(*args, **kwargs)
        if self.env_runner_group.num_remote_env_runners():
            state["arenas"] = self.arenas()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`."""
        super().set_state(state)
        self.set_arenas(state.get("arenas", {}))


def _module_of(module_of: Mapping[str, str], agent: str, *args: Any, **kwargs: Any) -> str:
    return module_of[agent]
