"""Empirical games: a table of what everybody pays for every combination of given policies, and how it grows.

The equilibrium of the table is one of the game as far as the policies in it go. Policy-space response oracles (Lanctot
et al. 2017; double oracle, McMahan, Gordon & Blum 2003) add best responses to that equilibrium until none is worth it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.exploitability import Exploitability, exploitability
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.mixed import MixedEquilibrium, at_profile, support_enumeration
from marl_supply.equilibria.mixture import Mixture
from marl_supply.equilibria.normal_form import NormalForm, Profile, contract
from marl_supply.equilibria.quantal_response import approximate_equilibrium
from marl_supply.equilibria.responder import Progress, Responder
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.metrics.intervals import Interval, over_replications

FloatArray = NDArray[np.float64]
Named = Mapping[str, Mapping[str, Policy]]
"""By agent, policies by name."""
MOST_PROFILES = 4096
LARGEST_ENUMERATED = 8
"""Most strategies of a player for which all equilibria of two players are enumerated."""


@dataclass(frozen=True, eq=False)
class EmpiricalGame:
    """A table of costs on common replications.

    Attributes
    ----------
    table : NormalForm
        Of mean costs, in the figure of the criterion.
    samples : (A, m_1, ..., m_A, R)
        The same for each replication.
    policies
        By agent, the policies that the strategies stand for.
    """

    table: NormalForm
    samples: FloatArray
    policies: Named

    def deviation_gain(self, agent: str, profile: Profile) -> Interval:
        """What an agent saves by its best policy of the table against a mixed profile, paired on replications."""
        number = self.table.players.index(agent)
        against = contract(self.samples[number], profile, {number})
        return over_replications(profile[number] @ against - against[against.mean(1).argmin()])

    def players(self, profile: Profile) -> dict[str, Policy]:
        """A profile as policies: mixtures, or a policy itself where it is played for certain."""
        seated: dict[str, Policy] = {}
        for agent, shares in zip(self.table.players, profile, strict=True):
            own = list(self.policies[agent].values())
            played = np.flatnonzero(shares > 1e-9)
            alone = len(played) == 1
            seated[agent] = own[played[0]] if alone else Mixture([own[k] for k in played], _whole(shares[played]))
        return seated


@dataclass(frozen=True, eq=False)
class Oracles:
    """What policy-space response oracles came to.

    Attributes
    ----------
    game : EmpiricalGame
    equilibrium : MixedEquilibrium
        Of its table.
    left : Exploitability
        What responders still save against it.
    nash_conv : tuple of float
        By round, before its best responses were added.
    """

    game: EmpiricalGame
    equilibrium: MixedEquilibrium
    left: Exploitability
    nash_conv: tuple[float, ...]


def empirical_game(
    game: Game,
    policies: Named,
    replications: int = 500,
    seed: int = 7,
    known: EmpiricalGame | None = None,
    progress: Progress | None = None,
) -> EmpiricalGame:
    """Play every combination of given policies.

    Parameters
    ----------
    policies
        For every agent at least one, by name.
    known
        A table on the same replications; combinations that stand in it are not played again.

    Raises
    ------
    InputError
        If an agent has no policy, or there are more than 4,096 combinations.
    """
    for agent in game.agents:
        if not policies.get(agent):
            raise InputError(f"no policy for '{agent}'; give at least one to each of {', '.join(game.agents)}.")
    names = tuple(tuple(policies[agent]) for agent in game.agents)
    shape = tuple(map(len, names))
    if np.prod(shape) > MOST_PROFILES:
        raise InputError(f"policies: {np.prod(shape):,} combinations; give so few that there are {MOST_PROFILES:,}.")
    samples = np.empty((len(game.agents), *shape, replications))
    for choice in np.ndindex(*shape):
        chosen = [own[k] for own, k in zip(names, choice, strict=True)]
        before = None if known is None else _known(known, chosen, replications)
        if before is None:
            if progress is not None:
                progress(f"playing {', '.join(chosen)}")
            players = {agent: policies[agent][name] for agent, name in zip(game.agents, chosen, strict=True)}
            before = costs_of(game, players, replications, seed)
        samples[:, *choice] = before
    return EmpiricalGame(NormalForm(samples.mean(-1), game.agents, names), samples, policies)


def equilibrium_of(table: NormalForm) -> MixedEquilibrium:
    """One equilibrium of a table: a pure one if there is any, then one by support enumeration or the logit path.

    Of several the one with the least total cost.
    """
    found = [at_profile(table, table.pure_profile(choice)) for choice in table.pure_equilibria()]
    if not found and len(table.players) == 2 and max(table.shape) <= LARGEST_ENUMERATED:
        found = list(support_enumeration(table))
    if not found:
        found = [approximate_equilibrium(table)]
    return min(found, key=lambda each: float(np.sum(each.costs)))


def response_oracles(
    game: Game,
    policies: Named,
    responders: Sequence[Responder],
    *,
    rounds: int = 10,
    replications: int = 500,
    seed: int = 7,
    tolerance: float = 0.0,
    progress: Progress | None = None,
) -> Oracles:
    """Add best responses to the equilibrium of the table until no responder saves more than `tolerance`.

    Parameters
    ----------
    policies
        To begin with, for every agent at least one.
    responders
        Which look for best responses, against mixtures too: `exact` takes no policies with chance and refuses those.
    rounds : int
        At most so many.
    tolerance : float
        Of the gain of each agent, in the figure of the criterion.
    """
    named = {agent: dict(policies.get(agent, {})) for agent in game.agents}
    table: EmpiricalGame | None = None
    convs: list[float] = []
    for number in range(1, rounds + 1):
        table = empirical_game(game, named, replications, seed, table, progress)
        equilibrium = equilibrium_of(table.table)
        players = table.players(equilibrium.profile)
        left = exploitability(game, players, responders, replications=replications, seed=seed + 2, progress=progress)
        convs.append(left.nash_conv().mean)
        best = {agent: left.best(agent) for agent in game.agents}
        added = {agent: gain for agent, gain in best.items() if gain is not None and gain.mean > tolerance}
        if not added or number == rounds:
            break
        for agent, gain in added.items():
            assert gain.response.policy is not None
            named[agent][f"round {number}, {gain.response.responder}"] = gain.response.policy
    assert table is not None
    return Oracles(table, equilibrium, left, tuple(convs))


def _known(known: EmpiricalGame, chosen: Sequence[str], replications: int) -> FloatArray | None:
    """(A, R) what a table has for some policies by name; None where it has not."""
    table = known.table
    if known.samples.shape[-1] != replications:
        return None
    for own, name in zip(table.strategies, chosen, strict=True):
        if name not in own:
            return None
    samples = known.samples
    for own, name in zip(table.strategies, chosen, strict=True):
        samples = samples[:, own.index(name)]
    return samples


def _whole(shares: FloatArray) -> FloatArray:
    return np.asarray(shares / shares.sum())
