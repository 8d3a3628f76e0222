"""The box of numbers that a search looks in; some coordinates are whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Costs = Callable[[FloatArray], FloatArray]
"""(C,) costs of the candidates (C, D); infinite where a candidate was dropped before it was played out."""


@dataclass(frozen=True)
class Found:
    """Where a search ended: the point (D,) and its cost."""

    point: FloatArray
    cost: float


@dataclass(frozen=True)
class Space:
    """A box of D coordinates.

    Attributes
    ----------
    low, high : (D,)
        Ends of each coordinate, both included.
    whole : (D,) bool
        Which coordinates are whole numbers.
    """

    low: FloatArray
    high: FloatArray
    whole: NDArray[np.bool_]

    @property
    def dimension(self) -> int:
        """D."""
        return len(self.low)

    @property
    def width(self) -> FloatArray:
        """(D,) length of each side."""
        return self.high - self.low

    @property
    def finest(self) -> FloatArray:
        """(D,) the smallest step worth taking: 1, or the 512th part of a side."""
        return np.where(self.whole, 1.0, self.width / 512)

    @property
    def size(self) -> float:
        """How many points the box has; infinite unless all coordinates are whole."""
        if not self.whole.all():
            return math.inf
        return float(np.prod(np.floor(self.high) - np.ceil(self.low) + 1))

    def inside(self, points: FloatArray) -> FloatArray:
        """(C, D) the nearest points of the box."""
        points = np.clip(points, self.low, self.high)
        whole = np.clip(np.rint(points), np.ceil(self.low), np.floor(self.high))
        return np.asarray(np.where(self.whole, whole, points) + 0.0)  # no -0, which would be another key than 0

    def holding(self, points: FloatArray) -> Space:
        """The box made wide enough for some points (C, D)."""
        return Space(np.minimum(self.low, points.min(0)), np.maximum(self.high, points.max(0)), self.whole)
