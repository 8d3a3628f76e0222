"""A causal transformer over tokens of returns-to-go, rows and decisions (Chen et al. 2021, "Decision Transformer").

A period is one token for each row that is seen, one for each number that is decided, and one for each of these that
asks for it and is told the return that is wanted. A token that asks puts out the law of its decision: a mixture of
logistic laws on the grid of the action (Salimans et al. 2017), or a choice among names. Every token attends to rows
and decisions before it within a window of periods; the nearer in time, the more (Press, Smith & Lewis 2022, attention
with linear biases). None but itself attends to a token that asks: what was wanted before is not remembered, so that
the same past can be asked for several returns, and what is expected of it is not what was wanted. What
was decided puts out the law of the return that follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from marl_supply.learning.foundation import shapes
from marl_supply.learning.foundation.corpus import Batch
from marl_supply.learning.foundation.decisions import KINDS, NOMINAL
from marl_supply.learning.foundation.returns import HIGHEST, LOWEST
from marl_supply.learning.foundation.rows import PLACES
from marl_supply.learning.foundation.shapes import NAMES, Shape


class Block(nn.Module):
    """Attention, then a layer of ReLUs, each added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_units = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.attended = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.units, self.summed = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """(B, T, width) tokens after a block; bias: (heads, T, T) is added to scores, -inf where nothing is seen."""
        size, length, width = tokens.shape
        parts = self.attend(self.norm_attention(tokens)).view(size, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias[None].to(query.dtype))
        tokens = tokens + self.attended(seen.transpose(1, 2).reshape(size, length, width))
        return tokens + self.summed(functional.relu(self.units(self.norm_units(tokens))))


@dataclass(frozen=True)
class Mixture:
    """Mixtures of logistic laws: (..., components) weights, means and scales, logarithms but for means."""

    weights: Tensor
    means: Tensor
    scales: Tensor


@dataclass(frozen=True)
class Laws:
    """What a model expects. numbers: (B, S, n) what is decided; names: (B, S, n, NAMES) scores of names; returns:
    (B, S, n) the return that follows each decision."""

    numbers: Mixture
    names: Tensor
    returns: Mixture


class Transformer(nn.Module):
    """The network.

    Parameters
    ----------
    shape
        Its sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.returned = nn.Linear(shapes.RETURN, width)
        for name, size in shapes.INPUTS.items():
            self.add_module(f"{name}_in", nn.Linear(size, width))
            self.add_module(f"{name}_out", nn.Linear(width, width))
        self.kind, self.asked = nn.Embedding(len(KINDS), width), nn.Embedding(len(KINDS), width)
        self.place = nn.Embedding(PLACES, width)
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3 * shape.components + NAMES)
        self.outcome = nn.Linear(width, 3 * shape.components)
        for table in (self.kind, self.asked, self.place):
            nn.init.normal_(table.weight, std=0.02)
        with torch.no_grad():
            means = slice(shape.components, 2 * shape.components)
            self.head.bias[means] = torch.linspace(0, 3, shape.components)
            self.outcome.bias[means] = torch.linspace(-0.3, 0.1, shape.components)
            self.outcome.bias[2 * shape.components :] = -2.0

    def _embed(self, name: str, parts: list[Tensor]) -> Tensor:
        inside = functional.relu(self.get_submodule(f"{name}_in")(torch.cat(parts, -1)))
        found: Tensor = self.get_submodule(f"{name}_out")(inside)
        return found

    def tokens(self, batch: TensorBatch) -> Tensor:
        """(B, S, m + 2 n, width) tokens of a batch: rows, decisions, and those that ask for them."""
        periods = batch.seen.shape[1]
        rows, decisions = batch.rows, batch.decisions
        seen = self._embed("row", [batch.seen, rows[:, None].expand(-1, periods, -1, -1)])
        seen = seen + self.place(torch.arange(rows.shape[1], device=rows.device))
        about = torch.cat([decisions, rows[:, batch.places]], -1)[:, None]
        done = self._embed("decision", [batch.done, about.expand(-1, periods, -1, -1)])
        done = done + self.kind(batch.kinds) + self.place(batch.places)
        question = self._embed("question", [about]) + self.asked(batch.kinds) + self.place(batch.places)
        asking = question + self.returned(batch.told)[:, None, None]
        return torch.cat([seen, done, asking.expand(-1, periods, -1, -1)], 2)

    def forward(self, batch: TensorBatch) -> Laws:
        """What is expected to be decided, and to follow each decision, given all that comes before."""
        tokens = self.tokens(batch)
        size, periods, each, width = tokens.shape
        rows, count = batch.rows.shape[1], len(batch.kinds)
        bias = attention_bias(self.shape.heads, self.shape.window, periods, rows, count).to(tokens.device)
        flat = tokens.reshape(size, periods * each, width)
        for block in self.blocks:
            flat = block(flat, bias)
        final = self.norm(flat.view(size, periods, each, width))
        found = self.head(final[:, :, rows + count :]).float()
        outcome = self.outcome(final[:, :, rows : rows + count]).float()
        components = self.shape.components
        return Laws(mixture(found[..., : 3 * components]), found[..., 3 * components :], mixture(outcome))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Weights by name."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.state_dict().items()}

    def load_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Take over the weights that `arrays` gave."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})


def mixture(numbers: Tensor) -> Mixture:
    """Of (..., 3 components) numbers that a layer puts out."""
    weights, means, scales = numbers.chunk(3, -1)
    return Mixture(weights, means, scales.clamp(shapes.LEAST_SCALE, shapes.MOST_SCALE))


@lru_cache(maxsize=64)
def attention_bias(heads: int, window: int, periods: int, rows: int, decisions: int) -> Tensor:
    """(heads, T, T) what is added to the scores of the tokens of some periods, rows + 2 decisions in each."""
    each = rows + 2 * decisions
    token = torch.arange(periods * each)
    place, period = token % each, token // each
    asks = place >= rows + decisions
    order = torch.where(asks, place - decisions, place)
    ago = period[:, None] - period[None]
    before = (ago > 0) | ((ago == 0) & (order[None] < order[:, None]))
    seen = (before & ~asks[None] & (ago < window)) | (token[:, None] == token[None])
    slopes = torch.tensor(shapes.slopes(heads), dtype=torch.float32)
    return (-slopes[:, None, None] * ago).masked_fill(~seen, float("-inf"))


class TensorBatch:
    """A batch on a device, with what is told of returns and decisions as numbers."""

    def __init__(self, batch: Batch, device: str) -> None:
        def tensor(array: Any) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.earned, self.seen, self.rows = tensor(batch.earned), tensor(batch.seen), tensor(batch.rows)
        self.values, self.decisions = tensor(batch.values), tensor(batch.decisions)
        self.kinds, self.places = tensor(batch.kinds), tensor(batch.places)
        self.told = tensor(shapes.told(batch.returns, batch.hidden))
        self.done = tensor(shapes.done(batch.values, batch.kinds))
        self.step, self.low, self.high = (tensor(part)[:, None] for part in (batch.step, batch.low, batch.high))
        self.learned, self.known = tensor(batch.learned), tensor(batch.known)
        self.nominal = tensor(batch.kinds == NOMINAL)


def log_likelihood(laws: Laws, batch: TensorBatch) -> Tensor:
    """(B, S, n) of what was decided."""
    names = functional.cross_entropy(
        laws.names.flatten(0, 2), batch.values.flatten().long().clamp(0, NAMES - 1), reduction="none"
    ).view(batch.values.shape)
    step = batch.step.expand_as(batch.values)
    return torch.where(batch.nominal, -names, log_mixture(laws.numbers, batch.values, step, batch.low, batch.high))


def log_mixture(laws: Mixture, values: Tensor, step: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """(...) of numbers: the probability of their cell of the grid, or their density where there is no grid."""
    scale = laws.scales.exp()
    centred = values[..., None] - laws.means
    middle = centred / scale
    density = functional.logsigmoid(middle) + functional.logsigmoid(-middle) - laws.scales
    half = step[..., None] / 2
    lowest = (values <= low + 0.25 * step)[..., None]
    highest = (values >= high - 0.25 * step)[..., None]
    above, below = (centred + half) / scale, (centred - half) / scale
    inside = torch.sigmoid(above) - torch.sigmoid(below)
    narrow = density + step.clamp(min=1e-9).log()[..., None]
    cell = torch.where(inside > 1e-5, inside.clamp(min=1e-9).log(), narrow)
    cell = torch.where(lowest, functional.logsigmoid(above), cell)
    cell = torch.where(highest, functional.logsigmoid(-below), cell)
    own = torch.where(step[..., None] > 0, cell, density)
    found: Tensor = (functional.log_softmax(laws.weights, -1) + own).logsumexp(-1)
    return found


def loss_of(model: Transformer, batch: TensorBatch, returns: float = 0.0) -> Tensor:
    """Minus the mean log-likelihood of learned decisions and, times `returns`, of the returns that followed."""
    laws = model(batch)
    loss = -_mean(log_likelihood(laws, batch).mean(-1), batch.learned)
    if returns:
        earned = batch.earned[..., None].expand_as(batch.values)
        step = torch.full_like(earned, shapes.RETURN_STEP)
        followed = log_mixture(laws.returns, earned, step, LOWEST, HIGHEST).mean(-1)
        loss = loss - returns * _mean(followed, batch.known)
    return loss


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    weights = counted.float()
    return (values * weights).sum() / weights.sum().clamp(min=1)
