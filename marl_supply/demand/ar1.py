"""Autoregressive demand of order one."""

from typing import Any

import numpy as np
from pydantic import Field

from marl_supply.demand.distribution import Law
from marl_supply.demand.process import BLOCK, Array, GeneratorOf
from marl_supply.demand.rounding import ClippedNormal, clipped_normal_mean, normal_law, shape_demand


class AR1(ClippedNormal):
    """Demand with memory: x_t - mean = correlation (x_(t-1) - mean) + shock, then clipped and rounded.

    The process starts in its stationary law. The memory is x itself, which is neither clipped nor rounded
    (Lee, So and Tang 2000, "The value of information sharing in a two-level supply chain", equation 2.1).
    """

    centre: float = Field(alias="mean", description="long-run mean of x (units per period)")
    correlation: float = Field(gt=-1, lt=1, description="correlation of successive periods (-)")
    sd: float = Field(gt=0, le=1e4, description="standard deviation of the shock of a period (units)")

    @property
    def long_run_sd(self) -> float:
        """Long-run standard deviation of x, in units: sd / sqrt(1 - correlation^2)."""
        return float(self.sd / (1 - self.correlation**2) ** 0.5)

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand; `given` is x of the period before (unstated: the stationary law)."""
        if given is None:
            return normal_law(self.centre, self.long_run_sd, self.clip, self.round)
        return normal_law(self.centre + self.correlation * (given - self.centre), self.sd, self.clip, self.round)

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """Expected clipped demand, with the last demand taken for x, which nobody sees where it was clipped."""
        if last_demand is None:
            return np.full((ahead, 1), float(self.mean))
        steps = np.arange(1, ahead + 1)[:, None]
        centre = self.centre + self.correlation**steps * (np.asarray(last_demand) - self.centre)
        sd = self.long_run_sd * np.sqrt(1 - self.correlation ** (2 * steps))
        return clipped_normal_mean(centre, sd, self.clip)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, Array]:
        shocks = self.sd * generator("").standard_normal((BLOCK, replications))
        if carry is None:
            shocks[0] *= self.long_run_sd / self.sd
        else:
            shocks[0] += self.correlation * carry
        for period in range(1, BLOCK):
            shocks[period] += self.correlation * shocks[period - 1]
        last = shocks[-1].copy()
        shocks += self.centre
        return shape_demand(shocks, self.clip, self.round), last
