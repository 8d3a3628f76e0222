"""The best policy on the long-run average, by relative value iteration with bounds on what is left to gain.

For any values v, the least and the greatest of ``(T v - v)``, T the step of dynamic programming, bound the average cost
of the best policy from below, and that of the policy which T picks from above (Odoni 1969; Puterman 1994, section
8.5). A step of T is followed by many of its policy alone (Morton 1971; modified policy iteration, Puterman section
8.7). All steps are taken in part, so that chains with a period converge too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from marl_supply.errors import InputError
from marl_supply.game.policy import Policy
from marl_supply.solvers.markov.decision_process import DecisionProcess
from marl_supply.solvers.markov.order_table import OrderTable
from marl_supply.solvers.markov.stationary import long_run, share_of_step

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_ROUNDS = 2000
MOST_SWEEPS = 400
REACHED = 1e-12
"""Long-run probability above which a state counts as visited."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best policy of a chain that one agent runs.

    Attributes
    ----------
    cost : float
        Long-run average cost a period, money; the optimum lies between `lower` and `upper`.
    values : (n,) money
        What it costs more in the long run to be in a state than in the first.
    pairs : (n,) int
        For each state the best (state, order) pair of the process.
    rounds : int
        Steps of dynamic programming that it took.
    """

    process: DecisionProcess
    cost: float
    lower: float
    upper: float
    values: FloatArray
    pairs: IntArray
    rounds: int

    @cached_property
    def policy(self) -> OrderTable:
        """The best policy, which plays in the simulator."""
        return OrderTable(self.process, self.process.orders[:, self.pairs][None])

    @property
    def players(self) -> dict[str, Policy]:
        """The policy in its seat, and the others in theirs."""
        return {**self.process.others, self.process.agent: self.policy}


def value_iteration(process: DecisionProcess, tolerance: float = 1e-9) -> Optimum:
    """Minimise the long-run average cost a period.

    Where the best orders touch a box that is not proven to hold them, the process is built again in a wider one.

    Parameters
    ----------
    tolerance : float
        Greatest distance of the bounds, relative to the cost if that is above 1.

    Raises
    ------
    InputError
        If the bounds do not come together, or the wider process is too large.
    """
    if process.game.criterion != "average":
        raise InputError(f"{process.game.topology.name}: criterion: total; use backward_induction, or set average.")
    while True:
        found = _solve(process, tolerance)
        policy = process.transitions[found.pairs]
        visited = np.flatnonzero(long_run(policy, process.start, process.points.cycle) > REACHED)
        bounds = process.touched(found.pairs, visited)
        if bounds is process.bounds:
            return found
        process = process.within(bounds)


def _solve(process: DecisionProcess, tolerance: float) -> Optimum:
    part = share_of_step(process.points.cycle)
    values = np.zeros(len(process.start))
    for number in range(1, MOST_ROUNDS + 1):
        of_pairs, least = process.best(values)
        pairs = process.best_pairs(of_pairs, least)
        gain = least - values
        lower, upper = float(gain.min()), float(gain.max())
        if upper - lower <= tolerance * max(1.0, abs(lower)):
            return Optimum(process, (lower + upper) / 2, lower, upper, values - values[0], pairs, number)
        values = values + part * gain
        costs, transitions = process.costs[pairs], process.transitions[pairs]
        values = followed(costs, transitions, values - values[0], part, (upper - lower) / 20)
    raise InputError(
        f"{process.game.topology.name}: after {MOST_ROUNDS} rounds the cost is only known to lie between {lower:.9g} "
        f"and {upper:.9g}; give a larger tolerance."
    )


def followed(
    costs: FloatArray, transitions: sparse.csr_array, values: FloatArray, part: float, enough: float
) -> FloatArray:
    """Values (n,) after many steps of one policy, until its own bounds are close enough.

    Parameters
    ----------
    costs, transitions : (n,), (n, n)
        Of the policy.
    part : float
        How much of each step is taken.
    enough : float
        The distance of the bounds at which it ends.
    """
    for sweep in range(MOST_SWEEPS):
        gain = costs + transitions @ values - values
        values = values + part * gain
        if sweep % 8 == 7:
            values = values - values[0]
            if gain.max() - gain.min() < enough:
                break
    return values
