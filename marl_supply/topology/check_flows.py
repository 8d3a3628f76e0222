"""Warnings about what can flow: mean demand against capacities, order limits, batches and storage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from marl_supply.topology.file import Disruption, Edge, Node, Topology
from marl_supply.topology.reach import edges_into, mean_demand, unavoidable
from marl_supply.topology.warning import Warning

Needs = dict[str, list[str]]
"""For each node, the markets that no source can reach without it."""
Bounds = list[tuple[str, tuple[str, ...], float | None]]
"""Places in the file, the rows they bound, and by how much."""
HEAVY = 0.9
"""Share of a capacity from which on a load is called heavy."""
MOST_STEPS = 50
"""Cuts looked at in the search for the tightest; each is tighter than the one before, so few are needed."""


def flow_warnings(topology: Topology) -> Iterator[Warning]:
    """Yield what is wrong with what can flow."""
    needs, _ = unavoidable(topology)
    inbound = edges_into(topology)
    yield from _overload(topology, needs)
    yield from _rounded_away(topology)
    yield from _tight_orders(topology, needs, inbound)
    yield from _bottleneck(topology)
    yield from _little_room(topology, needs, inbound)
    yield from _constant_orders(topology, needs)


def share_of_time_down(disruption: Disruption | None) -> float:
    """Return the long-run share of periods in which a random disruption lasts; scheduled ones end."""
    if disruption is None or disruption.probability == 0:
        return 0.0
    return disruption.probability / (disruption.probability + disruption.recovery)


def _overload(topology: Topology, needs: Needs) -> Iterator[Warning]:
    """Mean demand against what can be shipped on average; close to it, queues grow long before they are endless."""
    bounds: Bounds = [(f"nodes.{name}", (name,), node.capacity) for name, node in topology.nodes.items()]
    bounds += [(f"shared.{name}", shared.rows, shared.capacity) for name, shared in topology.shared.items()]
    for place, rows, capacity in bounds:
        if capacity is None:
            continue
        load = _mean(topology, sorted({market for row in rows for market in needs[row]}))
        up = 1 - share_of_time_down(topology.nodes[rows[0]].disruption if len(rows) == 1 else None)
        while_up = "" if up == 1 else f" in the {up:.0%} of time that it is not down"
        if load and load >= capacity * up:
            yield Warning(
                f"{place}.capacity",
                f"{capacity:g} a period{while_up} is no more than {load:g}, the mean demand only it can serve",
            )
        elif load >= HEAVY * capacity * up > 0:
            yield Warning(
                f"{place}.capacity",
                f"{load:g} of {capacity:g} a period{while_up} is a load of {load / capacity / up:.0%}: stocks and "
                "queues react slowly, so give episodes a long warm-up",
            )


def _rounded_away(topology: Topology) -> Iterator[Warning]:
    means = mean_demand(topology)
    for number, edge in enumerate(topology.edges):
        if not edge.batch or edge.order_limit is not None:
            continue
        bound = math.ceil(4 * means[edge.to] * max(topology.nodes[edge.to].review))
        if means[edge.to] and round(bound / edge.batch) == 0:
            yield Warning(
                f"edges[{number}].batch",
                f"learners and random players order at most {bound:g} on '{edge.name}', which is rounded to no batch "
                f"of {edge.batch:g}; state an order_limit",
            )


def _tight_orders(topology: Topology, needs: Needs, inbound: dict[str, list[Edge]]) -> Iterator[Warning]:
    for name, node in topology.nodes.items():
        allowed = [_a_period(node, edge) for edge in inbound[name]]
        stated = [amount for amount in allowed if amount is not None]
        load = _mean(topology, needs[name])
        if not stated or len(stated) < len(allowed):
            continue
        if sum(stated) < load:
            yield Warning(
                f"nodes.{name}",
                f"its order limits allow {sum(stated):g} a period, less than {load:g}, the mean "
                "demand that only it can serve",
            )
        elif load >= HEAVY * sum(stated):
            yield Warning(
                f"nodes.{name}",
                f"its order limits allow {sum(stated):g} a period and {load:g}, the mean demand that only it can "
                f"serve, is {load / sum(stated):.0%} of it: a shortage is made up for slowly",
            )


def _a_period(node: Node, edge: Edge) -> float | None:
    """What an edge can bring on average, units a period, given review days and losses on the way."""
    if edge.order_limit is None:
        return None
    return edge.order_limit * len(node.review) / sum(node.review) * (1 - edge.shipping_loss / 2)


def _bottleneck(topology: Topology) -> Iterator[Warning]:
    """Several limits that mean demand cannot pass together, though each alone has another way round it."""
    limited = sum(node.capacity is not None for node in topology.nodes.values())
    if limited + sum(edge.order_limit is not None for edge in topology.edges) < 2:
        return
    graph, limits = _flow_graph(topology)
    names, room, load = _tightest(topology, graph, limits)
    if len(names) > 1 and load >= HEAVY * room:
        which = ", ".join(name for name, _ in names)
        yield Warning(
            names[0][1],
            f"{which} pass {room:g} a period together, and {load:g} is the mean demand that no other way can serve: "
            f"a load of {load / room:.0%}"
            if room
            else f"{which} pass nothing, so no demand behind them is served",
        )


def _flow_graph(topology: Topology) -> tuple[Any, dict[tuple[Any, Any], tuple[str, str]]]:
    """The chain as a network of flows, each node and edge an arc; the names and places in the file of limited arcs."""
    import networkx as nx

    graph, limits = nx.DiGraph(), {}
    graph.add_nodes_from(("source", "market"))
    for name, node in topology.nodes.items():
        arc: Any = (("in", name), ("out", name))
        graph.add_edge(*arc)
        if node.kind == "source":
            graph.add_edge("source", arc[0])
        if node.capacity is not None:
            graph.edges[arc]["capacity"] = node.capacity * (1 - share_of_time_down(node.disruption))
            limits[arc] = (f"'{name}'", f"nodes.{name}.capacity")
    for number, edge in enumerate(topology.edges):
        arc = (("out", edge.from_), ("edge", number))
        graph.add_edge(*arc)
        graph.add_edge(arc[1], ("in", edge.to))
        allowed = _a_period(topology.nodes[edge.to], edge)
        if allowed is not None:
            graph.edges[arc]["capacity"] = allowed
            limits[arc] = (f"'{edge.name}'", f"edges[{number}].order_limit")
    return graph, limits


def _tightest(
    topology: Topology, graph: Any, limits: dict[tuple[Any, Any], tuple[str, str]]
) -> tuple[list[tuple[str, str]], float, float]:
    """The limits with the highest load: their names and places, what they pass and what must pass, units a period.

    Mean demand is scaled down until it flows; each cut found on the way is tighter than the one before (Dinkelbach
    1967).
    """
    import networkx as nx

    means = {name: _waiting_mean(topology, name) for name in topology.markets}
    supplied = nx.descendants(graph, "source")
    for name, market in topology.markets.items():
        graph.add_edge(("sale", name), "market")
        for node in market.served_by:
            if ("out", node) in supplied:
                graph.add_edge(("out", node), ("sale", name))
    found: tuple[list[tuple[str, str]], float, float] = ([], 0.0, 0.0)
    scale = 1 / HEAVY
    for _ in range(MOST_STEPS):
        reached = [name for name in means if graph.in_degree(("sale", name)) and means[name] > 0]
        for name in means:
            graph.edges[("sale", name), "market"]["capacity"] = scale * means[name] if name in reached else 0.0
        value, (near, _) = nx.minimum_cut(graph, "source", "market")
        if value >= scale * sum(means[name] for name in reached) * (1 - 1e-9):
            return found
        behind = sum(means[name] for name in reached if ("sale", name) not in near)
        cut = [arc for arc in limits if arc[0] in near and arc[1] not in near]
        room = sum(graph.edges[arc]["capacity"] for arc in cut)
        found, scale = ([limits[arc] for arc in cut], room, behind), room / behind
        if not room:
            return found
    return found


def _waiting_mean(topology: Topology, market: str) -> float:
    """Mean demand that another node does not take over, units a period."""
    section = topology.markets[market]
    return section.process.mean * (1 - (section.expedite.probability if section.expedite else 0.0))


def _little_room(topology: Topology, needs: Needs, inbound: dict[str, list[Edge]]) -> Iterator[Warning]:
    """Storage below what comes in at once, or below what has been ordered when demand pauses."""
    rooms: Bounds = [(f"nodes.{name}", (name,), node.storage) for name, node in topology.nodes.items()]
    rooms += [(f"shared.{name}", shared.rows, shared.storage) for name, shared in topology.shared.items()]
    for place, rows, storage in rooms:
        if storage is None:
            continue
        each = {row: _mean(topology, needs[row]) for row in rows}
        between = sum(mean * max(topology.nodes[row].review) for row, mean in each.items())
        way = {row: min((edge.lead_time for edge in inbound[row]), default=0) for row in rows}
        ahead = between + sum(mean * way[row] for row, mean in each.items())
        if storage < between:
            yield Warning(
                f"{place}.storage",
                f"{storage:g} is less than {between:g}, the mean demand between two reviews that only it can serve",
            )
        elif storage < ahead:
            yield Warning(
                f"{place}.storage",
                f"{storage:g} is less than {ahead:g}, the mean demand of a lead time and a review: what was ordered "
                "for it has no room when demand pauses",
            )


def _constant_orders(topology: Topology, needs: Needs) -> Iterator[Warning]:
    """A constant order other than mean demand drifts without end where customers wait, a higher one wherever."""
    for name, value in topology.policies.get("constant_order", {}).items():
        order = value.get("order_quantity") if isinstance(value, dict) else value
        markets = needs.get(name, [])
        if order is None or not markets:
            continue
        mean = _mean(topology, markets)
        waits = all(topology.markets[market].unmet == "backorder" for market in markets)
        if waits and order != mean:
            yield Warning(
                f"policies.constant_order.{name}",
                f"{order:g} a period against a mean demand of {mean:g} that waits: stock or "
                "backorders grow without end",
            )
        elif not waits and order >= mean:
            yield Warning(
                f"policies.constant_order.{name}",
                f"{order:g} a period is no less than {mean:g}, the mean demand, of which some is lost: stock grows "
                "without end",
            )


def _mean(topology: Topology, markets: list[str]) -> float:
    return sum(topology.markets[name].process.mean for name in markets)
