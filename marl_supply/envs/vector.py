"""Gymnasium's interface to many environments stepped as one batch, for games with one agent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from marl_supply.envs.face import Chain, as_game, versioned_name
from marl_supply.envs.gym import only_agent
from marl_supply.envs.replay import SideBySide
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.envs.views import FloatVector
from marl_supply.errors import InputError, nearest
from marl_supply.game import Game, Outcome
from marl_supply.simulation import State

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Stepped = tuple[FloatVector, Floats, Flags, Flags, dict[str, Any]]


def gym_vector_env(
    chain: Chain, num_envs: int = 1, *, autoreset_mode: AutoresetMode | str = "SameStep", **game_settings: Any
) -> SupplyChainVectorEnv:
    """A game with one agent as a Gymnasium `VectorEnv`, all its environments stepped as one batch.

    Parameters
    ----------
    chain, **game_settings
        As `gym_env`.
    num_envs : int
        Number of environments: replications of the game.
    autoreset_mode : "SameStep", "NextStep" or "Disabled"
        Where the next episodes begin: in the step that ended the old ones, in the step after it (whose actions are not
        read), or only with `reset`; see Gymnasium's `AutoresetMode`.

    Raises
    ------
    InputError
        For a game with several agents, fewer than one environment, an unknown mode, and a `render_mode`.

    Examples
    --------
    >>> envs = gym_vector_env("lost_sales", 3, horizon=10, warm_up=0)
    >>> observations, infos = envs.reset(seed=1)
    >>> observations.shape == (3, *envs.single_observation_space.shape)
    True
    """
    if game_settings.pop("render_mode", None) is not None:
        raise InputError("render_mode: many environments at once are not drawn; use gym_env for a picture.")
    return SupplyChainVectorEnv(as_game(chain, game_settings), num_envs, autoreset_mode)


class SupplyChainVectorEnv(VectorEnv[FloatVector, Any, Any]):
    """Replications of one game with one agent as a vector of environments.

    All episodes reach the horizon in the same step, and by default the next ones begin within it (autoreset mode
    `SAME_STEP`): that step returns the first observations of the new episodes, and ``infos["final_obs"]`` and
    ``infos["final_info"]`` what the old ones ended with. ``infos["cost"]`` is (n,) costs of the period, money.

    ``reset(seed=s)`` plays replications 0 to n - 1 of seed s of the game's noise, the episodes after it the next n, and
    so on: the cheap way, since noise is drawn for all together. ``reset(seed=[s, t, ...])`` gives each environment its
    own: it plays replication 0 of its seed, then 1, as `SupplyChainEnv` does. Without any seed one is drawn, and is to
    be found under ``envs.seed``.
    """

    def __init__(self, game: Game, num_envs: int = 1, autoreset_mode: AutoresetMode | str = "SameStep") -> None:
        self.agent = only_agent(game)
        if num_envs < 1:
            raise InputError(f"num_envs: {num_envs} environments cannot be played; use 1 or more.")
        self.game = game
        self.num_envs = int(num_envs)
        self.autoreset_mode = _mode(autoreset_mode)
        name = versioned_name(game.topology)
        self.metadata = {"name": name, "render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = observation_space(game.layouts[self.agent])
        self.single_action_space = action_space(game.actions[self.agent])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.masked = game.network.reviews is not None and game.network.integer
        self.seed: int | list[int] | None = None
        self.number = -1
        self.period = 0
        self.state: State

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatVector, dict[str, Any]]:
        """Begin all episodes.

        Parameters
        ----------
        seed
            One number for all environments, or a list with one for each (None in it: drawn).
        options
            A `reset_mask`, if given, covers all environments, since their episodes end together.

        Raises
        ------
        InputError
            For a list of another length, or some environments only.
        """
        mask = (options or {}).get("reset_mask")
        if mask is not None and not np.all(mask):
            raise InputError("options.reset_mask: all episodes begin and end together; reset all environments.")
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
            self.seed, self.number = int(seed), -1
        elif seed is not None:
            self.seed, self.number = self._one_each(seed), -1
        elif self.seed is None:
            self.seed = secrets.randbits(63)
        self._begin()
        return self._views(), self._masks()

    def step(self, actions: Any) -> Stepped:
        """Play one period in every environment.

        Raises
        ------
        InputError
            Without episodes under way.
        ValueError
            For wrong shapes and actions outside the space.
        """
        if self.number < 0:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")
        if self.period >= self.game.horizon:
            return self._step_after_the_end()
        outcome = self._play(actions)
        over = self.period >= self.game.horizon
        infos: dict[str, Any] = self._costs(outcome)
        if over and self.autoreset_mode is AutoresetMode.SAME_STEP:
            everybody = np.ones(self.num_envs, dtype=np.bool_)
            ended = np.empty(self.num_envs, dtype=object)
            ended[:] = list(self._views())
            infos = {"final_obs": ended, "_final_obs": everybody, "final_info": infos | self._masks()}
            infos["_final_info"] = everybody.copy()
            self._begin()
        none, cut = np.zeros(self.num_envs, dtype=np.bool_), np.full(self.num_envs, over)
        return self._views(), outcome.rewards[0].astype(np.float64), none, cut, infos | self._masks()

    def _step_after_the_end(self) -> Stepped:
        """The step that begins the next episodes: nothing is decided and nothing is paid."""
        if self.autoreset_mode is not AutoresetMode.NEXT_STEP:
            raise InputError(f"{self.metadata['name']}: the episodes are over; call reset() first.")
        self._begin()
        none = np.zeros(self.num_envs, dtype=np.bool_)
        return self._views(), np.zeros(self.num_envs), none, none.copy(), self._masks()

    def _one_each(self, seeds: Sequence[int | None]) -> list[int]:
        if len(seeds) != self.num_envs:
            count = f"{len(seeds)} seeds for {self.num_envs} environments"
            raise InputError(f"seed: {count}; give one number for all, or one for each.")
        return [secrets.randbits(63) if seed is None else int(seed) for seed in seeds]

    def _begin(self) -> None:
        """Start the next replications of the seed, or the next one of each seed."""
        self.number += 1
        self.period = 0
        if isinstance(self.seed, list):
            noise = SideBySide([self.game.randomness(1, seed, self.number) for seed in self.seed])
            self.state = self.game.start(self.num_envs, noise=noise)
        else:
            assert self.seed is not None
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


def _mode(named: AutoresetMode | str) -> AutoresetMode:
    modes = {mode.value: mode for mode in AutoresetMode}
    value = named.value if isinstance(named, AutoresetMode) else str(named)
    if value not in modes:
        raise InputError(f"autoreset_mode: no mode '{value}'{nearest(value, modes)}; use {', '.join(modes)}.")
    return modes[value]
