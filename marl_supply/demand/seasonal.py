"""Demand with a season."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf, periods_of, replications_of
from marl_supply.demand.rounding import ROUND_DESCRIPTION, clipped_normal_mean, normal_law, shape_demand


class Seasonal(DemandProcess):
    """A sine wave with noise; its rate in period t is mean + amplitude sin(2 pi (t + phase) / cycle)."""

    mean: float = Field(gt=0, le=1e6, description="mean over a cycle (units per period)")
    amplitude: float = Field(ge=0, description="height of the wave, at most the mean (units per period)")
    cycle: float = Field(gt=0, description="length of a season's cycle (periods)")
    phase: float = Field(0.0, description="how far into the cycle period 0 lies (periods)")
    noise: Literal["poisson", "normal", "none"] = Field(
        "poisson", description="law of demand around the rate: poisson, normal with `sd`, or none"
    )
    sd: float | None = Field(
        None, gt=0, description="standard deviation of normal noise (units); only with `noise: normal`"
    )
    round: bool = Field(True, description=ROUND_DESCRIPTION)

    @model_validator(mode="after")
    def _consistent(self) -> "Seasonal":
        if self.amplitude > self.mean:
            raise ValueError(f"amplitude: {self.amplitude} exceeds the mean, {self.mean}; demand cannot be negative")
        if (self.noise == "normal") != (self.sd is not None):
            raise ValueError(f"sd: noise '{self.noise}' {'needs' if self.noise == 'normal' else 'takes no'} sd")
        return self

    @property
    def variance(self) -> float:
        """The season's variance over a cycle plus the noise's, before clipping and rounding."""
        noise = {"poisson": self.mean, "normal": (self.sd or 0.0) ** 2, "none": 0.0}[self.noise]
        return self.amplitude**2 / 2 + noise

    @property
    def integer(self) -> bool:
        return self.round or self.noise == "poisson"

    def rates(self, periods: NDArray[np.int64]) -> Array:
        """The noiseless demand of some periods, shape (n,), units per period."""
        angle = 2 * np.pi * (periods + self.phase) / self.cycle
        rate: Array = np.maximum(self.mean + self.amplitude * np.sin(angle), 0.0)
        return rate

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        self._takes_nothing(given)
        rate = float(self.rates(np.array([period]))[0])
        if self.noise == "poisson" and rate > 0:
            return Poisson(mean=rate).distribution()
        if self.sd is not None:
            return normal_law(rate, self.sd, 0.0, self.round)
        return Distribution.point(np.rint(rate) if self.round else rate)

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """The mean of each period: the wave is part of the file, so everybody may know it."""
        rate = self.rates(np.arange(period, period + ahead))
        if self.sd is not None:
            rate = clipped_normal_mean(rate, np.array(self.sd), 0.0)
        elif self.noise == "none" and self.round:
            rate = np.rint(rate)
        return np.repeat(rate[:, None], replications_of(last_demand), axis=1)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        rate = np.repeat(self.rates(periods_of(period_block))[:, None], replications, axis=1)
        if self.noise == "poisson":
            return generator("").poisson(rate).astype(np.float64), None
        if self.sd is not None:
            rate += self.sd * generator("").standard_normal((BLOCK, replications))
        return shape_demand(rate, 0.0, self.round), None
