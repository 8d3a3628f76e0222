"""Pattern search (Hooke & Jeeves 1961), all candidates of a round at once.

A round looks one step up and down along every coordinate, along all of them together and along every pair of
neighbours in opposite directions. The best move is repeated while it pays, and where no move pays the steps are halved,
down to 1 for whole coordinates.
"""

from __future__ import annotations

import numpy as np

from marl_supply.solvers.search.space import Costs, FloatArray, Found, Space


def pattern(costs: Costs, space: Space, starts: FloatArray, steps: FloatArray | None = None) -> Found:
    """Search from the best of some starts until no finest step pays.

    Parameters
    ----------
    starts : (S, D)
    steps : (D,)
        The first ones; an eighth of the box if None.
    """
    points = space.inside(starts)
    here = _best(points, costs(points))
    steps = np.maximum(space.width / 8 if steps is None else steps, space.finest)
    while True:
        moves = _moves(space.dimension) * np.where(space.whole, np.rint(steps), steps)
        candidates = space.inside(here.point + moves)
        found = costs(candidates)
        if found.min() < here.cost:
            here = _repeat(costs, space, _best(candidates, found), moves[found.argmin()])
        elif (steps <= space.finest).all():
            return here
        else:
            steps = np.maximum(steps / 2, space.finest)


def _repeat(costs: Costs, space: Space, here: Found, move: FloatArray) -> Found:
    """Go on in a direction that paid: once, twice and four times more."""
    ahead = space.inside(here.point + move * np.array([[1.0], [2.0], [4.0]]))
    there = _best(ahead, costs(ahead))
    return there if there.cost < here.cost else here


def _best(points: FloatArray, found: FloatArray) -> Found:
    return Found(points[found.argmin()], float(found.min()))


def _moves(count: int) -> FloatArray:
    """(m, D) directions: each coordinate, all together, and neighbours against each other, both ways."""
    single = np.eye(count)
    moves = [single]
    if count > 1:
        moves += [np.ones((1, count)), single[:-1] - single[1:]]
    ways = np.concatenate(moves)
    return np.concatenate([ways, -ways])
