"""Index arrays in their cheapest form: slices where numbers are consecutive, sums without a matrix where nothing adds up."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Index: TypeAlias = "slice | IntArray"


def compact(numbers: IntArray, total: int) -> Index:
    """A slice that selects the same entries of an axis of length `total`, or the numbers themselves."""
    numbers = np.asarray(numbers, dtype=np.int64)
    if len(numbers) == total and np.array_equal(numbers, np.arange(total)):
        return slice(None)
    if len(numbers) and np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers))):
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return numbers


class Sum:
    """What adds up into what: ``y[target[i]] += x[i]``; the array libraries keep their own form of it in `forms`.

    Parameters
    ----------
    target : (n,) int
        Where each entry goes.
    total : int
        Number of targets.
    """

    def __init__(self, target: IntArray, total: int) -> None:
        self.target = np.asarray(target, dtype=np.int64)
        self.total = total
        self.is_identity = len(self.target) == total and np.array_equal(self.target, np.arange(total))
        self.forms: dict[str, Any] = {}
