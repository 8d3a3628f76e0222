"""One replication of a game, one episode after another: what the faces play."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game import Game, Outcome
from marl_supply.simulation import Decisions, State

FloatVector = NDArray[np.float32]


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
    table : (F,) float32
        Every number that can be seen of the chain at the decision point, units.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.seed: int | None = None
        self.number = -1
        self.period = 0
        self.state: State
        self.outcome: Outcome | None = None
        self.table: FloatVector

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
        assert self.seed is not None
        self.number += 1
        self.period, self.outcome = 0, None
        self._stand_at(self.game.start(1, self.seed, self.number))

    def view(self, agent: str) -> FloatVector:
        """(k,) what an agent sees, units; `Game.layouts` says what each number is."""
        view: FloatVector = self.table[self.game.seen[agent]]
        return view

    def decode(self, agent: str, action: Any) -> Decisions:
        """What an action means: a choice (or several) for whole units, else numbers, clipped to their bounds."""
        kind = self.game.actions[agent]
        values = np.asarray(action, dtype=np.float64).reshape(-1, 1)
        if not kind.seat.integer and len(values) == len(kind.low):
            values = np.clip(values, kind.low[:, None], kind.high[:, None])
        return kind.decode(values)

    def decide(self, decisions: Mapping[str, Decisions]) -> None:
        """Play a stage that is not the last of its period."""
        self._stand_at(self.game.decide(self.state, decisions))

    def step(self, decisions: Mapping[str, Decisions]) -> Outcome:
        """Play the last stage and end the period."""
        state, self.outcome = self.game.step(self.state, decisions)
        self.period += 1
        self._stand_at(state)
        return self.outcome

    def _stand_at(self, state: State) -> None:
        self.state = state
        self.table = self.game.table.read(state)[:, 0].astype(np.float32)
