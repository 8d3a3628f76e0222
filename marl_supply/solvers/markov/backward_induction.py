"""The best policy for a game that ends, by backward induction: period by period from the last (Bellman 1957)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.solvers.markov.decision_process import DecisionProcess, decision_process
from marl_supply.solvers.markov.demand_outcomes import INSTEAD
from marl_supply.solvers.markov.order_table import OrderTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LONGEST_HORIZON = 200
REACHED = 1e-12
"""Probability above which a state counts as visited."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The best policy for an episode.

    Attributes
    ----------
    cost : float
        Expected cost of the periods that count, from the stocks of the file, money, weighted by the discount: what
        `Evaluation.mean` estimates.
    values : (n,) money
        The same from each state of the process as the first.
    pairs : (T, n) int
        By period and state the best (state, order) pair of the process.
    """

    process: DecisionProcess
    cost: float
    values: FloatArray
    pairs: NDArray[np.int32]

    @cached_property
    def policy(self) -> OrderTable:
        """The best policy, which plays in the simulator."""
        return OrderTable(self.process, np.moveaxis(self.process.orders[:, self.pairs], 1, 0))

    @property
    def players(self) -> dict[str, Policy]:
        """The policy in the game's only seat."""
        return {self.process.game.agents[0]: self.policy}


def backward_induction(process: DecisionProcess) -> Plan:
    """Minimise the expected total cost of an episode from the stocks of the file.

    Where the best orders touch a box that is not proven to hold them, the process is built again in a wider one.

    Raises
    ------
    InputError
        For another criterion, a horizon above `LONGEST_HORIZON`, and where the wider process is too large.
    """
    game = process.game
    if game.criterion != "total":
        raise InputError(f"{game.topology.name}: criterion: average; use value_iteration, or set total.")
    if game.horizon > LONGEST_HORIZON:
        what = f"game.horizon: {game.horizon} periods, and an exact plan is for at most {LONGEST_HORIZON}"
        raise InputError(f"{game.topology.name}: {what}; set `criterion: average`, or {INSTEAD}.")
    while True:
        plan = _solve(process)
        bounds = process.bounds
        for pairs, visited in zip(plan.pairs, _visited(plan), strict=True):
            bounds = process.touched(pairs, visited, bounds)
        if bounds is process.bounds:
            return plan
        process = decision_process(game, bounds)


def weight(game: Game, period: int) -> float:
    """What a cost of a period counts: nothing during warm-up, then less by the discount from period to period."""
    return game.discount ** (period - game.warm_up) if period >= game.warm_up else 0.0


def _solve(process: DecisionProcess) -> Plan:
    game, values = process.game, np.zeros(len(process.start))
    pairs = np.empty((game.horizon, len(values)), dtype=np.int32)
    for period in reversed(range(game.horizon)):
        of_pairs, values = process.best(values, weight(game, period))
        pairs[period] = process.best_pairs(of_pairs, values)
    return Plan(process, float(process.start @ values), values, pairs)


def _visited(plan: Plan) -> list[IntArray]:
    """For each period the states that the plan reaches."""
    share, visited = plan.process.start, []
    for pairs in plan.pairs:
        visited.append(np.flatnonzero(share > REACHED))
        share = plan.process.transitions[pairs[visited[-1]]].T @ share[visited[-1]]
    return visited
