"""Gymnasium's interfaces, for games with one agent: one environment, and many stepped as one batch."""

from __future__ import annotations

import secrets
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from marl_supply.envs.face import Chain, Face, as_game, versioned_name
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.envs.views import FloatVector
from marl_supply.errors import InputError
from marl_supply.game import Game, Outcome
from marl_supply.simulation import State

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def gym_env(chain: Chain, *, render_mode: str | None = None, **game_settings: Any) -> SupplyChainEnv:
    """A game with one agent as a Gymnasium `Env`.

    Parameters
    ----------
    chain
        A `Game`, or what `Game` takes: a topology, a shipped name, a file or a networkx graph.
    render_mode : "ansi", "rgb_array" or None
        Whether `render` returns a text or an image.
    **game_settings
        Of `Game` (reward, observe, actions, horizon, ...), where `chain` is not a game already.

    Raises
    ------
    InputError
        For a game with several agents.

    Examples
    --------
    >>> env = gym_env("lost_sales", horizon=10, warm_up=0)
    >>> observation, info = env.reset(seed=1)
    >>> env.action_space.contains(3)
    True
    """
    return SupplyChainEnv(as_game(chain, game_settings), render_mode)


def gym_vector_env(chain: Chain, num_envs: int = 1, **game_settings: Any) -> SupplyChainVectorEnv:
    """A game with one agent as a Gymnasium `VectorEnv`, all its environments stepped as one batch.

    Parameters
    ----------
    chain, **game_settings
        As `gym_env`.
    num_envs : int
        Number of environments: replications of the game.

    Raises
    ------
    InputError
        For a game with several agents, fewer than one environment, and a `render_mode`.

    Examples
    --------
    >>> envs = gym_vector_env("lost_sales", 3, horizon=10, warm_up=0)
    >>> observations, infos = envs.reset(seed=1)
    >>> observations.shape == (3, *envs.single_observation_space.shape)
    True
    """
    if game_settings.pop("render_mode", None) is not None:
        raise InputError("render_mode: many environments at once are not drawn; use gym_env for a picture.")
    return SupplyChainVectorEnv(as_game(chain, game_settings), num_envs)


class SupplyChainEnv(Face, gymnasium.Env[FloatVector, Any]):
    """One replication of a game with one agent.

    Spaces, clipping and seeds are those of the parallel face. An episode that reaches the horizon is truncated, never
    terminated. ``info["cost"]`` is the cost of the period, money, whatever is rewarded; ``info["action_mask"]``, on a
    chain that does not review every period, says which choices count now.
    """

    def __init__(self, game: Game, render_mode: str | None = None) -> None:
        self.agent = only_agent(game)
        super().__init__(game, render_mode)
        self.observation_space = observation_space(game.layouts[self.agent])
        self.action_space = action_space(game.actions[self.agent])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatVector, dict[str, Any]]:
        """Begin an episode: the first of a seed, or the next of the seed before; `options` are not used."""
        gymnasium.Env.reset(self, seed=seed)
        self.episodes.begin(seed)
        return self.episodes.view(self.agent), self._info()

    def step(self, action: Any) -> tuple[FloatVector, float, bool, bool, dict[str, Any]]:
        """Play one period.

        Raises
        ------
        InputError
            Without an episode.
        ValueError
            For an action outside its space.
        """
        episodes = self.episodes
        if episodes.number < 0 or episodes.over:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")
        outcome = episodes.step({self.agent: episodes.decode(self.agent, action)})
        info = {"cost": float(outcome.costs[0, 0]), **self._info()}
        return episodes.view(self.agent), float(outcome.rewards[0, 0]), False, episodes.over, info

    def render(self) -> Any:
        """As `Face.render`."""
        return Face.render(self)

    def close(self) -> None:
        """Nothing is held open."""

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.episodes.mask(self.agent)} if self.episodes.masked else {}


class SupplyChainVectorEnv(VectorEnv[FloatVector, Any, Any]):
    """Replications of one game with one agent as a vector of environments.

    All episodes reach the horizon in the same step, and the next ones begin within it (autoreset mode `SAME_STEP`):
    that step returns the first observations of the new episodes, and ``infos["final_obs"]`` and
    ``infos["final_info"]`` what the old ones ended with. ``infos["cost"]`` is (n,) costs of the period, money.

    ``reset(seed=s)`` plays replications 0 to n - 1 of seed s of the game's noise, the episodes after it the next n, and
    so on. Without any seed one is drawn, and is to be found under ``envs.seed``.
    """

    def __init__(self, game: Game, num_envs: int = 1) -> None:
        self.agent = only_agent(game)
        if num_envs < 1:
            raise InputError(f"num_envs: {num_envs} environments cannot be played; use 1 or more.")
        self.game = game
        self.num_envs = int(num_envs)
        name = versioned_name(game.topology)
        self.metadata = {"name": name, "render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space = observation_space(game.layouts[self.agent])
        self.single_action_space = action_space(game.actions[self.agent])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.masked = game.network.reviews is not None and game.network.integer
        self.seed: int | None = None
        self.number = -1
        self.period = 0
        self.state: State

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatVector, dict[str, Any]]:
        """Begin all episodes; `options` are not used.

        Raises
        ------
        InputError
            For a list of seeds, or some environments only.
        """
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise InputError(
                "seed: one number seeds all environments, each with a replication of its own; give an int."
            )
        if options and options.get("reset_mask") is not None:
            raise InputError("options.reset_mask: all episodes begin and end together; reset all environments.")
        super().reset(seed=seed)
        if seed is None and self.seed is None:
            seed = secrets.randbits(63)
        if seed is not None:
            self.seed, self.number = int(seed), -1
        self._begin()
        return self._views(), self._masks()

    def step(self, actions: Any) -> tuple[FloatVector, Floats, Flags, Flags, dict[str, Any]]:
        """Play one period in every environment.

        Raises
        ------
        InputError
            Before the first reset.
        ValueError
            For wrong shapes and actions outside the space.
        """
        if self.number < 0:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")
        outcome = self._play(actions)
        over = self.period >= self.game.horizon
        infos: dict[str, Any] = self._costs(outcome)
        if over:
            everybody = np.ones(self.num_envs, dtype=np.bool_)
            ended = np.empty(self.num_envs, dtype=object)
            ended[:] = list(self._views())
            infos = {"final_obs": ended, "_final_obs": everybody, "final_info": infos | self._masks()}
            infos["_final_info"] = everybody.copy()
            self._begin()
        none, cut = np.zeros(self.num_envs, dtype=np.bool_), np.full(self.num_envs, over)
        return self._views(), outcome.rewards[0].astype(np.float64), none, cut, infos | self._masks()

    def _begin(self) -> None:
        """Start the next replications of the seed."""
        assert self.seed is not None
        self.number += 1
        self.period = 0
        self.state = self.game.start(self.num_envs, self.seed, self.number * self.num_envs)

    def _play(self, actions: Any) -> Outcome:
        kind = self.game.actions[self.agent]
        values = np.asarray(actions, dtype=np.float64)
        if len(kind.low) == 1 and values.ndim == 1:
            values = values[:, None]
        if values.shape != (self.num_envs, len(kind.low)):
            shape = self.action_space.shape
            raise ValueError(
                f"{self.agent}: actions of {self.num_envs} environments have shape {shape}, not {values.shape}"
            )
        values = values.T
        if not kind.seat.integer:
            values = np.clip(values, kind.low[:, None], kind.high[:, None])
        self.state, outcome = self.game.step(self.state, {self.agent: kind.decode(values)})
        self.period += 1
        return outcome

    def _views(self) -> FloatVector:
        """(n, k) what the agents of all environments see, units."""
        return np.ascontiguousarray(self.game.vector(self.state, self.agent).T, dtype=np.float32)

    def _costs(self, outcome: Outcome) -> dict[str, Any]:
        return {"cost": outcome.costs[0].astype(np.float64), "_cost": np.ones(self.num_envs, dtype=np.bool_)}

    def _masks(self) -> dict[str, Any]:
        """Where some choices are closed, which are open: (n, choices) int8, or one such array for each component.

        All environments review on the same days.
        """
        if not self.masked:
            return {}
        masks = self.game.action_mask(self.state, self.agent)
        assert masks is not None
        whole = tuple(np.tile(mask.astype(np.int8), (self.num_envs, 1)) for mask in masks)
        there = np.ones(self.num_envs, dtype=np.bool_)
        return {"action_mask": whole[0] if len(whole) == 1 else whole, "_action_mask": there}


def only_agent(game: Game) -> str:
    """The agent of a game that has one.

    Raises
    ------
    InputError
        For a game with several.
    """
    if len(game.agents) > 1:
        rows = ", ".join(f'"{row}"' for row in game.network.rows[:3])
        more = ", ..." if len(game.network.rows) > 3 else ""
        raise InputError(
            f"{game.topology.name}: {len(game.agents)} agents play; use parallel_env, or give all rows to one with "
            f'agents={{"planner": {{"decides": [{rows}{more}]}}}}.'
        )
    return game.agents[0]
