"""Demand that steps once from one level to another, as in Sterman's beer game."""

from typing import Any

import numpy as np
from pydantic import Field

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import Array, DemandProcess, GeneratorOf, periods_of, replications_of


class Step(DemandProcess):
    """Constant demand that changes once; without noise (Sterman 1989 uses before 4, after 8, at 4)."""

    before: float = Field(ge=0, description="demand before the step (units per period)")
    after: float = Field(ge=0, description="demand from the step on (units per period)")
    at: int = Field(ge=0, description="first period of the later level (period, counted from 0)")

    @property
    def mean(self) -> float:
        return self.after

    @property
    def variance(self) -> float:
        return 0.0

    @property
    def integer(self) -> bool:
        return self.before.is_integer() and self.after.is_integer()

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        self._takes_nothing(given)
        return Distribution.point(self.before if period < self.at else self.after)

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """The level of each period: it is part of the file, so everybody may know it."""
        level = np.where(np.arange(period, period + ahead) < self.at, self.before, self.after)
        return np.repeat(level[:, None], replications_of(last_demand), axis=1)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        level = np.where(periods_of(period_block) < self.at, self.before, self.after)
        return np.repeat(level[:, None], replications, axis=1), None
