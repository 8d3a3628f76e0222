"""Customers who choose among products by their ratings, which recommendations raise."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictFloat, StrictInt, model_validator
from scipy import stats

from marl_supply.demand.crowd import CrowdProcess
from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.process import Array
from marl_supply.demand.responsive import ArrayFunctions

NUMPY: Any = np
"""As `ArrayFunctions`: what is used here of them, numpy has under the same names."""
WIDEST = 500.0
"""Largest range of ratings: the exponential of its negative is still a number."""


class RatingChoice(CrowdProcess):
    """Purchases of M customer groups among N products, each chosen with a probability that its rating decides.

    A recommendation of intensity a (product i, group j) raises the rating R, equation (8); the groups buy with the
    probabilities g of equation (10), and demand is equation (9), c being what a group buys in a period:

        R(i, j) = R0(i, j) + (highest_rating - R0(i, j)) * a(i, j) * efficiency
        g(i, j) = exp R(i, j) / sum over k of exp R(k, j)
        demand(i) = sum over j of d(i, j),   d(i, j) ~ Binomial(c(j), g(i, j))

    of Jiang, Liu, Ren, Wang, Zheng, Du, Peng & Zhang (2024), "Deep Reinforcement Learning for Solving Management
    Problems", section VI.

    With `choice: independent`, as printed, the d(i, j) of one group are independent, so that a group may buy more or
    less than c(j) in all. With `multinomial` each of its c(j) purchases goes to exactly one product.

    As printed a recommendation works in its own period only: R0 is the original rating (`forgetting` 1). With a smaller
    `forgetting` customers remember: R0 is then the original rating plus (1 - forgetting) times what the rating of the
    period before stood above it.

    Prices move the choice where `price_effect` is above 0: the logarithm of a product's odds then falls linearly in its
    price, and exp of a rating above is exp of the rating minus price_effect * (price - reference price), the reference
    price that of its product (multinomial logit, McFadden 1974, "Conditional logit analysis of qualitative choice
    behavior"; extension ours). Ratings themselves, and what customers remember of them, know no price. Where all
    customers buy something, prices that rise together change nothing; with `outside_rating` buying nothing is one more
    alternative, with that rating, whatever the exposure.

    Every purchase has one chance number: `independent` one for each product too, and the purchase is made where it lies
    below g; `multinomial` one for all products, whose shares of [0, 1) stand in the order of the items, buying nothing
    last. So a higher share of one product, those of the others falling, never makes a group buy less of it under the
    same numbers. `mean`, `variance` and `distribution` are those at equal exposure and reference prices, once ratings
    have settled.
    """

    ratings: tuple[tuple[StrictFloat, ...], ...] = Field(
        description="original ratings: for each product those of all customer groups, from 0 to `highest_rating` (-)"
    )
    customers: tuple[StrictInt, ...] = Field(description="what each customer group buys (units per period)")
    highest_rating: float = Field(5.0, gt=0, le=WIDEST, description="rating that recommendations lead towards (-)")
    efficiency: float = Field(
        1.0, ge=0, le=1, description="share of the way there that a full recommendation moves a rating (-)"
    )
    forgetting: float = Field(
        1.0, ge=0, le=1, description="share of what was gained that a rating loses before the next period (-)"
    )
    choice: Literal["independent", "multinomial"] = Field(
        "independent", description="whether products sell independently, or each purchase goes to exactly one"
    )
    exposure_over: Literal["customers", "products"] = Field(
        "customers",
        description="what shares of exposure add up to 1 over: all customer groups of each product, or all products of "
        "each customer group",
    )
    price_effect: float = Field(
        0.0,
        ge=0,
        description="what the logarithm of a product's odds loses for each unit of money on its price (1/money)",
    )
    reference_prices: tuple[StrictFloat, ...] = Field(
        (),
        description="for each product the price at which its rating counts as it is, for `price_effect` (money)",
    )
    outside_rating: float | None = Field(
        None, ge=0, le=WIDEST, description="rating of buying nothing; unstated, every purchase is of a product (-)"
    )

    @model_validator(mode="after")
    def _fits(self) -> "RatingChoice":
        if not self.customers or min(self.customers) < 1:
            raise ValueError("customers: each group buys at least one unit; write a list such as [10, 10]")
        for product, those in enumerate(self.ratings):
            if len(those) != len(self.customers):
                raise ValueError(
                    f"ratings: product {product} has {len(those)} of them for {len(self.customers)} customer groups; "
                    "give one for each"
                )
            if not 0 <= min(those) <= max(those) <= self.highest_rating:
                raise ValueError(f"ratings: one of product {product} is not between 0 and {self.highest_rating:g}")
        if self.item >= len(self.ratings):
            raise ValueError(f"item: {self.item} is none of the {len(self.ratings)} products rated; count from 0")
        if len(self.reference_prices) != len(self.ratings) and (self.reference_prices or self.price_effect):
            raise ValueError(
                f"reference_prices: there are {len(self.reference_prices)} for {len(self.ratings)} products; give one "
                "for each"
            )
        if min(self.reference_prices, default=0) < 0:
            raise ValueError("reference_prices: one is below 0; give prices")
        return self

    @property
    def items(self) -> int:
        return len(self.ratings)

    @property
    def groups(self) -> int:
        return len(self.customers)

    @property
    def shared_over_items(self) -> bool:
        return self.exposure_over == "products"

    @property
    def uniforms(self) -> int:
        """One for each purchase; `multinomial` draws them once, with the first item."""
        return sum(self.customers) if self.choice == "independent" or self.item == 0 else 0

    @property
    def public(self) -> frozenset[str]:
        return frozenset({"rating"})

    @property
    def usual_price(self) -> float:
        """The own reference price; 0 where none is stated, and prices do not move this demand."""
        return self.reference_prices[self.item] if self.reference_prices else 0.0

    @cached_property
    def originals(self) -> Array:
        """(groups, items, 1) the original ratings."""
        return np.array(self.ratings).T[:, :, None]

    @cached_property
    def buyers(self) -> NDArray[np.int64]:
        """(purchases,) the group of each purchase of a period."""
        return np.repeat(np.arange(self.groups), self.customers)

    def start(self) -> dict[str, Array]:
        """The own product's ratings, (groups,), where customers remember them."""
        return {} if self.forgetting == 1 else {"rating": np.array(self.ratings[self.item])}

    def ratings_after(self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], exposure: Any) -> Any:
        """(groups, items, B) ratings of a period at exposures of that shape, given what the items remember."""
        before = arrays.constant(self.originals)
        if self.forgetting < 1:
            last = arrays.stack([own["rating"] for own in memory], 1)
            before = before + (1 - self.forgetting) * (last - before)
        return before + (self.highest_rating - before) * exposure * self.efficiency

    def chances(self, arrays: ArrayFunctions, rating: Any, price: Any = None) -> Any:
        """(groups, items, B) probabilities of each group to buy each item, at ratings of that shape.

        At (items, B) prices, money; unstated, at the reference prices.
        """
        worth, outside = rating - self.highest_rating, self.outside_rating
        nothing: Any = None if outside is None else outside - self.highest_rating
        if self.price_effect and price is not None:
            worth, nothing = self._priced(arrays, worth, nothing, price)
        weight = arrays.exp(worth)
        total = weight[:, 0]
        for item in range(1, self.items):  # one after another: rounding then does not depend on the batch
            total = total + weight[:, item]
        if nothing is not None:
            total = total + arrays.exp(total * 0 + nothing)
        return weight / total[:, None]

    def _priced(self, arrays: ArrayFunctions, worth: Any, nothing: Any, price: Any) -> tuple[Any, Any]:
        """What products and nothing are worth at prices, the best of them 0, so that no price is too large or small."""
        each = [
            worth[:, item] - self.price_effect * (price[item] - reference)[None]
            for item, reference in enumerate(self.reference_prices)
        ]
        best = each[0]
        for own in each[1:]:
            best = arrays.maximum(best, own)
        if nothing is not None:
            nothing = best * 0 + nothing
            best = arrays.maximum(best, nothing)
            nothing = nothing - best
        return arrays.stack([own - best for own in each], 1), nothing

    def moments(
        self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any, exposure: Any
    ) -> tuple[Any, Any]:
        chance = self.chances(arrays, self.ratings_after(arrays, memory, exposure), price)
        mean = self.customers[0] * chance[0]
        variance = mean * (1 - chance[0])
        for group in range(1, self.groups):
            bought = self.customers[group] * chance[group]
            mean, variance = mean + bought, variance + bought * (1 - chance[group])
        return mean, variance

    def respond_together(
        self,
        arrays: ArrayFunctions,
        memory: Sequence[Mapping[str, Any]],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, list[dict[str, Any]]]:
        if exposure is None:
            exposure = arrays.zeros(self.groups, self.items, uniform.shape[1]) + self.equal_exposure
        rating = self.ratings_after(arrays, memory, exposure)
        chance = arrays.take(self.chances(arrays, rating, price), self.buyers)
        bought = self._independent if self.choice == "independent" else self._one_each
        remembered = [{"rating": rating[:, item]} if self.forgetting < 1 else {} for item in range(self.items)]
        return bought(arrays, chance, uniform), remembered

    def _independent(self, arrays: ArrayFunctions, chance: Any, uniform: Any) -> Any:
        """(items, B) purchases, from the chance (customers, items, B) of each."""
        numbers = uniform.reshape(self.items, sum(self.customers), uniform.shape[1]).swapaxes(0, 1)
        return arrays.less(numbers, chance).sum(0)

    def _one_each(self, arrays: ArrayFunctions, chance: Any, uniform: Any) -> Any:
        below, sold, end = arrays.zeros(uniform.shape[1]), [], arrays.zeros(*uniform.shape)
        everything = self.outside_rating is None
        for item in range(self.items - 1 if everything else self.items):
            end = end + chance[:, item]
            reached = arrays.less(uniform, end).sum(0)
            sold.append(reached - below)
            below = reached
        return arrays.stack([*sold, sum(self.customers) - below] if everything else sold, 0)

    def chances_at(self, exposure: Any = None, prices: Any = None) -> Array:
        """(groups, items) probabilities to buy under exposures (groups, items) and prices (items,) that stay.

        Unstated, under equal exposure and at the reference prices.
        """
        shown = np.full((self.groups, self.items), self.equal_exposure) if exposure is None else np.asarray(exposure)
        moved, original = shown * self.efficiency, self.originals[:, :, 0]
        kept = (1 - moved) * (1 - self.forgetting)
        settled = np.where(kept < 1, (1 - moved) * self.forgetting * original + moved * self.highest_rating, original)
        rating = settled / np.where(kept < 1, 1 - kept, 1.0)
        price = None if prices is None else np.asarray(prices, dtype=np.float64)[:, None]
        return np.asarray(self.chances(NUMPY, rating[:, :, None], price)[:, :, 0])

    def law_at(self, exposure: Any = None, prices: Any = None) -> Distribution:
        """The law of the own item's demand, for arguments as in `chances_at`."""
        chance = self.chances_at(exposure, prices)[:, self.item]
        law = Distribution.point(0)
        for bought, own in zip(self.customers, chance, strict=True):
            law = law.plus(Distribution.of(np.arange(bought + 1), stats.binom.pmf(np.arange(bought + 1), bought, own)))
        return law

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand at equal exposure, once ratings have settled, the other prices as referred to.

        `given` is the own price; unstated, the reference price too.
        """
        return self.law_at(prices=self._with_own(given))

    def mean_at(self, price: float) -> float:
        return float(np.array(self.customers) @ self.chances_at(prices=self._with_own(price))[:, self.item])

    def variance_at(self, price: float) -> float:
        chance = self.chances_at(prices=self._with_own(price))[:, self.item]
        return float(np.array(self.customers) @ (chance * (1 - chance)))

    def _with_own(self, price: float | None) -> Array | None:
        """(items,) the reference prices of the others beside a price of one's own; None where no price matters."""
        if price is None or not self.price_effect:
            return None
        prices = np.array(self.reference_prices)
        prices[self.item] = price
        return prices
