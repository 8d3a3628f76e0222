"""Policies of all agents as one rule: what a chain does at a decision point, whenever it comes there.

Memories are allowed as far as they count periods: then what is remembered at a place in the review cycle is always the
same, or decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.simulation import Decisions, State, decide
from marl_supply.solvers.markov.one_period import OnePeriod

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PERIODS_CHECKED, STATES_CHECKED = 256, 1000
"""How far and where policies with a memory are asked whether they decide as in the first review cycle."""


class JointPolicy:
    """What given policies decide at decision points.

    Parameters
    ----------
    period
        The game, and what of its states matters.
    players
        One for each agent, or for all but those whose decisions are given. They see what they say that they need, and
        take no random numbers.
    """

    def __init__(self, period: OnePeriod, players: Mapping[str, Policy]) -> None:
        self.period, self.game, self.players = period, period.game, players
        seats = self.game.seats
        self.seats = {agent: replace(seats[agent], visible=player.needs) for agent, player in players.items()}
        start = {agent: players[agent].start(seat, 1) for agent, seat in self.seats.items()}
        self._known: dict[int, dict[str, Memory]] = {0: start}
        self._second: dict[int, dict[str, Memory]] = {}

    def decide(self, state: State, moment: int, given: Mapping[str, Decisions] | None = None) -> State:
        """The state after all agents have decided, stage by stage, at one place in the review cycle.

        Parameters
        ----------
        given
            Decisions of agents that are not among the players.

        Raises
        ------
        InputError
            If a policy remembers anything but the period, or takes random numbers.
        """
        following: dict[str, Memory] = {}
        for stage in self.game.stages:
            decisions = {agent: decision for agent, decision in (given or {}).items() if agent in stage}
            for agent in stage:
                if agent not in decisions:
                    decisions[agent], following[agent] = self._act(state, agent, self._known[moment][agent])
            scopes = [(self.game.seats[agent].scope, decisions[agent]) for agent in stage]
            state = decide(self.game.network, state, scopes)
        self._pass_on(moment, following)
        return state

    def check(self, columns: IntArray) -> None:
        """Refuse policies that decide otherwise in a later review cycle than in the first, in states (w, n)."""
        points = self.period.points
        memories = self._second.get(points.first_repeat, {})
        if all(memory is None for memory in memories.values()):
            return
        for number in range(-(-PERIODS_CHECKED // points.cycle) * points.cycle):
            moment = points.first_repeat + number % points.cycle
            here = columns[:, columns[-1] == moment][:, :STATES_CHECKED]
            following: dict[str, Memory] = {}
            for agent in self.players:
                state = self.period.state(here)
                first, _ = self._act(state, agent, self._known[moment][agent])
                second, following[agent] = self._act(state, agent, memories[agent])
                for kind in first.kinds():
                    if not np.array_equal(getattr(first, kind), getattr(second, kind)):
                        self._refuse()
            memories = {agent: _single(agent, memory) for agent, memory in following.items()}

    def _act(self, state: State, agent: str, memory: Memory) -> tuple[Decisions, Memory]:
        seat, state = self.seats[agent], state.changed(noise=_NoChance(agent))
        seen = Observation(seat, state, self.game.table, self.game.seen[agent])
        decision, memory = self.players[agent].act(seen, memory)
        if decision.demand_plus is not None and all(name != "incoming" for name, _ in self.period.points.fields):
            raise InputError(f"'{agent}': a policy that adds to its claims must say that it needs 'incoming_orders'.")
        return decision, memory

    def _pass_on(self, moment: int, memories: dict[str, Memory]) -> None:
        """Keep what the agents remember after deciding at a place in the cycle."""
        points = self.period.points
        single = {agent: _single(agent, memory) for agent, memory in memories.items()}
        following = points.after(moment)
        known = self._second if following <= moment else self._known
        if following not in known:
            known[following] = single
        elif any(not _same(known[following][agent], memory) for agent, memory in single.items()):
            self._refuse()

    def _refuse(self) -> None:
        raise InputError(
            "a policy decides otherwise in the same state later on: it remembers what happened; evaluate it by "
            "simulation instead."
        )


def _single(agent: str, memory: Memory) -> Memory:
    """One column of a memory, of arrays and tuples of them, whose columns are all alike."""
    if isinstance(memory, tuple):
        return tuple(_single(agent, part) for part in memory)
    if memory is None or np.ndim(memory) == 0:
        return memory
    values: Any = np.asarray(memory)
    if (values != values[..., :1]).any():
        raise InputError(f"'{agent}': its policy remembers what happened; evaluate it by simulation instead.")
    return values[..., :1]


def _same(first: Memory, second: Memory) -> bool:
    if isinstance(first, tuple) or isinstance(second, tuple):
        return type(first) is type(second) and len(first) == len(second) and all(map(_same, first, second))
    return first is second or bool(np.array_equal(np.asarray(first), np.asarray(second)))


@dataclass(frozen=True)
class _NoChance:
    """Noise for policies that take none."""

    agent: str

    def uniform(self, agent: str, clock: int, size: int) -> FloatArray:
        raise InputError(f"'{self.agent}': its policy takes random numbers; evaluate it by simulation instead.")
