"""Find the parameters of a rule that cost a whole game, or one agent, least: search on common random numbers.

All candidates meet the same demand. How they are chosen depends on how many numbers are open: every point of a small
grid of whole numbers (`search.enumeration`), else pattern search from the best of a coarse lattice (`search.pattern`),
and above four numbers CMA-ES (`search.cma_es`). A search begins on few replications; what it finds is then raced and
polished by pattern search on growing numbers of them (`search.trials`), and what comes out is estimated on fresh ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from marl_supply.demand.noise import Noise
from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.metrics.intervals import Interval, over_replications, paired_difference
from marl_supply.plugins import find
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import Parameters, seat_everybody
from marl_supply.policies.seating import rule as rule_for
from marl_supply.solvers.search.candidates import Axis, Candidates, axes_of
from marl_supply.solvers.search.cma_es import cma_es
from marl_supply.solvers.search.enumeration import every_point, lattice
from marl_supply.solvers.search.pattern import pattern
from marl_supply.solvers.search.space import FloatArray, Space
from marl_supply.solvers.search.symmetry import equal_rows
from marl_supply.solvers.search.trials import Trials

Progress = Callable[[str, int], None]
Method = Literal["auto", "enumeration", "pattern", "cma_es"]
Tie = Literal["none", "equal"] | Sequence[Sequence[str]]

LARGEST_GRID = 4096
"""Points of the largest grid that is enumerated."""
PLAYED_OUT = 64
"""Points of the largest grid that is played out on all replications without a race."""
LATTICE = 256
"""Most points of the coarse lattice on which pattern search looks for its start."""
FEW = 4
"""The most numbers that pattern search is chosen for."""
FIRST_PERIODS = 8192
"""Counted periods of the replications that all candidates meet, if no number of replications is stated."""
LEAST_REPLICATIONS = 8
"""The fewest of those replications."""
FINALISTS = 16
"""Candidates of the cheap search that are raced on growing numbers of replications."""
POPULATION = 4
"""Times the usual population of CMA-ES: candidates of a generation are played together, and many cost little more."""
GENERATIONS = 400
"""The most generations of CMA-ES."""
EARLY_SHARE = 0.002
"""CMA-ES ends when its last generations brought no more than this share of the cost, and of all that was gained."""


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes
    ----------
    policy : str
        Name of the rule.
    method : str
        The search: enumeration, pattern or cma_es.
    parameters : dict of str to dict of str to float
        By node, what `seat_everybody` takes.
    cost, standard_error : float
        Mean cost of all agents over the periods that count, money, on the replications of the search, and its error.
        The best of many looks better there than it is: `estimate` is the figure to quote.
    second_best : tuple of (parameters, cost)
        The best of the other candidates, and its cost on the replications of the search.
    candidates, periods : int
        How many were tried, and how many periods were simulated for that.
    players : dict of str to Policy
        The tuned rule in every seat.
    estimate : Interval
        The same cost on fresh replications, as many as those of the search, of the seed after its own.
    excess : Interval
        On these, cost of the second best less that of the best, paired.
    """

    policy: str
    method: str
    parameters: dict[str, dict[str, float]]
    cost: float
    standard_error: float
    second_best: tuple[dict[str, dict[str, float]], float]
    candidates: int
    periods: int
    players: dict[str, Policy]
    estimate: Interval
    excess: Interval

    def __str__(self) -> str:
        lines = [f"{self.policy} by {self.method}: {self.candidates} candidates, {self.periods} periods"]
        lines += _listed(self.parameters)
        lines.append(f"cost {_told(self.estimate)}, on the replications of the search {self.cost:.6g}")
        unsure = "" if self.excess.significant else " (not significant)"
        return "\n".join([*lines, f"second best {_told(self.excess)} more{unsure}:", *_listed(self.second_best[0])])


def tune(
    name: str,
    game: Game,
    *,
    replications: int = 256,
    seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
    method: Method = "auto",
    tie: Tie = "none",
    first_replications: int | None = None,
    restarts: int = 0,
    batch: int | None = None,
    agents: Sequence[str] | None = None,
    others: Mapping[str, Policy] | None = None,
) -> Tuned:
    """Search the parameters of a rule, the same rule in every seat, for the least cost of all agents together.

    With `agents` the rule is searched in their seats alone, for the least cost of them together: of one agent a best
    response among the policies of the rule, of several what a coalition would do.

    Parameters
    ----------
    name
        Name of the rule.
    replications, seed : int
        The demand that all candidates meet; another seed than that of the evaluation. The estimate at the end is on
        the seed after it.
    parameters
        Where the search starts, by node (else the file's suggestion and the rule's own start, whichever is better).
    progress
        Called with a line and the number of candidates tried so far.
    method
        `enumeration`: every point of a grid of whole numbers, at most `LARGEST_GRID`. `pattern`: pattern search from
        the best of the starts and of a coarse lattice. `cma_es`: CMA-ES, then pattern search. `auto`: enumeration where
        the grid is so small, else pattern search up to four numbers, else CMA-ES.
    tie
        Rows that share their numbers: `none`; `equal`: those with equal data, such as the equal stores of a warehouse
        (see `equal_rows`); or groups of names, `[["store_1", "store_2"], ...]`.
    first_replications : int or None
        Replications on which all candidates are compared first; those that may be best meet more, up to
        `replications`. As many as make `FIRST_PERIODS` counted periods, and at least `LEAST_REPLICATIONS`, if None.
    restarts : int
        Further runs of CMA-ES, each with twice the population of the one before (Auger & Hansen 2005), from the best
        start and then from random ones; dear, and worth it where costs have several valleys.
    batch : int or None
        Columns (candidates times replications) played at once; it changes the time taken and no result.
    agents : sequence of str or None
        Whose rule is searched, and whose cost counts; None for everybody.
    others
        Who plays in the other seats.

    Returns
    -------
    Tuned

    Raises
    ------
    InputError
        If the rule has nothing to tune or reads what the game hides, and if the method or the ties do not fit.
    """
    candidates, starts = candidates_of(name, game, tie, batch, parameters, agents, others)
    space = candidates.space.holding(starts)
    method = _chosen(method, space, name)
    least = min(replications, restarts + 1, *(x for x in (first_replications, batch) if x is not None))
    if least < 1:
        raise InputError("tune: replications and batch are at least 1 and restarts at least 0; raise what is below.")
    whole_race = method == "enumeration" and space.size <= PLAYED_OUT
    first = replications if whole_race else first_replications or _first_replications(game)
    trials = Trials(partial(candidates.play, seed=seed), replications, first, progress)
    if method == "enumeration":
        trials.race(every_point(space))
    elif method == "pattern":
        _pattern(trials, space, starts)
    else:
        _cma_es(trials, space, starts, seed, restarts)
    return _told_of(name, method, candidates, trials, seed)


def candidates_of(
    name: str,
    game: Game,
    tie: Tie = "none",
    batch: int | None = None,
    parameters: Parameters | None = None,
    agents: Sequence[str] | None = None,
    others: Mapping[str, Policy] | None = None,
) -> tuple[Candidates, FloatArray]:
    """What a search moves, and the points (S, D) where it starts; arguments are those of `tune`."""
    rule = find("marl_supply.policies", Rule, name)
    seated = _seated(game, name, parameters, agents)
    players = {seat: player for seat, player in seated.items() if isinstance(player, Rule)}
    axes: tuple[Axis, ...] = ()
    if len(players) == len(seated):
        axes = axes_of(game, rule, _groups(game, tie), list(seated))
    if not axes:
        raise InputError(f"policy {name}: it has no parameters to tune; set tune: false.")
    rest = {seat: player for seat, player in (others or {}).items() if seat not in seated}
    candidates = Candidates(game, rule, players, axes, batch, rest)
    given = [axis.given(players) for axis in axes]
    own = [axis.own_start(game) for axis in axes]
    whole = candidates.space.whole
    starts = np.array([given] if parameters else [given, own])
    return candidates, np.where(whole, np.rint(starts), starts)


def _seated(game: Game, name: str, parameters: Parameters | None, agents: Sequence[str] | None) -> dict[str, Policy]:
    """The rule in every seat, or in some."""
    if agents is None:
        return seat_everybody(game, name, parameters)
    players: dict[str, Policy] = {}
    for agent in agents:
        if agent not in game.agents:
            raise InputError(f"no agent '{agent}' in {game.topology.name}{nearest(agent, game.agents)}.")
        seat = game.seats[agent]
        players[agent] = rule_for(name, seat, {n: own for n, own in (parameters or {}).items() if n in seat.rows})
        check_needs(players[agent], seat, game.observe_level)
    return players


def _groups(game: Game, tie: Tie) -> Sequence[Sequence[str]]:
    """The rows that are tied, each in one group at most."""
    if isinstance(tie, str):
        if tie not in ("none", "equal"):
            raise InputError(f"tie: '{tie}' is not known{nearest(tie, ('none', 'equal'))}; or give groups of nodes.")
        return equal_rows(game) if tie == "equal" else ()
    rows = game.network.rows
    named = [node for group in tie for node in group]
    for node in named:
        if node not in rows:
            raise InputError(f"tie: no node '{node}' in {game.topology.name}{nearest(node, rows)}.")
        if named.count(node) > 1:
            raise InputError(f"tie: '{node}' is named twice; name every node once at most.")
    return [group for group in tie if group]


def _chosen(method: Method, space: Space, name: str) -> Literal["enumeration", "pattern", "cma_es"]:
    """The search that `auto` stands for here; a stated one must fit."""
    if method not in get_args(Method):
        raise InputError(f"method: '{method}' is not known{nearest(method, get_args(Method))}.")
    if method == "enumeration" and space.size > LARGEST_GRID:
        size = f"a grid of {space.size:.4g} points" if np.isfinite(space.size) else "parameters that are not whole"
        raise InputError(
            f"method: enumeration takes at most {LARGEST_GRID} points and {name} has {size}; "
            "use method: pattern or cma_es, or tie rows."
        )
    if method != "auto":
        return method
    if space.size <= LARGEST_GRID:
        return "enumeration"
    return "pattern" if space.dimension <= FEW else "cma_es"


def _first_replications(game: Game) -> int:
    return max(LEAST_REPLICATIONS, -(-FIRST_PERIODS // (game.horizon - game.warm_up)))


def _pattern(trials: Trials, space: Space, starts: FloatArray) -> None:
    points = np.concatenate([starts, lattice(space, LATTICE)])
    found = pattern(trials.screening, space, points)
    _polish(trials, space, np.concatenate([found.point[None], starts]))


def _cma_es(trials: Trials, space: Space, starts: FloatArray, seed: int, restarts: int) -> None:
    start = starts[trials.screening(space.inside(starts)).argmin()]
    population = POPULATION * (4 + int(3 * np.log(space.dimension)))
    for run in range(restarts + 1):
        generator = Noise(seed).generator("search", "cma_es", run, 0)
        begin = space.low + generator.random(space.dimension) * space.width if run > 1 else start
        cma_es(
            trials.screening,
            space,
            begin,
            generator,
            population=population * 2**run,
            generations=GENERATIONS,
            early_share=EARLY_SHARE,
        )
    found = pattern(trials.screening, space, trials.best(1), np.maximum(space.width / 64, 2 * space.finest))
    _polish(trials, space, np.concatenate([found.point[None], starts]))


def _polish(trials: Trials, space: Space, points: FloatArray) -> None:
    """Race some points and the best of the cheap search, then pattern search from the winner by races."""
    points = np.concatenate([space.inside(points), trials.best(FINALISTS)])
    costs = trials.race(points)
    pattern(trials.race, space, points[costs.argmin()][None], 2 * space.finest)


def _told_of(name: str, method: str, candidates: Candidates, trials: Trials, seed: int) -> Tuned:
    """The best and the second best, on the replications of the search and on fresh ones."""
    trials.sample(trials.best(2), trials.replications)
    ranked = trials.best(2)
    best, second = ranked[0], ranked[-1]
    searched = over_replications(trials.sample(best[None], trials.replications)[0])
    fresh = candidates.play(np.array([best, second]), 0, trials.replications, seed + 1)
    chosen = candidates.parameters(best)
    return Tuned(
        policy=name,
        method=method,
        parameters=chosen,
        cost=searched.mean,
        standard_error=searched.standard_error or 0.0,
        second_best=(
            candidates.parameters(second),
            float(trials.sample(second[None], trials.replications).mean()),
        ),
        candidates=len(trials.samples),
        periods=trials.played * candidates.game.horizon,
        players=candidates.seated(best),
        estimate=over_replications(fresh[0]),
        excess=paired_difference(fresh[1], fresh[0]),
    )


def _listed(parameters: dict[str, dict[str, float]]) -> list[str]:
    return [f"  {node}: " + ", ".join(f"{k} {v:.6g}" for k, v in own.items()) for node, own in parameters.items()]


def _told(interval: Interval) -> str:
    return f"{interval.mean:.6g}" + ("" if interval.half_width is None else f" ± {interval.half_width:.3g}")
