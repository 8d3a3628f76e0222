"""The few array functions that a period needs, so that one `step` serves every array library.

`NumpyArrays` is the default. Functions that change an entry return the array they changed: numpy works in place on
arrays that the state owns, a library with gradients returns a new array.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from marl_supply.topology.incidence import Index, Sum

Array = Any


class Arrays(Protocol):
    """What a period asks of an array library."""

    name: str

    def zeros(self, *shape: int) -> Array: ...
    def constant(self, values: Any) -> Array: ...
    def minimum(self, a: Array, b: Any) -> Array: ...
    def maximum(self, a: Array, b: Any) -> Array: ...
    def floor(self, a: Array) -> Array: ...
    def ceil(self, a: Array) -> Array: ...
    def round(self, a: Array) -> Array: ...
    def where(self, condition: Array, a: Any, b: Any) -> Array: ...
    def take(self, a: Array, index: Index) -> Array: ...
    def put(self, a: Array, index: Index, values: Array) -> Array: ...
    def add_at(self, a: Array, index: Index, values: Array) -> Array: ...
    def concat(self, parts: list[Array]) -> Array: ...
    def stack(self, parts: list[Array], axis: int) -> Array: ...
    def copy(self, a: Array) -> Array: ...
    def add_up(self, total: Sum, a: Array) -> Array: ...
    def any(self, a: Array) -> bool: ...


class NumpyArrays:
    """float64 numpy; `put` and `add_at` work in place."""

    name = "numpy"

    def zeros(self, *shape: int) -> Array:
        return np.zeros(shape)

    def constant(self, values: Any) -> Array:
        return np.asarray(values, dtype=np.float64)

    def minimum(self, a: Array, b: Any) -> Array:
        return np.minimum(a, b)

    def maximum(self, a: Array, b: Any) -> Array:
        return np.maximum(a, b)

    def floor(self, a: Array) -> Array:
        return np.floor(a)

    def ceil(self, a: Array) -> Array:
        return np.ceil(a)

    def round(self, a: Array) -> Array:
        return np.rint(a)

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        return np.where(condition, a, b)

    def take(self, a: Array, index: Index) -> Array:
        return a[index]

    def put(self, a: Array, index: Index, values: Array) -> Array:
        a[index] = values
        return a

    def add_at(self, a: Array, index: Index, values: Array) -> Array:
        a[index] += values
        return a

    def concat(self, parts: list[Array]) -> Array:
        return np.concatenate(parts)

    def stack(self, parts: list[Array], axis: int) -> Array:
        return np.stack(parts, axis)

    def copy(self, a: Array) -> Array:
        return a.copy()

    def add_up(self, total: Sum, a: Array) -> Array:
        """(targets, B) sums of (entries, B); the result may share memory with `a` when nothing adds up."""
        if total.is_identity:
            return a
        if self.name not in total.forms:
            ones = (np.ones(len(total.target)), (total.target, total.entry))
            total.forms[self.name] = sparse.csr_array(ones, shape=(total.total, total.size))
        return total.forms[self.name] @ a

    def any(self, a: Array) -> bool:
        return bool(a.any())


NUMPY = NumpyArrays()


def added(a: Array, axis: int) -> Array:
    """Sums along a short axis, one number after another: rounding then does not depend on the batch."""
    parts = [a[:, number] if axis == 1 else a[number] for number in range(a.shape[axis])]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
