"""Networks that remember: a gated recurrent unit between the hidden layers and the output (Cho et al. 2014).

With what is seen x, what was remembered h, sigma the logistic function and * element by element::

    reset  r = sigma(W_r x + U_r h)
    keep   z = sigma(W_z x + U_z h)
    new    n = tanh(W_n x + r * (U_n h))
    then   h = z * h + (1 - z) * n

each product with its bias; `r` scales the product instead of `h`, so that a period takes one product.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from marl_supply.learning.networks import GAIN, StackedNetwork, orthogonal, propagate

Layers = Sequence[tuple[Tensor, Tensor]]

KEEP = 1.0
"""First bias of the keep gates, so that gradients reach back over some periods (Jozefowicz et al. 2015)."""


class RecurrentNetwork(StackedNetwork):
    """K copies of one network with hidden layers (ReLU), a gated recurrent unit and an output.

    Parameters
    ----------
    sizes
        Numbers in, hidden widths, width H of the unit, numbers out.
    keys, last_gain
        See `StackedNetwork`.

    Attributes
    ----------
    weights : list of (K, in, out) parameters
        Hidden layers; the unit's of what is seen and of what is remembered, (in, 3 H) and (H, 3 H), for reset, keep and
        new; output.
    biases : list of (K, 1, out) parameters
    """

    def __init__(self, sizes: Sequence[int], keys: Sequence[tuple[int, str]], last_gain: float) -> None:
        super().__init__(sizes, keys, last_gain)
        width = sizes[-2]
        with torch.no_grad():
            self.biases[-3][..., width : 2 * width] = KEEP

    @staticmethod
    def first_weights(sizes: Sequence[int], rng: np.random.Generator, last_gain: float) -> list[NDArray[np.float32]]:
        """(in, out) matrices of one copy; those of the unit are orthogonal gate by gate."""
        *below, width, out = sizes
        layers = [orthogonal(rng, *shape, GAIN) for shape in pairwise(below)]
        for size in (below[-1], width):
            layers.append(np.concatenate([orthogonal(rng, size, width, 1.0) for _ in range(3)], axis=1))
        return [*layers, orthogonal(rng, width, out, last_gain)]

    def forward(  # type: ignore[override]  # it takes and gives what is remembered, too
        self, inputs: Tensor, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `propagate_period`."""
        return propagate_period(self.layers(), inputs, memory)


def propagate_period(layers: Layers, inputs: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor]:
    """One period of G networks.

    Parameters
    ----------
    inputs : (G, rows, in)
    memory : (G, rows, H) or None
        What was remembered; None where an episode begins.

    Returns
    -------
    tuple of (G, rows, out) and (G, rows, H)
        Output, and what is remembered then.
    """
    seen, (weight, bias) = _seen(layers, inputs), layers[-2]
    if memory is None:
        memory = inputs.new_zeros(*inputs.shape[:2], weight.shape[1])
    memory = _remember(seen, torch.baddbmm(bias, memory, weight), memory)
    return propagate(layers[-1:], memory), memory


def propagate_windows(layers: Layers, inputs: Tensor, memory: Tensor, going: Tensor) -> Tensor:
    """Windows of successive periods of G networks, with gradients back to the start of each window.

    Parameters
    ----------
    inputs : (G, windows W, in)
        Window by window.
    memory : (G, windows, H)
        What was remembered at the start of each.
    going : (windows, W)
        0 where an episode begins and nothing is remembered, else 1; the first of a window counts for `memory` too.

    Returns
    -------
    (G, windows W, out)
    """
    weight, bias = layers[-2]
    seen = _seen(layers, inputs).view(*memory.shape[:2], going.shape[1], -1)
    memories = []
    for now, on in zip(seen.unbind(2), going.unsqueeze(-1).unbind(1), strict=True):
        memory = memory * on
        memory = _remember(now, torch.baddbmm(bias, memory, weight), memory)
        memories.append(memory)
    together = torch.stack(memories, 2).view(*inputs.shape[:2], -1)
    return propagate(layers[-1:], together)


def _seen(layers: Layers, inputs: Tensor) -> Tensor:
    """(G, rows, 3 H) what the gates make of what is seen."""
    return propagate(layers[-3:-2], torch.relu_(propagate(layers[:-3], inputs)))


def _remember(seen: Tensor, recalled: Tensor, memory: Tensor) -> Tensor:
    """(G, rows, H) what is remembered next, from (G, rows, 3 H) products."""
    width = memory.shape[-1]
    seen_gates, seen_new = seen.split([2 * width, width], -1)
    recalled_gates, recalled_new = recalled.split([2 * width, width], -1)
    reset, keep = torch.sigmoid(seen_gates + recalled_gates).chunk(2, -1)
    return torch.lerp(torch.tanh(torch.addcmul(seen_new, reset, recalled_new)), memory, keep)
