"""PettingZoo's parallel interface: all agents act at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pettingzoo import ParallelEnv

from marl_supply.envs.face import Chain, ManyFaces, as_game
from marl_supply.envs.views import FloatVector
from marl_supply.errors import InputError
from marl_supply.game import Game


def parallel_env(chain: Chain, *, render_mode: str | None = None, **game_settings: Any) -> SupplyChainParallelEnv:
    """A game as a PettingZoo `ParallelEnv`.

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
        For a game in which agents order one after another within a period.

    Examples
    --------
    >>> env = parallel_env("beer_game", horizon=10)
    >>> observations, infos = env.reset(seed=1)
    >>> env.agents
    ['manufacturer', 'distributor', 'wholesaler', 'retailer']
    """
    return SupplyChainParallelEnv(as_game(chain, game_settings), render_mode)


class SupplyChainParallelEnv(ManyFaces, ParallelEnv[str, FloatVector, Any]):  # type: ignore[misc]
    """One replication of a game, all agents at once.

    Observations are float32 vectors (``game.layouts[agent]`` says what each number is). Actions are choices where
    units are whole and a `Box` where they are continuous; `Box` actions are clipped to their bounds, choices outside
    theirs raise. An episode that reaches the horizon is truncated, never terminated. ``infos[agent]["cost"]`` is the
    agent's own cost of the period after contracts, money, whatever is rewarded. On a chain that does not review every
    period, ``infos[agent]["action_mask"]`` says which choices count now.

    ``reset(seed=s)`` plays replication 0 of seed s of the game's noise; each ``reset()`` after it plays the next
    replication. Without any seed one is drawn, and is to be found under ``env.episodes.seed``.
    """

    def __init__(self, game: Game, render_mode: str | None = None) -> None:
        if len(game.stages) > 1:
            raise InputError(
                f"{game.topology.name}: with decision_order: downstream_first and actions: quantity the agents order "
                "one after another; use aec_env."
            )
        super().__init__(game, render_mode)
        self._everybody = frozenset(game.agents)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, FloatVector], dict[str, dict[str, Any]]]:
        """Begin an episode; `options` are not used."""
        self.episodes.begin(seed)
        self.agents = list(self.possible_agents)
        return self.episodes.views(), self.informations()

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, FloatVector], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one period.

        Raises
        ------
        InputError
            Without an episode, or unless every agent and nobody else acts.
        ValueError
            For an action outside its space.
        """
        self._check_actions(actions)
        episodes, agents = self.episodes, self.possible_agents
        outcome = episodes.step(episodes.decode_all(actions))
        rewards = dict(zip(agents, outcome.rewards[:, 0].tolist(), strict=True))
        infos = self.informations(outcome.costs[:, 0].tolist())
        over = episodes.over
        if over:
            self.agents = []
        return episodes.views(), rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, over), infos

    def _check_actions(self, actions: Mapping[str, Any]) -> None:
        if not self.agents:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")
        if actions.keys() != self._everybody:
            missing = [agent for agent in self.agents if agent not in actions]
            strange = [str(agent) for agent in actions if agent not in self._everybody]
            what = f"no action for '{missing[0]}'" if missing else f"there is no agent '{strange[0]}'"
            raise InputError(f"{self.metadata['name']}: {what}; give an action to each of {', '.join(self.agents)}.")
