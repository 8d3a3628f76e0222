"""Small transformers with random weights, and what they decided in an episode as a batch for torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.learning.foundation.corpus import Batch
from marl_supply.learning.foundation.decisions import DecisionTokens
from marl_supply.learning.foundation.playing import Network
from marl_supply.learning.foundation.rows import NodeTokens
from marl_supply.learning.foundation.settings import Pretraining
from marl_supply.learning.foundation.shapes import Shape
from marl_supply.learning.foundation.transformer import Transformer
from marl_supply.learning.trained.transformer_policy import Session, TransformerPolicy

SHAPE = Shape(width=16, layers=2, heads=2, components=3, window=3)
TINY = Pretraining(
    width=16, layers=1, heads=2, components=2, window=3, segment=6, tokens=6000, batch_tokens=256, evaluations=4
)


def random_model(seed: int = 0, shape: Shape = SHAPE) -> Transformer:
    """Weights large enough for every token to matter, and no bias of 0."""
    torch.manual_seed(seed)
    model = Transformer(shape)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name:
                value.add_(0.3 * torch.randn_like(value))
            elif value.ndim == 1:
                value.copy_(0.3 * torch.randn_like(value))
            else:
                value.mul_(1.5)
    return model


def policy_of(model: Transformer, request: float | None = 0.02) -> TransformerPolicy:
    """The same model played with numpy."""
    return TransformerPolicy.of(model.shape, model.arrays(), {}, request)


@dataclass(frozen=True)
class Played:
    """One agent's part of an episode of B replications and T periods.

    seen: (B, T, k); actions: (B, T, n); laws: weights, means, scales and scores of names, each (B, T, n, .);
    logarithms: T lists of n arrays (B, choices), probabilities of what could be chosen; none where there is no grid.
    """

    seen: NDArray[np.float32]
    actions: NDArray[np.float64]
    laws: list[NDArray[np.float32]]
    logarithms: list[list[NDArray[np.float64]]]


def play(game: Game, policy: TransformerPolicy, replications: int, periods: int) -> Played:
    """What a game's one agent saw, did and reckoned with."""
    laws: list[Any] = []
    chosen: list[Any] = []
    logarithms: list[Any] = []
    own_laws, own_choose, own_pick = Network.laws, Session._choose, Session._pick

    def watched_laws(self: Network, tokens: Any) -> Any:
        laws.append(own_laws(self, tokens))
        return laws[-1]

    def watched_choose(self: Session, *given: Any) -> Any:
        chosen.append(own_choose(self, *given))
        return chosen[-1]

    def watched_pick(self: Session, number: int, found: Any, noise: Any) -> Any:
        logarithms.append(found)
        return own_pick(self, number, found, noise)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Network, "laws", watched_laws)
        patched.setattr(Session, "_choose", watched_choose)
        patched.setattr(Session, "_pick", watched_pick)
        seen = _episode(game, policy, replications, periods)

    def cut(array: Any) -> Any:
        return array.reshape(-1, *array.shape[2:])[:replications]

    count = len(chosen) // periods
    by_period = [np.stack([cut(own) for own in chosen[p * count : (p + 1) * count]], -1) for p in range(periods)]
    numbers = [
        np.stack([cut(own[part]) for own in laws], 1).reshape(replications, periods, count, -1) for part in range(4)
    ]
    per_period = len(logarithms) // periods
    drawn = [[cut(own) for own in logarithms[p * per_period : (p + 1) * per_period]] for p in range(periods)]
    return Played(seen, np.stack(by_period, 1).astype(np.float64), numbers, drawn)


def _episode(game: Game, policy: TransformerPolicy, replications: int, periods: int) -> NDArray[np.float32]:
    (agent,) = game.agents
    state, memory, seen = game.start(replications, 5), policy.start(game.seats[agent], replications), []
    for _ in range(periods):
        seen.append(np.asarray(game.vector(state, agent)).T.astype(np.float32))
        decided, memory = policy.act(game.observe(state, agent), memory)
        state, _ = game.step(state, {agent: decided})
    return np.stack(seen, 1)


def batch_of(game: Game, played: Played, request: float | None = 0.02) -> Batch:
    """An episode as what torch learns from."""
    (agent,) = game.agents
    nodes, decisions = NodeTokens(game.seats[agent], game.observe_level), DecisionTokens(game.seats[agent])
    size, periods = played.seen.shape[:2]

    def repeated(array: Any) -> Any:
        return np.repeat(np.asarray(array, dtype=np.float32)[None], size, axis=0)

    return Batch(
        np.full(size, request or 0.0, dtype=np.float32),
        np.full(size, request is None),
        np.zeros((size, periods), dtype=np.float32),
        np.ones((size, periods), dtype=bool),
        nodes.changing(played.seen),
        repeated(nodes.constant),
        decisions.values(played.actions).astype(np.float32),
        repeated(decisions.constant),
        decisions.kinds,
        decisions.rows,
        repeated(decisions.step),
        repeated(decisions.low),
        repeated(decisions.high),
        np.ones((size, periods), dtype=bool),
    )
