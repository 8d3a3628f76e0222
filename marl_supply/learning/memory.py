"""What players remember between periods, where some of their chains start anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.game.policy import Memory, Policy
from marl_supply.simulation.state import Decisions, State


class Player:
    """A policy in its seat while chains come and go.

    Attributes
    ----------
    decisions : Decisions
        What it decides at the present decision point.
    """

    def __init__(self, game: Game, agent: str, policy: Policy, columns: int) -> None:
        self.game, self.agent, self.policy = game, agent, policy
        self.columns = columns
        self.memory: Memory = policy.start(game.seats[agent], columns)
        self.decisions = Decisions()

    def look(self, state: State, new: NDArray[np.int64]) -> None:
        """Decide at the next decision point; where an episode is new, with the memory of a new one."""
        observation = self.game.observe(state, self.agent)
        decisions, memory = self.policy.act(observation, self.memory)
        if len(new):
            begun, fresh = self.policy.act(observation, self.policy.start(self.game.seats[self.agent], self.columns))
            changed = {k: put_columns(getattr(decisions, k), getattr(begun, k), new) for k in begun.kinds()}
            decisions, memory = replace(decisions, **changed), put_columns(memory, fresh, new)
        self.decisions, self.memory = decisions, memory

    def get_state(self) -> dict[str, Any]:
        """Memory and decisions."""
        return {"memory": self.memory, "decisions": {k: getattr(self.decisions, k) for k in self.decisions.kinds()}}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.memory, self.decisions = state["memory"], Decisions(**state["decisions"])


def put_columns(memory: Any, fresh: Any, columns: NDArray[np.int64]) -> Any:
    """Arrays, in tuples, lists and mappings, with some replications (the last axis) replaced by those of others."""
    if isinstance(memory, np.ndarray):
        kept = memory.copy()
        kept[..., columns] = fresh[..., columns]
        return kept
    if isinstance(memory, Mapping):
        return {key: put_columns(value, fresh[key], columns) for key, value in memory.items()}
    if isinstance(memory, tuple | list):
        parts = [put_columns(old, new, columns) for old, new in zip(memory, fresh, strict=True)]
        return tuple(parts) if isinstance(memory, tuple) else parts
    return memory
