"""Play episodes with given policies and keep what each agent saw, did and earned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from marl_supply.data.encoding import encode
from marl_supply.data.episode import Episode, Player
from marl_supply.envs.replay import SideBySide
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.decisions import Action
from marl_supply.game.observation import check_needs
from marl_supply.simulation import State

BATCH = 64
"""Episodes played side by side; it changes no number."""
ACTIONS, EXPLORING, FIRST_ACTIONS = (crc32(name) for name in (b"random actions", b"exploring", b"first actions"))
"""Streams of random numbers of an episode's seed."""


def exploring_periods(seed: int, most: int) -> int:
    """With how many periods of random actions an episode begins: 0 to `most`, by its seed alone."""
    return int(np.random.default_rng([seed, EXPLORING]).integers(most + 1))


def record(game: Game, player: Player, seeds: Sequence[int], exploring_starts: int = 0) -> Iterator[Episode]:
    """Play an episode for each seed; the action recorded is the one that is played.

    What a policy decides is first turned into the nearest action of the agent's space (`encode`), so the actions of an
    episode, played again in ``parallel_env(game)`` (or ``gym_env``) after ``reset(seed=seed)``, earn the same rewards,
    bit by bit.

    Parameters
    ----------
    exploring_starts : int
        Periods at most at the beginning of an episode in which chance acts for all agents (`exploring_periods`).
        Whoever plays a seed meets the same, so all begin in the same state, one that they would not have come to.

    Raises
    ------
    InputError
        For a game in which agents order one after another in a period, an agent without a policy, and a policy that
        reads what the game hides.
    """
    if len(game.stages) > 1:
        raise InputError(
            f"{game.topology.name}: its agents order one after another within a period, and episodes are recorded of "
            "those who act at once; use actions: order_up_to."
        )
    for agent in game.agents:
        if agent not in player.policies:
            raise InputError(f"no policy for '{agent}'; give one to each of {', '.join(game.agents)}.")
        check_needs(player.policies[agent], game.seats[agent], game.observe_level)
    for start in range(0, len(seeds), BATCH):
        yield from _batch(game, player, seeds[start : start + BATCH], exploring_starts)


def _batch(game: Game, player: Player, seeds: Sequence[int], exploring_starts: int) -> Iterator[Episode]:
    state = game.start(len(seeds), noise=SideBySide([game.randomness(1, seed) for seed in seeds]))
    memory = {agent: player.policies[agent].start(game.seats[agent], len(seeds)) for agent in game.agents}
    chance, first = (_generators(seeds, stream) for stream in (ACTIONS, FIRST_ACTIONS))
    exploring = np.array([exploring_periods(seed, exploring_starts) for seed in seeds])
    seen = {agent: [_vector(game, state, agent)] for agent in game.agents}
    done: dict[str, list[NDArray[Any]]] = {agent: [] for agent in game.agents}
    rewards, costs = [], []
    for period in range(game.horizon):
        decided = {}
        for agent, action in game.actions.items():
            wish, memory[agent] = player.policies[agent].act(game.observe(state, agent), memory[agent])
            played = encode(action, wish, state)
            if player.random_share:
                played = _perhaps_random(action, played, player.random_share, chance)
            if period < exploring.max():
                played = _perhaps_random(action, played, period < exploring, first)
            if game.network.reviews is not None and action.seat.integer:
                played = np.where(game.open_components(state, agent), played, 0)
            done[agent].append(played)
            decided[agent] = action.decode(_inside(action, played))
        state, outcome = game.step(state, decided)
        rewards.append(outcome.rewards)
        costs.append(outcome.costs)
        for agent in game.agents:
            seen[agent].append(_vector(game, state, agent))
    yield from _episodes(game, player, seeds, seen, done, np.array(rewards), np.array(costs))


def _episodes(
    game: Game,
    player: Player,
    seeds: Sequence[int],
    seen: dict[str, list[Any]],
    done: dict[str, list[Any]],
    rewards: NDArray[np.float64],
    costs: NDArray[np.float64],
) -> Iterator[Episode]:
    """Cut (T, ..., B) records into episodes."""
    views = {agent: np.array(those) for agent, those in seen.items()}
    actions = {agent: np.array(those) for agent, those in done.items()}
    for column, seed in enumerate(seeds):
        yield Episode(
            int(seed),
            player.name,
            {agent: own[:, :, column] for agent, own in views.items()},
            {agent: _as_space(game.actions[agent], own[:, :, column]) for agent, own in actions.items()},
            {agent: rewards[:, number, column] for number, agent in enumerate(game.agents)},
            {agent: costs[:, number, column] for number, agent in enumerate(game.agents)},
        )


def _generators(seeds: Sequence[int], stream: int) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, stream]) for seed in seeds]


def _vector(game: Game, state: State, agent: str) -> NDArray[np.float32]:
    return np.asarray(game.vector(state, agent)).astype(np.float32)


def _as_space(action: Action, played: NDArray[Any]) -> NDArray[Any]:
    """(T,) where the space is `Discrete`, else (T, n)."""
    return played[:, 0] if action.seat.integer and played.shape[1] == 1 else played


def _inside(action: Action, played: NDArray[Any]) -> NDArray[Any]:
    """What the environment makes of an action: float32 bounds may lie a rounding outside the true ones."""
    if action.seat.integer:
        return played
    return np.clip(played.astype(np.float64), action.low[:, None], action.high[:, None])


def _perhaps_random(
    action: Action, played: NDArray[Any], share: float | NDArray[Any], chance: Sequence[np.random.Generator]
) -> NDArray[Any]:
    """(n, B) the action, or with a probability of `share`, a number or (B,), one drawn uniformly from its space."""
    drawn = np.array([generator.random(1 + len(played)) for generator in chance]).T
    if action.seat.integer:
        uniform = np.floor(drawn[1:] * action.choices[:, None])
    else:
        uniform = action.low[:, None] + drawn[1:] * (action.high - action.low)[:, None]
    return np.where(drawn[0] < share, uniform.astype(played.dtype), played)
