"""A trained actor that remembers, played greedily."""

from __future__ import annotations

import numpy as np

from marl_supply.game.policy import Memory
from marl_supply.learning.trained.choosing_policy import ChoosingPolicy
from marl_supply.learning.trained.chunks import Floats, in_chunks, propagated


class RecurrentPolicy(ChoosingPolicy):
    """The most probable choices of a trained actor with a gated recurrent unit; see `marl_supply.learning.recurrent`.

    Its layers are the hidden ones, the unit's of what is seen (in, 3 H) and of what is remembered (H, 3 H), and the
    output. It remembers (H, B) numbers, 0 where an episode begins.
    """

    def nothing_recalled(self, replications: int) -> Memory:
        """(H, B) zeros."""
        return np.zeros((len(self.layers[-2][0]), replications), dtype=np.float32)

    def propagate(self, value: Floats, recalled: Memory) -> tuple[Floats, Memory]:
        """(chunks, CHUNK, outputs) from (chunks, CHUNK, k) scaled numbers, and what its network remembers then."""
        *below, (of_seen, bias), of_memory, output = self.layers
        hidden = np.maximum(propagated(below, value), 0)
        memory = _remember(hidden @ of_seen + bias, propagated([of_memory], before := in_chunks(recalled)), before)
        after = memory.reshape(-1, memory.shape[-1])[: recalled.shape[1]]
        return propagated([output], memory), np.ascontiguousarray(after.T)


def _remember(seen: Floats, recalled: Floats, memory: Floats) -> Floats:
    """(..., H) what is remembered next, from (..., 3 H) products for reset, keep and new."""
    width = memory.shape[-1]
    reset, keep = np.split(_logistic((seen + recalled)[..., : 2 * width]), 2, axis=-1)
    new = np.tanh(seen[..., 2 * width :] + reset * recalled[..., 2 * width :])
    return new + keep * (memory - new)


def _logistic(value: Floats) -> Floats:
    """1 / (1 + exp(-value)), which never overflows."""
    half = np.float32(0.5)
    return half + half * np.tanh(half * value)
