"""Geometric demand on 0, 1, 2, ..."""

from typing import Any

import numpy as np
from pydantic import Field

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import Array, DemandProcess, GeneratorOf
from marl_supply.demand.tabulated import draw_independent


class Geometric(DemandProcess):
    """Independent geometric demand on 0, 1, ...: P(demand = k) = (1 - q) q^k with q = mean / (1 + mean)."""

    mean: float = Field(gt=0, le=1e4, description="mean demand (units per period)")

    @property
    def variance(self) -> float:
        return self.mean * (1 + self.mean)

    def cdf(self, value: Array) -> Array:
        """P(demand <= value)."""
        ratio = self.mean / (1 + self.mean)
        return np.where(value < 0, 0.0, -np.expm1((np.floor(value) + 1) * np.log(ratio)))

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        self._takes_nothing(given)
        return Distribution.of_whole_numbers(self.cdf)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        return draw_independent(self, generator, replications), None
