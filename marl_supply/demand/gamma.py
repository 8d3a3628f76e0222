"""Gamma demand, rounded."""

from typing import Any

from pydantic import Field
from scipy import special

from marl_supply.demand.distribution import Law
from marl_supply.demand.process import BLOCK, Array, GeneratorOf
from marl_supply.demand.rounding import RealValued, clipped_moments, shape_demand, shaped_law


class Gamma(RealValued):
    """Independent gamma draws, rounded: a skewed law that is never negative."""

    centre: float = Field(
        alias="mean", gt=0, le=1e5, description="mean of the draws before rounding (units per period)"
    )
    sd: float = Field(gt=0, le=1e5, description="standard deviation of the draws before rounding (units)")

    @property
    def shape(self) -> float:
        """Shape parameter of the gamma law, (mean / sd)^2."""
        return (self.centre / self.sd) ** 2

    @property
    def scale(self) -> float:
        """Scale parameter of the gamma law, sd^2 / mean, in units."""
        return self.sd**2 / self.centre

    def _cdf(self, value: Array) -> Array:
        probability: Array = special.gammainc(self.shape, value.clip(min=0) / self.scale)
        return probability

    def moments(self) -> tuple[float, float]:
        """Mean and variance of demand: the law's own, or by summation where draws are rounded."""
        if not self.round:
            return self.centre, self.sd**2
        return clipped_moments(self._cdf, (0.0, self.centre + 40 * self.sd), 0.0, rounded=True)

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        from scipy import stats

        self._takes_nothing(given)
        law = stats.gamma(self.shape, scale=self.scale)
        return shaped_law(law, 0.0, self.round, lambda n: stats.gamma(n * self.shape, scale=self.scale))

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        draws = generator("").gamma(self.shape, self.scale, (BLOCK, replications))
        return shape_demand(draws, 0.0, self.round), None
