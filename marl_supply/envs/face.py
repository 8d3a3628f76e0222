"""What both PettingZoo faces share: names, spaces, the view of the whole chain, and the picture in text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gymnasium import spaces

from marl_supply.envs.ansi import picture
from marl_supply.envs.episodes import Episodes, FloatVector
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.errors import InputError, nearest
from marl_supply.game import Game
from marl_supply.topology import Topology

Chain = Game | Topology | str | Path | Any
RENDER_MODES = ("ansi",)


def as_game(chain: Chain, settings: dict[str, Any]) -> Game:
    """A game as it is, or the game on a chain with these settings."""
    if not isinstance(chain, Game):
        return Game(chain, **settings)
    if settings:
        raise InputError(f"{next(iter(settings))}: this game has its settings already; give it to Game(...) instead.")
    return chain


def versioned_name(topology: Topology) -> str:
    """The name under which a topology is registered, such as ``beer_game_v1``; changed dynamics change its version."""
    return f"{topology.name}_v{topology.version}"


class Face:
    """Names and spaces of a game.

    Parameters
    ----------
    game
        What is played.
    render_mode : "ansi" or None
        Whether `render` returns a text.

    Attributes
    ----------
    state_space : Box
        Of `state()`: the table of everything that can be seen of the chain, in the order of ``game.table.entries``.
    """

    metadata: dict[str, Any]

    def __init__(self, game: Game, render_mode: str | None) -> None:
        if render_mode not in (None, *RENDER_MODES):
            hint = nearest(str(render_mode), RENDER_MODES)
            raise InputError(f"render_mode: no mode '{render_mode}'{hint}; use ansi or None.")
        self.game = game
        self.episodes = Episodes(game)
        self.render_mode = render_mode
        self.metadata = {"name": versioned_name(game.topology), "render_modes": list(RENDER_MODES)}
        self.possible_agents = list(game.agents)
        self.agents: list[str] = []
        self.observation_spaces = {agent: observation_space(game.layouts[agent]) for agent in game.agents}
        self.action_spaces = {agent: action_space(game.actions[agent]) for agent in game.agents}
        self.state_space = observation_space(game.table.entries)

    def observation_space(self, agent: str) -> spaces.Box:
        """The space of an agent's observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's actions, always the same object."""
        return self.action_spaces[agent]

    def state(self) -> FloatVector:
        """(F,) float32 everything that can be seen of the chain, whatever the agents see, units."""
        self.check_begun()
        return self.episodes.table.copy()

    def render(self) -> str | None:
        """A text of stocks, flows and costs by node, of the period before; None without a render mode."""
        if self.render_mode is None:
            return None
        self.check_begun()
        return picture(self.metadata["name"], self.game, self.episodes)

    def close(self) -> None:
        """Nothing is held open."""

    def check_begun(self) -> None:
        """Refuse to go on before the first episode."""
        if self.episodes.number < 0:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")
