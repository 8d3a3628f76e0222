"""Negative binomial demand."""

from typing import Any

from pydantic import Field, model_validator
from scipy import special

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import Array, DemandProcess, GeneratorOf
from marl_supply.demand.tabulated import draw_independent


class NegativeBinomial(DemandProcess):
    """Independent negative binomial demand: more variable than Poisson, a Poisson with a gamma mean."""

    mean: float = Field(gt=0, le=1e4, description="mean demand (units per period)")
    variance: float = Field(le=1e8, description="variance of a period's demand, above the mean (units squared)")

    @model_validator(mode="after")
    def _overdispersed(self) -> "NegativeBinomial":
        if self.variance <= self.mean:
            raise ValueError(f"variance: {self.variance} must exceed the mean, {self.mean}; raise it or use poisson")
        return self

    def cdf(self, value: Array) -> Array:
        """P(demand <= value)."""
        success = self.mean / self.variance
        size = self.mean * success / (1 - success)
        probability: Array = special.betainc(size, value + 1, success)
        return probability

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        self._takes_nothing(given)
        return Distribution.of_whole_numbers(self.cdf)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        return draw_independent(self, generator, replications), None
