"""A game: a chain, who decides and pays, what they see, how actions become decisions, and what is rewarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.economics.accounts import Books
from marl_supply.economics.rewards import own_weight, rewards
from marl_supply.errors import InputError, nearest
from marl_supply.game.decisions.action import Action
from marl_supply.game.observation import LEVELS, Entry, Observation, Table
from marl_supply.game.randomness import Randomness
from marl_supply.game.seat import Seat
from marl_supply.game.stocks import warm_stocks
from marl_supply.plugins import find
from marl_supply.simulation import Decisions, Flows, Scope, State, begin, decide, finish, restart
from marl_supply.simulation.arrays import Array
from marl_supply.simulation.state import Columns
from marl_supply.topology import Topology, load
from marl_supply.topology.incidence import Sum
from marl_supply.topology.network import Network


@dataclass(frozen=True)
class Outcome:
    """What a period brought.

    costs: (A, B) each agent's cost after contracts, raw money; rewards: (A, B) what a learner is given; flows: what
    moved, and the stocks at the end.
    """

    costs: Array
    rewards: Array
    flows: Flows


class Game:
    """A Markov game on a supply chain.

    Parameters
    ----------
    chain
        A topology, the name of a shipped one, the path of a file, or a networkx graph.
    reward, observe, actions, horizon, warm_up, criterion, discount, start, agents
        As the section `game` of a topology file; None keeps what the file says.
    held_out : bool
        Play on the evaluation span of recorded demand instead of its training windows.

    Attributes
    ----------
    agents : tuple of str
        In the order of the file; the agent axis A of costs and rewards.
    stages : tuple of tuple of str
        Who decides together: one stage, or one for each level where orders of quantities go downstream first.

    Examples
    --------
    >>> game = Game("beer_game", horizon=10)
    >>> game.agents
    ('manufacturer', 'distributor', 'wholesaler', 'retailer')
    """

    def __init__(
        self,
        chain: Topology | str | Path | Mapping[str, Any] | Any,
        *,
        reward: str | Mapping[str, float] | None = None,
        observe: str | None = None,
        actions: str | Mapping[str, Any] | None = None,
        horizon: int | None = None,
        warm_up: int | None = None,
        criterion: str | None = None,
        discount: float | None = None,
        start: str | None = None,
        agents: Mapping[str, Any] | None = None,
        held_out: bool = False,
    ) -> None:
        stated = {
            "reward": reward,
            "observe": observe,
            "actions": actions,
            "horizon": horizon,
            "warm_up": warm_up,
            "criterion": criterion,
            "discount": discount,
            "start": start,
            "agents": agents,
        }
        self.topology = load(chain, {f"game.{name}": value for name, value in stated.items() if value is not None})
        self.network = Network(self.topology)
        self.held_out = held_out
        self._read_settings()
        self._seat_agents()

    def _read_settings(self) -> None:
        settings = self.topology.game
        self.horizon, self.warm_up = settings.horizon, settings.warm_up
        self.criterion, self.discount = settings.criterion, settings.discount
        self.observe_level, self.reward = settings.observe, settings.reward
        self.start_rule = settings.start
        self.own_weight = own_weight(self.reward if isinstance(self.reward, str) else dict(self.reward))
        if settings.settle:
            raise InputError(f"{self.topology.name}: game.settle: the simulator does not carry it yet; leave it out.")
        processes = self.network.processes
        self.processes = {n: p.evaluation() for n, p in processes.items()} if self.held_out else dict(processes)

    def _seat_agents(self) -> None:
        network = self.network
        stated = self.topology.game.agents
        decides = {row: (row,) for row in network.rows} if stated is None else {n: a.decides for n, a in stated.items()}
        pays = decides if stated is None else {n: a.pays for n, a in stated.items()}
        self.agents: tuple[str, ...] = tuple(decides)
        visible = LEVELS[self.observe_level]
        self.seats = {
            agent: Seat(agent, network, Scope(network, self._rows(agent, "decides", decides[agent])), visible)
            for agent in self.agents
        }
        self._holder("decides", decides)
        self._payer = self._holder("pays", pays)
        self._agent_sum = Sum(self._payer, len(self.agents))
        actions = self.topology.game.actions
        kind, parameters = (actions, {}) if isinstance(actions, str) else (actions["kind"], dict(actions))
        parameters.pop("kind", None)
        self.action_kind = kind
        make = find("marl_supply.game.decisions", Action, kind)
        self.actions: dict[str, Action] = {agent: make(seat, parameters) for agent, seat in self.seats.items()}

    def _holder(self, key: str, shares: Mapping[str, Sequence[str]]) -> Any:
        """(N,) the number of the agent that decides, or pays for, each row: exactly one."""
        rows, holder = self.network.rows, np.full(len(self.network.rows), -1)
        idle = [agent for agent in self.agents if not shares[agent]]
        if idle and key == "decides":
            raise InputError(f"{self.topology.name}: game.agents.{idle[0]}.decides: it is empty; name a row.")
        for number, agent in enumerate(self.agents):
            for row in self._rows(agent, key, shares[agent]):
                if holder[row] >= 0:
                    place = f"{self.topology.name}: game.agents.{agent}.{key}"
                    raise InputError(f"{place}: '{rows[row]}' is with '{self.agents[holder[row]]}'; take it out.")
                holder[row] = number
        if (holder < 0).any():
            row = rows[int(np.flatnonzero(holder < 0)[0])]
            raise InputError(f"{self.topology.name}: game.agents: '{row}' is in nobody's {key}; add it to one agent's.")
        return holder

    def _rows(self, agent: str, key: str, names: Sequence[str]) -> Any:
        rows = []
        for name in names:
            row, _, part = name.partition(".")
            if row not in self.network.rows:
                hint = nearest(row, self.network.rows)
                raise InputError(f"{self.topology.name}: game.agents.{agent}.{key}: no row '{row}'{hint}.")
            if part not in ("", "order"):
                raise InputError(
                    f"{self.topology.name}: game.agents.{agent}.{key}: '{name}': only rows and their orders can be "
                    f"given to agents; write '{row}'."
                )
            rows.append(self.network.rows.index(row))
        return np.array(rows, dtype=np.int64)

    @cached_property
    def books(self) -> Books:
        """The accounts of the chain."""
        return Books(self.network)

    @cached_property
    def table(self) -> Table:
        """Everything that can be seen, as one table of F numbers."""
        return Table(self.network)

    @cached_property
    def layouts(self) -> dict[str, tuple[Entry, ...]]:
        """For each agent the entries of its observation vector, in order."""
        return {agent: self.table.seen(seat, self.observe_level)[0] for agent, seat in self.seats.items()}

    @cached_property
    def seen(self) -> dict[str, Any]:
        """For each agent the positions (k,) of its observation vector in the table."""
        return {agent: self.table.seen(seat, self.observe_level)[1] for agent, seat in self.seats.items()}

    @cached_property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """Who decides together, in order; an agent with rows on several levels moves at the turn of its highest row."""
        if not (self.network.downstream_first and self.action_kind == "quantity"):
            return (self.agents,)
        level_of = {int(row): number for number, level in enumerate(self.network.decision_levels) for row in level.rows}
        turn = {agent: max(level_of[int(row)] for row in seat.scope.rows) for agent, seat in self.seats.items()}
        return tuple(tuple(a for a in self.agents if turn[a] == number) for number in sorted(set(turn.values())))

    @cached_property
    def everybody(self) -> Scope:
        """All rows in file order and their edges row by row, for decisions that come as arrays of the whole chain."""
        return Scope(self.network, np.arange(len(self.network.rows)))

    def start(
        self,
        replications: int,
        seed: int = 0,
        first_replication: int = 0,
        *,
        noise: Any = None,
        clock: int = 0,
    ) -> State:
        """The decision point of the first period.

        Parameters
        ----------
        replications : int
            B, number of independent chains.
        seed, first_replication : int
            The noise: replication r of a seed is the same whatever the batch.
        noise
            Instead of seed and replication: gives ``at(clock)``, (K, B) demand, and ``uniform(agent, clock, size)``.
        """
        if noise is None:
            noise = Randomness(self.processes, seed, replications, first_replication, self.horizon - 1)
        stocks = warm_stocks(self.network, noise, clock, replications) if self.start_rule == "warm" else None
        return begin(self.network, replications, noise, clock, stocks)

    def restart(self, state: State, columns: Any) -> State:
        """Begin new episodes in some replications (a slice or numbers) while the others go on.

        The state's noise must be that of the new episodes from this period on.
        """
        stocks = None
        if self.start_rule == "warm":
            columns = np.arange(state.replications)[columns]
            stocks = warm_stocks(self.network, Columns(state.noise, columns), state.clock, len(columns))
        return restart(self.network, state, columns, stocks)

    def observe(self, state: State, agent: str) -> Observation:
        """What an agent sees at a decision point."""
        return Observation(self.seats[agent], state, self.table, self.seen[agent])

    def vector(self, state: State, agent: str) -> Array:
        """(k, B) what an agent sees as one array, units; `layouts` says what each number is."""
        return self.observe(state, agent).vector()

    def decide(self, state: State, decisions: Mapping[str, Decisions]) -> State:
        """Let the agents of one stage decide.

        Raises
        ------
        ValueError
            For NaN, wrong shapes and negative quantities.
        """
        for agent, decision in decisions.items():
            if agent not in self.seats:
                raise InputError(f"no agent '{agent}'{nearest(agent, self.agents)}.")
            self._check(agent, self.seats[agent].scope, decision, state.replications)
        return decide(self.network, state, [(self.seats[agent].scope, decisions[agent]) for agent in decisions])

    def step(self, state: State, decisions: Mapping[str, Decisions] | Decisions) -> tuple[State, Outcome]:
        """Play one period.

        Parameters
        ----------
        decisions
            By agent, or as arrays of the whole chain: orders in the order of ``everybody.edges``, levels and amounts in
            that of the rows. In a game of several stages the earlier stages have been played with `decide`; here are
            the last stage's.
        """
        if isinstance(decisions, Decisions):
            self._check("everybody", self.everybody, decisions, state.replications)
            state = decide(self.network, state, [(self.everybody, decisions)])
        else:
            missing = [agent for agent in self.stages[-1] if agent not in decisions]
            if missing:
                raise ValueError(f"{missing[0]}: no decisions; every agent of the stage decides")
            state = self.decide(state, decisions)
        state, flows = finish(self.network, state)
        costs = self.agent_costs(self.books.costs(flows))
        return state, Outcome(costs, rewards(costs, self.own_weight), flows)

    def agent_costs(self, by_place: Array) -> Array:
        """(A, B) costs of the agents from (P, B) costs of places; what sources pay is nobody's."""
        return self.books.arrays.add_up(self._agent_sum, by_place[: len(self.network.rows)])

    def _check(self, agent: str, scope: Scope, decision: Decisions, replications: int) -> None:
        kinds = decision.kinds()
        if len(kinds) != 1 or kinds[0] not in ("order", "order_up_to", "demand_plus"):
            raise ValueError(
                f"{agent}: decide exactly one of order, order_up_to, demand_plus, not {kinds or 'nothing'}"
            )
        values = getattr(decision, kinds[0])
        size = len(scope.edges) if kinds[0] == "order" else len(scope.rows)
        if values.shape != (size, replications):
            raise ValueError(f"{agent}: {kinds[0]} has shape {tuple(values.shape)}, not ({size}, {replications})")
        if not -np.inf < values.min() <= values.max() < np.inf:
            raise ValueError(f"{agent}: {kinds[0]} is NaN or infinite")
        if kinds[0] == "order" and values.min() < 0:
            raise ValueError(f"{agent}: order is below 0")
