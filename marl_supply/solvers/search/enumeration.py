"""Enumeration of a box: every point of it where all coordinates are whole, or an even lattice."""

from __future__ import annotations

import numpy as np

from marl_supply.solvers.search.space import Costs, FloatArray, Found, Space


def enumeration(costs: Costs, space: Space) -> Found:
    """The least cost over all points of a box of whole numbers.

    Raises
    ------
    ValueError
        If a coordinate is not whole, so that the box has no end of points.
    """
    points = every_point(space)
    found = costs(points)
    best = int(found.argmin())
    return Found(points[best], float(found[best]))


def every_point(space: Space) -> FloatArray:
    """(C, D) all points of a box of whole numbers, the last coordinate running fastest."""
    if not space.whole.all():
        raise ValueError("a coordinate is not whole: the box has no end of points; use another search")
    sides = zip(space.low, space.high, strict=True)
    return _product([np.arange(np.ceil(low), np.floor(high) + 1) for low, high in sides])


def lattice(space: Space, limit: int) -> FloatArray:
    """(C, D) at most `limit` points spread evenly, as many along each coordinate; none if that is fewer than two."""
    along = int(np.floor(limit ** (1 / space.dimension) + 1e-9))
    if along < 2:
        return np.zeros((0, space.dimension))
    centres = (np.arange(along) + 0.5) / along
    axes = space.inside(space.low + centres[:, None] * space.width)
    return _product([np.unique(axis) for axis in axes.T])


def _product(axes: list[FloatArray]) -> FloatArray:
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
