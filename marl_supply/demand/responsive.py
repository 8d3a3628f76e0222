"""Demand that answers to decisions: a market that asks for more or less as its price and exposure change."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from marl_supply.demand.distribution import Law
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.errors import InputError


class ArrayFunctions(Protocol):
    """The array functions that `respond` may use; the simulator passes those of its own library."""

    def zeros(self, *shape: int) -> Any: ...
    def constant(self, values: Any) -> Any: ...
    def minimum(self, a: Any, b: Any) -> Any: ...
    def maximum(self, a: Any, b: Any) -> Any: ...
    def floor(self, a: Any) -> Any: ...
    def exp(self, a: Any) -> Any: ...
    def less(self, a: Any, b: Any) -> Any: ...
    def round(self, a: Any) -> Any: ...
    def where(self, condition: Any, a: Any, b: Any) -> Any: ...
    def concat(self, parts: list[Any]) -> Any: ...
    def stack(self, parts: list[Any], axis: int) -> Any: ...
    def take(self, a: Any, index: Any) -> Any: ...
    def poisson(self, mean: Any, uniform: Any) -> Any: ...


class ResponsiveProcess(DemandProcess):
    """A market whose demand depends on the price and the exposure decided for it in the same period.

    Adding one is adding a file to this package: subclass, declare the parameters as fields, write `respond`,
    `mean_at` and `variance_at`. Whoever orders cannot see the demand first, so such a market needs
    `demand_visible: after_ordering`.

    Attributes
    ----------
    uniforms : int
        Chance numbers that `respond` takes each period.
    groups : int
        Customer groups among which the exposure is shared; 0 where nobody decides it.
    public : frozenset of str
        The names in the memory that agents may see; the others are hidden from all of them.
    usual_price : float
        The price that `mean` and `variance` are stated at, where nobody has decided one yet.
    """

    @property
    def is_independent(self) -> bool:
        """False: demand answers to what is decided."""
        return False

    @property
    def uniforms(self) -> int:
        return 0

    @property
    def groups(self) -> int:
        return 0

    @property
    def public(self) -> frozenset[str]:
        return frozenset()

    @property
    @abstractmethod
    def usual_price(self) -> float: ...

    def start(self) -> dict[str, Array]:
        """The memory before period 0: arrays of shape (n,), by name; empty where demand forgets."""
        return {}

    @abstractmethod
    def respond(
        self,
        arrays: ArrayFunctions,
        memory: Mapping[str, Any],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, dict[str, Any]]:
        """The demand of one period, and the memory for the next; changes none of its arguments.

        Parameters
        ----------
        arrays : ArrayFunctions
            The only functions to use on arrays, beside operators: the same code then serves numpy and torch.
        memory : mapping of str to (n, B) array
            What the period before returned, or `start`.
        price : (B,)
            Money per unit.
        exposure : (groups, B) or None
            Share of each customer group's attention, -; None where nobody decides it.
        uniform : (uniforms, B)
            Chance numbers in [0, 1).

        Returns
        -------
        tuple of (B,) array and dict
            Demand, units per period, never negative; and the memory.
        """

    def next_memory(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> dict[str, Any]:
        """The memory after a period at prices (B,), where chance and exposure have no say in it.

        Raises
        ------
        InputError
            Where they have, or it is not known.
        """
        if self.start():
            raise InputError(f"{self.kind}: what it remembers does not follow from prices alone; simulate instead")
        return {}

    def mean_after(self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any) -> Any:
        """(B,) mean demand of a period at prices (B,), units, given what the market remembers, (n, B) each.

        Raises
        ------
        InputError
            Where it is not known.
        """
        raise InputError(f"{self.kind}: its mean demand after what it remembers is not known; simulate instead")

    def law(self, memory: Mapping[str, Array], price: float) -> Law:
        """The law of a period's demand, given what the market remembers, (n,) each, and a price, money per unit.

        Raises
        ------
        InputError
            Where it is not known.
        """
        if memory:
            raise InputError(f"{self.kind}: the law of its demand is known only by sampling it; simulate instead")
        return self.distribution(given=price)

    @abstractmethod
    def mean_at(self, price: float) -> float:
        """Mean demand of a period at a price (money per unit) that stays, units per period."""

    @abstractmethod
    def variance_at(self, price: float) -> float | None:
        """Variance of a period's demand at a price that stays, units squared; None where it is not known."""

    @property
    def mean(self) -> float:
        return self.mean_at(self.usual_price)

    @property
    def variance(self) -> float | None:
        return self.variance_at(self.usual_price)

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of a period's demand, where it is known; `given` is the price (unstated: the usual one)."""
        return super().distribution(period)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        """Zeros, shape (64, replications): the simulator puts in what `respond` says, period by period."""
        return np.zeros((BLOCK, replications)), None
