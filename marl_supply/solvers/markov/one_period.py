"""One period of a chain with every outcome of its demand, played by the simulator itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.simulation import Flows, State, begin, finish
from marl_supply.solvers.markov.decision_points import DecisionPoints, spread
from marl_supply.solvers.markov.demand_outcomes import Outcomes, losing_row, outcomes_of, stock_before_demand

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
COLUMNS_AT_ONCE = 40_000
"""Replications of one call of the simulator: enough to hide what a call costs, few enough to stay near the
processor."""


@dataclass(frozen=True)
class _Given:
    """The noise of one period: demand (K, B) as given, and nothing else."""

    demand: FloatArray

    def at(self, clock: int) -> FloatArray:
        return self.demand


@dataclass(frozen=True)
class Following:
    """What can follow some decided states.

    owner: (T,) the state; columns: (w, T) the decision point that follows; probability: (T,), of one state adding up
    to 1; costs: (A, T) money of each agent; flows: of the period.
    """

    owner: IntArray
    columns: IntArray
    probability: FloatArray
    costs: FloatArray
    flows: Flows

    def expected(self, values: FloatArray, count: int) -> FloatArray:
        """(n, count) expectation of values (n, T), state by state."""
        return np.array([np.bincount(self.owner, self.probability * row, count) for row in values])


class OnePeriod:
    """What the demand of one period makes of decided states.

    Parameters
    ----------
    points
        Which numbers of a state matter.

    Raises
    ------
    InputError
        If the demand of a period has no law that an exact solution can use.
    """

    def __init__(self, game: Game, points: DecisionPoints) -> None:
        self.game, self.points = game, points
        self.outcomes: Outcomes = outcomes_of(game)
        lumped = {name for name, numbers in points.fields if len(numbers)} <= {"on_hand", "owed", "revealed"}
        self.losing_row = losing_row(game.network) if lumped else -1

    @property
    def batch(self) -> int:
        """How many states are worth following at once."""
        return max(1, COLUMNS_AT_ONCE // len(self.outcomes))

    def parts(self, columns: IntArray) -> Iterator[IntArray]:
        """Columns (w, B) in batches."""
        for first in range(0, columns.shape[1], self.batch):
            yield columns[:, first : first + self.batch]

    def state(self, columns: IntArray) -> State:
        """The decision point of some columns, ready to be observed."""
        return self.points.build(columns)

    def follow(self, decided: State, moment: int) -> Following:
        """Every outcome of states whose orders have been decided, at one place in the review cycle."""
        network, outcomes = self.game.network, self.outcomes
        if self.losing_row >= 0:
            owner, demand, probability = outcomes.up_to(stock_before_demand(network, decided, self.losing_row))
        else:
            owner, demand, probability = outcomes.all_of(decided.replications)
        state, flows = finish(network, spread(decided, owner, _Given(demand)))
        costs = self.game.agent_costs(self.game.books.costs(flows))
        columns = self.points.read(state, self.points.after(moment))
        return Following(owner, columns, probability, costs, flows)

    def first_points(self) -> tuple[IntArray, FloatArray]:
        """(w, n) where an episode can begin, and (n,) the chances of it: one point, unless demand is seen first."""
        outcomes = self.outcomes
        demand, chances = outcomes.demand, outcomes.probability
        if not self.game.network.demand_first:
            demand, chances = demand[:, :1], np.ones(1)
        state = begin(self.game.network, len(chances), _Given(demand))
        return self.points.read(state, 0), chances


def by_account(game: Game, flows: Flows) -> dict[str, FloatArray]:
    """(T,) money of each account, over all places that agents pay for."""
    rows: Any = len(game.network.rows)
    return {name: booked[:rows].sum(0) for name, booked in game.books.by_account(flows).items()}
