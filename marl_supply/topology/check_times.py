"""Warnings about lead times, review days, disruptions and the length of a game."""

from __future__ import annotations

from collections.abc import Iterator

from marl_supply.topology.file import Disruption, Edge, Topology
from marl_supply.topology.reach import levels
from marl_supply.topology.warning import Warning


def time_warnings(topology: Topology) -> Iterator[Warning]:
    """Yield what is wrong with times."""
    yield from _crossing(topology)
    yield from _never_reviewed(topology)
    yield from _scrapped_before_the_next_review(topology)
    yield from _disruptions(topology)
    yield from _too_short_a_game(topology)


def chance_of_overtaking(edge: Edge) -> float:
    """Return the chance that a shipment arrives later than the one that left a period after it.

    Where shipments may cross, their delays k and k' are independent, and k > k' + 1 is needed: two shipments that are
    one period apart arrive together when the first takes one period more.
    """
    chances = list(enumerate(edge.delay))
    return sum(first * then for late, first in chances for soon, then in chances if late > soon + 1)


def _crossing(topology: Topology) -> Iterator[Warning]:
    for number, edge in enumerate(topology.edges):
        chance = chance_of_overtaking(edge) if edge.crossing else 0.0
        if chance:
            yield Warning(
                f"edges[{number}].crossing",
                f"'{edge.name}' takes {edge.lead_time} to {edge.lead_time + edge.longest_delay} periods and a shipment "
                f"is overtaken by the next with chance {chance:.2g}, so positions no longer tell what arrives first; "
                "crossing: false keeps the law of the lead time without overtaking",
            )


def _never_reviewed(topology: Topology) -> Iterator[Warning]:
    for name, node in topology.nodes.items():
        if node.review_offset >= topology.game.horizon:
            yield Warning(
                f"nodes.{name}.review_offset",
                f"its first review, in period {node.review_offset}, lies beyond game.horizon = {topology.game.horizon}",
            )


def _scrapped_before_the_next_review(topology: Topology) -> Iterator[Warning]:
    for name, node in topology.nodes.items():
        if node.shelf_life == 1 and max(node.review) > 1:
            yield Warning(
                f"nodes.{name}.review",
                f"it orders only every {max(node.review)} periods and with shelf_life: 1 scraps its stock after each, "
                "so it has nothing to sell in between",
            )


def _disruptions(topology: Topology) -> Iterator[Warning]:
    found: list[tuple[str, Disruption]] = [
        *((f"nodes.{name}", node.disruption) for name, node in topology.nodes.items() if node.disruption),
        *((f"edges[{number}]", edge.disruption) for number, edge in enumerate(topology.edges) if edge.disruption),
    ]
    for place, disruption in found:
        if disruption.probability and not disruption.recovery:
            yield Warning(
                f"{place}.disruption.recovery",
                f"it is 0: what breaks, in period {1 / disruption.probability:.3g} on average, never works again",
            )
        late = [period for period in disruption.at if period >= topology.game.horizon]
        if late:
            yield Warning(
                f"{place}.disruption.at", f"period {late[0]} lies beyond game.horizon = {topology.game.horizon}"
            )


def _too_short_a_game(topology: Topology) -> Iterator[Warning]:
    longest: dict[str, int] = {}
    depth = levels(topology)
    for edge in sorted(topology.edges, key=lambda edge: depth[edge.to]):
        way = longest.get(edge.from_, 0) + edge.lead_time + edge.information_delay
        longest[edge.to] = max(longest.get(edge.to, 0), way)
    total = max(longest.values(), default=0)
    if topology.game.horizon <= total:
        yield Warning(
            "game.horizon",
            f"{topology.game.horizon} periods do not exceed the {total} that lead times and delays add up to",
        )
