"""Gymnasium's interface to one environment, for games with one agent."""

from __future__ import annotations

from typing import Any

import gymnasium

from marl_supply.envs.face import Chain, Face, as_game
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.envs.views import FloatVector
from marl_supply.errors import InputError
from marl_supply.game import Game


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
