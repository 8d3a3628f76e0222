"""Games that are no chains: every period everybody picks a number, and a table says what each pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from marl_supply.equilibria.mixture import Mixture
from marl_supply.equilibria.responder import UNRESTRICTED, Progress, Responder, Response
from marl_supply.game.policy import Policy
from marl_supply.simulation.state import Decisions


class MatrixGame:
    """`costs` (A, m_1, ..., m_A): what each agent pays for what all pick; it plays as any game does."""

    stages: tuple[tuple[str, ...], ...]
    observe_level, criterion, discount, warm_up = "local", "average", 1.0, 0

    def __init__(self, costs: Any, horizon: int = 50) -> None:
        self.table = np.asarray(costs, dtype=float)
        self.agents = tuple(f"player_{number + 1}" for number in range(len(self.table)))
        self.stages = (self.agents,)
        self.horizon = horizon
        self.seats = {agent: SimpleNamespace(agent=agent, visible=frozenset()) for agent in self.agents}

    def randomness(self, replications: int, seed: int = 0, first_replication: int = 0) -> Any:
        return np.random.default_rng([seed, first_replication])

    def start(self, replications: int, noise: Any) -> Any:
        return SimpleNamespace(replications=replications, noise=noise)

    def observe(self, state: Any, agent: str) -> Any:
        count = state.replications
        return SimpleNamespace(replications=count, noise=lambda size: state.noise.random((size, count)))

    def step(self, state: Any, picks: Mapping[str, Any]) -> Any:
        chosen = tuple(picks[agent].order[0].astype(int) for agent in self.agents)
        return state, SimpleNamespace(costs=self.table[(slice(None), *chosen)])


class Mixed(Policy):
    """Picks with fixed probabilities."""

    needs = frozenset()

    def __init__(self, probabilities: Sequence[float]) -> None:
        self.probabilities = np.asarray(probabilities, dtype=float)

    def act(self, observation: Any, memory: Any) -> Any:
        picked = np.searchsorted(self.probabilities.cumsum()[:-1], observation.noise(1), side="right")
        return Decisions(order=picked.astype(float)), None


@dataclass(frozen=True)
class EveryNumber(Responder):
    """Goes through all numbers; with `exactly` it works out what each costs instead of playing."""

    exactly: bool = False
    name = "every_number"

    def respond(
        self,
        game: Any,
        players: Mapping[str, Any],
        agent: str,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> Response:
        own = game.agents.index(agent)
        costs = np.moveaxis(game.table[own], own, -1)
        for other in game.agents:
            if other != agent:
                costs = np.tensordot(probabilities(players[other]), costs, (0, 0))
        pick = int(costs.argmin())
        saves = float(probabilities(players[agent]) @ costs - costs[pick])
        pure = Mixed(np.eye(len(costs))[pick])
        return Response(agent, self.name, pure, UNRESTRICTED, saves if self.exactly else None)


def probabilities(player: Any) -> Any:
    """With which a player picks each number."""
    if isinstance(player, Mixture):
        return sum(share * probabilities(one) for share, one in zip(player.probabilities, player.policies, strict=True))
    return player.probabilities
