"""Warnings about a topology that is well formed but may not be what its author meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from marl_supply.topology.file import Disruption, Topology
from marl_supply.topology.reach import depends_on, downstream, levels, markets_reached

Bounds = list[tuple[str, tuple[str, ...], float | None]]
"""Places in the file, the rows they bound, and by how much."""
HEAVY = 0.9
"""Share of a capacity from which on a load is called heavy."""


@dataclass(frozen=True)
class Warning:
    """One thing to look at: the place in the file, and a sentence about it."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def check(topology: Topology) -> list[Warning]:
    """Return what looks wrong in a topology; an empty list when nothing does."""
    return [warning for look in _LOOKS for warning in look(topology)]


def _unreachable(topology: Topology) -> Iterator[Warning]:
    reach = downstream(topology)
    sources = [name for name, node in topology.nodes.items() if node.kind == "source"]
    supplied = frozenset().union(*(reach[name] for name in sources))
    for name in topology.nodes:
        if name not in supplied:
            yield Warning(f"nodes.{name}", "no source can reach it, so its stock is never replenished")


def _without_demand(topology: Topology) -> Iterator[Warning]:
    for name, markets in markets_reached(topology).items():
        if not markets:
            yield Warning(f"nodes.{name}", "no market can be reached from it, so it has no reason to order or to ship")


def _no_variance(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        if market.process.variance == 0:
            yield Warning(
                f"markets.{name}",
                "its long-run variance is 0: replications are alike, intervals have no width, and a bullwhip "
                "ratio needs demand that varies within the counted periods",
            )


def _unrounded_demand(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        if topology.units == "integer" and not market.process.integer:
            yield Warning(f"markets.{name}", "its demand is not in whole units; round it, or set units: continuous")


def _short_series(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        length = market.process.periods
        if length is not None and length < topology.game.horizon:
            yield Warning(
                f"markets.{name}",
                f"its series ends after {length} of game.horizon = {topology.game.horizon} periods; "
                "shorten the horizon, or use mode: windows or bootstrap",
            )


def _holding_cost_falls(topology: Topology) -> Iterator[Warning]:
    for edge in topology.edges:
        above, below = topology.nodes[edge.from_], topology.nodes[edge.to]
        if above.kind == "stock" and above.holding_cost > below.holding_cost:
            yield Warning(
                f"nodes.{edge.to}.holding_cost",
                f"{below.holding_cost:g} is less than {above.holding_cost:g} at its supplier '{edge.from_}', "
                "so it pays to keep all stock downstream",
            )


def _overload(topology: Topology) -> Iterator[Warning]:
    """Mean demand against what can be shipped on average; close to it, queues grow long before they are endless."""
    bounds: Bounds = [(f"nodes.{name}", (name,), node.capacity) for name, node in topology.nodes.items()]
    bounds += [(f"shared.{name}", shared.rows, shared.capacity) for name, shared in topology.shared.items()]
    for place, rows, capacity in bounds:
        if capacity is None:
            continue
        load = _mean(topology, sorted({market for row in rows for market in depends_on(topology, row)}))
        disruption = topology.nodes[rows[0]].disruption if len(rows) == 1 else None
        up = 1 - share_of_time_down(disruption)
        while_up = "" if up == 1 else f" in the {up:.0%} of time that it is not down"
        if load >= capacity * up:
            yield Warning(
                f"{place}.capacity",
                f"{capacity:g} a period{while_up} is no more than {load:g}, the mean demand only it can serve",
            )
        elif load >= HEAVY * capacity * up:
            yield Warning(
                f"{place}.capacity",
                f"{load:g} of {capacity:g} a period{while_up} is a load of {load / capacity / up:.0%}: stocks and "
                "queues react slowly, so give episodes a long warm-up",
            )


def share_of_time_down(disruption: Disruption | None) -> float:
    """Return the long-run share of periods in which a random disruption lasts; scheduled ones end."""
    if disruption is None or disruption.probability == 0:
        return 0.0
    return disruption.probability / (disruption.probability + disruption.recovery)


def _crossing(topology: Topology) -> Iterator[Warning]:
    for number, edge in enumerate(topology.edges):
        if edge.longest_delay and edge.crossing:
            yield Warning(
                f"edges[{number}].crossing",
                f"'{edge.name}' takes {edge.lead_time} to {edge.lead_time + edge.longest_delay} periods and a shipment "
                "may overtake an earlier one, so positions no longer tell what arrives first; crossing: false keeps "
                "the law of the lead time without overtaking",
            )


def _constant_orders(topology: Topology) -> Iterator[Warning]:
    """A constant order other than mean demand drifts without end where customers wait."""
    stated = topology.policies.get("constant_order", {})
    for name, value in stated.items():
        order = value.get("order_quantity") if isinstance(value, dict) else value
        markets = depends_on(topology, name) if name in topology.nodes else []
        waits = markets and all(topology.markets[market].unmet == "backorder" for market in markets)
        if order is not None and waits and order != _mean(topology, markets):
            yield Warning(
                f"policies.constant_order.{name}",
                f"{order:g} a period against a mean demand of {_mean(topology, markets):g} that waits: stock or "
                "backorders grow without end",
            )


def _little_room(topology: Topology) -> Iterator[Warning]:
    rooms: Bounds = [(f"nodes.{name}", (name,), node.storage) for name, node in topology.nodes.items()]
    rooms += [(f"shared.{name}", shared.rows, shared.storage) for name, shared in topology.shared.items()]
    for place, rows, storage in rooms:
        needed = sum(_mean(topology, depends_on(topology, row)) * _longest_review(topology, row) for row in rows)
        if storage is not None and storage < needed:
            yield Warning(
                f"{place}.storage",
                f"{storage:g} is less than {needed:g}, the mean demand between two reviews that only it can serve",
            )


def _longest_review(topology: Topology, row: str) -> int:
    return max(topology.nodes[row].review)


def _never_reviewed(topology: Topology) -> Iterator[Warning]:
    for name, node in topology.nodes.items():
        if node.review_offset >= topology.game.horizon:
            yield Warning(
                f"nodes.{name}.review_offset",
                f"its first review, in period {node.review_offset}, lies beyond game.horizon = {topology.game.horizon}",
            )


def _tight_orders(topology: Topology) -> Iterator[Warning]:
    for name, node in topology.nodes.items():
        limits = [edge.order_limit for edge in topology.edges if edge.to == name]
        stated = [limit for limit in limits if limit is not None]
        load = _mean(topology, depends_on(topology, name))
        interval = sum(node.review) / len(node.review)
        if limits and len(stated) == len(limits) and sum(stated) < load * interval:
            yield Warning(
                f"nodes.{name}",
                f"its order limits allow {sum(stated) / interval:g} a period, less than {load:g}, the mean "
                "demand that only it can serve",
            )


def _no_penalty(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        for node_name in market.served_by:
            node = topology.nodes[node_name]
            key = "backorder_cost" if market.unmet == "backorder" else "lost_sale_cost"
            own = getattr(market, key)
            cost = getattr(node, key) if own is None else own
            if cost == 0 and market.price == 0:
                yield Warning(
                    f"markets.{name}", f"it has neither {key} nor price, so nothing is lost by not serving it"
                )


def _selfish_and_free(topology: Topology) -> Iterator[Warning]:
    contract = topology.contract.model_dump(exclude_none=True, exclude_defaults=True)
    if topology.game.reward != "individual" or topology.game.agents is not None or contract:
        return
    for name, node in topology.nodes.items():
        lines: list[float | None] = [edge.backorder_cost for edge in topology.edges if edge.from_ == name]
        sells = any(name in market.served_by for market in topology.markets.values())
        pays = node.backorder_cost > 0 or node.lost_sale_cost > 0 or any(lines)
        if node.kind == "stock" and lines and not sells and not pays:
            yield Warning(
                f"nodes.{name}.backorder_cost",
                "it pays nothing for backorders, so with reward: individual it does best to order nothing; "
                "share the reward or add a contract",
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


def _mean(topology: Topology, markets: list[str]) -> float:
    return sum(topology.markets[name].process.mean for name in markets)


_LOOKS: tuple[Callable[[Topology], Iterator[Warning]], ...] = (
    _unreachable,
    _without_demand,
    _no_variance,
    _unrounded_demand,
    _short_series,
    _holding_cost_falls,
    _overload,
    _tight_orders,
    _crossing,
    _constant_orders,
    _little_room,
    _never_reviewed,
    _no_penalty,
    _selfish_and_free,
    _too_short_a_game,
)
