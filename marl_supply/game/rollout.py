"""Play a game with given policies, period by period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game, Outcome
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy


def rollout(
    game: Game, policies: Mapping[str, Policy], replications: int, seed: int = 0, first_replication: int = 0
) -> Iterator[Outcome]:
    """Play one episode of every replication and yield each period's outcome.

    Parameters
    ----------
    policies
        One for each agent.
    replications, seed, first_replication : int
        The noise: replication r of a seed is the same whatever the batch and whatever the policies.

    Raises
    ------
    InputError
        If an agent has no policy, or a policy reads what the game hides.
    """
    for agent in game.agents:
        if agent not in policies:
            raise InputError(f"no policy for '{agent}'; give one to each of {', '.join(game.agents)}.")
        check_needs(policies[agent], game.seats[agent], game.observe_level)
    yield from play(game, policies, replications, game.randomness(replications, seed, first_replication))


def play(game: Game, policies: Mapping[str, Policy], replications: int, noise: Any) -> Iterator[Outcome]:
    """The same on noise that is given: ``at(clock)``, the (K, B) demand, and ``uniform(agent, clock, size)``."""
    state = game.start(replications, noise=noise)
    memory = {agent: policies[agent].start(game.seats[agent], replications) for agent in game.agents}
    for _ in range(game.horizon):
        for stage in game.stages:
            decisions = {}
            for agent in stage:
                decisions[agent], memory[agent] = policies[agent].act(game.observe(state, agent), memory[agent])
            if stage is not game.stages[-1]:
                state = game.decide(state, decisions)
        state, outcome = game.step(state, decisions)
        yield outcome
