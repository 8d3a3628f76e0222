"""Decision processes without chance: the cycle of least mean cost that each state can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CLOSE = 1e-10
"""Share of the largest cost to which two values are the same."""
MOST_ROUNDS = 10_000


@dataclass(frozen=True, eq=False)
class Cycles:
    """gain: (S,) least long-run cost a period from each state; choice: (S,) what reaches it."""

    gain: FloatArray
    choice: IntArray


def best_cycles(costs: FloatArray, following: IntArray) -> Cycles:
    """Policy iteration for the long-run average of a process in which a choice says what follows.

    Howard (1960), Dynamic Programming and Markov Processes, in the form for many chains: better gains first, then
    better values among choices of equal gain. It ends, because there are finitely many policies and each is better.

    Parameters
    ----------
    costs : (S, P)
        Of each choice in each state.
    following : (S, P) int
        The state after it.
    """
    states, near = np.arange(len(costs)), CLOSE * max(1.0, float(np.abs(costs).max()))
    choice = costs.argmin(1)
    for _ in range(MOST_ROUNDS):
        gain, value = follow(costs[states, choice], following[states, choice])
        better = gain[following]
        least = better.min(1)
        changed = least < gain - near
        if changed.any():
            choice = np.where(changed, better.argmin(1), choice)
            continue
        worth = np.where(better <= least[:, None] + near, costs - gain[:, None] + value[following], np.inf)
        changed = worth.min(1) < value - near
        if not changed.any():
            break
        choice = np.where(changed, worth.argmin(1), choice)
    return Cycles(gain, choice)


def follow(costs: FloatArray, following: IntArray) -> tuple[FloatArray, FloatArray]:
    """(S,) long-run cost a period and (S,) relative value of one choice in each state.

    Parameters
    ----------
    costs : (S,)
    following : (S,) int
        The state after each.
    """
    gain, value = np.zeros(len(costs)), np.zeros(len(costs))
    done = np.zeros(len(costs), dtype=bool)
    for first in range(len(costs)):
        path, place, state = list[int](), dict[int, int](), first
        while not done[state] and state not in place:
            place[state] = len(path)
            path.append(state)
            state = int(following[state])
        if not done[state]:  # a cycle that begins at `state`, whose value is 0
            cycle = path[place[state] :]
            gain[state] = costs[cycle].mean()
            done[state] = True
            path = path[: place[state]] + cycle[1:]
        for one in reversed(path):
            after = following[one]
            gain[one] = gain[after]
            value[one] = costs[one] - gain[one] + value[after]
            done[one] = True
    return gain, value
