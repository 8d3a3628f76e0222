"""Buyers who compare a price with those of other sellers, and with the price that they are used to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, StrictFloat

from marl_supply.demand.responsive import ArrayFunctions


class LogisticBuyers(BaseModel):
    """Demand of a seller whose rate is logistic in the own price, the others' prices and a reference price.

    The formula stands in `LogisticPrice`, which has one competitor. Among several, p is the lowest of the others'
    prices, rank loses `tied_rank` and `beaten_rank` to each of them, and (a + p) / 2 is the mean of all prices.
    """

    factor: float = Field(800.0, gt=0, le=1e6, description="buyers who look in a period (units per period)")
    length: float = Field(1.0, gt=0, le=1, description="share of the period that the market is open (-)")
    intercept: StrictFloat = Field(-3.89, description="log odds of a sale that no price changes (-)")
    rank_effect: StrictFloat = Field(-0.56, description="log odds for each rank of the price among all (-)")
    difference_effect: StrictFloat = Field(-0.01, description="log odds for own less competitor's price (1/money)")
    competitors_effect: StrictFloat = Field(0.07, description="log odds for each competitor (-)")
    level_effect: StrictFloat = Field(-0.03, description="log odds for the mean of all prices (1/money)")
    reference_effect: StrictFloat = Field(0.0, description="log odds for own less reference price (1/money)")
    tied_rank: float = Field(0.5, ge=0, description="ranks lost to a competitor at the same price (-)")
    beaten_rank: float = Field(1.0, ge=0, description="ranks lost to a competitor at a lower price (-)")
    reference_price: float = Field(30.0, ge=0, description="reference price at the start (money)")
    reference_memory: float = Field(
        0.9, ge=0, lt=1, description="weight of the old reference price when a price changes (-)"
    )

    def rate_among(
        self, arrays: ArrayFunctions, price: Any, others: Sequence[Any], reference_price: Any, competitors: int
    ) -> Any:
        """(B,) mean demand of a whole open period, units, at prices (B,) that stay.

        Parameters
        ----------
        others
            The others' prices, (B,) or a number each; at least one.
        reference_price : (B,) or float
            Money a unit.
        competitors : int
            How many others buyers see.
        """
        rank, lowest, total = 1.0, price * 0.0 + others[0], price
        for other in others:
            other = price * 0.0 + other
            beaten, cheaper = arrays.less(other, price), arrays.less(price, other)
            rank = rank + self.beaten_rank * beaten + self.tied_rank * (1.0 - beaten - cheaper)
            lowest, total = arrays.minimum(lowest, other), total + other
        odds = (
            self.intercept
            + self.rank_effect * rank
            + self.difference_effect * (price - lowest)
            + self.competitors_effect * competitors
            + self.level_effect * total / (len(others) + 1)
            + self.reference_effect * (price - reference_price)
        )
        return self.factor * self.length / (1.0 + arrays.exp(-odds))

    def reference_after(self, reference_price: Any, price: Any) -> Any:
        """(B,) the reference price once a price (B,) was set."""
        return self.reference_memory * reference_price + (1 - self.reference_memory) * price
