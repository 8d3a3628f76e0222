"""Poisson demand."""

from typing import Any

from pydantic import Field
from scipy import special

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import Array, DemandProcess, GeneratorOf
from marl_supply.demand.tabulated import draw_independent


class Poisson(DemandProcess):
    """Independent Poisson demand."""

    mean: float = Field(gt=0, le=1e6, description="mean demand (units per period)")

    @property
    def variance(self) -> float:
        return self.mean

    def cdf(self, value: Array) -> Array:
        """P(demand <= value)."""
        probability: Array = special.pdtr(value, self.mean)
        return probability

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        self._takes_nothing(given)
        return Distribution.of_whole_numbers(self.cdf)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        return draw_independent(self, generator, replications), None
