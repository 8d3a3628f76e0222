"""What every demand process is: parameters read from a topology file, and a way to draw demand in blocks.

Demand is drawn in blocks of 64 periods by 64 replications, each block from random generators that depend only
on the seed, the market's name and the position of the block. A longer horizon or more replications therefore
extend what was drawn and change none of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from marl_supply.errors import InputError
from marl_supply.plugins import snake_case

if TYPE_CHECKING:
    from marl_supply.demand.distribution import Law

BLOCK = 64
"""Periods in a block of noise, and replications in it."""

Array = NDArray[np.float64]
GeneratorOf = Callable[[str], np.random.Generator]
"""Gives a block's generator under a label; asking twice for a label restarts the same numbers."""


class DemandProcess(BaseModel, ABC):
    """The law of one market's demand over time; a file names it in snake case beside its parameters.

    Adding a process is adding a file to this package: subclass, declare the parameters as fields, write
    `draw`; and `distribution` and `forecast` where they are known.

    Attributes
    ----------
    mean : float
        Long-run mean of demand, units per period (of a `step`: the later level).
    variance : float or None
        Long-run variance of the demand of one period, units squared; None where it is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    if TYPE_CHECKING:  # fields in some processes, computed in others

        @property
        def mean(self) -> float: ...

        @property
        def variance(self) -> float | None: ...

    @abstractmethod
    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, Any]:
        """Draw the demand of one block.

        Parameters
        ----------
        generator : callable
            `generator(label)` is a fresh generator for this seed, market, block of replications and block of
            periods.
        replications : int
            Columns to draw; always `BLOCK` when a `DemandFeed` asks.
        period_block : int
            The block covers periods `64 * period_block` to `64 * period_block + 63`.
        carry : Any
            None for block 0, and otherwise what the draw of the block before returned (the process's memory).

        Returns
        -------
        tuple of ndarray and Any
            Demand in units per period, shape (64, replications), and the memory for the next block.
        """

    @property
    def integer(self) -> bool:
        """Whether every demand is a whole number of units."""
        return True

    @property
    def periods(self) -> int | None:
        """The number of periods the process can serve; None when it never ends."""
        return None

    def evaluation(self) -> DemandProcess:
        """The process that policies are scored on: itself, unless data was held out (see `Trace`)."""
        return self

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        """The law of one period's demand, for exact solvers.

        Parameters
        ----------
        period : int
            Matters where the law changes over time.
        given : float or None
            What a process with memory remembers at the start of the period; its file says what that is.
            Unstated, the law is that of a period about which nothing is known.

        Raises
        ------
        InputError
            Where the law is not known, or the process remembers nothing that could be given.
        """
        raise InputError(
            f"{self.kind}: the law of a period's demand is known only by sampling it; "
            "simulate, or use a process with a known law such as poisson"
        )

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """Expected demand of the periods `period` to `period + ahead - 1`, known to who saw no more than this.

        Parameters
        ----------
        period : int
            The first one forecast.
        last_demand : (B,) ndarray or None
            Demand of the period before, units; None where nobody saw it.
        ahead : int
            How many periods.

        Returns
        -------
        ndarray
            Shape (ahead, B), units per period; (ahead, 1) without `last_demand`. The long-run mean here.
        """
        return np.full((ahead, replications_of(last_demand)), float(self.mean))

    @property
    def is_independent(self) -> bool:
        """Whether periods have one law and nothing foretells them: no forecast but the long-run mean."""
        return type(self).forecast is DemandProcess.forecast

    @property
    def kind(self) -> str:
        """The name that files use."""
        return snake_case(type(self).__name__)

    def _takes_nothing(self, given: float | None) -> None:
        if given is not None:
            raise InputError(f"{self.kind}: demand has no memory, so its law takes no `given`; leave it out")


def replications_of(last_demand: Array | None) -> int:
    """Columns of a forecast from this."""
    return 1 if last_demand is None else len(last_demand)


def periods_of(period_block: int) -> NDArray[np.int64]:
    """The periods of a block, shape (64,)."""
    return np.arange(period_block * BLOCK, (period_block + 1) * BLOCK)
