"""A network for each agent, K copies of all of them at once, on what each agent sees of a game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from marl_supply.game.game import Game
from marl_supply.learning.differentiable.decided import decided
from marl_supply.learning.differentiable.head import game_head
from marl_supply.learning.interface import table_scaling
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.networks import StackedNetwork

FIRST_GAIN = 0.1
"""Scale of the last layer's first weights: the first decisions hardly depend on what is seen."""


class SeatActor(nn.Module):
    """An MLP for each agent; it sees the agent's own observation, scaled, and nothing else.

    Parameters
    ----------
    game
        The game.
    learner
        Widths, scaling and what orders are measured by.
    seeds : (K,) int
        The seed of each copy, which with the agent's name gives the first weights.

    Attributes
    ----------
    network : StackedNetwork
        Of A K networks, agent by agent.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, game: Game, learner: Differentiable, seeds: Sequence[int]) -> None:
        super().__init__()
        self.agents, self.copies = game.agents, len(seeds)
        self.head = game_head(game, learner.orders, learner.start)
        self.limit = learner.observation_clip
        scaling = table_scaling(game.network, self.limit)
        self.register_buffer("shift", torch.tensor(scaling.shift, dtype=torch.float32)[:, None])
        self.register_buffer("scale", torch.tensor(scaling.scale, dtype=torch.float32)[:, None])
        self.sizes = [len(game.seen[agent]) for agent in self.agents]
        seen = np.full((len(self.agents), max(self.sizes)), len(game.table.entries))
        for number, agent in enumerate(self.agents):
            seen[number, : self.sizes[number]] = game.seen[agent]
        self._seen = torch.from_numpy(seen)
        self._place_components(game)
        keys = [(seed, agent) for agent in self.agents for seed in seeds]
        sizes = (max(self.sizes), *learner.hidden, max(len(c) for c in self.components))
        self.network = StackedNetwork(sizes, keys, FIRST_GAIN)

    def _place_components(self, game: Game) -> None:
        """Which component of the whole chain is which output of which agent's network."""
        counts = [len(game.actions[agent].low) for agent in self.agents]
        owner = np.repeat(np.arange(len(counts)), counts)
        output = np.concatenate([np.arange(count) for count in counts])
        order = game.joint_order(self.agents)
        assert order is not None
        self._owner, self._output = torch.from_numpy(owner[order]), torch.from_numpy(output[order])
        where = np.argsort(order)
        ends = np.cumsum(counts)
        self.components = [where[end - count : end] for end, count in zip(ends, counts, strict=True)]

    def forward(self, table: Tensor, uniforms: Tensor | None = None) -> Tensor:
        """(n, K B) decisions of all components from the (F, K B) table, units; `uniforms` as for `decided`."""
        scaled = ((table - self.shift) / self.scale).clamp(-self.limit, self.limit)
        scaled = torch.cat([scaled, torch.zeros_like(scaled[:1])])
        columns = table.shape[1] // self.copies
        seen = scaled[self._seen].view(len(self.agents), -1, self.copies, columns)
        inputs = seen.permute(0, 2, 3, 1).reshape(len(self.agents) * self.copies, columns, -1)
        scores = self.network(inputs).view(len(self.agents), self.copies, columns, -1)
        picked = scores[self._owner, :, :, self._output]
        return decided(self.head, picked.reshape(-1, table.shape[1]), table, uniforms)

    def part_of(self, gradient: Tensor, agent: int) -> Tensor:
        """The part (K, ...) of a gradient (A K, ...) that belongs to one agent's networks."""
        return gradient[agent * self.copies : (agent + 1) * self.copies]

    def snapshot(self, copy: int) -> dict[str, Any]:
        """The weights (A, in, out) and biases (A, 1, out) of one copy."""
        own = slice(copy, None, self.copies)
        return {
            "weights": [weight.detach()[own].numpy().copy() for weight in self.network.weights],
            "biases": [bias.detach()[own].numpy().copy() for bias in self.network.biases],
        }
