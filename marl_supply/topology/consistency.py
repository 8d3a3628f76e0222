"""What must hold between the parts of a topology: names that exist, no cycle, sources that keep nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from marl_supply.demand import correlation
from marl_supply.demand.crowd import crowds_of
from marl_supply.errors import InputError, nearest

if TYPE_CHECKING:
    from marl_supply.topology.file import Market, Topology

_STOCK_KEYS = ("on_hand", "holding_cost", "backorder_cost", "lost_sale_cost", "storage", "shelf_life")


def verify(topology: Topology) -> None:
    """Raise an `InputError` that begins with the place, for the first part that contradicts another."""
    _edges_join_nodes(topology)
    _edges_have_own_names(topology)
    _sources_keep_nothing(topology)
    _markets_are_served(topology)
    _shared_rows_exist(topology)
    _edges_can_ship(topology)
    processes = {name: market.process for name, market in topology.markets.items()}
    streams = {name: market.stream for name, market in topology.markets.items() if market.stream is not None}
    correlation.verify(topology.correlation, processes, streams)
    crowds_of(processes)
    cycle = find_cycle(topology)
    if cycle:
        raise InputError(f"edges: {' -> '.join(cycle)} is a cycle; goods must flow one way, remove one of its edges")
    _game_names_exist(topology)
    _contract_names_exist(topology)
    _policies_name_rows(topology)
    if topology.units == "integer":
        _numbers_are_whole(topology)


def find_cycle(topology: Topology) -> list[str]:
    """Return the nodes of one directed cycle, its first node again at the end; empty when there is none."""
    customers: dict[str, list[str]] = {name: [] for name in topology.nodes}
    for edge in topology.edges:
        customers[edge.from_].append(edge.to)
    done: set[str] = set()
    for start in customers:
        path: list[str] = []
        pending = [(start, iter(customers[start]))]
        while pending and start not in done:
            node, rest = pending[-1]
            if len(path) < len(pending):
                path.append(node)
            following = next((name for name in rest if name not in done), None)
            if following in path:
                return [*path[path.index(following) :], following]
            if following is None:
                done.add(node)
                pending.pop()
                path.pop()
            else:
                pending.append((following, iter(customers[following])))
    return []


def missing_name(what: str, name: str, options: Iterable[str]) -> str:
    """Return ``"no node 'wholesalr' (did you mean 'wholesaler'?)"``."""
    options = list(options)
    hint = nearest(name, options) or (f"; there are {', '.join(options)}" if 0 < len(options) <= 12 else "")
    return f"no {what} '{name}'{hint}"


def _edges_join_nodes(topology: Topology) -> None:
    if not topology.nodes:
        raise InputError("nodes: is empty; give at least one node")
    for number, edge in enumerate(topology.edges):
        for end, name in (("from", edge.from_), ("to", edge.to)):
            if name not in topology.nodes:
                raise InputError(f"edges[{number}].{end}: {missing_name('node', name, topology.nodes)}")


def _edges_have_own_names(topology: Topology) -> None:
    first: dict[str, int] = {}
    for number, edge in enumerate(topology.edges):
        if edge.name in first:
            raise InputError(
                f"edges[{number}].name: '{edge.name}' is also edges[{first[edge.name]}]; "
                "give parallel edges a name each"
            )
        first[edge.name] = number


def _sources_keep_nothing(topology: Topology) -> None:
    sources = {name: node for name, node in topology.nodes.items() if node.kind == "source"}
    for name, node in sources.items():
        for key in _STOCK_KEYS:
            if getattr(node, key):
                raise InputError(f"nodes.{name}.{key}: a source keeps no stock and owes nothing; remove it")
    for number, edge in enumerate(topology.edges):
        if edge.to in sources:
            raise InputError(f"edges[{number}].to: '{edge.to}' is a source and orders nothing; make it kind: stock")


def _markets_are_served(topology: Topology) -> None:
    for name, market in topology.markets.items():
        place = f"markets.{name}.served_by"
        for node in market.served_by:
            if node not in topology.nodes:
                raise InputError(f"{place}: {missing_name('node', node, topology.nodes)}")
            if topology.nodes[node].kind == "source":
                raise InputError(f"{place}: '{node}' is a source and serves no market; make it kind: stock")
        if len(set(market.served_by)) < len(market.served_by):
            raise InputError(f"{place}: names a node twice; remove one")
        if market.expedite:
            _expediter_can_deliver(topology, f"markets.{name}.expedite.from", market)
        if market.price_range is not None:
            low, high = market.price_range
            if not low <= market.price <= high:
                raise InputError(
                    f"markets.{name}.price_range: the price {market.price:g} is not between {low:g} and {high:g}; "
                    "widen the range or change the price"
                )


def _expediter_can_deliver(topology: Topology, place: str, market: Market) -> None:
    node = market.expedite.from_ if market.expedite else ""
    if node not in topology.nodes:
        raise InputError(f"{place}: {missing_name('node', node, topology.nodes)}")
    if topology.nodes[node].kind == "source":
        raise InputError(f"{place}: '{node}' is a source and delivers to no customer; name a node that keeps stock")
    if node in market.served_by:
        raise InputError(f"{place}: '{node}' serves the market already; name another node")


def _shared_rows_exist(topology: Topology) -> None:
    rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
    for limit in ("capacity", "storage"):
        holder: dict[str, str] = {}
        for name, shared in topology.shared.items():
            if getattr(shared, limit) is None:
                continue
            for row in shared.rows:
                if row not in rows:
                    raise InputError(f"shared.{name}.rows: {missing_name('stock node', row, rows)}")
                if row in holder:
                    raise InputError(
                        f"shared.{name}.rows: '{row}' shares its {limit} in '{holder[row]}' too; take it out"
                    )
                if limit == "storage" and topology.nodes[row].storage is not None:
                    raise InputError(f"nodes.{row}.storage: it is shared in 'shared.{name}' already; remove one")
                holder[row] = name


def _edges_can_ship(topology: Topology) -> None:
    stored = {row for shared in topology.shared.values() if shared.storage is not None for row in shared.rows}
    stored |= {name for name, node in topology.nodes.items() if node.storage is not None}
    for number, edge in enumerate(topology.edges):
        place = f"edges[{number}]"
        if edge.lead_time == 0:
            for key, used in (
                ("delay", bool(edge.delay)),
                ("shipping_loss", edge.shipping_loss > 0),
                (f"storage of '{edge.to}'", edge.to in stored),
            ):
                if used:
                    raise InputError(f"{place}.lead_time: {key} needs a lead time of at least 1; raise it")
        if edge.order_limit and edge.batch and abs(edge.order_limit / edge.batch % 1) > 1e-9:
            raise InputError(
                f"{place}.order_limit: {edge.order_limit:g} is no multiple of the batch {edge.batch:g}; make it one"
            )
        if edge.delay and not edge.crossing:
            _no_crossing(place, edge.delay)
        firsts = [discount.from_ for discount in edge.discounts]
        if firsts != sorted(set(firsts)):
            raise InputError(f"{place}.discounts: their quantities do not rise; order them by 'from', each once")


def _no_crossing(place: str, delay: tuple[float, ...]) -> None:
    """Shipments that share their chance keep their order if and only if older ones are the likelier to arrive."""
    left, chances = 1.0, []
    for probability in delay[:-1]:
        chances.append(1.0 if left <= 1e-12 else probability / left)
        left -= probability
    if any(later < earlier - 1e-12 for earlier, later in itertools.pairwise([*chances, 1.0])):
        shown = ", ".join(f"{chance:.3g}" for chance in chances)
        raise InputError(
            f"{place}.delay: without crossing the chance to arrive must not fall with age, and here it is {shown}; "
            "set crossing: true, or change the probabilities"
        )


def _game_names_exist(topology: Topology) -> None:
    rows = {*topology.nodes, *topology.markets, *_edge_names(topology)}
    for name, agent in (topology.game.agents or {}).items():
        for key in ("decides", "pays"):
            for number, entry in enumerate(getattr(agent, key)):
                row = entry.partition(".")[0]
                if row not in rows:
                    missing = missing_name("node, edge or market", row, sorted(rows))
                    raise InputError(f"game.agents.{name}.{key}[{number}]: {missing}")


def _contract_names_exist(topology: Topology) -> None:
    places = {*topology.nodes, *topology.markets, *_edge_names(topology)}
    for number, transfer in enumerate(topology.contract.transfers):
        ends = {"from": transfer.from_, "to": transfer.to}
        for key, name in ends.items():
            if name not in topology.nodes:
                missing = missing_name("node", name, topology.nodes)
                raise InputError(f"contract.transfers[{number}].{key}: {missing}")
        if transfer.at not in places:
            missing = missing_name("node, edge or market", transfer.at, sorted(places))
            raise InputError(f"contract.transfers[{number}].at: {missing}")


def _policies_name_rows(topology: Topology) -> None:
    rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
    for policy, parameters in topology.policies.items():
        for row, value in parameters.items():
            place = f"policies.{policy}.{row}"
            if row not in rows and row not in _edge_names(topology):
                raise InputError(f"policies.{policy}: {missing_name('stock node', row, rows)}")
            numbers = value.items() if isinstance(value, dict) else [("", value)]
            for key, number in numbers:
                if isinstance(number, bool) or not isinstance(number, (int, float)):
                    at = f"{place}.{key}" if key else place
                    raise InputError(f"{at}: {number!r} is not a number; write a number, or {{PARAMETER: number}}")


def _numbers_are_whole(topology: Topology) -> None:
    for place, number in _stocks(topology):
        if not float(number).is_integer():
            raise InputError(f"{place}: {number:g} is not a whole number; round it, or set units: continuous")


def _stocks(topology: Topology) -> Iterator[tuple[str, float]]:
    for name, node in topology.nodes.items():
        yield f"nodes.{name}.on_hand", node.on_hand
        for key in ("capacity", "storage"):
            if getattr(node, key) is not None:
                yield f"nodes.{name}.{key}", getattr(node, key)
    for name, shared in topology.shared.items():
        for key in ("capacity", "storage"):
            if getattr(shared, key) is not None:
                yield f"shared.{name}.{key}", getattr(shared, key)
    for position, edge in enumerate(topology.edges):
        for key in ("pipeline", "orders_in_transit"):
            for slot, number in enumerate(getattr(edge, key)):
                yield f"edges[{position}].{key}[{slot}]", number
        if edge.order_limit is not None:
            yield f"edges[{position}].order_limit", edge.order_limit
        yield f"edges[{position}].batch", edge.batch


def _edge_names(topology: Topology) -> list[str]:
    return [edge.name for edge in topology.edges]
