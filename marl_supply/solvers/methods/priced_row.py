"""One row that decides its price, against a market that may answer: the optimum, and the best price to keep."""

from __future__ import annotations

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.method import Method, Solution, misfit_of_average
from marl_supply.solvers.price_table import PriceTable
from marl_supply.solvers.priced_row import priced_row
from marl_supply.solvers.pricing import MOST_WORK, Optimum, best_constant_price, best_policy, work_of

VISITED = 1e-9
"""Long-run share of periods below which a state is not told of."""


class PriceAndOrder(Method):
    """The most profitable prices and orders by dynamic programming over stock, competitor's and reference price.

    For one row with one supplier that is never short, linear costs, a fixed cost for each order or none, and customers
    who wait or leave; its market may answer to prices, but not to chance. With one market state it is the model of
    Federgruen & Heching (1999), with a fixed cost that of Chen & Simchi-Levi (2004).
    """

    name = "price_and_order"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, lambda network: _refuse_large(game))

    def worth_trying(self, game: Game) -> bool:
        return False  # the method `optimal` asks it already

    def solve(self, game: Game) -> list[Solution]:
        row = priced_row(game)
        found = best_policy(row)
        details = {"lower": found.lower, "upper": found.upper, "states": found.prices.size, **_usual(found)}
        return [Solution(self.name, {}, found.cost, details=details, players={game.agents[0]: PriceTable(row, found)})]


class ConstantPrice(Method):
    """The price that earns most if it is kept for ever, where stock costs nothing: every one is worked out."""

    name = rule = "constant_price"

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, lambda network: _refuse_stock(game))

    def solve(self, game: Game) -> list[Solution]:
        row = priced_row(game)
        price, cost = best_constant_price(row)
        numbers = {row.name: {"price": price}}
        return [Solution(self.name, numbers, cost, players=seat_everybody(game, self.rule, numbers))]


def _refuse_large(game: Game) -> None:
    row = priced_row(game)
    if not row.orders and not row.stock_is_free:
        raise InputError(f"{game.topology.name}: nodes.{row.name}: nobody orders for it; let its agent order.")
    if work_of(row) > MOST_WORK:
        raise InputError(
            f"{game.topology.name}: an exact solution takes {work_of(row):.2g} multiplications a step, more than "
            f"{MOST_WORK:.2g}; shorten the lead time, narrow the price_range, or tune a rule such as myopic_price."
        )


def _refuse_stock(game: Game) -> None:
    if not priced_row(game).stock_is_free:
        raise InputError(
            f"{game.topology.name}: a price alone is for a seller whose stock costs nothing; use base_stock_list_price."
        )


def _usual(found: Optimum) -> dict[str, float]:
    """The price and the position after ordering where every period has the same two, else the mean price."""
    visited = found.share > VISITED
    prices = np.unique(found.prices[visited])
    if found.share.ndim == 2 and len(prices) == 1:
        stock = found.lowest + np.arange(found.share.shape[1])
        levels = np.unique((found.orders + stock)[visited])
        if len(levels) == 1:
            return {"price": float(prices[0]), "base_stock_level": float(levels[0])}
    return {"mean_price": float((found.share * found.prices).sum())}
