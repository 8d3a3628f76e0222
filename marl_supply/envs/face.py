"""What the faces share: names, spaces, the view of the whole chain, and the pictures of a period."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from marl_supply.envs.ansi import heading, picture
from marl_supply.envs.episodes import Episodes
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.envs.views import FloatVector
from marl_supply.errors import InputError, nearest
from marl_supply.game import Game
from marl_supply.topology import Topology

Chain = Game | Topology | str | Path | Any
RENDER_MODES = ("ansi", "rgb_array")
RENDER_FPS = 2
"""Periods a second, for what plays the pictures one after another."""
Picture = str | NDArray[np.uint8] | None


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
    """One replication of a game, its name and its pictures.

    Parameters
    ----------
    game
        What is played.
    render_mode : "ansi", "rgb_array" or None
        Whether `render` returns a text or an image.

    Attributes
    ----------
    state_space : Box
        Of `state()`: the table of everything that can be seen of the chain, in the order of ``game.table.entries``.
    """

    metadata: dict[str, Any]

    def __init__(self, game: Game, render_mode: str | None) -> None:
        if render_mode not in (None, *RENDER_MODES):
            hint = nearest(str(render_mode), RENDER_MODES)
            raise InputError(f"render_mode: no mode '{render_mode}'{hint}; use {', '.join(RENDER_MODES)} or None.")
        self.game = game
        self.episodes = Episodes(game)
        self.render_mode = render_mode
        name = versioned_name(game.topology)
        self.metadata = {"name": name, "render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}
        self.state_space = observation_space(game.table.entries)
        self._drawing: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the drawing, which is made anew when it is next looked at."""
        return {**vars(self), "_drawing": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Face:
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        vars(twin).update(deepcopy(self.__getstate__(), memo))
        return twin

    def state(self) -> FloatVector:
        """(F,) float32 everything that can be seen of the chain, whatever the agents see, units."""
        self.check_begun()
        return self.episodes.table

    def render(self) -> Picture:
        """The period before: a text of stocks, flows and costs by node, or an image (H, W, 3) uint8 of the network.

        None without a render mode.
        """
        if self.render_mode is None:
            return None
        self.check_begun()
        if self.render_mode == "ansi":
            return picture(self.metadata["name"], self.game, self.episodes)
        return self._image()

    def _image(self) -> NDArray[np.uint8]:
        if self._drawing is None:
            from marl_supply.drawing.period import PeriodPicture  # matplotlib only for those who look

            self._drawing = PeriodPicture(self.game)
        episodes = self.episodes
        title = heading(self.metadata["name"], self.game, episodes)
        image: NDArray[np.uint8] = self._drawing.frame(title, episodes.state, episodes.outcome)
        return image

    def close(self) -> None:
        """Nothing is held open."""

    def check_begun(self) -> None:
        """Refuse to go on before the first episode."""
        if self.episodes.number < 0:
            raise InputError(f"{self.metadata['name']}: no episode is under way; call reset() first.")


class ManyFaces(Face):
    """A face with a space and an information for each agent: what both PettingZoo interfaces share."""

    def __init__(self, game: Game, render_mode: str | None) -> None:
        super().__init__(game, render_mode)
        self.possible_agents = list(game.agents)
        self.agents: list[str] = []
        self.observation_spaces = {agent: observation_space(game.layouts[agent]) for agent in game.agents}
        self.action_spaces = {agent: action_space(game.actions[agent]) for agent in game.agents}

    def observation_space(self, agent: str) -> spaces.Box:
        """The space of an agent's observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's actions, always the same object."""
        return self.action_spaces[agent]

    def informations(self, costs: Sequence[float] | None = None) -> dict[str, dict[str, Any]]:
        """By agent the cost of the period before, money, and which choices are open where some are closed."""
        agents = self.possible_agents
        if costs is None:
            infos: dict[str, dict[str, Any]] = {agent: {} for agent in agents}
        else:
            infos = {agent: {"cost": cost} for agent, cost in zip(agents, costs, strict=True)}
        if self.episodes.masked:
            for agent in agents:
                infos[agent]["action_mask"] = self.episodes.mask(agent)
        return infos
