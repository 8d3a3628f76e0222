"""Demand of one seller whose competitor answers its price: buyers choose by price rank, difference and reference."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, StrictFloat, field_validator
from scipy import special

from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.logistic_buyers import LogisticBuyers
from marl_supply.demand.process import Array
from marl_supply.demand.responsive import ArrayFunctions, ResponsiveProcess

NUMPY: Any = np
"""As `ArrayFunctions`: what is used here of them, numpy has under the same names."""
SETTLED = 1000
"""Periods at one price after which the memory has settled: 0.99 to that power is less than 1e-4 of a price."""


class LogisticPrice(LogisticBuyers, ResponsiveProcess):
    """Poisson demand whose rate is logistic in the own price, the competitor's, and a reference price.

    With own price a, competitor's price p and reference price r, a part of a period of length l brings Poisson demand
    of mean ``factor * l * exp(u) / (1 + exp(u))`` where

        u = intercept + rank_effect * rank + difference_effect * (a - p) + competitors_effect * competitors
            + level_effect * (a + p) / 2 + reference_effect * (a - r)

    and rank is 1, plus `tied_rank` if p = a, plus `beaten_rank` if p < a. At `reaction_at` inside the period the
    competitor answers: it undercuts a by `undercut`, and returns to its highest price where that is below its lowest.
    After each change of a price the reference price moves towards the price just set, r <- w r + (1 - w) price: it
    takes in a after the first part of a period, and the competitor's answer after the second.

    Model and coefficients: Schlosser & Richly (2019), "Dynamic pricing under competition with data-driven price
    anticipations and endogenous reference price effects", Journal of Revenue and Pricing Management 18:451-464.

    The parts of a period are independent given the prices, so its demand is Poisson of their summed mean: one chance
    number gives it by inversion. Demand under two prices then differs as little as it can (the coupling is monotone in
    the mean, so demand falls in the price where the mean does), and no list of customers is needed, as it would be to
    thin the arrivals of a dominating process. `mean` and `variance` are those of the competitor's first price, kept.
    """

    competitors: int = Field(1, ge=1, description="number of competitors that buyers see (-)")
    competitor: Literal["undercuts", "fixed"] = Field(
        "undercuts", description="whether the competitor answers the price or keeps its own"
    )
    competitor_price: float = Field(30.0, ge=0, description="competitor's price at the start (money)")
    competitor_range: tuple[StrictFloat, StrictFloat] = Field(
        (1.0, 50.0), description="competitor's lowest and highest price (money)"
    )
    undercut: float = Field(1.0, gt=0, description="what the competitor stays below the own price (money)")
    reaction_at: float = Field(0.5, ge=0, le=1, description="share of the period that passes before the answer (-)")
    reference: Literal["follows", "fixed"] = Field(
        "follows", description="whether the reference price follows the prices or stays"
    )

    @field_validator("competitor_range")
    @classmethod
    def _in_order(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= bounds[0] <= bounds[1]:
            raise ValueError(f"{bounds[0]:g} to {bounds[1]:g} is no range of prices; give the lower one first")
        return bounds

    @property
    def uniforms(self) -> int:
        return 1

    @property
    def public(self) -> frozenset[str]:
        return frozenset({"competitor_price", "reference_price"})

    @property
    def usual_price(self) -> float:
        return self.competitor_price

    def start(self) -> dict[str, Array]:
        """What moves and matters: the competitor's price and the reference price, shape (1,) each."""
        memory: dict[str, Array] = {}
        if self.competitor == "undercuts":
            memory["competitor_price"] = np.array([self.competitor_price])
        if self.reference == "follows" and self.reference_effect:
            memory["reference_price"] = np.array([self.reference_price])
        return memory

    def rate(self, arrays: ArrayFunctions, price: Any, competitor_price: Any, reference_price: Any) -> Any:
        """(B,) mean demand of a whole open period, units, at prices (B,) that stay; the other two may be numbers."""
        return self.rate_among(arrays, price, [competitor_price], reference_price, self.competitors)

    def mean_after(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> Any:
        rival, answer, reference, moved, _ = self._prices(arrays, memory, price)
        first = self.reaction_at * self.rate(arrays, price, rival, reference)
        return first + (1 - self.reaction_at) * self.rate(arrays, price, answer, moved)

    def next_memory(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> dict[str, Any]:
        _, answer, _, _, following = self._prices(arrays, memory, price)
        moved = {"competitor_price": answer, "reference_price": following}
        return {name: moved[name][None] for name in memory}

    def _prices(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Competitor's price before and after its answer; reference price in both parts, and after the period."""
        rival = memory["competitor_price"][0] if "competitor_price" in memory else self.competitor_price
        reference = memory["reference_price"][0] if "reference_price" in memory else self.reference_price
        answer = self._answer(arrays, price) if self.competitor == "undercuts" else rival
        moved = following = reference
        if "reference_price" in memory:
            moved = following = self.reference_after(reference, price)
            if self.competitor == "undercuts":
                following = self.reference_after(moved, answer)
        return rival, answer, reference, moved, following

    def _answer(self, arrays: ArrayFunctions, price: Any) -> Any:
        low, high = self.competitor_range
        below = arrays.minimum(price - self.undercut, high)
        return arrays.where(below >= low, below, high)

    def respond(
        self,
        arrays: ArrayFunctions,
        memory: Mapping[str, Any],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, dict[str, Any]]:
        demand = arrays.poisson(self.mean_after(arrays, memory, price), uniform[0])
        return demand, self.next_memory(arrays, memory, price)

    def law(self, memory: Mapping[str, Array], price: float) -> Distribution:
        mean = self._mean(memory, price)
        return Distribution.of_whole_numbers(lambda value: special.pdtr(value, mean))

    def mean_at(self, price: float) -> float:
        return self._mean(self._settled(price), price)

    def variance_at(self, price: float) -> float:
        return self.mean_at(price)

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand at the price `given` (unstated: the usual one) once the market has settled."""
        price = self.usual_price if given is None else given
        return self.law(self._settled(price), price)

    def _mean(self, memory: Mapping[str, Array], price: float) -> float:
        columns = {name: values[:, None] for name, values in memory.items()}
        return float(self.mean_after(NUMPY, columns, np.array([float(price)]))[0])

    def _settled(self, price: float) -> dict[str, Array]:
        """The memory that a price leads to if it stays."""
        memory = {name: values[:, None] for name, values in self.start().items()}
        for _ in range(SETTLED if memory else 0):
            following = self.next_memory(NUMPY, memory, np.array([float(price)]))
            if all(np.array_equal(following[name], memory[name]) for name in memory):
                break
            memory = following
        return {name: values[:, 0] for name, values in memory.items()}
