"""The best policy of a rule, by search on common random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marl_supply.equilibria.responder import Progress, Responder, Response
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import parameters_of
from marl_supply.solvers.tune import candidates_of, tune


@dataclass(frozen=True)
class Search(Responder):
    """`tune` in one seat against fixed others: the parameters of a rule that cost the agent least.

    Where the agent plays the same rule already the search starts from its parameters.

    Attributes
    ----------
    rule : str
        Name of the rule.
    replications : int
        Sequences of demand that the candidates meet.
    """

    rule: str = "base_stock"
    replications: int = 256

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the rule."""
        return self.rule

    def misfit(self, game: Game, players: Mapping[str, Policy], agent: str) -> str | None:
        try:
            candidates_of(self.rule, game, agents=[agent], others=players)
        except InputError as error:
            return str(error)
        return None

    def respond(
        self,
        game: Game,
        players: Mapping[str, Policy],
        agent: str,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> Response:
        """The best parameters found; see `Responder.respond`."""
        own = players[agent]
        same = isinstance(own, Rule) and type(own) is type(self._tried(game, players, agent))
        found = tune(
            self.rule,
            game,
            replications=self.replications,
            seed=seed,
            parameters=parameters_of(game, {agent: own}) if same else None,
            progress=None if progress is None else lambda told, count: progress(f"{count} candidates, {told}"),
            agents=[agent],
            others=players,
        )
        parameters = {node: found.parameters[node] for node in game.seats[agent].rows}
        details = {"parameters": parameters, "candidates": found.candidates, "search": found.method}
        return Response(agent, self.name, found.players[agent], self.rule, details=details)

    def _tried(self, game: Game, players: Mapping[str, Policy], agent: str) -> Rule:
        return candidates_of(self.rule, game, agents=[agent], others=players)[0].players[agent]
