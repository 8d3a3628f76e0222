"""Markets that one crowd of customers chooses among: what each asks for depends on what is decided for all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from marl_supply.demand.process import DemandProcess
from marl_supply.demand.responsive import ArrayFunctions, ResponsiveProcess
from marl_supply.errors import InputError


class CrowdProcess(ResponsiveProcess):
    """One market of a crowd: the markets that name the same crowd state the same parameters, and an item each.

    Adding one is adding a file to this package: subclass, declare the parameters as fields, write `items`,
    `respond_together`, and the mean and variance; where exposure moves the demand also `groups` and `moments`.
    """

    crowd: str = Field("customers", description="name of the customers: those of one name choose among its markets")
    item: int = Field(ge=0, description="which of the items that they choose among this market sells, from 0 (-)")

    @property
    @abstractmethod
    def items(self) -> int:
        """How many markets the crowd chooses among."""

    @property
    def shared_over_items(self) -> bool:
        """Whether each group's exposure adds up to 1 over the items, instead of each item's over the groups."""
        return False

    @property
    def equal_exposure(self) -> float:
        """The share of each group and item where nobody decides."""
        return 1.0 / (self.items if self.shared_over_items else self.groups)

    def moments(
        self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any, exposure: Any
    ) -> tuple[Any, Any]:
        """(items, B) mean and (items, B) variance of a period's demand, for arguments as in `respond_together`.

        Raises
        ------
        InputError
            Where exposure has no say in them.
        """
        raise InputError(f"{self.kind}: no exposure moves its demand; choose a rule that decides prices")

    @property
    def keeps_prices(self) -> bool:
        """Whether a price that was decided may not hold yet: `held_prices` then says which does."""
        return False

    def held_prices(self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any) -> Any:
        """(items, B) prices that customers meet and pay, where (items, B) were decided."""
        return price

    def expect_together(
        self, arrays: ArrayFunctions, memory: Sequence[Mapping[str, Any]], price: Any
    ) -> tuple[Any, list[dict[str, Any]]]:
        """(items, B) mean demand at (items, B) prices that hold, and the memory afterwards, where no chance moves it.

        Raises
        ------
        InputError
            Where chance or exposure has a say in them.
        """
        raise InputError(f"{self.kind}: what it remembers does not follow from prices alone; simulate instead")

    @abstractmethod
    def respond_together(
        self,
        arrays: ArrayFunctions,
        memory: Sequence[Mapping[str, Any]],
        price: Any,
        exposure: Any | None,
        uniform: Any,
    ) -> tuple[Any, list[dict[str, Any]]]:
        """The demand of one period in all markets of the crowd, and their memory; changes none of its arguments.

        Parameters
        ----------
        arrays : ArrayFunctions
            The only functions to use on arrays, beside operators.
        memory : sequence of mappings of str to (n, B) array
            Item by item what the period before returned, or `start`.
        price : (items, B)
            Money per unit; the prices that hold.
        exposure : (groups, items, B) or None
            Shares; None where nobody decides them: equal ones.
        uniform : (uniforms of all markets, B)
            Chance numbers in [0, 1), item by item.

        Returns
        -------
        tuple of (items, B) array and list of dict
            Demand, units per period, never negative; and the memory, item by item.
        """

    def respond(
        self, arrays: ArrayFunctions, memory: Mapping[str, Any], price: Any, exposure: Any | None, uniform: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Refused: no market of a crowd answers alone.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"{self.kind}: the markets of crowd '{self.crowd}' answer together; use respond_together")


def crowds_of(processes: Mapping[str, DemandProcess]) -> dict[str, tuple[str, ...]]:
    """The markets of each crowd, item by item.

    Raises
    ------
    InputError
        Where the markets of a crowd differ in more than their item, or do not sell each item once; it begins with the
        place.
    """
    members: dict[str, dict[str, CrowdProcess]] = {}
    for name, process in processes.items():
        if isinstance(process, CrowdProcess):
            members.setdefault(process.crowd, {})[name] = process
    return {crowd: _by_item(crowd, those) for crowd, those in members.items()}


def _by_item(crowd: str, members: Mapping[str, CrowdProcess]) -> tuple[str, ...]:
    first, pattern = next(iter(members.items()))
    seller: dict[int, str] = {}
    for name, process in members.items():
        _same_choice(crowd, first, pattern, name, process)
        if process.item in seller:
            raise InputError(
                f"markets.{name}.item: {process.item} is sold in '{seller[process.item]}' already; give each market of "
                f"crowd '{crowd}' its own"
            )
        seller[process.item] = name
    missing = [item for item in range(pattern.items) if item not in seller]
    if missing:
        raise InputError(
            f"markets.{first}.crowd: no market of crowd '{crowd}' sells item {missing[0]} of {pattern.items}; add one"
        )
    return tuple(seller[item] for item in range(pattern.items))


def _same_choice(crowd: str, first: str, pattern: CrowdProcess, name: str, process: CrowdProcess) -> None:
    if type(process) is not type(pattern):
        raise InputError(f"markets.{name}.process: it is another than that of '{first}', of the same crowd '{crowd}'")
    for field in type(process).model_fields:
        if field != "item" and getattr(process, field) != getattr(pattern, field):
            raise InputError(
                f"markets.{name}.{field}: it differs from that of '{first}', of the same crowd '{crowd}'; state it "
                "once under defaults.market"
            )
