"""Gamma demand, rounded."""

from functools import cached_property
from typing import Any

from pydantic import Field
from scipy import special

from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.demand.rounding import ROUND_DESCRIPTION, clipped_moments, shape_demand


class Gamma(DemandProcess):
    """Independent gamma draws, rounded: a skewed law that is never negative."""

    centre: float = Field(
        alias="mean", gt=0, le=1e5, description="mean of the draws before rounding (units per period)"
    )
    sd: float = Field(gt=0, le=1e5, description="standard deviation of the draws before rounding (units)")
    round: bool = Field(True, description=ROUND_DESCRIPTION)

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

    @cached_property
    def _moments(self) -> tuple[float, float]:
        if not self.round:
            return self.centre, self.sd**2
        return clipped_moments(self._cdf, (0.0, self.centre + 40 * self.sd), 0.0, rounded=True)

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def variance(self) -> float:
        return self._moments[1]

    @property
    def integer(self) -> bool:
        return self.round

    def draw(
        self, generator: GeneratorOf, replications: int, period_block: int, carry: Any
    ) -> tuple[Array, None]:
        draws = generator("").gamma(self.shape, self.scale, (BLOCK, replications))
        return shape_demand(draws, 0.0, self.round), None
