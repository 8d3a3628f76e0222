"""Demand of sellers who compete for the same buyers by their prices: each may be an agent."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator
from scipy import special

from marl_supply.demand.crowd import CrowdProcess
from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.logistic_buyers import LogisticBuyers
from marl_supply.demand.process import Array
from marl_supply.demand.responsive import ArrayFunctions

NUMPY: Any = np
"""As `ArrayFunctions`: what is used here of them, numpy has under the same names."""


class LogisticRivals(LogisticBuyers, CrowdProcess):
    """Poisson demand of one of several sellers, its rate logistic in all their prices: a game of price competition.

    The rate is that of `logistic_price`, where p is the lowest of the other sellers' prices, rank counts each of them,
    and the level is the mean of all prices. With `moves: together` every price holds for the period in which it was
    decided. With `in_turn` one seller after another, item 0 first, sets its price, and
    the others' stay, as in Maskin & Tirole (1988), "A theory of dynamic oligopoly, II", Econometrica 56: two sellers
    and periods of `length` 0.5 are the market of `logistic_price` with an agent in the competitor's place.

    Agents see the prices that hold (`own_price`, `rival_price`: with `together` those of the period before), the
    reference price, which takes in each new price after the period in which it was set, and in turn the periods before
    the own move (`until_turn`).

    Demand of the sellers is independent given the prices, so one chance number each gives it by inversion, as in
    `logistic_price`. `mean`, `variance`, `distribution` and `law` are those of a price that the others let stand.
    """

    sellers: int = Field(2, ge=2, le=20, description="how many sellers compete; each is a market with its own item (-)")
    moves: Literal["together", "in_turn"] = Field(
        "together", description="whether all sellers set prices in each period, or one after another"
    )
    first_price: float = Field(30.0, ge=0, description="every seller's price before the first period (money)")

    @model_validator(mode="after")
    def _fits(self) -> "LogisticRivals":
        if self.item >= self.sellers:
            raise ValueError(f"item: {self.item} is none of the {self.sellers} sellers; count from 0")
        return self

    @property
    def items(self) -> int:
        return self.sellers

    @property
    def uniforms(self) -> int:
        return 1

    @property
    def public(self) -> frozenset[str]:
        return frozenset({"own_price", "rival_price", "reference_price", "until_turn"})

    @property
    def usual_price(self) -> float:
        return self.first_price

    def start(self) -> dict[str, Array]:
        """Prices that hold, own (1,) and others' (sellers - 1,), and what moves of reference price and turns, (1,)."""
        memory: dict[str, Array] = {
            "own_price": np.array([self.first_price]),
            "rival_price": np.full(self.sellers - 1, self.first_price),
        }
        if self.reference_effect:
            memory["reference_price"] = np.array([self.reference_price])
        if self.moves == "in_turn":
            memory["until_turn"] = np.array([float(self.item)])
        return memory

    @property
    def keeps_prices(self) -> bool:
        return self.moves == "in_turn"

    def held_prices(self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any) -> Any:
        """The prices decided, in turn of the seller whose turn it is."""
        if self.moves == "together":
            return price
        turns = [own["until_turn"][0] < 0.5 for own in memory]
        held = [arrays.where(turn, price[item], memory[item]["own_price"][0]) for item, turn in enumerate(turns)]
        return arrays.stack(held, 0)

    def expect_together(
        self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any
    ) -> tuple[Any, list[dict[str, Any]]]:
        held, reference = [price[item] for item in range(self.sellers)], self._reference(memory[0])
        means = [
            self.rate_among(arrays, own, held[:item] + held[item + 1 :], reference, self.sellers - 1)
            for item, own in enumerate(held)
        ]
        return arrays.stack(means, 0), self._remembered(arrays, memory, held)

    def _reference(self, own: Mapping[str, Any]) -> Any:
        return own["reference_price"][0] if "reference_price" in own else self.reference_price

    def _remembered(
        self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], held: list[Any]
    ) -> list[dict[str, Any]]:
        following = self._reference(memory[0])
        for item, own in enumerate(memory if self.reference_effect else ()):
            moved = self.reference_after(following, held[item])
            waits = own["until_turn"][0] > 0.5 if self.moves == "in_turn" else None
            following = moved if waits is None else arrays.where(waits, following, moved)
        kept = []
        for item, own in enumerate(memory):
            one = {
                "own_price": held[item][None],
                "rival_price": arrays.stack(held[:item] + held[item + 1 :], 0),
            }
            if self.reference_effect:
                one["reference_price"] = following[None]
            if self.moves == "in_turn":
                left = own["until_turn"]
                one["until_turn"] = arrays.where(left < 0.5, left * 0.0 + (self.sellers - 1), left - 1)
            kept.append(one)
        return kept

    def respond_together(
        self,
        arrays: ArrayFunctions,
        memory: Sequence[Mapping[str, Any]],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, list[dict[str, Any]]]:
        means, following = self.expect_together(arrays, memory, price)
        return arrays.poisson(means, uniform), following

    def mean_after(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> Any:
        """(B,) mean demand at prices (B,) that hold, if the others' prices stay as remembered, (n, B) each."""
        return self.rate_among(arrays, price, list(memory["rival_price"]), self._reference(memory), self.sellers - 1)

    def law(self, memory: Mapping[str, Array], price: float) -> Distribution:
        """The law of a period's demand at a price, if the others' prices stay as remembered."""
        columns = {name: values[:, None] for name, values in memory.items()}
        later = self.moves == "in_turn" and memory["until_turn"][0] > 0
        held = columns["own_price"][0] if later else np.array([float(price)])
        mean = float(self.mean_after(NUMPY, columns, held)[0])
        return Distribution.of_whole_numbers(lambda value: special.pdtr(value, mean))

    def mean_at(self, price: float) -> float:
        others = [self.first_price] * (self.sellers - 1)
        held = np.array([float(price)])
        return float(self.rate_among(NUMPY, held, others, self.reference_price, self.sellers - 1)[0])

    def variance_at(self, price: float) -> float:
        return self.mean_at(price)

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand at the price `given` (unstated: the usual one), the others' being the first."""
        mean = self.mean_at(self.usual_price if given is None else given)
        return Distribution.of_whole_numbers(lambda value: special.pdtr(value, mean))
