"""What a Markov chain does in the long run: how long it stays in its states, and what a period costs on average.

Steps are taken in part, so that chains with a period settle too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from marl_supply.errors import InputError

FloatArray = NDArray[np.float64]
MOST_STEPS = 100_000
MOST_SWEEPS = 20_000


def share_of_step(cycle: int) -> float:
    """How much of a step to take: less where the review days give the chain a period."""
    return 0.9 if cycle == 1 else 0.5


def long_run(
    transitions: sparse.csr_array,
    start: FloatArray,
    cycle: int,
    accuracy: float = 1e-13,
    most_steps: int = MOST_STEPS,
) -> FloatArray:
    """(n,) long-run shares of periods that a chain with transitions (n, n) spends in its states.

    Steps are taken in part, from where the chain starts: so they settle whatever period it has, and where it can end
    up in several ways, they are those of this start.

    Raises
    ------
    InputError
        If they do not settle.
    """
    part, backwards = share_of_step(cycle), transitions.T.tocsr()
    share: FloatArray = start
    for _ in range(most_steps):
        change = part * (backwards @ share - share)
        share = np.maximum(share + change, 0.0)
        share /= share.sum()
        if float(np.abs(change).sum()) < accuracy:
            return share
    raise InputError("a long-run distribution: the chain does not settle; is demand above what can be supplied?")


def average_cost(
    transitions: sparse.csr_array, costs: FloatArray, cycle: int, tolerance: float
) -> tuple[float, float, float]:
    """Bounds on the average cost of a chain, and how much dearer the dearest of its states is than the cheapest.

    For any values v the average lies between the least and the greatest of ``costs + transitions @ v - v``.
    """
    part, values = share_of_step(cycle), np.zeros(len(costs))
    for _ in range(MOST_SWEEPS):
        gain = costs + transitions @ values - values
        lower, upper = float(gain.min()), float(gain.max())
        if upper - lower <= tolerance * max(1.0, abs(lower)):
            return lower, upper, float(values.max() - values.min())
        values = values + part * gain
        values = values - values[0]
    raise InputError(
        f"the long-run cost is only known to lie between {lower:.9g} and {upper:.9g}: the chain settles too slowly, "
        "or in more than one way; evaluate it by simulation instead."
    )
