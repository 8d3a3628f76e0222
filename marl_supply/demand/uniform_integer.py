"""Uniform demand on whole numbers."""

from typing import Any

import numpy as np
from pydantic import Field, model_validator

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import Array, DemandProcess, GeneratorOf
from marl_supply.demand.tabulated import draw_independent


class UniformInteger(DemandProcess):
    """Independent demand, each whole number from `low` to `high` equally likely."""

    low: int = Field(0, ge=0, description="smallest demand (units per period)")
    high: int = Field(ge=0, le=1_000_000, description="largest demand, itself included (units per period)")

    @model_validator(mode="after")
    def _ordered(self) -> "UniformInteger":
        if self.high < self.low:
            raise ValueError(f"high: {self.high} is below low, {self.low}; exchange them")
        return self

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        return ((self.high - self.low + 1) ** 2 - 1) / 12

    def cdf(self, value: Array) -> Array:
        """P(demand <= value)."""
        return np.clip((value - self.low + 1) / (self.high - self.low + 1), 0, 1)

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        self._takes_nothing(given)
        return Distribution.of_whole_numbers(self.cdf)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        return draw_independent(self, generator, replications), None
