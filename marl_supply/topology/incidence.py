"""Index arrays in their cheapest form: slices for consecutive numbers, sums without a matrix where nothing adds up."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Index: TypeAlias = "slice | IntArray"


def compact(numbers: IntArray, total: int) -> Index:
    """A slice that selects the same entries of an axis of length `total`, or the numbers themselves."""
    numbers = np.asarray(numbers, dtype=np.int64)
    if len(numbers) == total and np.array_equal(numbers, np.arange(total)):
        return slice(None)
    if len(numbers) and np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers))):
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return numbers


def ints(values: Any) -> IntArray:
    """Whole numbers as an array."""
    return np.array(list(values), dtype=np.int64)


def floats(values: Any) -> FloatArray:
    """Numbers as an array."""
    return np.array(list(values), dtype=np.float64)


def members(owner: IntArray, total: int) -> list[list[int]]:
    """For each owner the numbers that belong to it, in order; negative owners are nobody."""
    members: list[list[int]] = [[] for _ in range(total)]
    for number, one in enumerate(owner.tolist()):
        if one >= 0:
            members[one].append(number)
    return members


class Sum:
    """What adds up into what: ``y[target[i]] += x[entry[i]]``; array libraries keep their own form of it in `forms`.

    Parameters
    ----------
    target : (n,) int
        Where each number goes.
    total : int
        Number of targets.
    entry : (n,) int or None
        Which number goes there; every number once, in order, if None.
    size : int or None
        How many numbers there are; n if None.
    """

    def __init__(self, target: IntArray, total: int, entry: IntArray | None = None, size: int | None = None) -> None:
        self.target = np.asarray(target, dtype=np.int64)
        self.total = total
        self.entry = np.arange(len(self.target)) if entry is None else np.asarray(entry, dtype=np.int64)
        self.size = len(self.target) if size is None else size
        self.is_identity = self.size == total and all(
            np.array_equal(numbers, np.arange(total)) for numbers in (self.target, self.entry)
        )
        self.forms: dict[str, Any] = {}

    @classmethod
    def of(cls, members: NDArray[np.bool_]) -> Sum:
        """From a (total, size) matrix of which numbers add up into which targets."""
        target, entry = np.nonzero(members)
        return cls(target, members.shape[0], entry, members.shape[1])
