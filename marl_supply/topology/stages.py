"""Who acts together in a period: the stages in which places ship, and the levels in which rows order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from marl_supply.topology.incidence import Index, IntArray, compact, ints, members

if TYPE_CHECKING:
    from marl_supply.topology.network import Network

SOURCE = -1
"""Number of the supplier of an edge out of a source."""


@dataclass(frozen=True)
class ShippingStage:
    """Places that can ship at the same moment: all of them at once unless an internal edge has lead time 0."""

    lines: Index
    places_of_lines: Index
    single_lines: IntArray
    groups: tuple[LineGroup, ...]
    zero_lead_edges: IntArray


@dataclass(frozen=True)
class LineGroup:
    """Places of one allocation rule with equally many lines, several each.

    places: (r,) place numbers; lines: (r, c) line numbers, `c` lines to a place, in its own order.
    """

    rule: str
    places: IntArray
    lines: IntArray


@dataclass(frozen=True)
class DecisionLevel:
    """Rows that turn actions into orders at the same moment under `downstream_first`.

    rows; immediate: the edges on which their orders reach a row, without delay.
    """

    rows: IntArray
    immediate: IntArray


def shipping_stages(network: Network) -> tuple[ShippingStage, ...]:
    """One stage for all places, or, where lead times between them are 0, suppliers before customers."""
    depth = network.shipping_depth
    return tuple(_stage(network, np.flatnonzero(depth == d)) for d in range(int(depth.max(initial=0)) + 1))


def shipping_depth(network: Network) -> IntArray:
    """(P,) the stage in which each place ships; limited sources come first."""
    depth = np.zeros(len(network.places), dtype=np.int64)
    zero = np.flatnonzero((network.edge_line >= 0) & (network.lead_time == 0))
    depth[network.customer[zero[network.supplier[zero] == SOURCE]]] = 1
    for row in suppliers_first(network):
        for edge in zero[network.supplier[zero] == row]:
            depth[network.customer[edge]] = max(depth[network.customer[edge]], depth[row] + 1)
    return depth


def _stage(network: Network, places: IntArray) -> ShippingStage:
    lines = np.flatnonzero(np.isin(network.line_place, places))
    edges = network.line_edge[lines]
    zero = np.array([e for e in edges if e >= 0 and network.lead_time[e] == 0], dtype=np.int64)
    counts = np.bincount(network.line_place, minlength=len(network.places))
    lines_of = members(network.line_place, len(network.places))
    counted: dict[tuple[str, int], list[int]] = {}
    for place in places[counts[places] > 1]:
        rule = network.topology.nodes[network.places[place]].allocation
        rule = "proportional" if rule == "decided" else rule  # how wishes beyond the stock are cut
        counted.setdefault((rule, int(counts[place])), []).append(int(place))
    groups = tuple(
        LineGroup(rule, ints(alike), np.array([lines_of[place] for place in alike]))
        for (rule, _), alike in counted.items()
    )
    return ShippingStage(
        lines=compact(lines, len(network.lines)),
        places_of_lines=compact(network.line_place[lines], len(network.places)),
        single_lines=lines[counts[network.line_place[lines]] == 1],
        groups=groups,
        zero_lead_edges=zero,
    )


def decision_levels(network: Network) -> tuple[DecisionLevel, ...]:
    """Rows grouped so that each level comes after all customers whose orders reach it: markets upward."""
    height = np.zeros(len(network.rows), dtype=np.int64)
    for row in reversed(suppliers_first(network)):
        customers = network.customer[network.supplier == row]
        height[row] = 1 + height[customers].max(initial=-1)
    levels = []
    for h in range(int(height.max(initial=0)) + 1):
        rows = np.flatnonzero(height == h)
        own = np.flatnonzero(np.isin(network.customer, rows))
        levels.append(DecisionLevel(rows, np.intersect1d(network.immediate, own)))
    return tuple(levels)


def suppliers_first(network: Network) -> list[int]:
    """Row numbers in an order in which every supplier comes before its customers."""
    waiting = np.bincount(network.customer[network.supplier >= 0], minlength=len(network.rows))
    ready = [int(row) for row in np.flatnonzero(waiting == 0)]
    for row in ready:
        for edge in np.flatnonzero(network.supplier == row):
            customer = int(network.customer[edge])
            waiting[customer] -= 1
            if waiting[customer] == 0:
                ready.append(customer)
    return ready
