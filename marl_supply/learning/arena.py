"""A game as a batch of arrays for learners: K copies of B chains stepped as one, without ray and without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game, Outcome
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.game.stocks import warm_stocks
from marl_supply.learning.interface import Interface
from marl_supply.learning.settings import Learner
from marl_supply.learning.streams import GROUP, HELD_OUT, TRAINING, Streams
from marl_supply.simulation import restart
from marl_supply.simulation.state import Columns, Decisions, State, Stocks

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """A decision point as learners see it, scaled: actors (A, K, B, o) and the critic's state (K, B, F)."""

    actors: Floats
    state: Floats


@dataclass(frozen=True)
class Step:
    """What a period brought.

    rewards: (A, K, B) of the learning agents, scaled; view: the next decision point; cut: (b,) replications whose
    episode was cut here (the view shows their new one); final: (K, b, F) the state that theirs ended in.
    """

    rewards: Floats
    view: View
    cut: NDArray[np.int64]
    final: Floats
    outcome: Outcome


class Arena:
    """K copies x B replications of a game.

    Parameters
    ----------
    game
        The game.
    learner
        Settings: scaling, and when chains start anew.
    seeds : (K,) int
        The seed of each copy.
    fixed
        Policies of the agents that do not learn.
    replications, first_replication
        B, and which of the learner's replications these are; None for all.
    held_out : bool
        Use the streams of evaluation: one for all copies, so that they are compared on the same demand.
    """

    def __init__(
        self,
        game: Game,
        learner: Learner,
        seeds: Sequence[int],
        fixed: Mapping[str, Policy] | None = None,
        replications: int | None = None,
        first_replication: int = 0,
        held_out: bool = False,
    ) -> None:
        self.game = game
        self.fixed = dict(fixed or {})
        learning = learning_agents(game, self.fixed)
        self.interface = Interface(game, learning, learner.observation_clip, learner.spread)
        self.copies = len(seeds)
        self.replications = learner.replications if replications is None else replications
        base = [HELD_OUT] * len(seeds) if held_out else [TRAINING + seed for seed in seeds]
        total = max(learner.replications, self.replications)
        self.streams = Streams(game, base, self.replications, first_replication, total)
        self.restart_after = None if held_out else restart_period(game, learner)
        self._restarts = self._phases(-(-total // GROUP)) if self.restart_after else []
        self.columns = self.copies * self.replications
        self.state: State = game.start(self.columns, noise=self.streams)
        self._memory = {a: p.start(game.seats[a], self.columns) for a, p in self.fixed.items()}
        self._new = np.zeros(0, dtype=np.int64)  # columns whose episode has just begun
        self._joint = None if self.fixed else game.joint_order(self.interface.agents)

    def _phases(self, groups: int) -> list[int]:
        """For each group the period, modulo `restart_after`, in which it starts anew."""
        assert self.restart_after is not None
        return [round(self.restart_after * (g + 1) / groups) % self.restart_after for g in self.streams.group_numbers]

    def view(self) -> View:
        """The present decision point."""
        scaled = self._scaled(self.state).reshape(self.interface.size + 1, self.copies, self.replications)
        actors = scaled[self.interface.seen].transpose(0, 2, 3, 1)
        return View(np.ascontiguousarray(actors), np.ascontiguousarray(scaled[:-1].transpose(1, 2, 0)))

    def _scaled(self, state: State) -> Floats:
        """(F + 1, K B) the table scaled, and a row of zeros."""
        scaled = self.interface.scaling.apply(self.game.table.read(state))
        return np.concatenate([scaled, np.zeros((1, scaled.shape[1]), dtype=np.float32)])

    def uniforms(self) -> Floats:
        """(A, C, K, B) uniform numbers for the actions of this period."""
        size = max(self.interface.components)
        drawn = [self.streams.uniform(agent, self.state.clock, size) for agent in self.interface.agents]
        return np.stack(drawn).reshape(len(drawn), size, self.copies, self.replications).astype(np.float32)

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Play one period.

        Parameters
        ----------
        actions : (A, K, B, C) int
            Choices; components that an agent does not have are ignored.
        """
        self.state, outcome = self.game.step(self.state, self._decisions(actions))
        learning = [self.game.agents.index(agent) for agent in self.interface.agents]
        rewards = outcome.rewards[learning].reshape(-1, self.copies, self.replications)
        cut, final = self._start_anew()
        scaled = (rewards / self.interface.reward_scale).astype(np.float32)
        return Step(scaled, self.view(), cut, final, outcome)

    def _decisions(self, actions: NDArray[np.int64]) -> Decisions | dict[str, Decisions]:
        interface = self.interface
        values = interface.low[:, None, None, :] + interface.step[:, None, None, None] * actions
        values = values.reshape(len(interface.agents), self.columns, -1)
        own = [values[n, :, :size].T for n, size in enumerate(interface.components)]
        if self._joint is not None:
            return self.game.actions[interface.agents[0]].decide(np.concatenate(own)[self._joint])
        decided = {agent: self.game.actions[agent].decide(own[n]) for n, agent in enumerate(interface.agents)}
        decided |= {agent: self._play(agent, policy) for agent, policy in self.fixed.items()}
        self._new = np.zeros(0, dtype=np.int64)
        return {agent: decided[agent] for agent in self.game.agents}

    def _play(self, agent: str, policy: Policy) -> Decisions:
        """What a fixed policy decides; where an episode is new, with the memory of a new one."""
        seat = self.game.seats[agent]
        observation = self.game.observe(self.state, agent)
        decisions, memory = policy.act(observation, self._memory[agent])
        if len(self._new):
            begun, fresh = policy.act(observation, policy.start(seat, self.columns))
            kinds = begun.kinds()
            changed = {k: put_columns(getattr(decisions, k), getattr(begun, k), self._new) for k in kinds}
            decisions, memory = replace(decisions, **changed), put_columns(memory, fresh, self._new)
        self._memory[agent] = memory
        return decisions

    def _start_anew(self) -> tuple[NDArray[np.int64], Floats]:
        """Cut the groups whose time it is, and start their next episodes."""
        clock, every = self.state.clock, self.restart_after or 1
        due = [g for g, phase in enumerate(self._restarts) if clock % every == phase]
        none = np.zeros(0, dtype=np.int64)
        if not due:
            return none, np.zeros((self.copies, 0, self.interface.size), dtype=np.float32)
        columns = np.concatenate([self.streams.columns(group) for group in due])
        final = self._scaled(self.state)[:-1, columns]
        for group in due:
            self.streams.begin(group, clock)
        self.state = restart(self.game.network, self.state, columns, self._stocks(columns))
        self._new = columns
        cut = np.concatenate([np.arange(self.replications)[self.streams.groups[group]] for group in due])
        return cut, self._by_copy(final, due)

    def _stocks(self, columns: NDArray[np.int64]) -> Stocks | None:
        """Where the episodes begin that start now: None for the file's stocks."""
        if self.game.start_rule != "warm":
            return None
        return warm_stocks(self.game.network, Columns(self.streams, columns), self.state.clock, len(columns))

    def _by_copy(self, final: Floats, due: Sequence[int]) -> Floats:
        """(K, b, F) from columns that stand group by group, copies within."""
        parts, start = [], 0
        for group in due:
            size = len(range(self.replications)[self.streams.groups[group]])
            block = final[:, start : start + self.copies * size].reshape(-1, self.copies, size)
            parts.append(block.transpose(1, 2, 0))
            start += self.copies * size
        return np.concatenate(parts, axis=1)

    def get_state(self) -> dict[str, Any]:
        """Everything that the next periods depend on, as arrays and numbers."""
        return {
            "clock": self.state.clock,
            "arrays": state_arrays(self.state),
            "streams": self.streams.get_state(),
            "memory": self._memory,
            "new": self._new,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.streams.set_state(state["streams"])
        self.state.clock = int(state["clock"])
        put_arrays(self.state, state["arrays"])
        self._memory, self._new = dict(state["memory"]), np.asarray(state["new"])


def learning_agents(game: Game, fixed: Mapping[str, Policy]) -> list[str]:
    """The agents without a fixed policy.

    Raises
    ------
    InputError
        If a fixed policy's seat does not exist, the policy needs what the game hides, or nobody is left to learn.
    """
    for agent, policy in fixed.items():
        if agent not in game.agents:
            raise InputError(f"{game.topology.name}: no agent '{agent}'{nearest(agent, game.agents)}.")
        check_needs(policy, game.seats[agent], game.observe_level)
    learning = [agent for agent in game.agents if agent not in fixed]
    if not learning:
        raise InputError(f"{game.topology.name}: every seat has a fixed policy; leave at least one agent to learn.")
    return learning


def restart_period(game: Game, learner: Learner) -> int | None:
    """After how many periods a chain starts anew: as stated, else the horizon of a game with totals, else never."""
    if learner.restart_after is not None:
        return learner.restart_after
    recorded = [process.periods for process in game.processes.values() if process.periods is not None]
    if game.criterion == "total" or recorded:
        return int(game.horizon)
    return None


def state_arrays(state: State) -> dict[str, Any]:
    """The arrays of a state by name; rings as arrays with the slots first."""
    kept: dict[str, Any] = {}
    for item in fields(state):
        value = getattr(state, item.name)
        if isinstance(value, list):
            kept[item.name] = np.stack(value)
        elif isinstance(value, np.ndarray):
            kept[item.name] = value.copy()
    kept["began"] = np.asarray(state.began)
    for market, memory in state.memory.items():
        kept |= {f"memory.{market}.{name}": value.copy() for name, value in memory.items()}
    return kept


def put_arrays(state: State, arrays: Mapping[str, Any]) -> None:
    """Put `state_arrays` back."""
    state.derived.clear()
    memory: dict[int, dict[str, Any]] = {}
    for name, value in arrays.items():
        if name.startswith("memory."):
            _, market, part = name.split(".", 2)
            memory.setdefault(int(market), {})[part] = np.array(value)
            continue
        ring = isinstance(getattr(state, name), list)
        setattr(state, name, [slot.copy() for slot in value] if ring else np.array(value))
    state.memory = memory


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
