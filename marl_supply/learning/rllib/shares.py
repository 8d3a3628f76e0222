"""The remote runners' shares of a batch: every batch is whole, whichever runner dies while it is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.policy.sample_batch import MultiAgentBatch
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO

from marl_supply.learning.rllib.runner import COMPONENT_ARENA, BatchedEnvRunner

Sampled = tuple[MultiAgentBatch, Any, dict[str, Any]]
"""What a runner sampled, its metrics, and the state that its arena was left in."""
Mark = tuple[int, int]
"""Where a runner must stand to sample: the clock of its arena, the number of its weights."""


class Shares:
    """Where the chains of each remote runner stand, kept beside the learner.

    A share follows from the weights and from where its chains stood before. So one that is lost with its runner is
    sampled again here, bit for bit on a processor of the same kind, and a runner that comes back goes on from there.

    Attributes
    ----------
    arenas : dict of int to dict
        State of the arena of each runner after its last share, by the runner's number.
    redone : int
        Shares that were sampled here because their runner was lost.
    """

    def __init__(self, group: Any, config: Any) -> None:
        self.group = group
        self.config = config
        self.arenas: dict[int, dict[str, Any]] = {}
        self.redone = 0

    @property
    def numbers(self) -> list[int]:
        """Of the runners, 1 and up, alive or not."""
        return list(range(1, self.group.num_remote_env_runners() + 1))

    def sample(self) -> list[Sampled]:
        """The shares of all runners in their order."""
        found = self._ask(self.numbers)
        behind = [number for number, sampled in found.items() if sampled is None]
        if behind:
            self.push(behind)
            found |= self._ask(behind)
        whole = [found.get(number) or self._redo(number) for number in self.numbers]
        self.arenas = {number: sampled[2] for number, sampled in zip(self.numbers, whole, strict=True)}
        return whole

    def _ask(self, numbers: list[int]) -> dict[int, Sampled | None]:
        """Samples of those runners that answer; None from one that does not stand where it should."""
        answers = self.group.foreach_env_runner(
            partial(share_of, marks={number: self._mark(number) for number in numbers}),
            remote_worker_ids=numbers,
            local_env_runner=False,
            timeout_seconds=self.config.sample_timeout_s,
        )
        return dict(answers)

    def _mark(self, number: int) -> Mark:
        clock = int(self.arenas[number]["clock"]) if number in self.arenas else 0
        return clock, self.group.local_env_runner.weights_number

    def push(self, numbers: list[int]) -> None:
        """Give runners the weights, and their chains where these stand; one that is lost is left for later."""
        for number in numbers:
            self.group.foreach_env_runner(
                "set_state",
                kwargs={"state": self._state(number)},
                remote_worker_ids=[number],
                local_env_runner=False,
                timeout_seconds=self.config.sample_timeout_s,
            )

    def _state(self, number: int) -> dict[str, Any]:
        state = self.group.local_env_runner.get_state(components=COMPONENT_RL_MODULE)
        kept = {name: state[name] for name in (COMPONENT_RL_MODULE, WEIGHTS_SEQ_NO)}
        return {**kept, COMPONENT_ARENA: self.arenas[number]} if number in self.arenas else kept

    def _redo(self, number: int) -> Sampled:
        """Sample a lost share in this process."""
        self.redone += 1
        runner = type(self.group.local_env_runner)(
            config=self.config, worker_index=number, num_workers=len(self.numbers)
        )
        runner.set_state(self._state(number))
        return _sampled(runner)

    def read(self) -> dict[int, dict[str, Any]]:
        """The arenas' states, asked for where nothing was sampled yet."""
        if not self.arenas:
            self.arenas = dict(self.group.foreach_env_runner(arena_of, local_env_runner=False))
        return dict(self.arenas)

    def put(self, arenas: Mapping[int, dict[str, Any]]) -> None:
        """Go on from `read`."""
        self.arenas = dict(arenas)
        self.push(self.numbers)


def share_of(runner: BatchedEnvRunner, marks: Mapping[int, Mark]) -> tuple[int, Sampled | None]:
    """A runner's number and its sample; None instead if it has begun anew or missed weights."""
    number = int(runner.worker_index or 0)
    assert runner.arena is not None
    stands = int(runner.arena.state.clock), runner.weights_number
    return number, _sampled(runner) if stands == marks[number] else None


def arena_of(runner: BatchedEnvRunner) -> tuple[int, dict[str, Any]]:
    """A runner's number and the state of its arena."""
    return int(runner.worker_index or 0), runner.get_state(components=COMPONENT_ARENA)[COMPONENT_ARENA]


def _sampled(runner: BatchedEnvRunner) -> Sampled:
    return runner.sample(), runner.get_metrics(), arena_of(runner)[1]
