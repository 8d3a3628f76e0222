"""Merton jump-diffusion demand."""

from functools import cached_property
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf, replications_of
from marl_supply.demand.tabulated import guide_table
from marl_supply.errors import InputError

MOMENT_SEQUENCES = 4_000
MAXIMUM_REDRAWS = 10_000


class Merton(DemandProcess):
    """Demand that drifts without a mean to return to: min(cap, int(base e^X)), X a random walk with jumps.

    X is 0 in the first period of a sequence and moves each period by volatility Z + jump_sd sqrt(N) Z', with
    Z and Z' standard normal and N Poisson(jumps). A whole sequence of `length` periods is redrawn until the
    mean of its values int(base e^X), before the cap, lies strictly between 0 and `mean_limit`; after `length`
    periods a new sequence begins. The defaults are the law of Liu, Hu, Peng and Yang, who use base 10, cap 20
    and limit 20; for other bases the limit keeps that proportion, twice the base, unless it is stated.

    One normal is drawn for a period, with standard deviation sqrt(volatility^2 + jump_sd^2 N): the same law.
    """

    base: float = Field(ge=1, le=1e6, description="demand where a sequence begins (units per period)")
    cap: float = Field(gt=0, description="largest demand (units per period)")
    length: int = Field(200, ge=2, description="periods in a sequence; then a new one begins (periods)")
    mean_limit: float | None = Field(
        None,
        description="bound on a sequence's mean before the cap; unstated, twice `base` (units per period)",
    )
    volatility: float = Field(
        0.01 * 15**0.5, ge=0, description="standard deviation of the diffusion of X in a period (-)"
    )
    jumps: float = Field(15.0, gt=0, le=1e4, description="mean number of jumps in a period (-)")
    jump_sd: float = Field(0.02, ge=0, description="standard deviation of one jump of X (-)")

    @model_validator(mode="after")
    def _attainable(self) -> "Merton":
        if self.limit <= self.base:
            raise ValueError(f"mean_limit: {self.limit} must exceed base, {self.base}; raise it")
        return self

    @property
    def limit(self) -> float:
        """The bound on a sequence's mean, units per period."""
        return 2 * self.base if self.mean_limit is None else self.mean_limit

    @cached_property
    def _moments(self) -> tuple[float, float]:
        demand = self.sequences(np.random.Generator(np.random.SFC64(0)), MOMENT_SEQUENCES)
        return float(demand.mean()), float(demand.var())

    @property
    def mean(self) -> float:
        """Mean over a sequence, estimated from 4,000 sequences of a fixed seed for want of a closed form."""
        return self._moments[0]

    @property
    def variance(self) -> float:
        """Variance of a period's demand over sequences and periods, estimated like the mean."""
        return self._moments[1]

    @property
    def integer(self) -> bool:
        return self.cap.is_integer()

    def uncapped(self, generator: np.random.Generator, count: int) -> Array:
        """Values int(base e^X) of sequences that no rule has rejected, shape (count, length)."""
        jumps = guide_table(Poisson(mean=self.jumps)).invert(generator.random((count, self.length - 1)))
        moves = np.sqrt(self.volatility**2 + self.jump_sd**2 * jumps)
        moves *= generator.standard_normal(moves.shape)
        walk = np.zeros((count, self.length))
        np.cumsum(moves, axis=1, out=walk[:, 1:])
        with np.errstate(over="ignore"):
            return np.floor(self.base * np.exp(walk))

    def sequences(self, generator: np.random.Generator, count: int) -> Array:
        """Whole sequences of demand, redrawn until their mean satisfies the rule, shape (count, length)."""
        demand = np.empty((count, self.length))
        waiting = np.arange(count)
        for _ in range(MAXIMUM_REDRAWS):
            values = self.uncapped(generator, len(waiting))
            mean = values.mean(axis=1)
            accepted = (mean > 0) & (mean < self.limit)
            demand[waiting[accepted]] = np.minimum(values[accepted], self.cap)
            waiting = waiting[~accepted]
            if not len(waiting):
                return demand
        raise InputError(
            f"merton: after {MAXIMUM_REDRAWS} redraws some sequence has a mean of {self.limit} or more; "
            "raise mean_limit or lower volatility and jump_sd"
        )

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """The last demand, until the sequence ends, and `base` from there on.

        The walk has no drift to speak of over a few periods, and neither the cap nor the redrawing of sequences is
        allowed for; both make demand a little smaller than this in the long run.
        """
        place = period % self.length
        start = np.full((1, replications_of(last_demand)), min(np.floor(self.base), self.cap))
        last = start if last_demand is None or place == 0 else np.asarray(last_demand)
        return np.where((place + np.arange(ahead) < self.length)[:, None], last, start)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, Array]:
        parts = [] if carry is None else [carry]
        while sum(part.shape[1] for part in parts) < BLOCK:
            parts.append(self.sequences(generator(f"sequence {len(parts)}"), replications))
        ahead = np.concatenate(parts, axis=1)
        return ahead[:, :BLOCK].T, ahead[:, BLOCK:].copy()
