"""Any game as RLlib's `MultiAgentEnv`, for RLlib's own algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import gymnasium as gym
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv

from marl_supply.envs.parallel import SupplyChainParallelEnv, parallel_env
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.interface import MOST_CHOICES, Scaling, table_scaling
from marl_supply.learning.settings import Learner

Vectors = dict[str, np.ndarray]

LIMIT = Learner().observation_clip
"""Scaled observations lie between minus this and this."""


def multi_agent_env(
    chain: Any,
    *,
    scaled: bool = True,
    flat: bool = False,
    stream: tuple[int, ...] = (),
    render_mode: str | None = None,
    **game_settings: Any,
) -> GameEnv:
    """A game as an RLlib `MultiAgentEnv`.

    Parameters
    ----------
    chain
        A `Game`, or what `Game` takes.
    scaled : bool
        Observations relative to mean demand, which learners need; False for units.
    flat : bool
        Actions of several components as one: a `Discrete` space of all their combinations, which DQN and SAC need.
        A single component is `Discrete` anyway.
    stream
        Mixed into the seeds of `reset`. RLlib gives several of its environments one seed; with
        ``(context.worker_index, context.vector_index)`` each meets its own demand.
    render_mode
        "ansi" or None.
    **game_settings
        Of `Game`, where `chain` is not a game already.

    Examples
    --------
    >>> env = multi_agent_env("beer_game", horizon=10)
    >>> observations, infos = env.reset(seed=1)
    >>> list(observations)
    ['manufacturer', 'distributor', 'wholesaler', 'retailer']
    """
    return GameEnv(parallel_env(chain, render_mode=render_mode, **game_settings), scaled, flat, stream)


class GameEnv(MultiAgentEnv):
    """RLlib's face of a parallel environment: agents in the order of the game, all done when the episode is over."""

    def __init__(
        self, env: SupplyChainParallelEnv, scaled: bool = True, flat: bool = False, stream: tuple[int, ...] = ()
    ) -> None:
        self.env = env
        self.game: Game = env.game
        self.render_mode = env.render_mode
        self.metadata = env.metadata
        self.stream = stream
        self.possible_agents = list(env.possible_agents)
        self.agents = list(self.possible_agents)
        self.scaling = self._scalings() if scaled else None
        self.observation_spaces: dict[str, gym.Space[Any]] = {a: self._observed(a) for a in self.possible_agents}
        self.components: dict[str, np.ndarray] = self._components() if flat else {}
        self.action_spaces: dict[str, gym.Space[Any]] = {a: self._acted(a) for a in self.possible_agents}
        self.observation_space = gym.spaces.Dict(self.observation_spaces)
        self.action_space = gym.spaces.Dict(self.action_spaces)
        super().__init__()

    def _scalings(self) -> dict[str, Scaling]:
        everything = table_scaling(self.game.network, LIMIT)
        return {agent: everything.part(self.game.seen[agent]) for agent in self.possible_agents}

    def _observed(self, agent: str) -> gym.spaces.Box:
        space = self.env.observation_space(agent)
        return space if self.scaling is None else gym.spaces.Box(-LIMIT, LIMIT, space.shape, np.float32)

    def _components(self) -> dict[str, np.ndarray]:
        """Choices of each component, of the agents that have several."""
        found = {}
        for agent in self.possible_agents:
            space = self.env.action_space(agent)
            if isinstance(space, gym.spaces.MultiDiscrete):
                found[agent] = space.nvec
            elif not isinstance(space, gym.spaces.Discrete):
                raise InputError(f"flat: the actions of '{agent}' are {space}, not choices; set units: integer.")
            combinations = float(np.prod(found.get(agent, np.ones(1)), dtype=float))
            if combinations > MOST_CHOICES:
                raise InputError(
                    f"flat: '{agent}' has {combinations:,.0f} combinations of choices, and {MOST_CHOICES} are the most "
                    "that can be learned; give game.actions a larger `step`, or play with flat=False."
                )
        return found

    def _acted(self, agent: str) -> gym.Space[Any]:
        if agent in self.components:
            return gym.spaces.Discrete(int(self.components[agent].prod()))
        return self.env.action_space(agent)

    def _unflattened(self, agent: str, action: Any) -> Any:
        if agent not in self.components:
            return action
        return np.array(np.unravel_index(int(action), self.components[agent]))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Vectors, dict[str, Any]]:
        """Begin an episode."""
        if seed is not None and self.stream:
            seed = crc32(repr((seed, *self.stream)).encode())
        observations, infos = self.env.reset(seed=seed, options=options)
        self.agents = list(self.env.agents)
        return self._seen(observations), infos

    def step(
        self, action_dict: Mapping[str, Any]
    ) -> tuple[Vectors, dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """Play one period; at the horizon all are truncated and none terminated."""
        observations, rewards, terminated, truncated, infos = self.env.step(
            {agent: self._unflattened(agent, action) for agent, action in action_dict.items()}
        )
        self.agents = list(self.env.agents)
        over = not self.env.agents
        return (
            self._seen(observations),
            rewards,
            {**terminated, "__all__": over and all(terminated.values())},
            {**truncated, "__all__": over},
            infos,
        )

    def _seen(self, observations: Mapping[str, Any]) -> Vectors:
        if self.scaling is None:
            return dict(observations)
        return {agent: self.scaling[agent].apply(value[:, None])[:, 0] for agent, value in observations.items()}

    def state(self) -> np.ndarray:
        """(F,) everything that can be seen of the chain, units."""
        return self.env.state()

    def render(self) -> Any:
        """The picture of the period, as text or as an image."""
        return self.env.render()

    def close(self) -> None:
        """Nothing is held open."""
        self.env.close()
