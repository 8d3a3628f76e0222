"""Who computes gradients: workers that take turns in this process, or env runners in others, as they finish."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Protocol

import ray
from ray.rllib.env.env_runner_group import EnvRunnerGroup

from marl_supply.learning.rllib.a3c.gradients import Gradient, Weights
from marl_supply.learning.rllib.a3c.runner import GradientRunner

Delivery = tuple[int, Gradient, Any]
"""Number of a worker, its gradient, and RLlib's metrics of its sample."""

TAG = "gradients"
POLL = 0.01
"""Seconds for which ray is asked at a time whether something has arrived."""


class Workers(Protocol):
    """Workers that each hold weights, play, and deliver one gradient at a time."""

    def next(self) -> Delivery:
        """Wait for the next gradient."""

    def go_on(self, worker: int, weights: Weights) -> None:
        """Let the worker that delivered play on with new weights."""


class TurnTakers:
    """Workers in this process, one after another in a fixed order.

    A worker whose turn it is plays with the weights that it got at its last turn.
    """

    def __init__(self, config: Any) -> None:
        count = config.workers
        self._runners = [GradientRunner(config=config, worker_index=n + 1, num_workers=count) for n in range(count)]
        self._turn = 0

    def next(self) -> Delivery:
        """The gradient of the worker whose turn it is."""
        runner = self._runners[self._turn]
        return self._turn, runner.sample_and_grad(), runner.get_metrics()

    def go_on(self, worker: int, weights: Weights) -> None:
        """Give the worker new weights; it is the next one's turn."""
        self._runners[worker].take(weights)
        self._turn = (worker + 1) % len(self._runners)

    def get_state(self) -> dict[str, Any]:
        """Weights and chains of each worker, and whose turn it is."""
        # RLlib's arrays are those that the workers go on with.
        return {"turn": self._turn, "runners": deepcopy([runner.get_state() for runner in self._runners])}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self._turn = int(state["turn"])
        for runner, own in zip(self._runners, state["runners"], strict=True):
            runner.restore(own)


class Remote:
    """Env runners in other processes; the first to finish is served first.

    Each has one request under way. One that dies loses it; ray starts it anew, and it gets the newest weights.
    """

    def __init__(self, group: EnvRunnerGroup, restore: Callable[[], Any], weights: Weights) -> None:
        self._group, self._restore = group, restore
        self._arrived: deque[Delivery] = deque()
        self._newest = ray.put(weights)

    def next(self) -> Delivery:
        """Wait for the next gradient; runners without a request get one."""
        self._request(self._group.healthy_env_runner_ids())
        while not self._arrived:
            for worker, delivered in self._group.fetch_ready_async_reqs(tags=TAG, timeout_seconds=POLL):
                if isinstance(delivered, Exception):
                    raise delivered
                self._arrived.append((worker, *delivered))
            if not self._arrived and not self._group.healthy_env_runner_ids():
                self._restore()
                self._request(self._group.healthy_env_runner_ids())
        return self._arrived.popleft()

    def go_on(self, worker: int, weights: Weights) -> None:
        """Ask the worker for its next gradient, at these weights."""
        self._newest = ray.put(weights)
        if worker in self._group.healthy_env_runner_ids():
            self._request([worker])

    def _request(self, workers: list[int]) -> None:
        """Requests to runners that have one are dropped, since they may have only one under way."""
        if workers:
            work = partial(_sample_and_grad, weights=self._newest)
            self._group.foreach_env_runner_async(work, tag=TAG, remote_worker_ids=workers)


def _sample_and_grad(runner: GradientRunner, weights: Any) -> tuple[Gradient, Any] | Exception:
    """A gradient and the metrics of its sample; an error is returned, since RLlib takes one that is raised for a death
    and would start over for ever."""
    try:
        return runner.sample_and_grad(ray.get(weights)), runner.get_metrics()
    except Exception as error:
        return error
