"""The RLlib algorithm of A3C (Mnih et al. 2016): gradients are applied in the order in which they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    TIMERS,
)

from marl_supply.errors import InputError
from marl_supply.learning.actor_critic import ActorCriticLearner
from marl_supply.learning.learners.a3c import A3C
from marl_supply.learning.rllib.a3c.gradients import Gradient, Weights
from marl_supply.learning.rllib.a3c.learner import A3CLearner
from marl_supply.learning.rllib.a3c.runner import GradientRunner
from marl_supply.learning.rllib.a3c.workers import Remote, TurnTakers, Workers
from marl_supply.learning.rllib.algorithm import GameAlgorithm, GameConfig
from marl_supply.learning.rllib.shares import arena_of

GRADIENT_LAG = "gradient_lag"
"""Metric of the learner: gradients applied between the weights that one was computed with and its own application."""


class A3CConfig(GameConfig):
    """RLlib configuration of A3C: workers compute gradients, one learner applies them."""

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or AsynchronousAlgorithm)
        self.learner = A3C()
        self.env_runners(env_runner_cls=GradientRunner, max_requests_in_flight_per_env_runner=1)
        self.fault_tolerance(restart_failed_env_runners=True, env_runner_health_probe_timeout_s=5.0)

    @property
    def workers(self) -> int:
        """Who computes gradients: the remote env runners, or those in this process where there are none."""
        assert isinstance(self.learner, A3C)
        return self.num_env_runners or self.learner.workers

    def learner_class_of(self, learner: ActorCriticLearner) -> type:
        """The RLlib Learner that applies gradients."""
        if not isinstance(learner, A3C):
            raise InputError(f"learner {learner.name}: its updates are {learner.update}, not asynchronous; use a3c.")
        return A3CLearner

    def remaining(self, done: int) -> float:
        """Share of the planned gradients that are still to come once so many are applied."""
        return max(1 - done / (self.updates * self.workers), 0.0)

    def agents_to_train(self) -> list[str]:
        """The learning agents whose actors are not frozen."""
        interface, kept = self.interface(), self.policies_to_train
        if kept is None:
            return list(interface.agents)
        chosen = kept if callable(kept) else lambda module, batch=None: module in kept
        return [agent for agent in interface.agents if chosen(interface.module_of[agent], None)]

    def validate(self) -> None:
        """Refuse what the learner does not do."""
        super().validate()
        if self.num_learners > 1:
            raise InputError(f"learners: {self.num_learners} cannot apply gradients in one order; use 0 or 1.")


class AsynchronousAlgorithm(GameAlgorithm):
    """A training step is as many gradients as there are workers, whoever delivers them.

    Attributes
    ----------
    contributors : Workers
        Who computes the gradients.
    lags : list of int
        For each gradient of the latest training step, how many were applied while it was computed.
    """

    @classmethod
    def get_default_config(cls) -> A3CConfig:
        """An empty configuration; `A3CConfig.play` fills it."""
        return A3CConfig()

    def setup(self, config: AlgorithmConfig) -> None:
        """Build RLlib's parts, and the workers."""
        super().setup(config)
        self.remote = self.env_runner_group.num_remote_env_runners() > 0
        self.contributors = self._workers()
        self.lags: list[int] = []

    def _workers(self) -> Workers:
        if not self.remote:
            return TurnTakers(self.config)
        return Remote(self.env_runner_group, lambda: self.restore_env_runners(self.env_runner_group), self.weights())

    def training_step(self) -> None:
        """Apply the next gradients one by one."""
        newest, self.lags = None, []
        for _ in range(self.config.workers):
            with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
                worker, gradient, metrics = self.contributors.next()
            self.metrics.aggregate([metrics], key=ENV_RUNNER_RESULTS)
            with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
                newest = self._apply(gradient)
            lag = newest.version - 1 - gradient.version
            self.metrics.log_value((LEARNER_RESULTS, GRADIENT_LAG), lag, window=self.config.workers)
            self.lags.append(lag)
            self.contributors.go_on(worker, newest)
        self._learner_metrics()
        if newest is not None:
            self.env_runner.take(newest)

    def _apply(self, gradient: Gradient) -> Weights:
        applied = self.learner_group.foreach_learner(_apply_gradient, gradient=gradient)
        return next(iter(applied)).get()

    def _learner_metrics(self) -> None:
        logged = [result.get() for result in self.learner_group.foreach_learner(_reduced_metrics)]
        self.metrics.aggregate(logged, key=LEARNER_RESULTS)

    def weights(self) -> Weights:
        """The newest weights."""
        return next(iter(self.learner_group.foreach_learner(_weights))).get()

    def arenas(self) -> dict[int, Any]:
        """What the workers go on from: their chains and, where they take turns, their weights."""
        if isinstance(self.contributors, TurnTakers):
            return {0: self.contributors.get_state()}
        return dict(self.env_runner_group.foreach_env_runner(arena_of, local_env_runner=False))

    def set_arenas(self, arenas: Mapping[int, Any]) -> None:
        """Go on from `arenas`.

        Raises
        ------
        InputError
            If they are of workers that took turns and these do not, or the other way round.
        """
        if arenas and (0 in arenas) == self.remote:
            raise InputError("env_runners: the state was saved with none, or with some; go on with the same number.")
        if isinstance(self.contributors, TurnTakers):
            for state in arenas.values():
                self.contributors.set_state(state)
        else:
            super().set_arenas(arenas)
            self.contributors = self._workers()

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and that of the workers."""
        return {**super().get_state(*args, **kwargs), "arenas": self.arenas()}


def _apply_gradient(learner: A3CLearner, gradient: Gradient) -> Weights:
    return learner.apply_gradient(gradient)


def _weights(learner: A3CLearner) -> Weights:
    return learner.weights()


def _reduced_metrics(learner: A3CLearner) -> Any:
    return learner.metrics.reduce()
