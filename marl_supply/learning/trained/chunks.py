"""Products in chunks of one size, so that no decision depends on how many replications are played at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Layers = Sequence[tuple[Floats, Floats]]

CHUNK = 64
"""Replications of one product."""


def chunks(seen: Floats) -> Floats:
    """(m, F, CHUNK) from (F, B), filled up with 0: products of one size, so that no decision depends on the batch."""
    replications = seen.shape[1]
    padded = np.zeros((len(seen), -(-replications // CHUNK) * CHUNK), dtype=np.float32)
    padded[:, :replications] = seen
    return np.ascontiguousarray(padded.reshape(len(seen), -1, CHUNK).transpose(1, 0, 2))


def product(matrix: Floats, seen: Floats) -> Floats:
    """(n, B) the matrix (n, F) times (F, B), in chunks."""
    made: Floats = (matrix @ chunks(seen)).transpose(1, 0, 2).reshape(len(matrix), -1)[:, : seen.shape[1]]
    return made


def propagated(layers: Layers, inputs: Floats) -> Floats:
    """Through layers with ReLU between them."""
    value = inputs
    for number, (weight, bias) in enumerate(layers):
        value = value @ weight + bias
        if number < len(layers) - 1:
            value = np.maximum(value, 0)
    return value


def in_chunks(seen: Floats) -> Floats:
    """(m, CHUNK, k) from (k, B), filled up with 0."""
    return np.ascontiguousarray(chunks(seen).transpose(0, 2, 1))
