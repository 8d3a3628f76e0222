"""A mix of policies on one instance: rules are tuned and scaled, and the optimum is solved for, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marl_supply.data.card import EXACT
from marl_supply.data.episode import Player
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import Parameters, parameters_of
from marl_supply.solvers.markov.order_table import OrderTable
from marl_supply.solvers.method import Solution
from marl_supply.solvers.rules import TIED_ABOVE
from marl_supply.solvers.solve import solve
from marl_supply.solvers.tune import FEW, LEAST_REPLICATIONS, Tuned, candidates_of, tune
from marl_supply.study.mixed import Mixed
from marl_supply.study.players import requesting, seat_players, seat_some

SEARCHED_ON = 2**32
"""Seed of the demand that searches meet; the seeds of episodes should stay below it."""
SCREENED = 4
"""Times fewer replications on which all candidates of a search are compared first."""
PURE = "-"
"""Unit of the parameters that have none, such as weights: they are not scaled."""
_Search = tuple[str, int, tuple[tuple[str, tuple[tuple[str, float], ...]], ...]]


@dataclass
class MixPlayers:
    """Who plays on one instance. What several entries of a mix ask for is searched or solved once.

    Attributes
    ----------
    game : Game
    exploring : bool
        Whether episodes begin with random actions.
    """

    game: Game
    exploring: bool = False
    _searches: dict[_Search, Tuned] = field(default_factory=dict)
    _optimum: Solution | None = None

    def player(self, own: Mixed) -> tuple[Player, dict[str, Any]]:
        """An entry's player, and for the card how it was found: by a search, by a solution, or empty.

        Raises
        ------
        InputError
            For policies that do not fit the game, and where there is nothing to tune, to scale or to solve.
        """
        try:
            policies, found = self._exact(own) if own.policy == EXACT else self._stated(own)
        except InputError as error:
            raise InputError(f"--policy {own.label}: {error}") from None
        return Player(own.label, policies, own.random_share), found

    def _stated(self, own: Mixed) -> tuple[Mapping[str, Policy], dict[str, Any]]:
        parameters: Parameters = own.parameters
        found: dict[str, Any] = {}
        if own.tuned:
            searched = self._tuned(own)
            parameters = searched.parameters
            found = {
                "by": "search",
                "search": searched.method,
                "replications": own.tuned,
                "candidates": searched.candidates,
            }
        players: Mapping[str, Policy] = seat_players(self.game, own.policy, parameters)
        if own.scale != 1:
            players = seat_players(self.game, own.policy, scaled(self.game, players, own.scale))
        return {**requesting(players, own.request, own.policy), **seat_some(self.game, own.seats)}, found

    def _tuned(self, own: Mixed) -> Tuned:
        stated = tuple((node, tuple(sorted(values.items()))) for node, values in sorted(own.parameters.items()))
        key = own.policy, own.tuned, stated
        if key not in self._searches:
            numbers = len(candidates_of(own.policy, self.game)[0].axes)
            self._searches[key] = tune(
                own.policy,
                self.game,
                replications=own.tuned,
                seed=SEARCHED_ON,
                parameters=own.parameters or None,
                first_replications=min(own.tuned, max(LEAST_REPLICATIONS, own.tuned // SCREENED)),
                tie="equal" if numbers > TIED_ABOVE else "none",
                method="pattern" if own.parameters and numbers > FEW else "auto",  # near a good start it beats CMA-ES
            )
        return self._searches[key]

    def _exact(self, own: Mixed) -> tuple[Mapping[str, Policy], dict[str, Any]]:
        if self._optimum is None:
            self._optimum = solve(self.game, "optimal")[0].solution
        best, name = self._optimum, self.game.topology.name
        if not best.players:
            raise InputError(f"{name}: nothing that the agents see plays its optimum; set game.observe: full.")
        chance = own.random_share or self.exploring
        if chance and any(isinstance(player, OrderTable) for player in best.players.values()):
            raise InputError(
                f"{name}: its optimum is a table of the states that it comes to itself, and random actions lead to "
                "others; leave random and exploring starts out, or record a tuned rule."
            )
        per = "period" if self.game.criterion == "average" else "horizon"
        found = {"by": "optimum", "method": best.details["by"], "cost": best.cost, "per": per, "exact": best.exact}
        return best.players, found


def scaled(game: Game, players: Mapping[str, Policy], factor: float) -> dict[str, dict[str, float]]:
    """By node, the parameters of rules with those that have a unit multiplied by a factor.

    Weights, shares and other pure numbers stay what they are, and whole parameters are rounded, half to even.

    Raises
    ------
    InputError
        If no parameter has a unit.
    """
    stated = parameters_of(game, players)
    count = 0
    for agent, player in players.items():
        for parameter in player.parameters if isinstance(player, Rule) else ():
            for node in game.seats[agent].rows if parameter.unit != PURE else ():
                number = stated[node][parameter.name] * factor
                stated[node][parameter.name] = float(np.rint(number)) if parameter.integer else number
                count += 1
    if not count:
        raise InputError("it has no parameters in units, money or periods to scale; leave scale out.")
    return stated
