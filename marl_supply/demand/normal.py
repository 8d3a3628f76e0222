"""Normal demand, clipped and rounded."""

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


class Normal(DemandProcess):
    """Independent normal draws, moved into bounds and then rounded."""

    centre: float = Field(
        alias="mean", description="mean of the draws before clipping and rounding (units per period)"
    )
    sd: float = Field(
        gt=0, le=1e5, description="standard deviation of the draws before clipping and rounding (units)"
    )
    round: bool = Field(True, description=ROUND_DESCRIPTION)
    clip: Bounds = Field(0.0, description=CLIP_DESCRIPTION)

    @field_validator("clip")
    @classmethod
    def _bounded(cls, clip: Bounds) -> Bounds:
        bounds(clip)
        return clip

    @cached_property
    def _moments(self) -> tuple[float, float]:
        reach = (self.centre - 9 * self.sd, self.centre + 9 * self.sd)
        return clipped_moments(normal_cdf(self.centre, self.sd), reach, self.clip, self.round)

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
        draws = self.centre + self.sd * generator("").standard_normal((BLOCK, replications))
        return shape_demand(draws, self.clip, self.round), None
