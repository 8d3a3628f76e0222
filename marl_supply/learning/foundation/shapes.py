"""The sizes of a model, and its inputs as numbers: what training (torch) and playing (numpy) have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.learning.foundation.decisions import CONSTANT as CONSTANT_DECISION
from marl_supply.learning.foundation.decisions import KINDS, NOMINAL
from marl_supply.learning.foundation.rows import CONSTANT as CONSTANT_ROW
from marl_supply.learning.foundation.rows import PLACES, SEEN

NAMES = 8
"""Names that a decision can be among."""
RETURN = 4
"""Numbers that tell a requested return."""
RETURN_STEP = 0.01
"""Width of the grid on which the law of a return is known."""
INPUTS = {
    "row": SEEN + CONSTANT_ROW,
    "decision": 1 + NAMES + CONSTANT_DECISION + CONSTANT_ROW,
    "question": CONSTANT_DECISION + CONSTANT_ROW,
}
"""Numbers that go into each kind of token."""
TABLES = {"kind": len(KINDS), "asked": len(KINDS), "place": PLACES}
"""Rows of each table of learned tokens."""
LEAST_SCALE, MOST_SCALE = -6.0, 4.0
"""Logarithms of the scale of a logistic law."""
EVEN = 1e-5
"""Added to the variance by which tokens are normalised."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a transformer."""

    width: int
    layers: int
    heads: int
    components: int
    window: int


def weight_sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The sizes of a transformer's weights by name; matrices are (out, in)."""
    width = shape.width
    layers = {"returned": (width, RETURN), "head": (3 * shape.components + NAMES, width)}
    layers["outcome"] = (3 * shape.components, width)
    for name, size in INPUTS.items():
        layers |= {f"{name}_in": (width, size), f"{name}_out": (width, width)}
    for number in range(shape.layers):
        block = {"attend": (3 * width, width), "attended": (width, width)}
        block |= {"units": (4 * width, width), "summed": (width, 4 * width)}
        layers |= {f"blocks.{number}.{name}": size for name, size in block.items()}
    norms = ["norm", *(f"blocks.{n}.{name}" for n in range(shape.layers) for name in ("norm_attention", "norm_units"))]
    sizes: dict[str, tuple[int, ...]] = {f"{name}.weight": size for name, size in layers.items()}
    sizes |= {f"{name}.bias": size[:1] for name, size in layers.items()}
    sizes |= {f"{name}.{part}": (width,) for name in norms for part in ("weight", "bias")}
    return sizes | {f"{name}.weight": (rows, width) for name, rows in TABLES.items()}


def slopes(heads: int) -> list[float]:
    """(heads,) how much less each head attends to a token for every period that it is older."""
    return [2.0 ** -(1 + 6 * head / max(heads - 1, 1)) for head in range(heads)]


def told(returns: NDArray[Any], hidden: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(..., RETURN) a requested return, coarse and fine; zeros but for the last where it is hidden."""
    numbers = np.stack([returns, np.tanh(10 * returns), np.tanh(50 * returns), np.zeros_like(returns)], -1)
    nothing = np.array([0.0, 0.0, 0.0, 1.0])
    return np.where(np.asarray(hidden)[..., None], nothing, numbers).astype(np.float32)


def done(values: NDArray[Any], kinds: NDArray[np.int64]) -> NDArray[np.float32]:
    """(..., n, 1 + NAMES) what was decided, as a number or as one of the names."""
    nominal = kinds == NOMINAL
    number = np.where(nominal, 0.0, values)[..., None]
    names = (values[..., None] == np.arange(NAMES)) & nominal[:, None]
    return np.concatenate([number, names], -1).astype(np.float32)
