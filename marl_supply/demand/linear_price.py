"""Demand that falls linearly in the price."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.responsive import ArrayFunctions, ResponsiveProcess
from marl_supply.demand.rounding import ROUND_DESCRIPTION, shaped_law


class LinearPrice(ResponsiveProcess):
    """Demand max(0, intercept - slope price + spread (2u - 1)), u uniform on [0, 1), then rounded half to even.

    The linear additive model of Petruzzi and Dada (1999), "Pricing and the newsvendor problem: a review with
    extensions", Operations Research 47:183-194, with a uniform shock. `mean` and `variance` are those at
    `reference_price`; unstated, at intercept / (2 slope), the price of the largest mean revenue without
    costs, where mean demand is intercept / 2.
    """

    intercept: float = Field(gt=0, le=1e6, description="mean demand at a price of 0 (units per period)")
    slope: float = Field(gt=0, description="demand lost for each unit of money on the price (units per period/money)")
    spread: float = Field(0.0, ge=0, description="largest shock: it is uniform on [-spread, spread] (units)")
    reference_price: float | None = Field(
        None, ge=0, description="price that the stated mean demand belongs to; unstated, intercept / (2 slope) (money)"
    )
    round: bool = Field(True, description=ROUND_DESCRIPTION)

    @property
    def uniforms(self) -> int:
        return 1

    @property
    def integer(self) -> bool:
        return self.round

    @property
    def usual_price(self) -> float:
        """The price of the stated mean, money per unit."""
        return self.intercept / (2 * self.slope) if self.reference_price is None else self.reference_price

    def respond(
        self,
        arrays: ArrayFunctions,
        memory: Mapping[str, Any],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, dict[str, Any]]:
        demand = arrays.maximum(self.intercept - self.slope * price + self.spread * (2 * uniform[0] - 1), 0.0)
        return arrays.round(demand) if self.round else demand, {}

    def mean_at(self, price: float) -> float:
        return self.distribution(given=price).mean

    def variance_at(self, price: float) -> float:
        return self.distribution(given=price).variance

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand at the price `given` (unstated: the usual one)."""
        from scipy import stats

        middle = self.intercept - self.slope * (self.usual_price if given is None else given)
        if self.spread:
            return shaped_law(stats.uniform(middle - self.spread, 2 * self.spread), 0.0, self.round)
        return Distribution.point(np.rint(max(middle, 0.0)) if self.round else max(middle, 0.0))
