"""The few array functions that a period needs, so that one `step` serves every array library.

`NumpyArrays` is the default; `torch_arrays.TorchArrays` gives gradients and runs on a GPU. Functions that change
entries return the array: numpy works in place on arrays that the state owns, torch returns a new array. So what
simulates writes ``a = arrays.put(a, ...)`` and never assigns to a part of an array. Beside these functions it uses what
all libraries share: arithmetic, comparisons, ``&``, ``|``, ``~``, shapes, and parts such as ``a[:, line]``; entries
whose numbers stand in an array are taken with `take`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy import sparse, special

from marl_supply.topology.incidence import Index, Sum

Array = Any
SUMMED = 600.0
"""Largest mean of a Poisson law whose probabilities are added up one by one; e to its negative is still a number."""
SMALLEST_TERM = 1e-18
"""Probability that no longer changes a sum near 1."""


class Arrays(Protocol):
    """What a period asks of an array library. `b` is an array or a number; an index counts along the first axis.

    Attributes
    ----------
    name : str
        Tells forms of a `Sum` apart.
    slack : float
        Relative error that the rules which divide whole units forgive.
    """

    name: str
    slack: float

    def zeros(self, *shape: int) -> Array: ...

    def constant(self, values: Any) -> Array:
        """Numbers that never change; what was made of an array may be kept as long as that array lives."""
        ...

    def given(self, values: Any) -> Array:
        """Numbers of this period, such as demand: `values` may be written over later."""
        ...

    def minimum(self, a: Array, b: Any) -> Array: ...
    def maximum(self, a: Array, b: Any) -> Array: ...
    def floor(self, a: Array) -> Array: ...
    def ceil(self, a: Array) -> Array: ...
    def exp(self, a: Array) -> Array: ...

    def round(self, a: Array) -> Array:
        """Half to even."""
        ...

    def less(self, a: Array, b: Any) -> Array:
        """1.0 where a < b, else 0.0."""
        ...

    def where(self, condition: Array, a: Any, b: Any) -> Array: ...

    def nth_largest(self, a: Array, number: Array) -> Array:
        """(r, B) of (r, c, B) along c the largest for number (r, B) 1, the next for 2, ...; the largest for 0 too."""
        ...

    def any(self, a: Array) -> bool:
        """False only where nothing is true: a library that would have to wait for its device says True unseen.

        So it may spare work that changes nothing, and bound no loop.
        """
        ...

    def take(self, a: Array, index: Index) -> Array:
        """The entries, in the shape of the index; it may share memory with `a`."""
        ...

    def put(self, a: Array, index: Index, values: Any) -> Array: ...
    def add_at(self, a: Array, index: Index, values: Any) -> Array: ...

    def put_columns(self, a: Array, columns: Index, values: Any) -> Array:
        """Fill some places of the last axis."""
        ...

    def concat(self, parts: list[Array]) -> Array: ...
    def stack(self, parts: list[Array], axis: int) -> Array: ...

    def copy(self, a: Array) -> Array:
        """An array that `put` and `add_at` may change without changing `a`."""
        ...

    def add_up(self, total: Sum, a: Array) -> Array:
        """(targets, B) sums of (entries, B); the result may share memory with `a` when nothing adds up."""
        ...

    def binomial(self, count: Array, probability: Any, uniform: Array) -> Array:
        """The smallest k with P(X <= k) > uniform, X ~ Binomial(count, probability); `count` holds whole numbers."""
        ...

    def poisson(self, mean: Array, uniform: Array) -> Array:
        """The smallest k with P(X <= k) > uniform, X ~ Poisson(mean); `mean` is not negative."""
        ...


class NumpyArrays:
    """float64 numpy; `put` and `add_at` work in place."""

    name = "numpy"
    slack = 1e-9

    def zeros(self, *shape: int) -> Array:
        return np.zeros(shape)

    def constant(self, values: Any) -> Array:
        return np.asarray(values, dtype=np.float64)

    given = constant

    def minimum(self, a: Array, b: Any) -> Array:
        return np.minimum(a, b)

    def maximum(self, a: Array, b: Any) -> Array:
        return np.maximum(a, b)

    def floor(self, a: Array) -> Array:
        return np.floor(a)

    def ceil(self, a: Array) -> Array:
        return np.ceil(a)

    def exp(self, a: Array) -> Array:
        return np.exp(a)

    def round(self, a: Array) -> Array:
        return np.rint(a)

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        return np.where(condition, a, b)

    def take(self, a: Array, index: Index) -> Array:
        return a[index] if type(index) is slice else a.take(index, 0)  # a third of the cost of a[index] on small arrays

    def put(self, a: Array, index: Index, values: Any) -> Array:
        a[index] = values
        return a

    def add_at(self, a: Array, index: Index, values: Any) -> Array:
        a[index] += values
        return a

    def put_columns(self, a: Array, columns: Index, values: Any) -> Array:
        a[..., columns] = values
        return a

    def concat(self, parts: list[Array]) -> Array:
        return np.concatenate(parts)

    def stack(self, parts: list[Array], axis: int) -> Array:
        return np.stack(parts, axis)

    def copy(self, a: Array) -> Array:
        return a.copy()

    def add_up(self, total: Sum, a: Array) -> Array:
        if total.is_identity:
            return a
        if self.name not in total.forms:
            ones = (np.ones(len(total.target)), (total.target, total.entry))
            total.forms[self.name] = sparse.csr_array(ones, shape=(total.total, total.size))
        return total.forms[self.name] @ a

    def any(self, a: Array) -> bool:
        return bool(a.any())

    def less(self, a: Array, b: Any) -> Array:
        return np.less(a, b) * 1.0

    def nth_largest(self, a: Array, number: Array) -> Array:
        place = a.shape[1] - np.maximum(number, 1.0).astype(np.int64)
        return np.take_along_axis(np.sort(a, axis=1), place[:, None], 1)[:, 0]

    def binomial(self, count: Array, probability: Any, uniform: Array) -> Array:
        accepted = np.zeros(np.broadcast_shapes(np.shape(count), np.shape(probability), np.shape(uniform)))
        asked = np.broadcast_to(count, accepted.shape)
        some = asked > 0
        if some.any():
            chance, number = np.broadcast_to(probability, accepted.shape), np.broadcast_to(uniform, accepted.shape)
            accepted[some] = _binomial_quantile(asked[some], chance[some], number[some])
        return accepted

    def poisson(self, mean: Array, uniform: Array) -> Array:
        mean, uniform = np.broadcast_arrays(mean, uniform)
        few = mean <= SUMMED
        demand = np.zeros(mean.shape)
        demand[few] = _summed_poisson_quantile(mean[few], uniform[few])
        demand[~few] = _poisson_quantile(mean[~few], uniform[~few])
        return demand


NUMPY = NumpyArrays()


def _binomial_quantile(count: Array, probability: Array, uniform: Array) -> Array:
    """By bisection: the distribution function is above `uniform` at `high`, and not above it below `low`."""
    low, high = np.zeros(count.shape), count.astype(float)
    while (low < high).any():
        middle = np.floor((low + high) / 2)
        above = special.bdtr(middle, count.astype(int), probability) > uniform
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
    return low


def _summed_poisson_quantile(mean: Array, uniform: Array) -> Array:
    """By adding up probabilities, until what is left of them is below rounding."""
    term = np.exp(-mean)
    reached, demand, number = term.copy(), np.zeros(mean.shape), 0
    below = reached <= uniform
    while below.any():
        number += 1
        demand += below
        term *= mean / number
        reached += term
        below &= (reached <= uniform) & ((term > SMALLEST_TERM) | (number < mean))
    return demand


def _poisson_quantile(mean: Array, uniform: Array) -> Array:
    """By bisection between 0 and a number that no uniform reaches."""
    low, high = np.zeros(mean.shape), np.ceil(mean + 12 * np.sqrt(mean))
    while (low < high).any():
        middle = np.floor((low + high) / 2)
        above = special.pdtr(middle, mean) > uniform
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
    return low


def added(a: Array, axis: int) -> Array:
    """Sums along a short axis, one number after another: rounding then does not depend on the batch."""
    total, *parts = a.swapaxes(0, axis)
    for part in parts:
        total = total + part
    return total
