"""Numbers for columns of whole numbers: the states of a process as they are found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError

IntArray = NDArray[np.int64]
LARGEST_TABLE = 2**28
"""Codes that a table may have, 4 bytes each; the operating system hands out only what is used of it."""
LARGEST_CODE = 2**62


class Numbering:
    """Numbers columns in the order in which they are first met.

    Columns are coded in mixed radix between the bounds met so far. A table over all codes finds them where it is
    small enough, and sorted runs of codes elsewhere.
    """

    def __init__(self, size: int) -> None:
        self._low = np.zeros(size, dtype=np.int64)
        self._high = np.full(size, -1, dtype=np.int64)
        self._found: list[IntArray] = []
        self._count = 0
        self._table: NDArray[np.int32] | None = None
        self._runs: list[tuple[IntArray, IntArray]] = []
        self._radix = np.zeros(size, dtype=np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def columns(self) -> IntArray:
        """(w, n) all that were met, in order."""
        if len(self._found) > 1:
            self._found = [np.concatenate(self._found, axis=1)]
        return self._found[0]

    def find(self, columns: IntArray) -> IntArray:
        """(B,) numbers of columns (w, B); -1 for those never met."""
        inside = ((columns >= self._low[:, None]) & (columns <= self._high[:, None])).all(0)
        found = np.full(columns.shape[1], -1, dtype=np.int64)
        found[inside] = self._look_up(self._codes(columns[:, inside]))
        return found

    def number(self, columns: IntArray) -> IntArray:
        """(B,) numbers of columns (w, B); those never met get the next numbers."""
        low, high = columns.min(1), columns.max(1)
        if (low < self._low).any() or (high > self._high).any():
            self._widen(low, high)
        codes = self._codes(columns)
        numbers = self._look_up(codes)
        new = np.flatnonzero(numbers < 0)
        if len(new):
            fresh, first, inverse = np.unique(codes[new], return_index=True, return_inverse=True)
            self._found.append(columns[:, new[first]])
            self._remember(fresh, self._count + np.arange(len(fresh)))
            numbers[new] = self._count + inverse.ravel()
            self._count += len(fresh)
        return numbers

    def _codes(self, columns: IntArray) -> IntArray:
        return np.asarray(self._radix @ (columns - self._low[:, None]), dtype=np.int64)

    def _widen(self, low: IntArray, high: IntArray) -> None:
        """Wider bounds, with room to spare on the sides that moved, and the codes that go with them."""
        empty = self._high < self._low
        spare = np.where(empty, 0, (self._high - self._low) // 2)
        self._low = np.where(empty, low, np.where(low < self._low, low - spare, self._low))
        self._high = np.where(empty, high, np.where(high > self._high, high + spare, self._high))
        widths = [int(width) for width in self._high - self._low + 1]
        radix = [1]
        for width in widths:
            radix.append(radix[-1] * width)
        if radix[-1] > LARGEST_CODE:
            raise InputError("an exact solution: states have too many parts to number; tune a rule by simulation.")
        self._radix = np.array(radix[:-1], dtype=np.int64)
        self._runs, self._table = [], None
        if radix[-1] <= LARGEST_TABLE:
            self._table = np.zeros(radix[-1], dtype=np.int32)
        if self._count:
            codes = self._codes(self.columns)
            order = np.argsort(codes)
            self._remember(codes[order], order)

    def _remember(self, codes: IntArray, numbers: IntArray) -> None:
        """Rising codes that were not there."""
        if self._table is not None:
            self._table[codes] = numbers + 1
            return
        self._runs.append((codes, numbers))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            codes, numbers = (np.concatenate(pair) for pair in zip(*self._runs[-2:], strict=True))
            order = np.argsort(codes)
            self._runs[-2:] = [(codes[order], numbers[order])]

    def _look_up(self, codes: IntArray) -> IntArray:
        if self._table is not None:
            return self._table[codes].astype(np.int64) - 1
        found = np.full(len(codes), -1, dtype=np.int64)
        for known, numbers in self._runs:
            place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
            found = np.where(known[place] == codes, numbers[place], found)
        return found
