"""What is left to chance in the slow reference simulator: which numbers there are, and what they decide.

All numbers are uniform on [0, 1) and act in the period they are drawn for.

Delays: a shipment that left in period s on an edge of lead time l is received in s + l + k if it has not been
    before and its number is below p_k / (p_k + ... + p_D); after the longest delay D it is received for certain.
    Where shipments may cross, number k of the edge decides on those that are k periods late; else one number
    decides on all of them (Kaplan 1970).
Disruptions: what works breaks, and is down at once, when its number is below `probability`; what broke works
    again when its number is below `recovery`; all work before period 0. Scheduled disruptions come on top.
Customers who are asked: the smallest k whose binomial probability of k or fewer is above the number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

Chance = Callable[[str, str, int], Sequence[float]]  # stream, name and period -> its numbers


def layout(topology: Any) -> list[tuple[str, str, int]]:
    """Stream, name and how many numbers a period, of all that is left to chance, in order."""
    edges, nodes, markets = topology.edges, topology.nodes, topology.markets
    rows = [("delay", e.name, len(e.delay) - 1 if e.crossing else 1) for e in edges if len(e.delay) > 1]
    rows += [("loss", e.name, 1) for e in edges if e.shipping_loss > 0]
    rows += [("node_disruption", n, 1) for n, node in nodes.items() if _breaks(node)]
    rows += [("edge_disruption", e.name, 1) for e in edges if _breaks(e)]
    rows += [("expedite", m, 1) for m, market in markets.items() if market.expedite]
    rows += [("demand", m, numbers_of(one)) for m, one in markets.items() if responds(one)]
    return [row for row in rows if row[2]]


def _breaks(place: Any) -> bool:
    return place.disruption is not None and place.disruption.probability > 0


def responds(market: Any) -> bool:
    """Whether demand answers to the price."""
    return hasattr(market.process, "respond")


def numbers_of(market: Any) -> int:
    """How many chance numbers a market draws a period: of customers who share theirs, the first item's market alone."""
    process = market.process
    if not hasattr(process, "crowd"):
        return int(process.uniforms)
    return 0 if process.choice == "multinomial" and process.item else sum(process.customers)


def has_arrived(edge: Any, age: int, numbers: Sequence[float]) -> bool:
    """Whether a shipment that left `age` periods ago and has not arrived before arrives now."""
    late = age - edge.lead_time
    if late < 0 or late >= len(edge.delay) - 1:
        return late >= 0
    still = sum(edge.delay[late:])
    return not still or numbers[late if edge.crossing else 0] < edge.delay[late] / still


def is_broken(disruption: Any, was_broken: bool, number: float) -> bool:
    return not number < disruption.recovery if was_broken else number < disruption.probability


def is_scheduled(disruption: Any, period: int) -> bool:
    return any(first <= period < first + disruption.length for first in disruption.at)


def binomial(asked: int, probability: float, number: float) -> int:
    """How many of those asked accept."""
    below = 0.0
    for accepted in range(asked):
        below += comb(asked, accepted) * probability**accepted * (1 - probability) ** (asked - accepted)
        if below > number:
            return accepted
    return asked
