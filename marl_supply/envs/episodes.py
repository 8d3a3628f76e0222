"""One replication of a game, one episode after another: what the faces play."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.envs.replay import EpisodeNoise
from marl_supply.envs.views import FloatVector, Views
from marl_supply.game import Game, Outcome
from marl_supply.simulation import Decisions, State

Mask = NDArray[np.int8] | tuple[NDArray[np.int8], ...]


class Episodes:
    """The episodes of one replication.

    Parameters
    ----------
    game
        What is played.

    Attributes
    ----------
    seed, number : int
        The noise of the episode under way: `seed` of the game's noise, and as replication the number of episodes
        begun since that seed was given.
    period : int
        Periods played in this episode.
    state : State
        The decision point.
    outcome : Outcome or None
        What the period before brought; None in an episode's first period.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.seed: int | None = None
        self.number = -1
        self.period = 0
        self.state: State
        self.outcome: Outcome | None = None
        self.masked = game.network.reviews is not None and game.network.integer
        self._reader = Views(game)
        self._joint_view: FloatVector
        self._noise: EpisodeNoise

    @cached_property
    def joint(self) -> JointActions | None:
        """The actions of all agents as one; None where they act in turns or decide different things."""
        return JointActions(self.game) if JointActions.fit(self.game) else None

    @property
    def over(self) -> bool:
        """Whether the horizon is reached."""
        return self.period >= self.game.horizon

    def begin(self, seed: int | None = None) -> None:
        """Start an episode: the first of a seed, or the next of the seed before (drawn, if none was ever given)."""
        if seed is None and self.seed is None:
            seed = secrets.randbits(63)
        if seed is not None:
            self.seed, self.number = seed, -1
            self._noise = EpisodeNoise(self.game, seed)
        assert self.seed is not None
        self.number += 1
        self.period, self.outcome = 0, None
        self._stand_at(self.game.start(1, self.seed, self.number, noise=self._noise.of(self.number)))

    @property
    def table(self) -> FloatVector:
        """(F,) every number that can be seen of the chain at the decision point, units."""
        table: FloatVector = self.game.table.read(self.state)[:, 0].astype(np.float32)
        return table

    def view(self, agent: str) -> FloatVector:
        """(k,) what an agent sees, units; `Game.layouts` says what each number is."""
        return self._joint_view[self._reader.parts[agent]]

    def views(self) -> dict[str, FloatVector]:
        """(k,) what each agent sees, units."""
        return self._reader.by_agent(self._joint_view)

    def mask(self, agent: str) -> Mask:
        """Which choices of an agent are open: (choices,) int8 for one component, else one such array for each.

        As `Discrete` and `MultiDiscrete` spaces take them when they sample. Only where `masked`.
        """
        masks = self.game.action_mask(self.state, agent)
        assert masks is not None
        whole = tuple(part.astype(np.int8) for part in masks)
        return whole[0] if len(whole) == 1 else whole

    def decode(self, agent: str, action: Any) -> Decisions:
        """What an action means: a choice (or several) for whole units, else numbers, clipped to their bounds."""
        kind = self.game.actions[agent]
        values = np.asarray(action, dtype=np.float64).reshape(-1, 1)
        if not kind.seat.integer and len(values) == len(kind.low):
            values = np.clip(values, kind.low[:, None], kind.high[:, None])
        return kind.decode(values)

    def decode_all(self, actions: Mapping[str, Any]) -> Decisions | dict[str, Decisions]:
        """What the actions of all agents mean, of the whole chain at once where they fit together."""
        if self.joint is not None:
            decisions = self.joint.decode([actions[agent] for agent in self.game.agents])
            if decisions is not None:
                return decisions
        return {agent: self.decode(agent, action) for agent, action in actions.items()}

    def decide(self, decisions: Mapping[str, Decisions]) -> None:
        """Play a stage that is not the last of its period."""
        self._stand_at(self.game.decide(self.state, decisions))

    def step(self, decisions: Mapping[str, Decisions] | Decisions) -> Outcome:
        """Play the last stage and end the period; decisions of the whole chain are those of `decode_all`."""
        state, self.outcome = self.game.step(self.state, decisions, check=False)
        self.period += 1
        self._stand_at(state)
        return self.outcome

    def _stand_at(self, state: State) -> None:
        self.state = state
        self._joint_view = self._reader.read(state)[:, 0]


class JointActions:
    """The choices of all agents turned into the decisions of the whole chain, without going agent by agent.

    Parameters
    ----------
    game
        One that `fit` accepts.
    """

    def __init__(self, game: Game) -> None:
        actions = [game.actions[agent] for agent in game.agents]
        self._kind = actions[0]
        self._several = [len(action.low) > 1 for action in actions]
        order = game.joint_order(game.agents)
        assert order is not None
        self._order = None if (order == np.arange(len(order))).all() else order
        self._most = (np.concatenate([action.choices for action in actions]) - 1).astype(np.uint64)
        steps = [np.broadcast_to(action.step, action.low.shape) for action in actions]
        low, step = np.concatenate([action.low for action in actions])[order], np.concatenate(steps)[order]
        self._low = low[:, None] if low.any() else None
        self._step = step[:, None] if (step != 1).any() else None

    @staticmethod
    def fit(game: Game) -> bool:
        """Whether all agents choose whole units at once, for each of their edges or for each of their rows."""
        return len(game.stages) == 1 and game.network.integer and game.joint_order(game.agents) is not None

    def decode(self, actions: Sequence[Any]) -> Decisions | None:
        """The decisions of the chain, of one replication; None for what is not a choice of every agent."""
        choices: list[Any] = []
        for action, several in zip(actions, self._several, strict=True):
            if several:
                choices.extend(action)
            else:
                choices.append(action)
        try:
            drawn = np.array(choices)
        except (TypeError, ValueError):
            return None
        if drawn.dtype.kind not in "iu" or drawn.shape != self._most.shape:
            return None
        if np.count_nonzero(drawn.astype(np.uint64) <= self._most) < len(drawn):  # what is below 0 becomes huge
            return None
        values = (drawn if self._order is None else drawn.take(self._order)).astype(np.float64)[:, None]
        if self._step is not None:
            values = values * self._step
        return self._kind.decide(values if self._low is None else values + self._low)
