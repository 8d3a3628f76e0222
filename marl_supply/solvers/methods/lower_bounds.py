"""Costs that no policy can undercut."""

from __future__ import annotations

import numpy as np

from marl_supply.game.game import Game
from marl_supply.solvers.hindsight import hindsight_cost, unfit
from marl_supply.solvers.method import Method, Solution, misfit_of_average
from marl_supply.solvers.transshipment_bound import lower_bound, transshipment_centre

PATHS = 64
"""Demand paths that hindsight is worked out for."""


class TransshipmentBound(Method):
    """The cost of a centre and its stores if stock could be moved between stores at will: a bound, no policy."""

    name = "transshipment_bound"

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, transshipment_centre)

    def solve(self, game: Game) -> list[Solution]:
        found = lower_bound(transshipment_centre(game.network))
        details = {"bound": "no policy costs less", "echelon_level": found.echelon_level}
        return [Solution(self.name, {}, found.cost, details=details)]


class HindsightOptimal(Method):
    """The mean least cost of realised demand paths, all of each known beforehand: a bound, no policy."""

    name = "hindsight_optimal"

    def misfit(self, game: Game) -> str | None:
        return unfit(game)

    def solve(self, game: Game) -> list[Solution]:
        costs = hindsight_cost(game, PATHS)
        error = float(costs.std(ddof=1) / np.sqrt(len(costs)))
        details = {"bound": "no policy costs less on the same demand", "paths": len(costs)}
        return [Solution(self.name, {}, float(costs.mean()), False, error, details)]
