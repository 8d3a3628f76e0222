"""The Markov decision process of a chain that one agent runs, alone or among fixed others, straight from the simulator.

States are decision points. They are found from the stocks of the file, breadth first: every (state, order, demand) is a
replication of one batched state, and the simulator plays the period. So there is one definition of a period, and what
is optimal here is optimal in the game.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.simulation import Decisions
from marl_supply.solvers.markov.decision_points import DecisionPoints
from marl_supply.solvers.markov.demand_outcomes import INSTEAD
from marl_supply.solvers.markov.joint_policy import JointPolicy
from marl_supply.solvers.markov.numbering import Numbering
from marl_supply.solvers.markov.one_period import OnePeriod
from marl_supply.solvers.markov.order_bounds import OrderBounds, first_bounds
from marl_supply.solvers.markov.size import MOST_TRANSITIONS, ProcessSize, size_within

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DecisionProcess:
    """States, orders, what they cost and what follows; n states, P pairs of a state and an order.

    Attributes
    ----------
    points : DecisionPoints
        What the (w, n) `states` mean: columns of whole numbers.
    bounds : OrderBounds
        The box of the orders that are considered.
    numbering : Numbering
        Gives the number of a state.
    orders : (E, P) units
        Pair by pair; the pairs of one state stand together.
    first_pair : (n + 1,) int
        The pairs of state i are ``first_pair[i]`` to ``first_pair[i + 1] - 1``.
    costs : (P,) money
        Expected cost of the period.
    transitions : (P, n) sparse row matrix
        Probabilities of the next state.
    start : (n,)
        Probabilities of the first decision point.
    cut : float
        Probability of the demand of one period that was left out.
    agent : str
        Whose orders and whose costs they are.
    others
        Who plays in the other seats.
    """

    game: Game
    points: DecisionPoints
    bounds: OrderBounds
    numbering: Numbering
    orders: NDArray[np.int32]
    first_pair: IntArray
    costs: FloatArray
    transitions: sparse.csr_array
    start: FloatArray
    cut: float
    agent: str
    others: Mapping[str, Policy]

    def within(self, bounds: OrderBounds) -> DecisionProcess:
        """The same process in another box of orders."""
        return decision_process(self.game, bounds, agent=self.agent, others=self.others)

    @property
    def states(self) -> IntArray:
        """(w, n) the decision points."""
        return self.numbering.columns

    @cached_property
    def pairs_of_states(self) -> IntArray:
        """(n,) how many orders each state has."""
        return np.diff(self.first_pair)

    def best(self, values: FloatArray, weight: float = 1.0) -> tuple[FloatArray, FloatArray]:
        """(P,) weighted cost of each pair plus the values (n,) that follow it, and (n,) the least of each state."""
        of_pairs = weight * self.costs + self.transitions @ values
        return of_pairs, np.minimum.reduceat(of_pairs, self.first_pair[:-1])

    def best_pairs(self, of_pairs: FloatArray, least: FloatArray) -> IntArray:
        """(n,) for each state its first pair that costs least."""
        reached = np.flatnonzero(of_pairs <= np.repeat(least, self.pairs_of_states))
        return reached[np.searchsorted(reached, self.first_pair[:-1])]

    def touched(self, pairs: NDArray[np.integer], states: IntArray, widened: OrderBounds | None = None) -> OrderBounds:
        """The bounds, or `widened` ones, wider where the pairs (n,) of some states stand at their walls."""
        widened, columns = widened or self.bounds, self.states[:, states]
        for moment in np.unique(columns[-1]):
            here = columns[-1] == moment
            orders = self.orders[:, pairs[states[here]]].astype(np.float64)
            widened = self.bounds.touched(self.points.build(columns[:, here]), orders, widened)
        return widened


def decision_process(
    game: Game,
    bounds: OrderBounds | None = None,
    most_transitions: int = MOST_TRANSITIONS,
    agent: str | None = None,
    others: Mapping[str, Policy] | None = None,
) -> DecisionProcess:
    """The decision process of a game of one agent, in whole units, of known demand; or of one agent among fixed others.

    Among others the agent sees everything, and decides orders, whatever the game shows it and calls an action; what is
    best then is a bound for what it can do with less.

    Parameters
    ----------
    bounds
        The orders to consider; `first_bounds` if None.
    most_transitions : int
        Above so many it is refused, before it starts where the estimate says so.
    agent, others
        Who decides, and who plays in the other seats: without chance, and without a memory of more than the period.

    Raises
    ------
    InputError
        For a game that this cannot be said of, or whose process is too large.
    """
    others = {} if others is None or agent is None else {seat: others[seat] for seat in game.agents if seat != agent}
    agent = game.agents[0] if agent is None else agent
    _refuse(game, agent, others)
    read = {field for player in others.values() for field in player.needs}
    period = OnePeriod(game, DecisionPoints(game.network, read))
    if bounds is None:
        bounds = first_bounds(game).only(game.seats[agent].scope.edges) if others else first_bounds(game)
    if not others:
        _refuse_hidden(game, period.points)
        size_within(period, bounds, most_transitions)
    growing = _Growing(period, bounds, most_transitions, agent, others)
    first, chances = period.first_points()
    begun = growing.numbering.number(first)
    growing.grow()
    start = np.zeros(len(growing.numbering))
    np.add.at(start, begun, chances)
    arrays, cut = growing.arrays(), period.outcomes.cut
    return DecisionProcess(game, period.points, bounds, growing.numbering, *arrays, start, cut, agent, others)


def size_of(game: Game, most_transitions: int | None = None) -> ProcessSize:
    """About how large the decision process of a game is, without building it; refused as `decision_process` does."""
    _refuse(game, game.agents[0], {})
    period = OnePeriod(game, DecisionPoints(game.network))
    _refuse_hidden(game, period.points)
    return size_within(period, first_bounds(game), most_transitions)


class _Growing:
    """A process while its states are being found."""

    def __init__(
        self, period: OnePeriod, bounds: OrderBounds, most_transitions: int, agent: str, others: Mapping[str, Policy]
    ) -> None:
        self.period, self.bounds, self.most = period, bounds, most_transitions
        self.agent, self.payer = agent, period.game.agents.index(agent)
        self.joint = JointPolicy(period, others)
        self.numbering = Numbering(period.points.size)
        self._orders: list[NDArray[np.int32]] = []
        self._pairs_of_states: list[IntArray] = []
        self._costs: list[FloatArray] = []
        self._next: list[NDArray[np.int32]] = []
        self._probability: list[FloatArray] = []
        self._moves: list[IntArray] = []
        self._transitions = 0

    def grow(self) -> None:
        """Follow every state that is found until no new one is; all of one round stand at one place in the cycle."""
        done = 0
        while done < len(self.numbering):
            found = self.numbering.columns[:, done:]
            done = len(self.numbering)
            for columns in self.period.parts(found):
                self._follow(columns)
        self.joint.check(self.numbering.columns)

    def _follow(self, columns: IntArray) -> None:
        state, moment = self.period.state(columns), int(columns[-1, 0])
        owner, orders = self.bounds.orders(state)
        self._pairs_of_states.append(np.bincount(owner, minlength=columns.shape[1]))
        self._orders.append(orders.astype(np.int32))
        for first in range(0, len(owner), self.period.batch):
            some = slice(first, first + self.period.batch)
            self._play(columns[:, owner[some]], orders[:, some], moment)

    def _play(self, columns: IntArray, orders: FloatArray, moment: int) -> None:
        """Every outcome of some pairs."""
        game, count = self.period.game, columns.shape[1]
        decisions = Decisions(order=orders[game.seats[self.agent].scope.edges])
        decided = self.joint.decide(self.period.state(columns), moment, {self.agent: decisions})
        following = self.period.follow(decided, moment)
        self._costs.append(following.expected(following.costs[self.payer][None], count)[0])
        self._next.append(self.numbering.number(following.columns).astype(np.int32))
        self._probability.append(following.probability)
        self._moves.append(np.bincount(following.owner, minlength=count))
        self._transitions += len(following.owner)
        if self._transitions > self.most:
            raise InputError(
                f"{game.topology.name}: the exact solution has more than {self.most:,} transitions; {INSTEAD}."
            )

    def arrays(self) -> tuple[NDArray[np.int32], IntArray, FloatArray, sparse.csr_array]:
        """Orders, first pairs, costs and transitions."""
        first_pair = np.concatenate([[0], np.cumsum(np.concatenate(self._pairs_of_states))])
        row = np.concatenate([[0], np.cumsum(np.concatenate(self._moves))]).astype(np.int32)
        following, probability = np.concatenate(self._next), np.concatenate(self._probability)
        self._next, self._probability = [], []
        matrix = sparse.csr_array((probability, following, row), shape=(len(row) - 1, len(self.numbering)))
        return np.concatenate(self._orders, axis=1), first_pair, np.concatenate(self._costs), matrix


def _refuse(game: Game, agent: str, others: Mapping[str, Policy]) -> None:
    name, network = game.topology.name, game.network
    if len(game.agents) > 1 and not others:
        raise InputError(
            f"{name}: {len(game.agents)} agents; an optimum is for one: let one agent decide and pay for all nodes "
            "in `game.agents`, or compare policies with `evaluate_exactly`."
        )
    if game.start_rule == "warm":
        raise InputError(f"{name}: an exact solution starts from the stocks of the file; set `game.start: file`.")
    scope = game.seats[agent].scope
    if len(scope.priced_markets) or len(scope.exposed_markets) or len(network.decided_lines):
        raise InputError(f"{name}: an exact solution decides orders, not prices, exposure or allocation; {INSTEAD}.")
    if (network.information_delay > 1).any():
        raise InputError(
            f"{name}: an agent does not see its orders while they travel; state `information_delay` of at most 1 and "
            f"put the rest into `lead_time`, or {INSTEAD}."
        )
    if network.demand_first and not network.keeps[network.market_line].all():
        raise InputError(f"{name}: lost sales with demand seen before ordering have no exact solution here; {INSTEAD}.")


def _refuse_hidden(game: Game, points: DecisionPoints) -> None:
    kept = {name for name, numbers in points.fields if len(numbers)}
    hidden = kept - {"on_hand", "owed", "backorders", "receipts", "revealed", "last_demand"}
    if hidden:
        what = f"costs that depend on '{sorted(hidden)[0]}' of the period before"
        raise InputError(f"{game.topology.name}: an exact solution does not carry {what}; {INSTEAD}.")
