"""CMA-ES: search by a normal distribution that learns its mean, its step and its covariance from ranks.

The method and its default settings are those of Hansen (2016), "The CMA evolution strategy: a tutorial", with negative
weights for the worse half (Jastrebski & Arnold 2006). Sides of the box are scaled to 1, and samples beyond an end are
reflected. Whole coordinates are rounded before they are played; their standard deviation is kept from falling below a
third of a unit, or rounding would hide every step (Hansen 2011; Hamano et al. 2022 bound the chance of a step). That of
the others is kept above a quarter of the finest step, where the search is done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from marl_supply.solvers.search.space import Costs, FloatArray, Found, Space

FIRST_STEP = 0.25
"""Standard deviation of the first generation, in sides of the box."""
WHOLE_DEVIATION = 1 / 3
"""Least standard deviation of a whole coordinate, units."""


def cma_es(
    costs: Costs,
    space: Space,
    start: FloatArray,
    generator: Generator,
    *,
    population: int | None = None,
    generations: int = 10_000,
    early_share: float = 0.0,
) -> Found:
    """Search from one start; the best point that was played.

    Parameters
    ----------
    start : (D,)
    generator
        Where its random numbers come from.
    population : int or None
        Candidates of a generation; 4 + 3 log D if None (more are more robust).
    generations : int
        The most.
    early_share : float
        Where above 0, it ends too when the median candidate of a generation gained, over the last 10 + D ones, no
        more than this share of its cost, and of all that it gained; else when all deviations have been the least ones
        for as many.
    """
    strategy = Strategy.of(space.dimension, population)
    state = _State.at(_scaled(space, space.inside(start[None])[0]))
    floor = np.where(space.whole, WHOLE_DEVIATION, space.finest / 4) / np.where(space.width > 0, space.width, 1.0)
    best, record = Found(space.inside(start[None])[0], math.inf), list[float]()
    patience, settled = 10 + space.dimension, 0
    for _ in range(generations):
        steps, samples = state.sample(generator, strategy)
        points = space.inside(space.low + _reflected(samples) * space.width)
        found = costs(points)
        if found.min() < best.cost:
            best = Found(points[found.argmin()], float(found.min()))
        state.learn(steps[np.argsort(found, kind="stable")], strategy)
        state.keep_above(floor)
        record.append(min([float(np.median(found)), *record[-1:]]))
        gain = _gain(record, patience)
        settled += int((state.deviation <= 1.5 * floor).all())
        if settled > patience:
            break
        if early_share > 0 and gain <= early_share * min(record[0] - record[-1], abs(record[-1])):
            break
    return best


@dataclass(frozen=True)
class Strategy:
    """Population, weights and rates for D coordinates; symbols of the tutorial's table 1 in brackets.

    Attributes
    ----------
    population, parents : int
        Candidates of a generation (lambda), and how many of them pull the mean (mu).
    weights : (population,)
        By rank, the better half positive with sum 1 (w).
    mass : float
        Variance-effective number of parents (mu_eff).
    step_rate, step_damping : float
        Of the path of the step, and of the step (c_sigma, d_sigma).
    path_rate, one_rate, many_rate : float
        Of the path of the covariance, and of its rank-one and rank-mu changes (c_c, c_1, c_mu).
    """

    population: int
    parents: int
    weights: FloatArray
    mass: float
    step_rate: float
    step_damping: float
    path_rate: float
    one_rate: float
    many_rate: float

    @classmethod
    def of(cls, dimension: int, population: int | None = None) -> Strategy:
        """The tutorial's defaults."""
        size = 4 + int(3 * math.log(dimension)) if population is None else population
        raw = math.log((size + 1) / 2) - np.log(np.arange(1, size + 1))
        parents = size // 2
        better, worse = raw[:parents], raw[parents:]
        mass, worse_mass = _mass(better), _mass(worse)
        step_rate = (mass + 2) / (dimension + mass + 5)
        one = 2 / ((dimension + 1.3) ** 2 + mass)
        many = min(1 - one, 2 * (0.25 + mass + 1 / mass - 2) / ((dimension + 2) ** 2 + mass))
        negative = min(1 + one / many, 1 + 2 * worse_mass / (mass + 2), (1 - one - many) / (dimension * many))
        weights = np.concatenate([better / better.sum(), negative * worse / np.abs(worse).sum()])
        return cls(
            population=size,
            parents=parents,
            weights=weights,
            mass=mass,
            step_rate=step_rate,
            step_damping=1 + 2 * max(0.0, math.sqrt((mass - 1) / (dimension + 1)) - 1) + step_rate,
            path_rate=(4 + mass / dimension) / (dimension + 4 + 2 * mass / dimension),
            one_rate=one,
            many_rate=many,
        )


@dataclass
class _State:
    """The distribution: mean (D,), step, covariance (D, D), their paths, and how many generations there were."""

    mean: FloatArray
    covariance: FloatArray
    step_path: FloatArray
    path: FloatArray
    step: float = FIRST_STEP
    generation: int = 0
    axes: FloatArray = field(init=False)
    lengths: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._decompose()

    @classmethod
    def at(cls, mean: FloatArray) -> _State:
        size = len(mean)
        return cls(mean, np.eye(size), np.zeros(size), np.zeros(size))

    @property
    def deviation(self) -> FloatArray:
        """(D,) standard deviation of each coordinate, in sides of the box."""
        return np.asarray(self.step * np.sqrt(np.diag(self.covariance)))

    def sample(self, generator: Generator, strategy: Strategy) -> tuple[FloatArray, FloatArray]:
        """Steps (C, D) of covariance `covariance`, and the samples they lead to."""
        drawn = generator.standard_normal((strategy.population, len(self.mean)))
        steps = (drawn * self.lengths) @ self.axes.T
        return steps, self.mean + self.step * steps

    def learn(self, steps: FloatArray, strategy: Strategy) -> None:
        """Move and reshape the distribution by the steps (C, D) of a generation, the best first."""
        size = len(self.mean)
        move = strategy.weights[: strategy.parents] @ steps[: strategy.parents]
        self.mean = self.mean + self.step * move
        rate = strategy.step_rate
        self.step_path = (1 - rate) * self.step_path + math.sqrt(rate * (2 - rate) * strategy.mass) * self._white(move)
        self.generation += 1
        length = float(np.linalg.norm(self.step_path))
        expected = math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size**2))
        settled = length / math.sqrt(1 - (1 - rate) ** (2 * self.generation)) < (1.4 + 2 / (size + 1)) * expected
        self._reshape(steps, move, settled, strategy)
        self.step *= math.exp(min(1.0, rate / strategy.step_damping * (length / expected - 1)))

    def keep_above(self, floor: FloatArray) -> None:
        """Widen the coordinates whose standard deviation fell below (D,) a floor, and find the principal axes."""
        widen = np.maximum(1.0, floor / self.deviation)
        self.covariance = widen[:, None] * self.covariance * widen
        self._decompose()

    def _reshape(self, steps: FloatArray, move: FloatArray, settled: bool, strategy: Strategy) -> None:
        """Rank-one and rank-mu change of the covariance; what is worse than the middle takes away."""
        rate, one, many = strategy.path_rate, strategy.one_rate, strategy.many_rate
        push = math.sqrt(rate * (2 - rate) * strategy.mass) if settled else 0.0
        self.path = (1 - rate) * self.path + push * move
        norms = np.sum(self._white(steps) ** 2, axis=1)
        negative = len(self.mean) / np.maximum(norms, 1e-300)
        weights = strategy.weights * np.where(strategy.weights < 0, negative, 1.0)
        unsettled = 0.0 if settled else one * rate * (2 - rate)
        kept = 1 + unsettled - one - many * strategy.weights.sum()
        self.covariance = (
            kept * self.covariance + one * np.outer(self.path, self.path) + many * (steps.T * weights) @ steps
        )

    def _white(self, steps: FloatArray) -> FloatArray:
        """Steps as if the covariance were the unit matrix."""
        return np.asarray((steps @ self.axes / self.lengths) @ self.axes.T)

    def _decompose(self) -> None:
        self.covariance = (self.covariance + self.covariance.T) / 2
        values, self.axes = np.linalg.eigh(self.covariance)
        self.lengths = np.sqrt(np.maximum(values, 1e-14 * values.max()))


def _mass(weights: FloatArray) -> float:
    """The number of equal weights that would vary as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _scaled(space: Space, point: FloatArray) -> FloatArray:
    return np.asarray((point - space.low) / np.where(space.width > 0, space.width, 1.0))


def _reflected(samples: FloatArray) -> FloatArray:
    """Samples folded back into [0, 1] at its ends."""
    return np.asarray(1 - np.abs(1 - np.mod(samples, 2)))


def _gain(record: list[float], patience: int) -> float:
    """What the last generations brought; infinite while there were too few of them."""
    return record[-1 - patience] - record[-1] if len(record) > patience else math.inf
