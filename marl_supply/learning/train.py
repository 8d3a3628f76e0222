"""Train all copies of a learner on a game: evaluated on held-out streams, the best kept, resumed where it stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.checkpoint import load_checkpoint, save_checkpoint
from marl_supply.learning.extras import check_installed
from marl_supply.learning.loggers.logger import Watch
from marl_supply.learning.settings import Learner, learner_named
from marl_supply.learning.trained import TrainedPolicy, save_policies
from marl_supply.learning.trainer import Trainer, trainer_of

Progress = Callable[[int, int], None]
"""Called with the environment steps done and planned, of each copy; first before any step of this call."""


@dataclass(frozen=True)
class Point:
    """One greedy evaluation of one copy during training.

    cost: of all agents together, by the game's criterion; by_agent: of each.
    """

    seed: int
    env_steps: int
    seconds: float
    cost: float
    by_agent: dict[str, float]


@dataclass
class Training:
    """What a training gave.

    Attributes
    ----------
    policies : dict
        For each seed the policies of the learning agents: the best on held-out demand under a shared reward, or where
        there is one agent only, and the last otherwise, since the lowest total is not what selfish learners seek.
    curve : list of Point
        All evaluations.
    chosen : dict
        For each seed the environment steps after which its policies were taken.
    resumed_from : int or None
        Environment steps that were already done in an earlier call.
    """

    policies: dict[int, Mapping[str, TrainedPolicy]]
    curve: list[Point] = field(default_factory=list)
    chosen: dict[int, int] = field(default_factory=dict)
    resumed_from: int | None = None


def train(
    game: Game,
    learner: Learner | str,
    seeds: Sequence[int],
    env_steps: int,
    out_dir: str | Path | None = None,
    progress: Progress | None = None,
    fixed: Mapping[str, Policy] | None = None,
    env_runners: int = 0,
    watch: Watch | None = None,
    learners: int = 0,
) -> Training:
    """Train copies of a learner, one for each seed, in one stacked run on RLlib.

    Parameters
    ----------
    game
        With its reward; recorded demand is trained on its training span.
    learner
        Settings, or a name.
    seeds : (K,) int
        One for each copy.
    env_steps
        Budget of each copy.
    out_dir
        Where checkpoints, curves and policies go (``seed_<seed>.npz``, ``curve.jsonl``); if a checkpoint of the same
        training lies there, it goes on from it.
    fixed
        Policies of the agents that do not learn.
    env_runners
        Remote processes that sample; 0 samples in this one.
    watch
        Called after every evaluation with the environment steps of each copy, and costs, losses and speed.
    learners
        Remote processes that share the updates, a part of the replications each; 0 updates in this one. The number
        changes results by rounding alone.

    Raises
    ------
    InputError
        If the game cannot be learned, or `out_dir` holds another training or a damaged checkpoint.
    """
    learner = learner_named(learner) if isinstance(learner, str) else learner
    check_installed(learner.packages)
    trainer = trainer_of(game, learner, seeds, env_steps, fixed, env_runners, learners)
    try:
        return _Run(trainer, None if out_dir is None else Path(out_dir), progress, watch).finish()
    finally:
        trainer.stop()


class _Run:
    """A training in progress: what has been evaluated and kept so far."""

    def __init__(
        self, trainer: Trainer, out_dir: Path | None, progress: Progress | None, watch: Watch | None = None
    ) -> None:
        self.trainer = trainer
        self.out_dir = out_dir
        self.progress = progress
        self.watch = watch
        self.total = trainer.updates
        self.done = 0
        self.seconds = 0.0
        self.curve: list[Point] = []
        self.best: dict[int, float] = {}
        self.chosen: dict[int, int] = {}
        self.kept: dict[int, Any] = {}
        self.resumed_from: int | None = None
        self._resume()

    @property
    def checkpoint(self) -> Path | None:
        """Where the state of this training lies."""
        return None if self.out_dir is None else self.out_dir / "checkpoint.pt"

    def finish(self) -> Training:
        """Train to the end of the budget."""
        stops = evaluation_updates(self.total, self.trainer.learner.evaluations)
        began = time.monotonic() - self.seconds
        self._report()
        if not self.curve:
            self._evaluate()
        while self.done < self.total:
            self.trainer.update()
            self.done += 1
            self.seconds = time.monotonic() - began
            if self.done in stops:
                self._evaluate()
                self._save()
            self._report()
        return self._result()

    def _report(self) -> None:
        if self.progress is not None:
            steps = self.trainer.learner.rows
            self.progress(self.done * steps, self.total * steps)

    def _evaluate(self) -> None:
        trainer, game = self.trainer, self.trainer.game
        costs = trainer.greedy_costs()
        steps = self.done * trainer.learner.rows
        for copy, seed in enumerate(trainer.seeds):
            by_agent = dict(zip(game.agents, costs[:, copy].tolist(), strict=True))
            cost = float(costs[:, copy].sum())
            self.curve.append(Point(seed, steps, round(self.seconds, 3), cost, by_agent))
            common = game.own_weight == 0 or len(game.agents) == 1
            if not common or cost < self.best.get(seed, np.inf):
                self.best[seed], self.chosen[seed] = cost, steps
                self.kept[seed] = trainer.snapshot(copy)
        if self.watch is not None:
            self.watch(steps, self._figures(costs))

    def _figures(self, costs: Any) -> dict[str, float]:
        """What a logger is told: costs by agent (mean over copies), of each copy, losses, and speed."""
        by_agent = dict(zip(self.trainer.game.agents, costs.mean(1).tolist(), strict=True))
        totals = dict(zip(self.trainer.seeds, costs.sum(0).tolist(), strict=True))
        speed = self.done * self.trainer.learner.rows * len(totals) / self.seconds if self.seconds else 0.0
        return {
            "cost/all": sum(by_agent.values()),
            **{f"cost/{agent}": cost for agent, cost in by_agent.items()},
            **{f"cost_of_seed/{seed}": cost for seed, cost in totals.items()},
            "env_steps_a_second": speed,
            **{f"learner/{name}": value for name, value in self.trainer.losses().items()},
        }

    def _result(self) -> Training:
        policies: dict[int, Mapping[str, TrainedPolicy]] = {}
        for seed in self.trainer.seeds:
            record = {**self.trainer.learner.to_dict(), "seed": seed, "env_steps": self.chosen[seed]}
            policies[seed] = self.trainer.policies(self.kept[seed], record)
            if self.out_dir is not None:
                save_policies(self.out_dir / f"seed_{seed}.npz", policies[seed])
        return Training(policies, self.curve, self.chosen, self.resumed_from)

    def _save(self) -> None:
        if self.out_dir is None or self.checkpoint is None:
            return
        progress = {
            "done": self.done,
            "seconds": self.seconds,
            "curve": [asdict(point) for point in self.curve],
            "best": list(self.best.items()),
            "chosen": list(self.chosen.items()),
            "kept": list(self.kept.items()),
        }
        state = {"identity": self.trainer.identity(), "progress": progress, "trainer": self.trainer.get_state()}
        save_checkpoint(self.checkpoint, state)
        lines = [json.dumps(asdict(point)) for point in self.curve]
        (self.out_dir / "curve.jsonl").write_text("\n".join(lines) + "\n")

    def _resume(self) -> None:
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        state = load_checkpoint(self.checkpoint)
        if state.get("identity") != self.trainer.identity():
            raise InputError(
                f"{self.checkpoint}: belongs to another training (game, learner, seeds or budget differ); choose "
                "another directory."
            )
        progress = state["progress"]
        self.done, self.seconds = progress["done"], progress["seconds"]
        self.curve = [Point(**point) for point in progress["curve"]]
        self.best, self.chosen = dict(progress["best"]), dict(progress["chosen"])
        self.kept = dict(progress["kept"])
        self.trainer.set_state(state["trainer"])
        self.resumed_from = self.done * self.trainer.learner.rows


def evaluation_updates(total: int, evaluations: int) -> set[int]:
    """After which updates the copies are evaluated: evenly spread, the last one included."""
    return {round(total * (number + 1) / evaluations) for number in range(evaluations)} | {total}
