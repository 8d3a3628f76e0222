"""Warnings about a topology that is well formed but may not be what its author meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from marl_supply.topology.file import Topology
from marl_supply.topology.reach import depends_on, downstream, levels, markets_reached


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
    for name, node in topology.nodes.items():
        if node.capacity is not None:
            load = _mean(topology, depends_on(topology, name))
            if load >= node.capacity:
                yield Warning(
                    f"nodes.{name}.capacity",
                    f"{node.capacity:g} a period is no more than {load:g}, the mean demand only it can serve",
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
    _no_penalty,
    _selfish_and_free,
    _too_short_a_game,
)
