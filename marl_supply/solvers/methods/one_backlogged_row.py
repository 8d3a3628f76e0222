"""One row whose customers wait, or whose stock perishes: the optimal policies that have few parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers import newsvendor, uneven_review, zheng_federgruen
from marl_supply.solvers.method import Method, Solution, misfit_of_average
from marl_supply.topology.network import Network


class BaseStock(Method):
    """The newsvendor level: the smallest S that covers the demand of L + 1 periods with probability b / (b + h).

    Optimal for one row with linear costs whose customers wait (Karlin & Scarf 1958), and, with the demand of one period
    and the margins of a newsvendor, for stock that perishes and sales that are lost.
    """

    name = rule = "base_stock"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, _newsvendor)

    def solve(self, game: Game) -> list[Solution]:
        row, found = _newsvendor(game.network)()
        return [_solution(self, game, row, {"base_stock_level": found.level}, found.cost)]


class ReorderPoint(Method):
    """The optimal (s, S) by the algorithm of Zheng & Federgruen (1991).

    Optimal for one row with a fixed cost for each order whose customers wait (Scarf 1960).
    """

    name, rule = "s_S", "reorder_point"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, zheng_federgruen.fixed_cost_row)

    def solve(self, game: Game) -> list[Solution]:
        row = zheng_federgruen.fixed_cost_row(game.network)
        found = zheng_federgruen.best_rule(row)
        numbers = {"reorder_point": found.reorder_point, "order_up_to_level": found.order_up_to_level}
        return [_solution(self, game, row.name, numbers, found.cost)]


class IntervalBaseStock(Method):
    """A level for each interval between reviews: newsvendor levels where these are optimal, else a cyclic program.

    Optimal for one row with linear costs whose customers wait.
    """

    name = rule = "interval_base_stock"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, _uneven)

    def solve(self, game: Game) -> list[Solution]:
        row = _uneven(game.network)
        found = uneven_review.best_levels(row)
        common = uneven_review.best_common_level(row)
        details = {"best_common_level": common.level, "cost_of_common_level": common.cost}
        return [_solution(self, game, row.name, found.parameters, found.cost, details)]


def _newsvendor(network: Network) -> Callable[[], tuple[str, newsvendor.LevelAndCost]]:
    """A function that solves the row that the network is: its name, level and cost."""
    if len(network.perishable):
        perishable = newsvendor.perishable_row(network)
        return lambda: (perishable.name, newsvendor.best_quantity(perishable))
    row = newsvendor.backlogged_row(network)
    return lambda: (row.name, newsvendor.best_level(row))


def _uneven(network: Network) -> uneven_review.ReviewedRow:
    row = uneven_review.reviewed_row(network)
    if row.review == (1,):
        where = f"{network.topology.name}: nodes.{row.name}.review"
        raise InputError(f"{where}: it orders every period; use base_stock.")
    return row


def _solution(
    method: Method, game: Game, row: str, numbers: dict[str, Any], cost: float, details: dict[str, Any] | None = None
) -> Solution:
    assert method.rule is not None
    players = seat_everybody(game, method.rule, {row: numbers})
    return Solution(method.name, {row: numbers}, cost, details=details or {}, players=players)
