"""Greedy evaluation of all copies at once on streams that training never meets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.arena import Arena, View
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.learning.settings import Learner

Choose = Callable[[View], NDArray[np.int64]]
"""(A, K, B, C) choices at a decision point."""


def held_out_costs(
    game: Game,
    learner: ChoosingLearner,
    seeds: Sequence[int],
    choose: Choose,
    fixed: Mapping[str, Policy] | None = None,
) -> NDArray[np.float64]:
    """Costs of the greedy actors of each copy on common held-out demand.

    Parameters
    ----------
    seeds : (K,) int
        Of the copies; their number counts, the demand is the same for all.

    Returns
    -------
    (agents of the game, K)
        Mean over replications of the total over the counted periods, or of their average, as the game's criterion
        says. An average is taken over `evaluation_periods` at most.
    """
    arena = Arena(game, learner, seeds, fixed, replications=learner.evaluation_replications, held_out=True)
    periods, warm_up = counted_periods(game, learner)
    total = np.zeros((len(game.agents), arena.columns))
    view = arena.view()
    for period in range(periods):
        step = arena.step(choose(view))
        view = step.view
        if period >= warm_up:
            total += step.outcome.costs
    costs = total.reshape(len(game.agents), len(seeds), -1).mean(2)
    return costs / (periods - warm_up) if game.criterion == "average" else costs


def counted_periods(game: Game, learner: Learner) -> tuple[int, int]:
    """Periods that an evaluation plays, and how many of them at its start are not counted."""
    if game.criterion == "total":
        return game.horizon, game.warm_up
    periods = min(game.horizon, learner.evaluation_periods)
    return periods, min(game.warm_up, periods // 3)
