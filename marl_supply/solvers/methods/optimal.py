"""The optimum: by a method of the literature where the chain is of its family, else by dynamic programming."""

from __future__ import annotations

from dataclasses import replace

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.solvers.markov.backward_induction import LONGEST_HORIZON, backward_induction
from marl_supply.solvers.markov.decision_process import decision_process, size_of
from marl_supply.solvers.markov.size import MOST_TRANSITIONS
from marl_supply.solvers.markov.value_iteration import value_iteration
from marl_supply.solvers.method import Method, Solution, methods


class Optimal(Method):
    """The least cost of any policy, and a policy that has it.

    Where a method of the literature finds the optimum it is taken. Else the game is one of one agent in whole units
    with few enough states: value iteration with bounds on the long-run average, or backward induction over a horizon
    of at most 200 periods (Puterman 1994, sections 8.5 and 4.5).
    """

    name = "optimal"

    def misfit(self, game: Game) -> str | None:
        if _of_the_literature(game) is not None:
            return None
        if len(game.network.priced_markets):
            return methods()["price_and_order"].misfit(game)
        if game.criterion == "total" and game.horizon > LONGEST_HORIZON:
            return (
                f"{game.topology.name}: backward induction takes at most {LONGEST_HORIZON} periods and the horizon is "
                f"{game.horizon}; set game.criterion: average, or a shorter game.horizon."
            )
        try:
            size_of(game, MOST_TRANSITIONS)
        except InputError as error:
            return str(error)
        return None

    def effort(self, game: Game) -> str:
        return "" if _of_the_literature(game) is not None else str(size_of(game))

    def solve(self, game: Game) -> list[Solution]:
        method = _of_the_literature(game)
        if method is not None:
            return [_renamed(answer, method.name) for answer in method.solve(game)]
        process = decision_process(game)
        if game.criterion == "total":
            best = backward_induction(process)
            details = {"by": "backward induction", "states": len(process.start)}
            return [Solution(self.name, {}, best.cost, details=details, players=best.players)]
        found = value_iteration(process)
        details = {
            "by": "value iteration",
            "lower": found.lower,
            "upper": found.upper,
            "states": len(found.process.start),
        }
        return [Solution(self.name, {}, found.cost, details=details, players=found.players)]


def _renamed(answer: Solution, by: str) -> Solution:
    return replace(answer, method="optimal", details={"by": by, **answer.details})


def _of_the_literature(game: Game) -> Method | None:
    """The method that finds the optimum of a game of this family."""
    return next((method for method in methods().values() if method.is_optimal and method.misfit(game) is None), None)
