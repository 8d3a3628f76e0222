"""A game as a batch of arrays for learners: K copies of B chains stepped as one, without ray and without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game, Outcome
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.game.stocks import warm_stocks
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.learning.foresight import Foresight
from marl_supply.learning.interface import Interface
from marl_supply.learning.masks import Mask
from marl_supply.learning.memory import Player
from marl_supply.learning.streams import GROUP, HELD_OUT, TRAINING, Streams
from marl_supply.simulation import restart
from marl_supply.simulation.state import Columns, Decisions, State, Stocks

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """A decision point as learners see it, scaled.

    actors: (A, K, B, o); state: (K, B, F) what critics of the state see; highest: (A, K, B, C) number of the highest
    open choice of each component, None where all are open on all days.
    """

    actors: Floats
    state: Floats
    highest: NDArray[np.int64] | None = None


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
        Settings: what is seen, what choices mean, and when chains start anew.
    seeds : (K,) int
        The seed of each copy.
    fixed
        Policies of the agents that do not learn.
    replications, first_replication
        B, and which of the learner's replications these are; None for all.
    held_out : bool
        Use the streams of evaluation: one for all copies, so that they are compared on the same demand.
    foresight : int
        Coming periods of realised demand that critics see, and the time; 0 for neither.
    """

    def __init__(
        self,
        game: Game,
        learner: ChoosingLearner,
        seeds: Sequence[int],
        fixed: Mapping[str, Policy] | None = None,
        replications: int | None = None,
        first_replication: int = 0,
        held_out: bool = False,
        foresight: int = 0,
    ) -> None:
        self.game = game
        self.fixed = dict(fixed or {})
        self.interface = Interface(game, learning_agents(game, self.fixed), learner)
        self.copies = len(seeds)
        self.replications = learner.replications if replications is None else replications
        base = [HELD_OUT] * len(seeds) if held_out else [TRAINING + seed for seed in seeds]
        total = max(learner.replications, self.replications)
        drawn = (game, base, self.replications, first_replication, total)
        self.streams = Streams(*drawn)
        self.restart_after = None if held_out else restart_period(game, learner)
        self._restarts = self._phases(-(-total // GROUP)) if self.restart_after else []
        self.columns = self.copies * self.replications
        self.state: State = game.start(self.columns, noise=self.streams)
        limit = learner.observation_clip
        self.foresight = Foresight(game, Streams(*drawn), foresight, limit) if foresight else None
        self._seat_players()
        self._joint = self._joint_order()
        self._remembered = self.interface.signals.first(self.columns)
        self._look(np.zeros(0, dtype=np.int64), first=True)

    def _seat_players(self) -> None:
        bases = self.interface.bases
        policies = {**self.fixed, **{agent: base.policy for agent, base in bases.items()}}
        self._players = {a: Player(self.game, a, policy, self.columns) for a, policy in policies.items()}
        kind = self.game.action_kind
        seated = [(self.game.seats[a], self.game.actions[a], kind, bases.get(a)) for a in self.interface.agents]
        masks = [Mask(*each) for each in seated]
        self._masks = masks if any(mask.needed for mask in masks) else []

    def _joint_order(self) -> NDArray[np.int64] | None:
        """Where the components of all agents stand in decisions of the whole chain; None if some are not alike."""
        if self.fixed:
            return None
        bases = list(self.interface.bases.values())
        if len({base.kinds for base in bases}) > 1:
            return None
        return self.game.joint_order(self.interface.agents, bases[0].of if bases else None)

    def _phases(self, groups: int) -> list[int]:
        """For each group the period, modulo `restart_after`, in which it starts anew."""
        assert self.restart_after is not None
        return [round(self.restart_after * (g + 1) / groups) % self.restart_after for g in self.streams.group_numbers]

    def _look(self, new: NDArray[np.int64], first: bool = False) -> None:
        """At a new decision point: players decide, what was seen is remembered; chains in `new` have just begun."""
        signals = self.interface.signals
        table = self.game.table.read(self.state)
        if signals.size and not first:
            self._remembered = signals.after(self._remembered, table)
            self._remembered[:, new] = signals.first(len(new))
        for player in self._players.values():
            player.look(self.state, new)
        self._everything = self._scaled(table)

    def _scaled(self, table: NDArray[np.float64]) -> Floats:
        """(F + 2, K B) the state scaled, a row of zeros and one of ones."""
        bases = [base.quantity(self._players[a].decisions) for a, base in self.interface.bases.items()]
        parts = [table, self._remembered, *bases] if self.interface.signals.size or bases else [table]
        scaled = self.interface.scaling.apply(np.concatenate(parts) if len(parts) > 1 else table)
        pads = np.zeros((2, scaled.shape[1]), dtype=np.float32)
        pads[1] = 1.0
        return np.concatenate([scaled, pads])

    def view(self) -> View:
        """The present decision point."""
        seen = self._everything.reshape(-1, self.copies, self.replications)
        actors = np.ascontiguousarray(seen[self.interface.seen].transpose(0, 2, 3, 1))
        return View(actors, self._by_copy(self._critics_see(self._everything)), self._highest())

    def _critics_see(self, everything: Floats) -> Floats:
        """(F, K B) the state, and what is still to come."""
        state = everything[: self.interface.size]
        return state if self.foresight is None else np.concatenate([state, self.foresight.read(self.state)])

    def _by_copy(self, numbers: Floats) -> Floats:
        """(K, B, F) from (F, K B)."""
        return np.ascontiguousarray(numbers.reshape(-1, self.copies, self.replications).transpose(1, 2, 0))

    def _highest(self) -> NDArray[np.int64] | None:
        if not self._masks:
            return None
        interface = self.interface
        highest = np.zeros((*interface.choices.shape, self.columns), dtype=np.int64)
        for number, (agent, mask) in enumerate(zip(interface.agents, self._masks, strict=True)):
            quantity = interface.bases[agent].quantity(self._players[agent].decisions) if interface.bases else None
            own = mask.highest(self.game.observe(self.state, agent), quantity)
            highest[number, : len(own)] = own
        return highest.reshape(*interface.choices.shape, self.copies, self.replications).transpose(0, 2, 3, 1)

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
        values = interface.low[:, None, None, :] + interface.steps[:, None, None, :] * actions
        values = values.reshape(len(interface.agents), self.columns, -1)
        own = {agent: values[n, :, :size].T for n, (agent, size) in enumerate(self._components())}
        for agent, base in interface.bases.items():
            own[agent] = base.together(base.quantity(self._players[agent].decisions), own[agent])
        if self._joint is not None:
            return self._decide(interface.agents[0], np.concatenate(list(own.values()))[self._joint])
        decided = {agent: self._decide(agent, own[agent]) for agent in interface.agents}
        decided |= {agent: self._players[agent].decisions for agent in self.fixed}
        return {agent: decided[agent] for agent in self.game.agents}

    def _components(self) -> Iterable[tuple[str, int]]:
        return zip(self.interface.agents, self.interface.components, strict=True)

    def _decide(self, agent: str, values: NDArray[np.float64]) -> Decisions:
        base = self.interface.bases.get(agent)
        return self.game.actions[agent].decide(values) if base is None else base.decisions(values)

    def _start_anew(self) -> tuple[NDArray[np.int64], Floats]:
        """Cut the groups whose time it is, start their next episodes, and look at the new decision point."""
        clock, every = self.state.clock, self.restart_after or 1
        due = [g for g, phase in enumerate(self._restarts) if clock % every == phase]
        none = np.zeros(0, dtype=np.int64)
        if self.foresight is not None:
            self.foresight.move(clock)
        if not due:
            self._look(none)
            width = self.interface.size + (self.foresight.size if self.foresight is not None else 0)
            return none, np.zeros((self.copies, 0, width), dtype=np.float32)
        columns = np.concatenate([self.streams.columns(group) for group in due])
        remembered, memories = self._remembered, {agent: p.get_state() for agent, p in self._players.items()}
        self._look(none)
        final = self._critics_see(self._everything)[:, columns]
        self._remembered = remembered
        for agent, memory in memories.items():
            self._players[agent].set_state(memory)
        for group in due:
            self.streams.begin(group, clock)
            if self.foresight is not None:
                self.foresight.begin(group, clock)
        self.state = restart(self.game.network, self.state, columns, self._stocks(columns))
        self._look(columns)
        cut = np.concatenate([np.arange(self.replications)[self.streams.groups[group]] for group in due])
        return cut, self._groups_by_copy(final, due)

    def _stocks(self, columns: NDArray[np.int64]) -> Stocks | None:
        """Where the episodes begin that start now: None for the file's stocks."""
        if self.game.start_rule != "warm":
            return None
        return warm_stocks(self.game.network, Columns(self.streams, columns), self.state.clock, len(columns))

    def _groups_by_copy(self, final: Floats, due: Sequence[int]) -> Floats:
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
            "players": {agent: player.get_state() for agent, player in self._players.items()},
            "remembered": self._remembered,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.streams.set_state(state["streams"])
        self.state.clock = int(state["clock"])
        put_arrays(self.state, state["arrays"])
        for agent, player in self._players.items():
            player.set_state(state["players"][agent])
        self._remembered = np.asarray(state["remembered"])
        if self.foresight is not None:
            self.foresight.set_state(state["streams"], self.state.clock)
        self._everything = self._scaled(self.game.table.read(self.state))


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


def restart_period(game: Game, learner: ChoosingLearner) -> int | None:
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
