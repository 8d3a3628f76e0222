"""A graph network over a chain: all rows share its weights, so that one network plays chains of any shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.differentiable.decided import decided
from marl_supply.learning.differentiable.layout import EDGE_FEATURES, FEATURES, layout_of
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.networks import StackedNetwork

FIRST_GAIN = 0.1
"""Scale of the last layer's first weights."""


class GraphActor(nn.Module):
    """K copies of a message-passing network.

    Every row has a vector, at first made of its features. In each round it hears the average of its customers' vectors
    and of its suppliers', and adds to its own what a layer makes of the three. Each order is read off the vectors of
    its row and of its supplier and the features of its edge.

    Parameters
    ----------
    game
        The game whose chain it plays first; `play_on` gives it another.
    learner
        Width (the first of `hidden`), rounds and scaling.
    seeds : (K,) int
        The seed of each copy.

    Raises
    ------
    InputError
        Where the game hides what it sees, or asks agents that share weights for selfishness.
    """

    def __init__(self, game: Game, learner: Differentiable, seeds: Sequence[int]) -> None:
        super().__init__()
        check_graph(game)
        self.copies, self.limit = len(seeds), learner.observation_clip
        self.orders, self.start = learner.orders, learner.start
        width = learner.hidden[0]
        self.parts = nn.ModuleDict(
            {
                name: StackedNetwork(sizes, [(seed, name) for seed in seeds], gain)
                for name, sizes, gain in network_parts(width, learner.rounds)
            }
        )
        self.rounds = learner.rounds
        self.play_on(game)

    def play_on(self, game: Game) -> None:
        """Play this game from now on."""
        check_graph(game)
        self.layout = layout_of(game.network, game.action_kind, self.orders, self.start)
        self.head = self.layout.head
        names = ("matrix", "shift", "customers", "suppliers", "own", "above", "edge")
        self._constants = {name: torch.from_numpy(getattr(self.layout, name)) for name in names}

    def forward(self, table: Tensor, uniforms: Tensor | None = None) -> Tensor:
        """(n, K B) decisions of all components from the (F, K B) table, units; `uniforms` as for `decided`."""
        fixed = self._constants
        rows, copies = len(fixed["customers"]), self.copies
        columns = table.shape[1] // copies
        features = (fixed["matrix"] @ table + fixed["shift"]).clamp(-self.limit, self.limit)
        inputs = features.view(rows, FEATURES, copies, columns).permute(2, 0, 3, 1)
        inputs = inputs.reshape(copies, rows * columns, FEATURES)
        vectors = torch.relu(self.parts["embed"](inputs))
        for number in range(self.rounds):
            heard = [vectors, self._mixed("customers", vectors), self._mixed("suppliers", vectors)]
            vectors = vectors + torch.relu(self.parts[f"round_{number}"](torch.cat(heard, 2)))
        edge = fixed["edge"][None, :, None, :].expand(copies, -1, columns, -1)
        edge = edge.reshape(copies, -1, edge.shape[-1])
        read = torch.cat([self._mixed("own", vectors), self._mixed("above", vectors), edge], 2)
        scores = self.parts["read"](read).view(copies, -1, columns).permute(1, 0, 2)
        return decided(self.head, scores.reshape(-1, table.shape[1]), table, uniforms)

    def _mixed(self, name: str, vectors: Tensor) -> Tensor:
        """(K, m B, H) sums of the rows' vectors (K, N B, H) with the weights (m, N) of that name."""
        weights = self._constants[name]
        size, width = vectors.shape[1], vectors.shape[2]
        columns = size // weights.shape[1]
        return (weights @ vectors.view(self.copies, -1, columns * width)).view(self.copies, -1, width)

    def snapshot(self, copy: int) -> dict[str, Any]:
        """The weights (in, out) and biases (1, out) of one copy, by part."""
        taken: dict[str, Any] = {}
        for name, part in self.parts.items():
            assert isinstance(part, StackedNetwork)
            taken[name] = [tuple(array[copy].detach().numpy().copy() for array in layer) for layer in part.layers()]
        return taken


def network_parts(width: int, rounds: int) -> list[tuple[str, tuple[int, ...], float]]:
    """Name, sizes and last gain of each part."""
    gain = 2.0**0.5
    heard = [(f"round_{number}", (3 * width, width), gain / 2) for number in range(rounds)]
    read = ("read", (2 * width + EDGE_FEATURES, width, 1), FIRST_GAIN)
    return [("embed", (FEATURES, width), gain), *heard, read]


def check_graph(game: Game) -> None:
    """Refuse games that a graph network cannot play."""
    name = game.topology.name
    if game.observe_level != "full":
        raise InputError(
            f"{name}: game.observe: a graph network reads what neighbours know, which observe: {game.observe_level} "
            "hides; use observe: full, or actor: mlp."
        )
    if game.own_weight != 0 and len(game.agents) > 1:
        raise InputError(
            f"{name}: game.reward: the nodes of a graph network share weights and cannot each be selfish; use "
            "reward: shared, or actor: mlp."
        )
