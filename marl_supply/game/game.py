"""A game: a chain, who decides and pays, what they see, how actions become decisions, and what is rewarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.economics.accounts import Books
from marl_supply.economics.rewards import own_weight, rewards
from marl_supply.errors import InputError, nearest
from marl_supply.game.actions import action_of
from marl_supply.game.decisions.action import Action
from marl_supply.game.decisions.exposure import wholes
from marl_supply.game.observation import Observation
from marl_supply.game.quantities import LEVELS
from marl_supply.game.randomness import Randomness
from marl_supply.game.seat import Seat
from marl_supply.game.shares import shares_of
from marl_supply.game.stocks import warm_stocks
from marl_supply.game.table import Entry, Table
from marl_supply.simulation import Decisions, Flows, Scope, State, begin, decide, finish, restart
from marl_supply.simulation.arrays import NUMPY, Array, Arrays
from marl_supply.simulation.state import Columns
from marl_supply.topology import Topology, load
from marl_supply.topology.incidence import Sum
from marl_supply.topology.network import Network

ORDERS = ("order", "order_up_to", "demand_plus")
"""The fields of `Decisions` that say how much to order."""


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
        self._other_books: Books | None = None
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
        network, shares = self.network, shares_of(self.network)
        self.agents: tuple[str, ...] = shares.agents
        visible = LEVELS[self.observe_level]
        self.seats = {agent: Seat(agent, network, scope, visible) for agent, scope in shares.scopes.items()}
        for agent, seat in self.seats.items():
            if not len(self.table.seen(seat, self.observe_level)[0]):
                raise InputError(
                    f"{self.topology.name}: game.observe: with {self.observe_level} '{agent}' sees nothing; use local."
                )
        self._agent_sum = Sum(shares.payer, len(self.agents))
        actions = self.topology.game.actions
        self.action_kind = actions if isinstance(actions, str) else actions["kind"]
        self.action_parameters: dict[str, Any] = {}
        if not isinstance(actions, str):
            self.action_parameters = {key: value for key, value in actions.items() if key != "kind"}
        self.actions: dict[str, Action] = {
            agent: action_of(seat, self.action_kind, self.action_parameters) for agent, seat in self.seats.items()
        }

    @cached_property
    def books(self) -> Books:
        """The accounts of the chain."""
        return Books(self.network)

    def books_on(self, arrays: Arrays) -> Books:
        """The same accounts on the arrays of another library."""
        if arrays is self.books.arrays:
            return self.books
        if self._other_books is None or self._other_books.arrays is not arrays:
            self._other_books = Books(self.network, arrays)
        return self._other_books

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

    def joint_order(self, agents: Sequence[str], of_all: str | None = None) -> NDArray[np.int64] | None:
        """(n,) which component stands where when decisions of some agents, one after another, become the whole chain's.

        None where an agent's decisions are not one number for each of its edges, or for each of its rows.

        Parameters
        ----------
        of_all
            "edges" or "rows": what all decisions are for; None for what the agents' actions are for.
        """
        of = {of_all or self.actions[agent].of for agent in agents}
        if len(of) > 1 or None in of:
            return None
        name = "edges" if "edges" in of else "rows"
        decided = np.concatenate([getattr(self.seats[agent].scope, name) for agent in agents])
        where = {int(number): position for position, number in enumerate(decided)}
        return np.array([where[int(number)] for number in getattr(self.everybody, name)], dtype=np.int64)

    def start(
        self,
        replications: int,
        seed: int = 0,
        first_replication: int = 0,
        *,
        noise: Any = None,
        clock: int = 0,
        arrays: Arrays = NUMPY,
    ) -> State:
        """The decision point of the first period.

        Parameters
        ----------
        replications : int
            B, number of independent chains.
        seed, first_replication : int
            The noise: replication r of a seed is the same whatever the batch.
        noise
            Instead of seed and replication: gives ``at(clock)``, (K, B) demand, ``chance(clock)``, (C, B) numbers of
            ``network.chances``, and ``uniform(agent, clock, size)``.
        arrays
            The array library of the state: numpy, or ``TorchArrays(...)``.
        """
        if noise is None:
            noise = self.randomness(replications, seed, first_replication)
        stocks = warm_stocks(self.network, noise, clock, replications) if self.start_rule == "warm" else None
        return begin(self.network, replications, noise, clock, stocks, arrays)

    def randomness(self, replications: int, seed: int = 0, first_replication: int = 0) -> Randomness:
        """The noise of some replications of a seed: demand, chance numbers, and the numbers that policies may use."""
        return Randomness(
            self.processes,
            seed,
            replications,
            first_replication,
            self.horizon - 1,
            chances=self.network.chances,
            streams=self.network.streams,
            correlation=self.topology.correlation,
        )

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

    def step(
        self, state: State, decisions: Mapping[str, Decisions] | Decisions, *, check: bool = True
    ) -> tuple[State, Outcome]:
        """Play one period.

        Parameters
        ----------
        decisions
            By agent, or as arrays of the whole chain: orders in the order of ``everybody.edges``, levels and amounts in
            that of the rows. In a game of several stages the earlier stages have been played with `decide`; here are
            the last stage's.
        check : bool
            Whether arrays of the whole chain are looked through for NaN, wrong shapes and negative quantities; what has
            made them of choices can vouch for them.
        """
        if isinstance(decisions, Decisions):
            if check:
                self._check("everybody", self.everybody, decisions, state.replications)
            state = decide(self.network, state, [(self.everybody, decisions)])
        else:
            missing = [agent for agent in self.stages[-1] if agent not in decisions]
            if missing:
                raise ValueError(f"{missing[0]}: no decisions; every agent of the stage decides")
            state = self.decide(state, decisions)
        state, flows = finish(self.network, state)
        costs = self.agent_costs(self.books_on(state.arrays).costs(flows), state.arrays)
        return state, Outcome(costs, rewards(costs, self.own_weight), flows)

    def agent_costs(self, by_place: Array, arrays: Arrays = NUMPY) -> Array:
        """(A, B) costs of the agents from (P, B) costs of places; what sources pay is nobody's."""
        return arrays.add_up(self._agent_sum, by_place[: len(self.network.rows)])

    def open_components(self, state: State, agent: str) -> Array:
        """(n, B) which components of an agent's action count now: not the orders of a row that does not review."""
        action = self.actions[agent]
        days = self.observe(state, agent).periods_to_review
        return np.concatenate([days, np.zeros((1, state.replications))])[action.component_rows] < 1

    def action_mask(self, state: State, agent: str) -> tuple[NDArray[np.bool_], ...] | None:
        """Of the first replication, for each component (choices,) which choices are open; None where all always are.

        The orders of a row that does not review are closed but for their first choice, whatever it means.
        """
        if self.network.reviews is None or not self.network.integer:
            return None
        is_open = self.open_components(state, agent)[:, 0]
        choices = self.actions[agent].choices
        return tuple(np.arange(size) < (size if counts else 1) for size, counts in zip(choices, is_open, strict=True))

    def _check(self, agent: str, scope: Scope, decision: Decisions, replications: int) -> None:
        kinds = decision.kinds()
        orders = [kind for kind in kinds if kind in ORDERS]
        if len(orders) != int(scope.orders):
            must = "exactly one of" if scope.orders else "none of"
            raise ValueError(f"{agent}: decide {must} {', '.join(ORDERS)}, not {orders or 'nothing'}")
        for kind in kinds:
            if kind == "exposure":
                self._check_exposure(agent, scope, decision.exposure, replications)
            else:
                self._check_numbers(agent, kind, getattr(decision, kind), (scope.size_of(kind), replications))
        if decision.price is not None and not getattr(decision.price, "is_cuda", False):
            self._check_prices(agent, scope, decision.price)

    def _check_numbers(self, agent: str, kind: str, values: Array, shape: tuple[int, int]) -> None:
        if values.shape != shape:
            raise ValueError(f"{agent}: {kind} has shape {tuple(values.shape)}, not {shape}")
        if not shape[0] or getattr(values, "is_cuda", False):  # asking a GPU would wait for it
            return
        lowest = values.min()
        if not (-np.inf < lowest and values.max() < np.inf):
            raise ValueError(f"{agent}: {kind} is NaN or infinite")
        if lowest < 0 and kind in ("order", "price", "allocation"):
            raise ValueError(f"{agent}: {kind} is below 0")

    def _check_prices(self, agent: str, scope: Scope, price: Array) -> None:
        for market, asked in zip(scope.priced_markets, price, strict=True):
            low, high = self.network.price_range[market]
            if asked.min() < low or asked.max() > high:
                name = self.network.markets[market]
                raise ValueError(f"{agent}: price at '{name}' lies outside its price_range, {low:g} to {high:g}")

    def _check_exposure(self, agent: str, scope: Scope, exposure: Array, replications: int) -> None:
        if len(exposure) != len(scope.exposed_markets):
            raise ValueError(f"{agent}: exposure of {len(exposure)} markets, not {len(scope.exposed_markets)}")
        for market, shares in zip(scope.exposed_markets, exposure, strict=True):
            shape = (self.network.groups[int(market)], replications)
            if shares.shape != shape:
                raise ValueError(f"{agent}: exposure has shape {tuple(shares.shape)}, not {shape}")
        totals = wholes(self.network, scope.exposed_markets, exposure)
        for market, shares, (total, _) in zip(scope.exposed_markets, exposure, totals, strict=True):
            if not (shares.min() >= 0 and abs(total - 1).max() < 1e-6):  # false for NaN too
                together = int(market) in self.network.exposed_together
                what = "over the markets of its crowd" if together else "over groups"
                raise ValueError(
                    f"{agent}: exposure of {self.network.markets[market]} is no share of attention: not negative, "
                    f"adding up to 1 {what}"
                )
