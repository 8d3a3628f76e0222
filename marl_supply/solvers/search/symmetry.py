"""Rows of a chain with equal data: equal themselves, and with equal edges to suppliers and customers equal in turn.

Rows, edges, markets and agents start with a colour that stands for their own data, names left out; then whatever has
different neighbours gets different colours, until nothing changes (colour refinement, Weisfeiler & Leman 1968).
Starting stock is data. The order of edges in the file is data where it matters: for a row's suppliers, since rules
order on the first one, and for its customers where it serves them by priority.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from itertools import combinations
from typing import Any

from marl_supply.economics.contracts import payments
from marl_supply.game.game import Game
from marl_supply.topology.file import Topology

Thing = tuple[str, str]
"""A kind and a name."""
Relation = tuple[Hashable, tuple[Thing, ...]]
"""What joins some things, and the things, each in its role."""

_NAMES = {"name", "from_", "to", "served_by", "stream", "product", "products", "expedite", "demand"}
"""Keys that name things: relations stand for them."""


def equal_rows(game: Game) -> tuple[tuple[str, ...], ...]:
    """The rows of a game in groups of equal data, in the order of the file.

    Examples
    --------
    >>> equal_rows(Game("one_warehouse_van_roy"))[1][:2]
    ('store_1', 'store_2')
    """
    colours = _refined(_own_data(game.topology), list(_relations(game)))
    groups: dict[int, list[str]] = {}
    for row in game.network.rows:
        groups.setdefault(colours["node", row], []).append(row)
    return tuple(tuple(group) for group in groups.values())


def _refined(data: dict[Thing, str], relations: list[Relation]) -> dict[Thing, int]:
    """Colours by thing, the coarsest that start from data and respect all relations."""
    relations = [relation for relation in relations if all(thing in data for thing in relation[1])]
    colours = _numbered(data)
    while True:
        seen: dict[Thing, list[Any]] = {thing: [] for thing in data}
        for label, things in relations:
            around = tuple(colours[thing] for thing in things)
            for role, thing in enumerate(things):
                seen[thing].append((repr(label), role, around))
        finer = _numbered({thing: (colours[thing], tuple(sorted(told))) for thing, told in seen.items()})
        if len(set(finer.values())) == len(set(colours.values())):
            return finer
        colours = finer


def _numbered(values: dict[Thing, Any]) -> dict[Thing, int]:
    number: dict[Any, int] = {}
    return {thing: number.setdefault(value, len(number)) for thing, value in values.items()}


def _own_data(topology: Topology) -> dict[Thing, str]:
    """By thing, its keys of the file but for names."""
    things: dict[Thing, Any] = {("node", name): node for name, node in topology.nodes.items()}
    things |= {("edge", edge.name): edge for edge in topology.edges}
    things |= {("market", name): market for name, market in topology.markets.items()}
    things |= {("shared", name): shared for name, shared in topology.shared.items()}
    data = {
        (kind, name): f"{kind} {json.dumps(thing.model_dump(mode='json', exclude=_NAMES | {'rows'}), sort_keys=True)}"
        for (kind, name), thing in things.items()
    }
    streams = {market.stream for market in topology.markets.values() if market.stream is not None}
    agents = topology.game.agents or {}
    return data | {("stream", name): "stream" for name in streams} | {("agent", name): "agent" for name in agents}


def _relations(game: Game) -> Iterator[Relation]:
    topology = game.topology
    inbound: dict[str, int] = {}
    outbound: dict[str, int] = {}
    for edge in topology.edges:
        inbound[edge.to] = inbound.get(edge.to, -1) + 1
        outbound[edge.from_] = outbound.get(edge.from_, -1) + 1
        turn = outbound[edge.from_] if topology.nodes[edge.from_].allocation == "priority" else 0
        yield ("edge", inbound[edge.to], turn), (("edge", edge.name), ("node", edge.from_), ("node", edge.to))
    for name, shared in topology.shared.items():
        yield from (("shared", (("shared", name), ("node", row))) for row in shared.rows)
    for agent, decided in (topology.game.agents or {}).items():
        yield from (
            (("agent", what.partition(".")[2]), (("agent", agent), ("node", what.partition(".")[0])))
            for what in decided.decides
        )
    for payment in payments(game.network):
        yield (
            ("payment", payment.rate, payment.per),
            (("node", payment.payer), ("node", payment.payee), _at(topology, payment.at, payment.of_market)),
        )
    yield from _of_markets(topology)


def _of_markets(topology: Topology) -> Iterator[Relation]:
    for name, market in topology.markets.items():
        yield "market", (("market", name), *(("node", node) for node in market.served_by))
        if market.stream is not None:
            yield "stream", (("market", name), ("stream", market.stream))
        if market.expedite is not None:
            offer = market.expedite
            yield ("expedite", offer.probability, offer.cost), (("market", name), ("node", offer.from_))
    for group in topology.correlation:
        for (one, first), (two, second) in combinations(enumerate(group.markets), 2):
            known = group.coefficient
            alike = known if isinstance(known, (int, float)) else known[one][two]
            pair = (("market", first), ("market", second))
            yield ("correlation", alike), pair
            yield ("correlation", alike), pair[::-1]


def _at(topology: Topology, name: str, of_market: bool) -> Thing:
    """The node, edge or market where a payment is counted."""
    if name in topology.nodes and not of_market:
        return "node", name
    return ("market", name) if name in topology.markets else ("edge", name)
