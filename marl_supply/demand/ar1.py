"""Autoregressive demand of order one."""

from functools import cached_property
from typing import Any

from pydantic import Field, field_validator

from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.demand.rounding import (
    CLIP_DESCRIPTION,
    ROUND_DESCRIPTION,
    Bounds,
    bounds,
    clipped_moments,
    normal_cdf,
    shape_demand,
)


class AR1(DemandProcess):
    """Demand with memory: x_t - mean = correlation (x_(t-1) - mean) + shock, then clipped and rounded.

    The process starts in its stationary law. The memory is x itself, which is neither clipped nor rounded
    (Lee, So and Tang 2000, "The value of information sharing in a two-level supply chain", equation 2.1).
    """

    centre: float = Field(alias="mean", description="long-run mean of x (units per period)")
    correlation: float = Field(gt=-1, lt=1, description="correlation of successive periods (-)")
    sd: float = Field(gt=0, le=1e4, description="standard deviation of the shock of a period (units)")
    round: bool = Field(True, description=ROUND_DESCRIPTION)
    clip: Bounds = Field(0.0, description=CLIP_DESCRIPTION)

    @field_validator("clip")
    @classmethod
    def _bounded(cls, clip: Bounds) -> Bounds:
        bounds(clip)
        return clip

    @property
    def stationary_sd(self) -> float:
        """Long-run standard deviation of x, in units: sd / sqrt(1 - correlation^2)."""
        return float(self.sd / (1 - self.correlation**2) ** 0.5)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        reach = (self.centre - 9 * self.stationary_sd, self.centre + 9 * self.stationary_sd)
        return clipped_moments(normal_cdf(self.centre, self.stationary_sd), reach, self.clip, self.round)

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
    ) -> tuple[Array, Array]:
        shocks = self.sd * generator("").standard_normal((BLOCK, replications))
        if carry is None:
            shocks[0] *= self.stationary_sd / self.sd
        else:
            shocks[0] += self.correlation * carry
        for period in range(1, BLOCK):
            shocks[period] += self.correlation * shocks[period - 1]
        last = shocks[-1].copy()
        shocks += self.centre
        return shape_demand(shocks, self.clip, self.round), last
