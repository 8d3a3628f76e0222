"""Fine-tune a pretrained model on one game: a clipped policy gradient, its baseline copies that met the same demand.

Several copies of the policy meet the same demand and differ only in what they draw; what an action is worth is what
was earned after it, less what the copies earned on average in the same periods. So there is no critic to learn, which
would cost more steps than fine-tuning has (the ratio is clipped as in Schulman et al. 2017; the mean of a group as
baseline follows Kool, van Hoof & Welling 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.learning.foundation.corpus import Batch
from marl_supply.learning.foundation.pretrain import Progress, check_device
from marl_supply.learning.foundation.settings import FineTuning
from marl_supply.learning.foundation.transformer import TensorBatch, Transformer, log_likelihood
from marl_supply.learning.streams import HELD_OUT, TRAINING
from marl_supply.learning.trained import load_policies, save_policies
from marl_supply.learning.trained.transformer_policy import ANYBODY, Session, TransformerPolicy

Floats = NDArray[np.float64]


def fine_tune(
    game: Game,
    model: str | Path,
    env_steps: int,
    seed: int,
    out: str | Path,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = lambda share, text: None,
) -> Path:
    """Go on with a pretrained model on one game.

    Parameters
    ----------
    game
        What is played; each agent minds the reward of the game.
    model
        Path of a pretrained model.
    env_steps : int
        Periods that are played to learn from, at most; held-out play is not counted.
    seed : int
        Of demand and of what is drawn.
    out
        Path of the tuned model (.npz), for the seats of this game and others like it.
    settings
        Of `FineTuning`.
    progress
        Told of what is done.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InputError
        For a file that is no pretrained model, continuous units, a game of several stages, and fewer steps than one
        update takes.
    """
    tuning = FineTuning().changed(settings or {})
    policy = pretrained(model)
    tuner = _Tuner(game, policy, tuning, seed)
    updates = env_steps // tuner.rows
    if not updates:
        raise InputError(f"env_steps: {env_steps:,} are fewer than the {tuner.rows:,} of one update; give more.")
    stops = {round(updates * (number + 1) / tuning.evaluations) for number in range(tuning.evaluations)} | {updates}
    best, kept, taken = tuner.cost(), tuner.model.arrays(), 0
    began = best
    for done in range(1, updates + 1):
        tuner.update(done - 1, updates)
        if done in stops:
            cost = tuner.cost()
            if cost < best:
                best, kept, taken = cost, tuner.model.arrays(), done
        progress(done / updates, f"{done * tuner.rows:,} steps, best {best:,.4g} of {began:,.4g} at first")
    record = {**policy.training, "fine_tuned": {**tuning.to_dict(), "game": game.topology.name, "seed": seed}}
    record["fine_tuned"] |= {"env_steps": taken * tuner.rows, "of_env_steps": updates * tuner.rows}
    tuned = TransformerPolicy.of(policy.network.shape, kept, record, tuning.request)
    save_policies(out, {ANYBODY: tuned})
    return Path(out)


def pretrained(path: str | Path) -> TransformerPolicy:
    """The model of a file.

    Raises
    ------
    InputError
        If it holds something else.
    """
    policy = load_policies(path).get(ANYBODY)
    if not isinstance(policy, TransformerPolicy):
        raise InputError(f"{path}: no pretrained model; give what `marl-supply run` made of a model file.")
    return policy


class _Tuner:
    """A fine-tuning in progress."""

    def __init__(self, game: Game, policy: TransformerPolicy, tuning: FineTuning, seed: int) -> None:
        if not game.network.integer or len(game.stages) > 1:
            raise InputError(
                f"{game.topology.name}: fine-tuning plays whole units, and agents who act at once; leave fine_tune out."
            )
        check_device(tuning.device)
        self.game, self.policy, self.tuning, self.seed = game, policy, tuning, seed
        self.periods = min(tuning.periods, game.horizon)
        self.rows = tuning.lucks * tuning.copies * self.periods
        self.model = Transformer(policy.network.shape).to(tuning.device)
        self.model.load_arrays(policy.network.arrays)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=tuning.learning_rate)
        periods = game.horizon if game.criterion == "total" else min(game.horizon, tuning.evaluation_periods)
        warm_up = min(game.warm_up, periods // 3)
        self.held_out = Game(game.topology, horizon=periods, warm_up=warm_up)

    def cost(self) -> float:
        """Of greedy play on held-out demand, of all agents."""
        players = dict.fromkeys(self.game.agents, self._policy())
        return evaluate(self.held_out, players, self.tuning.evaluation_replications, HELD_OUT).figure

    def _policy(self) -> TransformerPolicy:
        return TransformerPolicy.of(self.policy.network.shape, self.model.arrays(), {}, self.tuning.request)

    def update(self, number: int, updates: int) -> None:
        """Play a batch of episodes and take some steps on it."""
        episodes = self._play(number)
        batches = [
            (TensorBatch(batch, self.tuning.device), torch.from_numpy(worth).to(self.tuning.device))
            for batch, worth in episodes
        ]
        with torch.no_grad():
            before = [self._likelihood(batch) for batch, _ in batches]
        for group in self.optimizer.param_groups:
            group["lr"] = self.tuning.learning_rate * (1 - number / updates)
        for _ in range(self.tuning.epochs):
            self.optimizer.zero_grad(set_to_none=True)
            for (batch, worth), old in zip(batches, before, strict=True):
                ratio = (self._likelihood(batch) - old).exp()
                clipped = ratio.clamp(1 - self.tuning.clip, 1 + self.tuning.clip)
                loss = -torch.minimum(ratio * worth, clipped * worth).mean() / len(batches)
                loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.tuning.gradient_clip)
            self.optimizer.step()

    def _likelihood(self, batch: TensorBatch) -> torch.Tensor:
        """(B, S) log-likelihood of all that was decided in a period."""
        return log_likelihood(self.model(batch), batch).sum(-1)

    def _play(self, number: int) -> list[tuple[Batch, NDArray[np.float32]]]:
        """Episodes of an update: for each agent what it saw and decided, and what that was worth."""
        game, tuning = self.game, self.tuning
        size = tuning.lucks * tuning.copies
        noise = _SharedLuck(game, self.seed, number, tuning)
        policy = self._policy().sampling()
        state = game.start(size, noise=noise)
        memory = {agent: policy.start(game.seats[agent], size) for agent in game.agents}
        seen: dict[str, list[Any]] = {agent: [] for agent in game.agents}
        done: dict[str, list[Any]] = {agent: [] for agent in game.agents}
        rewards = []
        for _ in range(self.periods):
            decisions = {}
            for agent in game.agents:
                observation = game.observe(state, agent)
                seen[agent].append(observation.vector())
                decisions[agent], memory[agent] = policy.act(observation, memory[agent])
                done[agent].append(memory[agent].acted)
            state, outcome = game.step(state, decisions)
            rewards.append(outcome.rewards)
        earned = np.array(rewards)
        return [
            (self._batch(memory[agent], seen[agent], done[agent]), self._worth(earned[:, row]))
            for row, agent in enumerate(game.agents)
        ]

    def _batch(self, session: Session, seen: list[Floats], done: list[Floats]) -> Batch:
        nodes, decisions = session.nodes, session.decisions
        views = np.array(seen).transpose(2, 0, 1)
        size, periods = views.shape[:2]
        values = decisions.values(np.array(done).transpose(2, 0, 1).astype(np.float64)).astype(np.float32)

        def each(array: NDArray[Any]) -> NDArray[np.float32]:
            return np.broadcast_to(array.astype(np.float32), (size, *array.shape))

        return Batch(
            np.full(size, self.tuning.request, dtype=np.float32),
            np.zeros(size, dtype=bool),
            np.zeros((size, periods), dtype=np.float32),
            np.zeros((size, periods), dtype=bool),
            nodes.changing(views),
            each(nodes.constant),
            values,
            each(decisions.constant),
            decisions.kinds,
            decisions.rows,
            each(decisions.step),
            each(decisions.low),
            each(decisions.high),
            np.ones((size, periods), dtype=bool),
        )

    def _worth(self, rewards: Floats) -> NDArray[np.float32]:
        """(B, S) what was earned over the coming periods, less what copies on the same demand earned; of size one."""
        periods = len(rewards)
        total = np.concatenate([np.zeros((1, rewards.shape[1])), rewards.cumsum(0)])
        ends = np.minimum(np.arange(periods) + self.tuning.reach, periods)
        earned = (total[ends] - total[:-1]).reshape(periods, self.tuning.lucks, self.tuning.copies)
        better = (earned - earned.mean(-1, keepdims=True)).reshape(periods, -1)
        return (better / (better.std() + 1e-9)).T.astype(np.float32)


class _SharedLuck:
    """Demand and chance that copies share, and numbers for policies that they do not."""

    def __init__(self, game: Game, seed: int, update: int, tuning: FineTuning) -> None:
        first = update * tuning.lucks
        self._shared = game.randomness(tuning.lucks, TRAINING + seed, first)
        size = tuning.lucks * tuning.copies
        self._own = game.randomness(size, TRAINING + seed, update * size)
        self._copies = tuning.copies

    def at(self, clock: int) -> Floats:
        """(K, B) demand."""
        return np.repeat(self._shared.at(clock), self._copies, axis=1)

    def chance(self, clock: int) -> Floats:
        """(C, B) numbers of chance."""
        return np.repeat(self._shared.chance(clock), self._copies, axis=1)

    def uniform(self, agent: str, clock: int, size: int) -> Floats:
        """(size, B) numbers for policies."""
        return self._own.uniform(agent, clock, size)
