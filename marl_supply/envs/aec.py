"""PettingZoo's agent-environment cycle: agents act one after another."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from pettingzoo import AECEnv

from marl_supply.envs.face import Chain, ManyFaces, as_game
from marl_supply.envs.views import FloatVector
from marl_supply.game import Game
from marl_supply.simulation import Decisions


def aec_env(chain: Chain, *, render_mode: str | None = None, **game_settings: Any) -> SupplyChainAECEnv:
    """A game as a PettingZoo `AECEnv`.

    Parameters
    ----------
    chain
        A `Game`, or what `Game` takes: a topology, a shipped name, a file or a networkx graph.
    render_mode : "ansi", "rgb_array" or None
        Whether `render` returns a text or an image.
    **game_settings
        Of `Game` (reward, observe, actions, horizon, ...), where `chain` is not a game already.

    Examples
    --------
    >>> env = aec_env("cachon_zipkin", actions="quantity")
    >>> env.reset(seed=1)
    >>> env.agent_selection
    'retailer'
    """
    return SupplyChainAECEnv(as_game(chain, game_settings), render_mode)


class SupplyChainAECEnv(ManyFaces, AECEnv[str, FloatVector, Any]):  # type: ignore[misc]
    """One replication of a game, agent by agent.

    A period goes once round all agents, stage by stage. Agents of one stage decide without seeing one another; the
    agents of the stage after see what was ordered from them. Rewards, costs (``infos[agent]["cost"]``) and the end
    of an episode come when the last agent has acted; ``infos[agent]["action_mask"]`` is there where some choices do not
    count. Spaces, seeds and clipping are those of the parallel face.
    """

    def __init__(self, game: Game, render_mode: str | None = None) -> None:
        super().__init__(game, render_mode)
        self.metadata["is_parallelizable"] = len(game.stages) == 1
        self._cycle = [agent for stage in game.stages for agent in stage]
        self._stage_ends = {turn - 1 for turn in accumulate(len(stage) for stage in game.stages)}
        self._turn = 0
        self._decided: dict[str, Decisions] = {}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode; `options` are not used."""
        self.episodes.begin(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = self.informations()
        self._turn, self._decided = 0, {}
        self._skip_agent_selection = None
        self.agent_selection = self._cycle[0]

    def observe(self, agent: str) -> FloatVector:
        """(k,) float32 what an agent sees now."""
        return self.episodes.view(agent)

    def step(self, action: Any) -> None:
        """Take the action of the agent whose turn it is; None from an agent whose episode is over.

        Raises
        ------
        InputError
            Without an episode.
        ValueError
            For an action outside its space.
        """
        self.check_begun()
        agent = self.agent_selection
        if self.episodes.over:
            self._was_dead_step(action)
            return
        self._decided[agent] = self.episodes.decode(agent, action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        if self._turn in self._stage_ends:
            self._end_stage()
        self._turn = (self._turn + 1) % len(self._cycle)
        self.agent_selection = self._cycle[self._turn]
        self._accumulate_rewards()

    def _end_stage(self) -> None:
        decided, self._decided = self._decided, {}
        if self._turn < len(self._cycle) - 1:
            self.episodes.decide(decided)
            return
        outcome = self.episodes.step(decided)
        rewards, costs = outcome.rewards[:, 0].tolist(), outcome.costs[:, 0].tolist()
        self.rewards = dict(zip(self.possible_agents, rewards, strict=True))
        self.infos = self.informations(costs)
        self.truncations = dict.fromkeys(self.possible_agents, self.episodes.over)
