"""The best parameters of a rule: exactly where the chain is small enough, else by simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.markov.markov_chain import ExactCost, evaluate_exactly
from marl_supply.solvers.method import Solution
from marl_supply.solvers.search.candidates import Candidates
from marl_supply.solvers.search.pattern import pattern
from marl_supply.solvers.search.space import FloatArray
from marl_supply.solvers.tune import LEAST_REPLICATIONS, Tie, candidates_of, tune

PATIENCE = 10_000
"""Steps that the long-run law of a candidate may take: stock or backorders of one that takes longer have no bound."""
LARGEST = 1_000_000
"""States of the largest chain of one row that is worked out at all; of n rows n^2 times fewer, as each takes longer."""
WORTH = 500_000
"""States of a Markov chain, times rows, times numbers to tune, up to which a search works it out for each candidate."""
SEARCHED, ESTIMATED = 32_768, 524_288
"""Counted periods, times rows, that the candidates of a search meet, and others on which the best is estimated."""
MOST_EPISODES = 2048
"""Of either, where episodes are short."""
MOST_TUNED = 100
"""Numbers beyond which nothing is tuned."""
TIED_ABOVE = 8
"""Numbers to tune above which rows with equal data share theirs."""


def too_many(game: Game, name: str) -> str | None:
    """Why the numbers of a rule are too many to tune in a game, in one sentence; None where they are not."""
    players = seat_everybody(game, name).values()
    rows = len(game.network.rows)
    if rows <= MOST_TUNED or not any(p.tuned for player in players for p in getattr(player, "parameters", ())):
        return None
    numbers = len(candidates_of(name, game, tie="equal")[0].axes)
    if numbers <= MOST_TUNED:
        return None
    many = f"{numbers} numbers to tune here, and a search gets nowhere above {MOST_TUNED}"
    return (
        f"{game.topology.name}: {name} has {many}; evaluate it with parameters of your own, or tie rows in `ms.tune`."
    )


def solve_rule(game: Game, name: str) -> Solution:
    """The best parameters of a rule in every seat, and what they cost.

    Parameters are found by simulation. Where the criterion is the average and the Markov chain that the rule makes of
    the game is small enough, the cost is exact, and pattern search on exact costs has the last word on the parameters.
    Else the figure is the mean of episodes that the search did not meet.

    Raises
    ------
    InputError
        For a rule that does not fit the game.
    """
    players = seat_everybody(game, name)
    if not any(parameter.tuned for player in players.values() for parameter in getattr(player, "parameters", ())):
        exact = _exact(game, players)
        return _estimated(game, name, {}, players) if exact is None else _solution(name, {}, exact, players)
    candidates, _ = candidates_of(name, game)
    tie: Tie = "equal" if len(candidates.axes) > TIED_ABOVE else "none"
    tuned = tune(name, game, replications=_episodes(game, SEARCHED), tie=tie)
    details = {
        "search": tuned.method,
        "simulated_periods": tuned.periods,
        "second_best": {"parameters": tuned.second_best[0], "excess": tuned.excess.mean / _per(game)},
    }
    exact = _exact(game, tuned.players)
    if exact is None and len(candidates.axes) == 1:  # what is best in finite episodes may have no long-run cost
        beside = _polished(game, name, candidates, candidates.point_of(tuned.parameters))
        if beside is not None:
            return beside
    if exact is None:
        found = _estimated(game, name, tuned.parameters, tuned.players)
        return replace(found, details={**details, **found.details})
    if exact.states * len(game.network.rows) * len(candidates.axes) > WORTH:
        found = _solution(name, tuned.parameters, exact, tuned.players)
        return replace(found, details={**details, **found.details})
    best = _polished(game, name, candidates, candidates.point_of(tuned.parameters))
    assert best is not None
    return best


def _solution(
    name: str, parameters: Mapping[str, Mapping[str, float]], exact: ExactCost, players: Mapping[str, Policy]
) -> Solution:
    return Solution(name, parameters, exact.mean, details=_by_agent(exact.by_agent), players=players)


def _estimated(
    game: Game, name: str, parameters: Mapping[str, Mapping[str, float]], players: Mapping[str, Policy]
) -> Solution:
    found = evaluate(game, players, _episodes(game, ESTIMATED))
    per = _per(game)
    agents = {agent: cost / per for agent, cost in found.by_agent.items()}
    return Solution(name, parameters, found.figure, False, found.standard_error / per, _by_agent(agents), players)


def _per(game: Game) -> int:
    """What totals are divided by: the counted periods where the criterion is the average."""
    return game.horizon - game.warm_up if game.criterion == "average" else 1


def _episodes(game: Game, periods: int) -> int:
    """How many episodes have so many counted periods of a row, within reason."""
    each = (game.horizon - game.warm_up) * len(game.network.rows)
    return int(np.clip(periods // each, LEAST_REPLICATIONS, MOST_EPISODES))


def _polished(game: Game, name: str, candidates: Candidates, point: FloatArray) -> Solution | None:
    """The best that pattern search on exact costs finds from a point; None where it finds no long-run cost."""
    search, space = _ExactCosts(game, name, candidates), candidates.space.holding(point[None])
    steps = np.maximum(space.finest, np.where(space.whole, 1.0, space.width / 64))
    best = pattern(search, space, point[None], steps)
    parameters = candidates.parameters(best.point)
    exact = search.known[best.point.tobytes()]
    return None if exact is None else _solution(name, parameters, exact, seat_everybody(game, name, parameters))


@dataclass
class _ExactCosts:
    """Exact costs of candidates (C, D), remembered; infinite where a candidate has no long-run cost."""

    game: Game
    name: str
    candidates: Candidates
    known: dict[bytes, ExactCost | None] = field(default_factory=dict)

    def __call__(self, points: FloatArray) -> FloatArray:
        return np.array([self._cost(point) for point in points])

    def _cost(self, point: FloatArray) -> float:
        key = point.tobytes()
        if key not in self.known:
            players = seat_everybody(self.game, self.name, self.candidates.parameters(point))
            self.known[key] = _exact(self.game, players)
        exact = self.known[key]
        return math.inf if exact is None else exact.mean


def _exact(game: Game, players: Mapping[str, Policy]) -> ExactCost | None:
    """The exact long-run cost; None where there is none to be had."""
    whole = all(parameter.integer for player in players.values() for parameter in getattr(player, "parameters", ()))
    if game.criterion != "average" or not whole:  # numbers that are not whole make a chain of too many states
        return None
    try:
        return evaluate_exactly(game, players, most_states=LARGEST // len(game.network.rows) ** 2, most_steps=PATIENCE)
    except InputError:
        return None


def _by_agent(costs: Mapping[str, float]) -> dict[str, object]:
    return {"by_agent": dict(costs)} if len(costs) > 1 else {}
