"""The transformer played period by period with numpy: what older tokens were is kept, never worked out again.

Replications go in chunks of one size, so that no decision depends on how many are played at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.learning.foundation import shapes
from marl_supply.learning.foundation.returns import HIGHEST, LOWEST
from marl_supply.learning.foundation.shapes import NAMES, Shape
from marl_supply.learning.trained.chunks import CHUNK

Floats = NDArray[np.float32]


class Network:
    """A transformer's weights, as `transformer.Transformer.arrays` gives them.

    Parameters
    ----------
    shape
        Its sizes.
    arrays
        Weights by name; matrices are (out, in).
    """

    def __init__(self, shape: Shape, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.shape = shape
        self.arrays = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()}
        self.turned = {n: np.ascontiguousarray(v.T) for n, v in self.arrays.items() if v.ndim == 2}
        self.slopes = np.array(shapes.slopes(shape.heads), dtype=np.float32)

    def linear(self, name: str, value: Floats) -> Floats:
        """(..., out) of (..., in)."""
        found: Floats = value @ self.turned[f"{name}.weight"] + self.arrays[f"{name}.bias"]
        return found

    def embed(self, name: str, value: Floats) -> Floats:
        """(..., width) of the numbers that go into a kind of token."""
        return self.linear(f"{name}_out", np.maximum(self.linear(f"{name}_in", value), 0))

    def normal(self, name: str, value: Floats) -> Floats:
        """(..., width) normalised."""
        centred = value - value.mean(-1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(shapes.EVEN))
        found: Floats = centred / deviation * self.arrays[f"{name}.weight"] + self.arrays[f"{name}.bias"]
        return found

    def laws(self, tokens: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Weights, means, scales and scores of names that (..., width) tokens which ask put out."""
        count = 3 * self.shape.components
        found = self.linear("head", self.normal("norm", tokens))
        return *_mixture(found[..., :count]), found[..., count:]

    def expected(self, tokens: Floats) -> Floats:
        """(...) the mean of the return that follows (..., width) tokens of decisions, relative."""
        weights, means, _ = _mixture(self.linear("outcome", self.normal("norm", tokens)))
        share = np.exp(weights - weights.max(-1, keepdims=True))
        found: Floats = (share * np.clip(means, LOWEST, HIGHEST)).sum(-1) / share.sum(-1)
        return found


def _mixture(numbers: Floats) -> tuple[Floats, Floats, Floats]:
    weights, means, scales = np.split(numbers, 3, -1)
    return weights, means, np.clip(scales, shapes.LEAST_SCALE, shapes.MOST_SCALE)


class Recollection:
    """Keys and values of the tokens of the last periods of some chunks of replications, in a ring of periods.

    Parameters
    ----------
    network
        Whose tokens.
    chunks : int
        Of replications.
    each : int
        Tokens of a period.
    """

    def __init__(self, network: Network, chunks: int, each: int) -> None:
        shape = network.shape
        self.network, self.each = network, each
        self.slots = (shape.window + 1) * each
        size = shape.layers, chunks * CHUNK, shape.heads, self.slots, shape.width // shape.heads
        self.keys, self.values = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
        self.numbers = np.full(self.slots, -1, dtype=np.int64)
        self.next = 0

    def propagate(self, tokens: Floats, asking: Floats | None = None) -> Floats:
        """(chunks, CHUNK, n + q, width) tokens after all blocks: the next n of rows and decisions, and q that ask.

        Those that ask follow the n and see all before them, and themselves; they are not kept.
        """
        network, shape = self.network, self.network.shape
        chunks, _, kept, width = tokens.shape
        everything = tokens if asking is None else np.concatenate([tokens, asking], axis=2)
        count = everything.shape[2]
        mine = np.arange(self.next, self.next + kept)
        self.next += kept
        slots = mine % self.slots
        self.numbers[slots] = mine
        bias, seen = self._bias(np.concatenate([mine, np.full(count - kept, self.next)]))
        value = everything.reshape(chunks, CHUNK * count, width)
        for layer in range(shape.layers):
            name = f"blocks.{layer}"
            parts = network.linear(f"{name}.attend", network.normal(f"{name}.norm_attention", value))
            parts = parts.reshape(chunks * CHUNK, count, 3, shape.heads, -1).transpose(2, 0, 3, 1, 4)
            query, key, own = parts
            self.keys[layer][:, :, slots], self.values[layer][:, :, slots] = key[:, :, :kept], own[:, :, :kept]
            stored = self.keys[layer][:, :, :seen], self.values[layer][:, :, :seen]
            attended = _attention(query, *stored, bias, key[:, :, kept:], own[:, :, kept:])
            attended = attended.transpose(0, 2, 1, 3).reshape(chunks, CHUNK * count, width)
            value = value + network.linear(f"{name}.attended", attended)
            units = np.maximum(network.linear(f"{name}.units", network.normal(f"{name}.norm_units", value)), 0)
            value = value + network.linear(f"{name}.summed", units)
        return value.reshape(chunks, CHUNK, count, width)

    def _bias(self, mine: NDArray[np.int64]) -> tuple[Floats, int]:
        """(heads, n, seen) what is added to scores, and how many slots have been filled."""
        seen = min(self.next, self.slots)
        numbers = self.numbers[:seen]
        ago = mine[:, None] // self.each - numbers // self.each
        hidden = (numbers > mine[:, None]) | (ago >= self.network.shape.window) | (numbers < 0)
        bias = -self.network.slopes[:, None, None] * ago.astype(np.float32)
        return np.where(hidden, np.float32(-np.inf), bias).astype(np.float32, copy=False), seen


def _attention(query: Floats, keys: Floats, values: Floats, bias: Floats, key: Floats, own: Floats) -> Floats:
    """(R, heads, n, size) what n tokens take from those that are kept, and the last of them from themselves too."""
    scores = query @ keys.transpose(0, 1, 3, 2)
    scores *= np.float32(query.shape[-1] ** -0.5)
    scores += bias
    asking = key.shape[2]
    if asking:
        itself = np.full((*scores.shape[:3], 1), -np.inf, dtype=np.float32)
        itself[:, :, -asking:, 0] = (query[:, :, -asking:] * key).sum(-1) * np.float32(query.shape[-1] ** -0.5)
        scores = np.concatenate([scores, itself], axis=-1)
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    found = scores[..., : keys.shape[2]] @ values
    if asking:
        found[:, :, -asking:] += scores[:, :, -asking:, -1:] * own
    return found.astype(np.float32, copy=False)


def cell_logarithms(
    weights: Floats, means: Floats, scales: Floats, low: float, step: float, choices: int
) -> NDArray[np.float64]:
    """(..., choices) logarithms of the probabilities of the cells of a grid, from laws of (..., components)."""
    edges = low + step * (np.arange(1, choices) - 0.5)
    scaled = (edges[:, None] - means[..., None, :].astype(np.float64)) / np.exp(scales[..., None, :].astype(np.float64))
    below = 0.5 + 0.5 * np.tanh(0.5 * scaled)
    ends = np.ones_like(below[..., :1, :])
    cells = np.diff(np.concatenate([0 * ends, below, ends], axis=-2), axis=-2)
    share = np.exp(weights - weights.max(-1, keepdims=True)).astype(np.float64)
    mixed = (cells * share[..., None, :]).sum(-1) / share.sum(-1)[..., None]
    found: NDArray[np.float64] = np.log(np.maximum(mixed, 1e-12))
    return found


def name_logarithms(names: Floats, count: int) -> NDArray[np.float64]:
    """(..., count) logarithms of the probabilities of the first names."""
    own = names[..., : min(count, NAMES)].astype(np.float64)
    own = own - own.max(-1, keepdims=True)
    found: NDArray[np.float64] = own - np.log(np.exp(own).sum(-1, keepdims=True))
    return found
