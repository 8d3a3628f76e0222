"""Contracts under which playing as a team is an equilibrium: rates of transfers at which no agent gains by deviating.

What an agent pays is linear in the rates of transfers, whoever plays. So the rates at which no known deviation pays are
a polyhedron, and the search is one of cutting planes (Kelley 1960): find the rates that make the best known deviation
as bad as can be, have responders look for better ones under these rates, add them, and again. That linear transfers can
do it in a two-stage chain is shown by Cachon & Zipkin (1999, section 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from marl_supply.equilibria.exploitability import Exploitability, exploitability
from marl_supply.equilibria.responder import Progress, Responder
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.topology import load

FloatArray = NDArray[np.float64]
MARGIN = 0.01
"""By how much deviations should cost more at best, as a share of what the team costs; beyond that small rates count."""


@dataclass(frozen=True)
class Term:
    """A transfer whose rate is to be found: `payer` pays `payee` for each unit of the flow `per` at `at`.

    low, high: between which the rate lies, money a unit; below 0 the payee pays.
    """

    payer: str
    payee: str
    per: str
    at: str
    low: float
    high: float

    def transfer(self, rate: float) -> dict[str, object]:
        """An entry of ``contract.transfers``."""
        return {"from": self.payer, "to": self.payee, "rate": rate, "per": self.per, "at": self.at}


@dataclass(frozen=True)
class Design:
    """A contract, and what agents would still gain by deviating under it.

    Attributes
    ----------
    game : Game
        With the contract.
    rates : (K,)
        Of the terms, money a unit.
    left : Exploitability
        On fresh demand.
    payments : (K,)
        What each term moves from its payer to its payee while the team plays, in the figure of the criterion.
    rounds, deviations : int
        Of the search, and how many deviations it knew at the end.
    """

    game: Game
    rates: FloatArray
    left: Exploitability
    payments: FloatArray
    rounds: int
    deviations: int


def design_contract(
    game: Game,
    team: Mapping[str, Policy],
    terms: Sequence[Term],
    responders: Sequence[Responder],
    *,
    replications: int = 256,
    rounds: int = 20,
    seed: int = 7,
    search_seed: int = 1,
    progress: Progress | None = None,
) -> Design:
    """Find rates of transfers, on top of the game's contract, under which no agent gains by leaving the team.

    Parameters
    ----------
    team
        The cooperative profile; its cost to all together no contract changes.
    terms
        The transfers that may be agreed on.
    responders
        What looks for deviations; the contract withstands those that they find, and no others are promised.
    replications : int
        On which costs are compared, while searching on `search_seed`, and afresh on `seed`.
    rounds : int
        At most so many; what is left then is reported.

    Raises
    ------
    InputError
        If there is no term, or one does not fit the chain.
    """
    if not terms:
        raise InputError("terms: no transfer to agree on; give one at least.")
    books = _Books(game, terms, replications, search_seed)
    costs = books.costs(team)
    planes: list[tuple[FloatArray, float]] = []
    rates, number = np.zeros(len(terms)), 0
    for number in range(1, rounds + 1):
        under = books.game_at(rates)
        found = exploitability(
            under, team, responders, replications=replications, seed=search_seed, search_seed=search_seed
        )
        new = []
        for agent, gains in found.gains.items():
            for gain in gains:
                deviates = gain.response.policy
                if deviates is not None and np.any(gain.sample != 0):
                    row = game.agents.index(agent)
                    saved = costs[:, row] - books.costs({**team, agent: deviates})[:, row]
                    new.append((saved[1:], float(saved[0])))
        worst = max((float(slope @ rates) + base for slope, base in new), default=0.0)
        if progress is not None:
            progress(f"round {number}: rates {np.round(rates, 4).tolist()}, best deviation saves {worst:.4g}")
        known = [plane for plane in new if not any(_same(plane, other) for other in planes)]
        if not known:
            break
        planes += known
        rates = _rates(planes, terms, MARGIN * float(costs[0].sum()))
    final = books.game_at(rates)
    left = exploitability(final, team, responders, replications=replications, seed=seed, search_seed=search_seed)
    payers = [game.agents.index(term.payer) for term in terms]
    payments = rates * np.array([costs[1 + k, payer] for k, payer in enumerate(payers)])
    return Design(final, rates, left, payments, number, len(planes))


class _Books:
    """What each agent pays without the terms, and for a rate of 1 of each of them."""

    def __init__(self, game: Game, terms: Sequence[Term], replications: int, seed: int) -> None:
        self.game, self.terms, self.replications, self.seed = game, terms, replications, seed
        self.single = [self.game_at(np.eye(len(terms))[number]) for number in range(len(terms))]

    def game_at(self, rates: FloatArray) -> Game:
        """The game with the terms at some rates."""
        stated = [transfer.model_dump(by_alias=True) for transfer in self.game.topology.contract.transfers]
        more = [term.transfer(float(rate)) for term, rate in zip(self.terms, rates, strict=True) if rate]
        return Game(load(self.game.topology, {"contract.transfers": [*stated, *more]}), held_out=self.game.held_out)

    def costs(self, players: Mapping[str, Policy]) -> FloatArray:
        """(1 + K, A) figures of the agents without the terms, then what a rate of 1 of each adds."""
        game = self.game
        total = np.zeros((1 + len(self.terms), len(game.agents)))
        for period, outcome in enumerate(rollout(game, players, self.replications, self.seed)):
            if period >= game.warm_up:
                weight = game.discount ** (period - game.warm_up)
                total[0] += weight * outcome.costs.mean(1)
                for number, single in enumerate(self.single):
                    costs = single.agent_costs(single.books.costs(outcome.flows))
                    total[1 + number] += weight * (costs - outcome.costs).mean(1)
        return total if game.criterion == "total" else total / (game.horizon - game.warm_up)


def _rates(planes: Sequence[tuple[FloatArray, float]], terms: Sequence[Term], margin: float) -> FloatArray:
    """The smallest rates of those that make the best deviation save least, at best `margin` less than nothing."""
    slopes = np.array([slope for slope, _ in planes])
    bases = np.array([base for _, base in planes])
    count = len(terms)
    bounds = [(term.low, term.high) for term in terms]
    ones = np.ones((len(planes), 1))
    worst = linprog(
        np.r_[np.zeros(count), 1.0], np.hstack([slopes, -ones]), -bases, bounds=[*bounds, (-margin, None)]
    ).x[-1]
    identity = np.eye(count)
    sizes = np.vstack([np.hstack([identity, -identity]), np.hstack([-identity, -identity])])
    saves = np.hstack([slopes, np.zeros((len(planes), count))])
    room = worst + 1e-9 * max(1.0, float(np.abs(bases).max()))
    found = linprog(
        np.r_[np.zeros(count), np.ones(count)],
        np.vstack([saves, sizes]),
        np.r_[room - bases, np.zeros(2 * count)],
        bounds=[*bounds, *[(0, None)] * count],
    )
    return np.asarray(found.x[:count], dtype=np.float64)


def _same(plane: tuple[FloatArray, float], other: tuple[FloatArray, float]) -> bool:
    return bool(np.array_equal(plane[0], other[0]) and plane[1] == other[1])
