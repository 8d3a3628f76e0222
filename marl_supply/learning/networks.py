"""Networks of several copies at once: parameters with a leading axis K, one batched product a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from marl_supply.learning.interface import CLOSED

GAIN = 2.0**0.5
"""Gain of the hidden layers (ReLU); the last layer's is given."""


class StackedNetwork(nn.Module):
    """K copies of one network with ReLU between its layers.

    Parameters
    ----------
    sizes
        Numbers in, hidden widths, numbers out.
    keys : (K,) pairs of int and str
        Seed and name of each copy, which give its first weights, whatever the other copies.
    last_gain
        Scale of the last layer's first weights.

    Attributes
    ----------
    weights : list of (K, in, out) parameters
    biases : list of (K, 1, out) parameters
    """

    def __init__(self, sizes: Sequence[int], keys: Sequence[tuple[int, str]], last_gain: float) -> None:
        super().__init__()
        generators = [np.random.default_rng([seed, crc32(name.encode())]) for seed, name in keys]
        drawn = [self.first_weights(sizes, rng, last_gain) for rng in generators]
        stacks = [np.stack(copies) for copies in zip(*drawn, strict=True)]
        self.weights = nn.ParameterList([nn.Parameter(torch.from_numpy(stack)) for stack in stacks])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(len(keys), 1, s.shape[-1])) for s in stacks])

    @staticmethod
    def first_weights(sizes: Sequence[int], rng: np.random.Generator, last_gain: float) -> list[NDArray[np.float32]]:
        """(in, out) matrices of one copy, layer by layer."""
        gains = [*[GAIN] * (len(sizes) - 2), last_gain]
        return [orthogonal(rng, *shape, gain) for shape, gain in zip(pairwise(sizes), gains, strict=True)]

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases of each layer."""
        return list(zip(self.weights, self.biases, strict=True))

    def forward(self, inputs: Tensor) -> Tensor:
        """(K, rows, out) from (K, rows, in)."""
        return propagate(self.layers(), inputs)


def propagate(layers: Sequence[tuple[Tensor, Tensor]], inputs: Tensor) -> Tensor:
    """(G, rows, out) from (G, rows, in) through layers of G networks, ReLU between them."""
    value = inputs
    for number, (weight, bias) in enumerate(layers):
        value = torch.baddbmm(bias, value, weight)
        if number < len(layers) - 1:
            value = torch.relu_(value)
    return value


def stacked(networks: Sequence[StackedNetwork]) -> list[tuple[Tensor, Tensor]]:
    """The layers of networks of one shape as those of A K networks, network by network."""
    parts = [network.layers() for network in networks]
    return [
        (torch.cat([weight for weight, _ in layer]), torch.cat([bias for _, bias in layer]))
        for layer in zip(*parts, strict=True)
    ]


def orthogonal(rng: np.random.Generator, rows: int, columns: int, gain: float) -> NDArray[np.float32]:
    """(rows, columns) random matrix with orthogonal rows or columns of norm `gain` (Saxe et al. 2014)."""
    square = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))[0]
    matrix = square if rows >= columns else square.T
    return (gain * matrix).astype(np.float32)


@dataclass(frozen=True)
class Heads:
    """How the scores of A actors become logits of their choices.

    prior, values : (A, C, n)
        See `Interface`.
    deviation : (A, K, C) or None
        Logarithm of the standard deviation, in first ones, of a Gaussian over the choices; None where there is a score
        for each choice.
    """

    prior: Tensor
    values: Tensor
    deviation: Tensor | None

    def logits(self, scores: Tensor, highest: Tensor | None = None) -> Tensor:
        """(A, K, rows, C, n) logits from (A K, rows, outputs) scores; choices above (A, K, rows, C) numbers closed."""
        agents, components, choices = self.prior.shape
        copies, rows = scores.shape[0] // agents, scores.shape[1]
        prior = self.prior[:, None, None]
        if self.deviation is None:
            logits = scores.view(agents, copies, rows, components, choices) + prior
        else:
            means = scores.view(agents, copies, rows, components, 1)
            away = (self.values[:, None, None] - means) * torch.exp(-self.deviation)[:, :, None, :, None]
            logits = torch.where(prior > CLOSED / 2, -0.5 * away.square(), CLOSED)
        if highest is None:
            return logits
        return torch.where(torch.arange(choices) <= highest.unsqueeze(-1), logits, CLOSED)


def log_probability(logits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """(..., rows) log probabilities of (..., rows, C) actions, and (..., rows) entropies, summed over components."""
    logs = torch.log_softmax(logits, -1)
    taken = logs.gather(-1, actions.unsqueeze(-1)).squeeze(-1).sum(-1)
    return taken, -(logs.exp() * logs).sum((-1, -2))


def last_open(prior: Tensor) -> Tensor:
    """(..., C) number of the last choice that exists, from (..., C, n) prior logits."""
    numbers = torch.arange(prior.shape[-1])
    return torch.where(prior > CLOSED / 2, numbers, 0).amax(-1)


def sample(logits: Tensor, uniforms: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Choices where the distribution function passes uniform numbers, and their log probability.

    Parameters
    ----------
    logits : (..., rows, C, n)
    uniforms : (..., rows, C)
    last
        Of `last_open`; rounding never picks a choice after it.

    Returns
    -------
    tuple of (..., rows, C) int and (..., rows)
    """
    probabilities = torch.softmax(logits, -1)
    chosen = (probabilities.cumsum(-1) < uniforms.unsqueeze(-1)).sum(-1)
    chosen = torch.minimum(chosen, last)
    return chosen, probabilities.gather(-1, chosen.unsqueeze(-1)).squeeze(-1).log().sum(-1)
