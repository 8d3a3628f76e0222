"""One backlogged echelon that reviews at uneven intervals: a level for each interval, the best common one, their costs.

Reviews follow one another after R_1, R_2, ..., R_n periods, again and again. An order at a review of t that R periods
separate from the next controls the costs of t + L to t + L + R - 1. With C_i the demand of i periods, its level S costs
over these periods

    g(S) = sum over j < R of E[h (S - C_(L+1+j))^+ + b (C_(L+1+j) - S)^+],

least at the smallest S with (1/R) sum over j < R of P(C_(L+1+j) <= S) >= b / (b + h). These levels are optimal where
no review finds more than its level. Else a level is also to leave little to the next, lower one, and the optimum is
that of a dynamic program over the cycle, whose values converge with bounds on the cost (Odoni 1969, On finding the
maximal gain for Markov decision processes, Operations Research 17(5)). Where orders see the demand of their period,
C_(L+j) stands for C_(L+1+j).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from marl_supply.demand.distribution import Distribution
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import BackloggedRow, FloatArray, LevelAndCost, expected_costs, read_row
from marl_supply.solvers.zheng_federgruen import require_whole_demand
from marl_supply.topology.incidence import IntArray
from marl_supply.topology.network import Network

CLOSE = 1e-12
"""Bounds on a cost, as a share of it, that count as equal."""
MOST_CYCLES = 100_000
Choice = Callable[[int, FloatArray], FloatArray]
"""From an interval and the value of every position after ordering to the value of every position before."""


@dataclass(frozen=True, eq=False)
class ReviewedRow(BackloggedRow):
    """A backlogged row that orders at reviews only.

    review: lengths of successive intervals between reviews, periods, repeated. Demand is of 0, 1, 2, ... units.
    """

    review: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole_demand(self.demand, "uneven review")
        if not self.review or any(length < 1 or length != int(length) for length in self.review):
            raise InputError(
                f"review: {list(self.review)} are not lengths of intervals; give whole periods, at least 1."
            )

    @property
    def law(self) -> Distribution:
        """Of a period's demand."""
        assert isinstance(self.demand, Distribution)
        return self.demand

    @property
    def cycle(self) -> int:
        """Periods until the intervals repeat."""
        return sum(self.review)


@dataclass(frozen=True)
class ReviewSolution:
    """A level for each interval, in the order of `review`, units, and their cost, money a period."""

    levels: tuple[int, ...]
    cost: float

    @property
    def parameters(self) -> dict[str, int]:
        """The levels as the rule `interval_base_stock` takes them."""
        return {f"level_{number}": level for number, level in enumerate(self.levels, start=1)}


def controlled_costs(row: ReviewedRow, interval: int, levels: ArrayLike) -> FloatArray:
    """g(S) of levels of any shape: expected cost of all periods that an order of this interval controls, money."""
    total = np.zeros(np.shape(levels))
    for law in _covered(row, row.review[interval]):
        total += expected_costs(law, levels, row.holding_cost, row.backorder_cost)
    return total


def _covered(row: ReviewedRow, length: int) -> list[Distribution]:
    """The laws of the demand that an order covers in each period it controls."""
    return [row.law.over(row.periods + day) for day in range(length)]


def interval_levels(row: ReviewedRow) -> ReviewSolution:
    """The level of each interval by itself, and what these levels cost together."""
    levels = tuple(_own_level(row, length) for length in row.review)
    return ReviewSolution(levels, cost_of_levels(row, levels))


def _own_level(row: ReviewedRow, length: int) -> int:
    """The smallest S at which the mean of the distribution functions reaches b / (b + h)."""
    laws = _covered(row, length)
    values = np.concatenate([law.values for law in laws])
    mixture = Distribution.of(values, np.concatenate([law.probabilities for law in laws]))
    return int(mixture.quantile(row.backorder_cost / (row.backorder_cost + row.holding_cost)))


def never_too_high(row: ReviewedRow, levels: Sequence[int]) -> bool:
    """Whether even the least demand leaves no review more than its level: then levels do not disturb one another."""
    following = [*levels[1:], levels[0]]
    least = float(row.law.values[0])
    return all(
        level - length * least <= after for level, length, after in zip(levels, row.review, following, strict=True)
    )


def best_common_level(row: ReviewedRow) -> LevelAndCost:
    """The one level for all intervals that costs least, and its cost a period."""
    own = [_own_level(row, length) for length in row.review]
    levels = np.arange(min(own), max(own) + 1)
    costs = np.sum([controlled_costs(row, interval, levels) for interval in range(len(row.review))], axis=0) / row.cycle
    best = int(costs.argmin())
    return LevelAndCost(float(levels[best]), float(costs[best]) + row.constant_cost)


def cost_of_levels(row: ReviewedRow, levels: Sequence[int]) -> float:
    """Money a period of any levels, one for each interval: a review that finds more than its level orders nothing."""
    if len(levels) != len(row.review):
        raise InputError(f"levels: {len(levels)} for {len(row.review)} intervals; give one for each.")
    if any(level != int(level) for level in levels):
        raise InputError(f"levels: {list(levels)} are not all whole units; round them.")
    lowest, highest = int(min(levels)), int(max(levels))
    positions = np.arange(lowest, highest + 1)

    def raised(interval: int, values: FloatArray) -> FloatArray:
        return np.asarray(values[np.maximum(positions, int(levels[interval])) - lowest])

    return _solve(row, positions, raised)[0] + row.constant_cost


def best_levels(row: ReviewedRow) -> ReviewSolution:
    """The optimal levels (the smallest) and their cost: those of each interval by itself where these are optimal, else
    by dynamic programming.

    No level of the optimum lies above its interval's own, and none below the lowest of these.
    """
    own = interval_levels(row)
    if never_too_high(row, own.levels):
        return own
    positions = np.arange(min(own.levels), max(own.levels) + 1)
    cost, after = _solve(row, positions, lambda _, values: np.minimum.accumulate(values[::-1])[::-1])
    levels = tuple(int(positions[_smallest_minimum(values)]) for values in after)
    return ReviewSolution(levels, cost + row.constant_cost)


def _smallest_minimum(values: FloatArray) -> int:
    return int(np.argmax(values <= values.min() + 1e-10 * (1 + abs(values.min()))))


def _solve(row: ReviewedRow, positions: IntArray, choice: Choice) -> tuple[float, list[FloatArray]]:
    """Cost a period of a way to choose, and for each interval the relative value of every position after ordering.

    Positions below the first are worth as much as the first: every review lifts them.
    """
    count = len(row.review)
    costs = [controlled_costs(row, interval, positions) for interval in range(count)]
    demand = [_dense(row.law.over(length)) for length in row.review]
    values, after = np.zeros(len(positions)), [np.zeros(len(positions))] * count
    for _ in range(MOST_CYCLES):
        before = values
        for interval in reversed(range(count)):
            after[interval] = costs[interval] + _expected(values, demand[interval])
            values = choice(interval, after[interval])
        gain = values - before
        if gain.max() - gain.min() <= CLOSE * abs(gain).max():
            return float(gain.max() + gain.min()) / 2 / row.cycle, after
        values = values - values[0]
    raise InputError(
        f"demand: costs have not settled after {MOST_CYCLES} cycles of reviews; there is hardly any demand."
    )


def _dense(law: Distribution) -> FloatArray:
    """P(D = 0), P(D = 1), ..."""
    return np.asarray(np.bincount(law.values.astype(np.int64), law.probabilities), dtype=np.float64)


def _expected(values: FloatArray, chances: FloatArray) -> FloatArray:
    """E V(max(y - D, lowest)) from V(y)."""
    extended = np.concatenate([np.full(len(chances) - 1, values[0]), values])
    convolve = np.convolve if len(extended) * len(chances) < 1_000_000 else signal.fftconvolve
    return np.asarray(convolve(extended, chances, mode="valid"), dtype=np.float64)


def reviewed_row(network: Network) -> ReviewedRow:
    """Read a chain that is one backlogged row with intervals of review, in the costs of the simulator.

    The period of the first review does not matter to a long-run average.

    Raises
    ------
    InputError
        Where the chain is something else.
    """
    row = read_row(network, "uneven review", beside={"review"})
    return ReviewedRow(**vars(row), review=tuple(network.topology.nodes[row.name].review))
