"""What coalitions of agents would pay in a game: each minimises its own total, outsiders play on as in equilibrium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from marl_supply.equilibria.coalition_costs import MOST_PLAYERS, CoalitionCosts
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.responder import Progress
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.seating import parameters_of
from marl_supply.solvers.tune import tune

Levels = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Coalitions:
    """The cost game, and what each coalition plays.

    Attributes
    ----------
    costs : CoalitionCosts
        Samples over fresh replications, common to all coalitions, in the figure of the criterion.
    parameters : dict of frozenset of str to parameters by node
        What the members play.
    """

    costs: CoalitionCosts
    parameters: dict[frozenset[str], Levels]


def coalitions_of(
    game: Game,
    equilibrium: Mapping[str, Policy],
    rule: str,
    *,
    replications: int = 1000,
    search_replications: int = 256,
    seed: int = 7,
    search_seed: int = 1,
    progress: Progress | None = None,
) -> Coalitions:
    """The cost of every coalition within the policies of a rule.

    A coalition that finds nothing better than what its members play in equilibrium plays that, so none costs more than
    its members pay there.

    Parameters
    ----------
    equilibrium
        What each agent plays on its own.
    rule
        Name of the rule that coalitions choose from.
    replications, seed : int
        Fresh demand on which costs are estimated.
    search_replications, search_seed : int
        The demand that candidates meet.

    Raises
    ------
    InputError
        For more than six agents, and a rule that cannot sit down.
    """
    if len(game.agents) > MOST_PLAYERS:
        raise InputError(
            f"{game.topology.name}: {len(game.agents)} agents have {2 ** len(game.agents):,} coalitions; shares are "
            f"worked out for {MOST_PLAYERS} at most."
        )
    now = costs_of(game, equilibrium, replications, seed)
    costs, parameters = {}, {}
    for size in range(1, len(game.agents) + 1):
        for members in combinations(game.agents, size):
            if progress is not None:
                progress(f"{' and '.join(members)} together")
            rows = [game.agents.index(agent) for agent in members]
            found = tune(
                rule,
                game,
                replications=search_replications,
                seed=search_seed,
                agents=members,
                others=equilibrium,
            )
            together = costs_of(game, found.players, replications, seed)[rows].sum(0)
            stay = now[rows].sum(0)
            better = together.mean() < stay.mean()
            costs[frozenset(members)] = together if better else stay
            chosen = found.players if better else equilibrium
            parameters[frozenset(members)] = parameters_of(game, {agent: chosen[agent] for agent in members})
    return Coalitions(CoalitionCosts(game.agents, costs), parameters)
