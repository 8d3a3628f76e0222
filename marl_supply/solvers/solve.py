"""Solve a game by every method that applies, or by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.plugins import find
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import names as rule_names
from marl_supply.solvers.method import Method, Solution, methods
from marl_supply.solvers.rules import solve_rule, too_many

NOT_ASKED_FOR = frozenset({"random_order"})
"""Rules of which nobody wants the best parameters, unless by name."""
Progress = Callable[[str, str], None]
"""Called with the name of a method and with what it will take, empty where that is little."""


@dataclass(frozen=True)
class Solved:
    """A solution and the seconds that its method took."""

    solution: Solution
    seconds: float


def solve(game: Game, name: str | None = None, progress: Progress | None = None) -> list[Solved]:
    """Solve a game.

    Parameters
    ----------
    game
        What is solved; costs are those of all its agents.
    name
        A method or a rule; every applicable one if None.
    progress
        Told of each method before it starts.

    Returns
    -------
    list of Solved
        The optimum first where there is one, then other methods, then rules.

    Raises
    ------
    InputError
        For an unknown name, for a method that does not apply to the game, and where serving nobody costs nothing.
    """
    _refuse_free_shortage(game)
    ways = _ways()
    if name is not None and name not in ways:
        hint = nearest(name, ways) or f"; there are: {', '.join(ways)}"
        raise InputError(f"no method '{name}'{hint}.")
    asked = [way for way in ways if way not in NOT_ASKED_FOR] if name is None else [name]
    solved: list[Solved] = []
    for way in asked:
        fitting, reason = _first_that_fits(ways[way], game)
        if fitting is None and name is not None:
            raise InputError(reason)
        if fitting is None and way == "optimal" and progress is not None:
            progress(way, reason)
        if fitting is not None and (name is not None or fitting.worth_trying(game)):
            if progress is not None:
                progress(way, fitting.effort(game))
            begun = time.perf_counter()
            answers = fitting.solve(game)
            seconds = time.perf_counter() - begun
            solved += [Solved(replace(answer, method=way), seconds) for answer in answers]
    if not solved:
        raise InputError(f"{game.topology.name}: no method applies to it; `marl-supply list` names the rules.")
    return solved


def _refuse_free_shortage(game: Game) -> None:
    """Raise InputError for a market whose customers can be turned away at no cost: never to order is then best."""
    network = game.network
    for market, line in enumerate(network.market_line):
        waits = network.keeps[line] > 0
        worth = network.backorder_cost[line] if waits else network.lost_sale_cost[line] + network.price[market]
        if worth <= 0 and not len(network.priced_markets):
            key = "backorder_cost" if waits else "lost_sale_cost"
            raise InputError(
                f"{game.topology.name}: {network.places[network.line_place[line]]}: a customer of market "
                f"'{network.markets[market]}' who is not served costs nothing; give a {key} above 0."
            )


@dataclass(frozen=True)
class _TunedRule:
    """A rule at its best, asked as a method is."""

    rule: str

    def misfit(self, game: Game) -> str | None:
        try:
            return too_many(game, self.rule)
        except InputError as error:
            return str(error)

    def worth_trying(self, game: Game) -> bool:
        rule = find("marl_supply.policies", Rule, self.rule)
        if any(len(seat.scope.priced_markets) for seat in game.seats.values()) and "price" not in rule.decides:
            return False  # what leaves the price alone is a poorer base_stock_list_price or reorder_point_price
        return any(rule.worth_trying(seat) for seat in game.seats.values())

    def effort(self, game: Game) -> str:
        return ""

    def solve(self, game: Game) -> list[Solution]:
        return [solve_rule(game, self.rule)]


_Way = Method | _TunedRule


def _ways() -> dict[str, list[_Way]]:
    """Everything that can be asked for by name; where the first does not apply, the next may."""
    ways: dict[str, list[_Way]] = {}
    for name, method in methods().items():
        ways[name] = [method] if method.rule is None else [method, _TunedRule(method.rule)]
    taken = {method.rule for method in methods().values()}
    return ways | {rule: [_TunedRule(rule)] for rule in rule_names() if rule not in taken}


def _first_that_fits(ways: list[_Way], game: Game) -> tuple[_Way | None, str]:
    """The first way that applies to a game, or why the last does not."""
    reason = ""
    for way in ways:
        found = way.misfit(game)
        if found is None:
            return way, ""
        reason = found
    return None, reason
