"""Fictitious play among the policies of a rule: everybody answers what the others have played so far (Brown 1951).

Where agents who answer the last profile run in a circle, answers to the whole past can still settle: shares of play
then approach a mixed equilibrium of the rule's policies. Nothing promises that they do (Shapley 1964), so what is left
to gain is measured afterwards: `exploitability` takes the mixtures as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marl_supply.equilibria.best_response_dynamics import BestResponses, Levels
from marl_supply.equilibria.mixture import Mixture
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.seating import seat_everybody


@dataclass(frozen=True)
class Plays:
    """How often each agent has played what.

    Attributes
    ----------
    rule : str
    counts : dict of str to list of (parameters by node, int)
        By agent, its different plays and how often each was played.
    settled : int
        Rounds since anybody last played otherwise than before: all of them where the start was an equilibrium.
    """

    game: Game
    rule: str
    counts: dict[str, list[tuple[Levels, int]]]
    settled: int

    def shares(self, agent: str) -> list[tuple[Levels, float]]:
        """What an agent plays, and in which share of the rounds, the most frequent first."""
        total = sum(count for _, count in self.counts[agent])
        return sorted(((levels, count / total) for levels, count in self.counts[agent]), key=lambda play: -play[1])

    @property
    def players(self) -> dict[str, Policy]:
        """For each agent one policy that draws among its plays for each episode."""
        return {agent: self._mixture(agent) for agent in self.game.agents}

    def _mixture(self, agent: str) -> Policy:
        plays = self.shares(agent)
        policies = [seat_everybody(self.game, self.rule, levels)[agent] for levels, _ in plays]
        return policies[0] if len(plays) == 1 else Mixture(policies, [share for _, share in plays])


def fictitious_play(
    responses: BestResponses, start: Mapping[str, Mapping[str, float]], rounds: int = 50, patience: int = 10
) -> Plays:
    """Agents answer the mixture of what each other agent has played so far, all at once.

    Parameters
    ----------
    start
        What was played before the first round, by node; unstated parameters are the topology file's, then the rule's.
    rounds : int
        At most so many.
    patience : int
        It ends once nobody has changed what it plays for so many rounds.

    Raises
    ------
    InputError
        If there is no round to play.
    """
    game, first = responses.game, responses.first(start, rounds)
    counts = {agent: [(_own(game, agent, first), 1)] for agent in game.agents}
    last = {agent: plays[0][0] for agent, plays in counts.items()}
    settled = 0
    for _ in range(rounds):
        players = Plays(game, responses.rule, counts, settled).players
        own = {agent: responses.players(levels)[agent] for agent, levels in last.items()}
        now = {agent: responses.among(agent, {**players, agent: own[agent]}) for agent in counts}
        settled = settled + 1 if now == last else 0
        counts = {agent: _counted(plays, now[agent]) for agent, plays in counts.items()}
        last = now
        if settled >= patience:
            break
    return Plays(game, responses.rule, counts, settled)


def _own(game: Game, agent: str, levels: Mapping[str, Mapping[str, float]]) -> Levels:
    return {node: dict(levels[node]) for node in game.seats[agent].rows}


def _counted(plays: list[tuple[Levels, int]], levels: Levels) -> list[tuple[Levels, int]]:
    """The counts with one play more."""
    if any(known == levels for known, _ in plays):
        return [(known, count + (known == levels)) for known, count in plays]
    return [*plays, (levels, 1)]
