"""The best policy that a learner finds for one agent against fixed others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marl_supply.equilibria.responder import UNRESTRICTED, Progress, Responder, Response
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.settings import learner_named
from marl_supply.learning.train import train


@dataclass(frozen=True)
class Learned(Responder):
    """Trains copies of a learner in one seat, on its own cost alone, and takes the one that costs the agent least.

    The copies are compared on the held-out demand of their training, which no gain is estimated on.

    Attributes
    ----------
    learner : str
        Name of a learner that takes fixed others, such as ppo, a3c or dqn.
    env_steps : int
        Environment steps of each copy.
    copies : int
        Seeds from 0 on.
    settings : mapping
        Of the learner.
    """

    learner: str = "ppo"
    env_steps: int = 300_000
    copies: int = 2
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the learner."""
        return self.learner

    def misfit(self, game: Game, players: Mapping[str, Policy], agent: str) -> str | None:
        try:
            own, others = _alone(game, players, agent)
            learner_named(self.learner, self.settings).check(own, others)
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
        """The best copy; see `Responder.respond`. Copies have the seeds from `seed` on."""
        own, others = _alone(game, players, agent)
        learner = learner_named(self.learner, self.settings)
        seeds = range(seed, seed + self.copies)
        told = None if progress is None else lambda done, total: progress(f"{done:,} of {total:,} steps")
        found = train(own, learner, seeds, self.env_steps, progress=told, fixed=others)
        last = {point.seed: point.by_agent[agent] for point in found.curve}
        best = min(last, key=last.__getitem__)
        details = {"env_steps": self.env_steps, "held_out_cost_by_seed": list(last.items()), "chosen_seed": best}
        return Response(agent, self.name, found.policies[best][agent], UNRESTRICTED, details=details)


def _alone(game: Game, players: Mapping[str, Policy], agent: str) -> tuple[Game, dict[str, Policy]]:
    """The game in which every agent is rewarded for itself, and who plays besides the agent."""
    own = Game(game.topology, reward="individual", held_out=game.held_out)
    return own, {other: player for other, player in players.items() if other != agent}
