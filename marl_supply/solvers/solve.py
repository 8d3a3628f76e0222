"""Solve a game by every method that applies, or by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.plugins import find
from marl_supply.plugins import names as plugin_names
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import names as rule_names
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.method import Method, Solution
from marl_supply.solvers.rules import solve_rule, too_many

PACKAGE = "marl_supply.solvers.methods"
NOT_ASKED_FOR = frozenset({"random_order"})
"""Rules of which nobody wants the best parameters, unless by name."""
Progress = Callable[[str, str], None]
"""Called with the name of a method and with what it will take, empty where that is little."""


@dataclass(frozen=True)
class Solved:
    """A solution and the seconds that its method took."""

    solution: Solution
    seconds: float


def methods() -> dict[str, Method]:
    """The methods of `solvers/methods/` by name, the optimum first; beside them every rule can be asked for."""
    made = [find(PACKAGE, Method, name)() for name in plugin_names(PACKAGE, Method)]
    return {method.name: method for method in sorted(made, key=lambda method: method.name != "optimal")}


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
        reason = ways[way].misfit(game)
        if reason is not None and name is not None:
            raise InputError(reason)
        if reason is not None and way == "optimal" and progress is not None:
            progress(way, reason)
        if reason is None and (name is not None or ways[way].worth_trying(game)):
            if progress is not None:
                progress(way, ways[way].effort(game))
            begun = time.perf_counter()
            answers = ways[way].solve(game)
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
class _Way:
    """A method, a rule, or a method and the rule that is tuned where it does not apply."""

    method: Method | None
    rule: str | None

    def misfit(self, game: Game) -> str | None:
        reason = None if self.method is None else self.method.misfit(game)
        if self.rule is None or (self.method is not None and reason is None):
            return reason
        try:
            seat_everybody(game, self.rule)
        except InputError as error:
            return str(error) if reason is None else reason
        return too_many(game, self.rule)

    def worth_trying(self, game: Game) -> bool:
        """Whether no simpler rule does all that it can do."""
        if self.rule is None or (self.method is not None and self.method.misfit(game) is None):
            return True
        rule = find("marl_supply.policies", Rule, self.rule)
        return any(rule.worth_trying(seat) for seat in game.seats.values())

    def effort(self, game: Game) -> str:
        method = self.method
        return method.effort(game) if method is not None and method.misfit(game) is None else ""

    def solve(self, game: Game) -> list[Solution]:
        if self.method is not None and self.method.misfit(game) is None:
            return self.method.solve(game)
        assert self.rule is not None
        return [solve_rule(game, self.rule)]


def _ways() -> dict[str, _Way]:
    """Everything that can be asked for, by name."""
    known = methods()
    ways = {name: _Way(method, method.rule) for name, method in known.items()}
    taken = {method.rule for method in known.values()}
    return ways | {rule: _Way(None, rule) for rule in rule_names() if rule not in taken}
