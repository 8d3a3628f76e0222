"""Markets whose demand answers, and customers who choose among several of them, as the simulator reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marl_supply.demand.crowd import CrowdProcess, crowds_of
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.topology.chances import ChanceTable
from marl_supply.topology.incidence import Index, IntArray, compact, ints

Answering = tuple[int, ResponsiveProcess, slice]
"""The number of a market whose demand answers, its process, and where its chance numbers stand."""


@dataclass(frozen=True)
class Crowd:
    """Customers who choose among several markets.

    process: that of the first item; markets: (n,) their numbers, item by item; entries: the same as an index; chance:
    where their chance numbers stand, item by item.
    """

    process: CrowdProcess
    markets: IntArray
    entries: Index
    chance: Index


def answering(processes: Mapping[str, DemandProcess], table: ChanceTable) -> tuple[Answering, ...]:
    """The markets whose demand answers to decisions."""
    return tuple(
        (number, process, _span(table, name, process))
        for number, (name, process) in enumerate(processes.items())
        if isinstance(process, ResponsiveProcess)
    )


def crowds_among(
    markets: Sequence[str], processes: Mapping[str, DemandProcess], responsive: Sequence[Answering], chance_size: int
) -> tuple[Crowd, ...]:
    """The crowds of a chain.

    Parameters
    ----------
    markets
        Names of all markets, in their order.
    processes
        By name.
    responsive
        The markets whose demand answers.
    chance_size : int
        Chance numbers of a period.
    """
    spans = {markets[number]: (process, span) for number, process, span in responsive}
    found = []
    for names in crowds_of(processes).values():
        process = spans[names[0]][0]
        assert isinstance(process, CrowdProcess)
        rows = np.concatenate([np.arange(spans[name][1].start, spans[name][1].stop) for name in names])
        numbers = ints(markets.index(name) for name in names)
        found.append(Crowd(process, numbers, compact(numbers, len(markets)), compact(rows, chance_size)))
    return tuple(found)


def exposed_together(crowds: Sequence[Crowd]) -> dict[int, IntArray]:
    """By market, the markets among which its customers' attention is shared."""
    sharing = [crowd for crowd in crowds if crowd.process.shared_over_items]
    return {int(number): crowd.markets for crowd in sharing for number in crowd.markets}


def _span(table: ChanceTable, market: str, process: ResponsiveProcess) -> slice:
    start = int(table.rows("demand", [market])[0]) if process.uniforms else 0
    return slice(start, start + process.uniforms)
