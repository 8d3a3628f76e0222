"""The exact long-run cost of given policies: the Markov chain that they make of a game, and its stationary law.

States are the decision points that the policies reach from the stocks of the file, as the simulator plays them. Where
there are infinitely many, the chain grows as long as a state outside it is reached with a probability that matters,
and what is left out is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.solvers.markov.decision_points import DecisionPoints
from marl_supply.solvers.markov.joint_policy import JointPolicy
from marl_supply.solvers.markov.numbering import Numbering
from marl_supply.solvers.markov.one_period import OnePeriod, by_account
from marl_supply.solvers.markov.stationary import MOST_STEPS, average_cost, long_run

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NEGLIGIBLE = 1e-13
"""Probability a period below which a state outside the chain is not followed."""
MOST_STATES = 2_000_000
"""States of a chain: a gigabyte or so with what leads from each to the next."""


@dataclass(frozen=True)
class ExactCost:
    """The long-run average cost of given policies.

    Attributes
    ----------
    mean : float
        Cost a period of all agents, money.
    error : float
        Bound on its distance from the cost of the true chain: of the computation, and of what was left out.
    by_agent, by_account : dict of str to float
        The same cost by agent, after contracts; and by account.
    states : int
        Decision points of the chain.
    lost_mass : float
        Probability a period of leaving the chain for a state that was left out; it begins again then.
    """

    mean: float
    error: float
    by_agent: dict[str, float]
    by_account: dict[str, float]
    states: int
    lost_mass: float


def evaluate_exactly(
    game: Game,
    players: Mapping[str, Policy],
    tolerance: float = 1e-9,
    most_states: int = MOST_STATES,
    most_steps: int = MOST_STEPS,
) -> ExactCost:
    """The long-run average cost of policies that decide without chance.

    A policy may have a memory if that counts periods only, such as how many reviews there have been.

    Parameters
    ----------
    players
        One for each agent (`marl_supply.policies.seat_everybody` makes them by name).
    tolerance : float
        Of the computation, relative to the cost if that is above 1.
    most_states : int
        Above so many states the chain is refused.
    most_steps : int
        How long its long-run law may take to settle; one that does not settle has no long-run cost.

    Raises
    ------
    InputError
        If demand has no law that can be enumerated, a policy takes random numbers or remembers what happened, or the
        chain has too many states or no long-run cost.
    """
    chain = _Chain(game, players, most_states)
    chain.grow()
    share = chain.settle(most_steps)
    transitions, costs = chain.transitions(), chain.costs()
    total = costs[: len(game.agents)].sum(0)
    lower, upper, spread = average_cost(transitions, total, chain.period.points.cycle, tolerance)
    mean = costs @ share
    accounts = dict(zip(chain.accounts, mean[len(game.agents) :].tolist(), strict=True))
    lost = float(chain.outflow() @ share)
    agents = dict(zip(game.agents, mean[: len(game.agents)].tolist(), strict=True))
    centre = float(total @ share)
    error = max(upper - centre, centre - lower) + (lost + chain.period.outcomes.cut) * spread
    return ExactCost(centre, error, agents, accounts, len(share), lost)


class _Chain:
    """States as they are found; those that are followed stand first, those outside the chain are numbered too."""

    def __init__(self, game: Game, players: Mapping[str, Policy], most_states: int) -> None:
        self.most_states = most_states
        self.game = game
        read = {field for agent in game.agents for field in _player(game, players, agent).needs}
        self.period = OnePeriod(game, DecisionPoints(game.network, read))
        self.joint = JointPolicy(self.period, players)
        self.accounts = game.books.accounts
        self.numbering = Numbering(self.period.points.size)
        self.first, self.chances = self.period.first_points()
        self._places = np.zeros(0, dtype=np.int64)
        self._size = 0
        self._costs: list[FloatArray] = []
        self._moves: list[tuple[IntArray, IntArray, FloatArray]] = []

    def grow(self) -> None:
        """Follow states from the start while enough probability flows into them."""
        begun = self.numbering.number(self.first)
        self._flow_on(begun, self.chances)

    def settle(self, most_steps: int) -> FloatArray:
        """(n,) the stationary law, after the chain has grown wherever that law says it must."""
        while True:
            share = long_run(self.transitions(), self._start(), self.period.points.cycle, most_steps=most_steps)
            outside, inflow = self._outside(share)
            if not (inflow > NEGLIGIBLE).any():
                self.joint.check(self.numbering.columns)
                return share
            self._flow_on(outside, inflow)

    def _flow_on(self, numbers: IntArray, mass: FloatArray) -> None:
        """Follow states outside the chain from a first inflow, and what they lead to, while it is not negligible."""
        waiting = np.zeros(len(self.numbering))
        np.add.at(waiting, numbers, mass)
        while True:
            chosen = np.flatnonzero(waiting > NEGLIGIBLE / 8)
            chosen = chosen[self._place()[chosen] < 0]
            if not len(chosen):
                return
            if self._size + len(chosen) > self.most_states:
                raise InputError(
                    f"{self.game.topology.name}: these policies reach more than {self.most_states:,} states; "
                    "evaluate them by simulation instead."
                )
            waiting = self._follow_all(chosen, waiting)

    def _follow_all(self, chosen: IntArray, mass: FloatArray) -> FloatArray:
        """Play a period from some states with their inflow (n,); (n,) what flows on from them."""
        columns, after, flow = self.numbering.columns[:, chosen], [], []
        for moment in np.unique(columns[-1]):
            here = np.flatnonzero(columns[-1] == moment)
            for first in range(0, len(here), self.period.batch):
                some = here[first : first + self.period.batch]
                origin, reached, probability = self._follow(chosen[some], columns[:, some], int(moment))
                after.append(reached)
                flow.append(probability * mass[origin])
        arriving = np.bincount(np.concatenate(after), np.concatenate(flow), len(self.numbering))
        return np.asarray(arriving, dtype=np.float64)

    def _follow(self, numbers: IntArray, columns: IntArray, moment: int) -> tuple[IntArray, IntArray, FloatArray]:
        """Play a period from some states: (T,) number of the state, of the one that follows, and probability."""
        decided = self.joint.decide(self.period.state(columns), moment)
        following = self.period.follow(decided, moment)
        booked = by_account(self.game, following.flows)
        values = np.concatenate([following.costs, *(booked[name][None] for name in self.accounts)])
        after = self.numbering.number(following.columns)
        self._costs.append(following.expected(values, len(numbers)))
        self._moves.append((numbers[following.owner], after, following.probability))
        self._place()[numbers] = self._size + np.arange(len(numbers))
        self._size += len(numbers)
        return self._moves[-1]

    def _place(self) -> IntArray:
        """(all states,) the place of each state in the chain, -1 outside."""
        more = len(self.numbering) - len(self._places)
        if more > 0:
            self._places = np.concatenate([self._places, np.full(more + len(self._places) // 2, -1)])
        return self._places[: len(self.numbering)]

    def _start(self) -> FloatArray:
        place = self._place()
        begun = place[self.numbering.find(self.first)]
        chances = np.bincount(begun[begun >= 0], self.chances[begun >= 0], self._size)
        return np.asarray(chances / chances.sum(), dtype=np.float64)

    def _joined(self) -> tuple[IntArray, IntArray, FloatArray]:
        """All moves: (T,) place of the state, number of the one that follows, probability."""
        if len(self._moves) > 1:
            parts = zip(*self._moves, strict=True)
            self._moves = [tuple(np.concatenate(part) for part in parts)]  # type: ignore[list-item]
        origin, after, probability = self._moves[0]
        return self._place()[origin], after, probability

    def transitions(self) -> sparse.csr_array:
        """(n, n) probabilities; a chain that leaves for a state outside begins again."""
        origin, after, probability = self._joined()
        place = self._place()
        size = self._size
        inside = place[after] >= 0
        matrix = sparse.csr_array((probability[inside], (origin[inside], place[after[inside]])), shape=(size, size))
        leaving = np.bincount(origin[~inside], probability[~inside], size)
        if not leaving.any():
            return matrix
        again = sparse.csr_array(leaving[:, None]) @ sparse.csr_array(self._start()[None])
        return sparse.csr_array(matrix + again)

    def outflow(self) -> FloatArray:
        """(n,) probability of leaving the chain in a period."""
        origin, after, probability = self._joined()
        place = self._place()
        outside = place[after] < 0
        size = self._size
        return np.asarray(np.bincount(origin[outside], probability[outside], size), dtype=np.float64)

    def _outside(self, share: FloatArray) -> tuple[IntArray, FloatArray]:
        """Numbers of the states outside the chain, and the probability a period of entering each."""
        origin, after, probability = self._joined()
        outside = self._place()[after] < 0
        inflow = np.bincount(after[outside], probability[outside] * share[origin[outside]], len(self.numbering))
        numbers = np.flatnonzero(inflow)
        return numbers, np.asarray(inflow[numbers], dtype=np.float64)

    def costs(self) -> FloatArray:
        """(A + accounts, n) expected money of a period by agent, then by account."""
        return np.concatenate(self._costs, axis=1)


def _player(game: Game, players: Mapping[str, Policy], agent: str) -> Policy:
    if agent not in players:
        raise InputError(f"no policy for '{agent}'; give one to each of {', '.join(game.agents)}.")
    check_needs(players[agent], game.seats[agent], game.observe_level)
    return players[agent]
