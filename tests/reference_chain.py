"""A chain as the slow reference simulator keeps it: plain Python, dictionaries keyed by names, one replication.

Where the definition of a period leaves a choice, it is made here, in the files beside this one (`reference_chance`,
`reference_receiving`, `reference_shipping`, `reference_money`), and for the allocation rules in `reference_allocation`:

Claim: what was revealed on a line and is not yet served. A losing line keeps its claim until shipping and
    loses the rest there; before that, what is seen of it (`owed`, the customer's `on_order`) is at most the
    supplier's stock on hand, line by line, unless the supplier has an inbound edge of lead time 0, which
    could still add to that stock. A source has no stock, so all of its lines are seen in full.
Incoming: the latest quantity revealed on a line, 0 before the first. On an edge with an information delay
    this is the order revealed in this period, without one the last order placed; on a market this period's
    demand if it is visible and else the last.
Pipeline: by the period in which each shipment left; what arrived before its longest delay stands there as 0.
Echelon inventory position: own on hand and on order; on hand and all inbound pipelines of every node it can
    reach; less what all their markets are owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, count
from math import inf
from typing import Any


def sole(names: Iterable[str], owner: str) -> str:
    found = sorted(set(names))
    if len(found) != 1:
        raise NotImplementedError(f"{owner}: one name expected, not {found}")
    return found[0]


class Chain:
    """The places of a topology, their stocks, and what can be seen of them."""

    def __init__(self, topology: Any) -> None:
        self.topology, self.time = topology, 0
        self.integer = topology.units == "integer"
        nodes, markets = topology.nodes, topology.markets
        self.edges = {edge.name: edge for edge in topology.edges}
        self.terms = {**self.edges, **markets}
        self.inbound = {n: [e.name for e in topology.edges if e.to == n] for n in nodes}
        self.markets = {n: [m for m in markets if sole(markets[m].served_by, m) == n] for n in nodes}
        self.lines = {n: self.markets[n] + [e.name for e in topology.edges if e.from_ == n] for n in nodes}
        self.server = {line: n for n in nodes for line in self.lines[n]}
        self.reach = {n: self._reach(n) for n in nodes}
        self.shared_capacity = self._sharing("capacity")
        self.shared_storage = self._sharing("storage")
        self.stages = self._stages()
        self.on_hand = {n: self.amount(nodes[n].on_hand) for n in nodes if nodes[n].kind == "stock"}
        self.pipeline = {
            e.name: {left - len(e.pipeline): self.amount(x) for left, x in enumerate(e.pipeline)}
            for e in topology.edges
        }
        self.travelling = {e.name: [self.amount(x) for x in e.orders_in_transit] for e in topology.edges}
        self.claim: dict[str, Any] = dict.fromkeys(self.server, 0)
        self.backorders, self.incoming = dict(self.claim), dict(self.claim)
        self.receipts: dict[str, Any] = dict.fromkeys(self.edges, 0)
        self.down = {**dict.fromkeys(nodes, False), **dict.fromkeys(self.edges, False)}

    def _reach(self, node: str) -> set[str]:
        """The node and every node downstream of it."""
        return {node}.union(*(self._reach(edge.to) for edge in self.topology.edges if edge.from_ == node))

    def _sharing(self, limit: str) -> list[tuple[list[str], Any]]:
        """Rows and the limit they share; a storage of one's own is shared with nobody."""
        groups = [(list(s.rows), getattr(s, limit)) for s in self.topology.shared.values()]
        if limit == "storage":
            groups += [([n], node.storage) for n, node in self.topology.nodes.items()]
        stated = [(rows, self.amount(most)) for rows, most in groups if most is not None]
        members = [row for rows, _ in stated for row in rows]
        if len(members) > len(set(members)):
            raise NotImplementedError(f"a row with two shares of {limit}")
        return stated

    def _stages(self) -> list[list[str]]:
        """Who ships when: a node after its suppliers of lead time 0, rows that share a capacity at once."""
        partners = {n: [n] for n in self.topology.nodes}
        partners.update((row, rows) for rows, _ in self.shared_capacity for row in rows)
        above = {
            n: {self.edges[e].from_ for p in partners[n] for e in self.inbound[p] if self.edges[e].lead_time == 0}
            for n in partners
        }
        stages: list[list[str]] = []
        while waiting := [n for n in partners if not any(n in stage for stage in stages)]:
            stages.append([n for n in waiting if not above[n].intersection(waiting)])
            assert stages[-1], f"{waiting} share a capacity and wait for each other"
        return stages

    def amount(self, quantity: float) -> Any:
        return round(quantity) if self.integer else float(quantity)

    # What can be seen

    def owed(self, line: str) -> Any:
        """Revealed and not yet served; on a losing line at most what stock can still cover."""
        node, waits = self.server[line], self.terms[line].unmet == "backorder"
        if waits or node not in self.on_hand or any(self.edges[e].lead_time == 0 for e in self.inbound[node]):
            return self.claim[line]
        return min(self.claim[line], self.on_hand[node])

    def in_transit(self, edge: str) -> Any:
        return sum(self.pipeline[edge].values())

    def on_order(self, edges: Iterable[str]) -> Any:
        return sum(sum(self.travelling[e]) + self.owed(e) + self.in_transit(e) for e in edges)

    def inventory_position(self, node: str) -> Any:
        return self.on_hand[node] - sum(map(self.owed, self.lines[node])) + self.on_order(self.inbound[node])

    def echelon_inventory_position(self, node: str) -> Any:
        stock = sum(self.on_hand[n] for n in self.reach[node])
        moving = sum(self.in_transit(e) for n in self.reach[node] - {node} for e in self.inbound[n])
        waiting = sum(self.owed(market) for n in self.reach[node] for market in self.markets[n])
        return stock + moving - waiting + self.on_order(self.inbound[node])

    def closed(self, edge: str) -> bool:
        """Whether nothing ships on it: it is down itself, or its supplier is."""
        return self.down[edge] or self.down[self.edges[edge].from_]

    def reviews(self, node: str, time: int) -> bool:
        """Whether it may order: intervals of the stated lengths follow each other from the first review on."""
        lengths, offset = self.topology.nodes[node].review, self.topology.nodes[node].review_offset
        return time >= offset and (time - offset) % sum(lengths) in (0, *accumulate(lengths[:-1]))

    def periods_to_review(self, node: str) -> int:
        return next(wait for wait in count() if self.reviews(node, self.time + wait))

    def review_interval(self, node: str) -> int:
        """From the latest review, today's included, to the next; before the first, from the beginning to it."""
        since = next((back for back in range(self.time + 1) if self.reviews(node, self.time - back)), self.time)
        wait = next(ahead for ahead in count(1) if self.reviews(node, self.time + ahead))
        return since + wait

    def stock(self, node: str) -> Any:
        """On hand; a source has no end of it."""
        return self.on_hand.get(node, inf)

    def capacity(self, node: str) -> Any:
        most = self.topology.nodes[node].capacity
        return inf if most is None else self.amount(most)

    def state(self) -> dict[str, dict[str, Any]]:
        """Every quantity as it stands, by node, edge or line; `backorders` of the last period's end."""
        return {
            "on_hand": dict(self.on_hand),
            "claim": dict(self.claim),
            "owed": {line: self.owed(line) for line in self.server},
            "backorders": dict(self.backorders),
            "incoming": dict(self.incoming),
            "receipts": dict(self.receipts),
            "on_order": {edge: self.on_order([edge]) for edge in self.edges},
            "pipeline": {edge: list(left.values()) for edge, left in self.pipeline.items()},
            "in_transit": {edge: self.in_transit(edge) for edge in self.edges},
            "orders_in_transit": {edge: list(slots) for edge, slots in self.travelling.items()},
            "inventory_position": {n: self.inventory_position(n) for n in self.on_hand},
            "echelon_inventory_position": {n: self.echelon_inventory_position(n) for n in self.on_hand},
            "closed": {edge: self.closed(edge) for edge in self.edges},
            "stopped": {n: self.down[n] for n in self.topology.nodes},
            "periods_to_review": {n: self.periods_to_review(n) for n in self.on_hand},
            "review_interval": {n: self.review_interval(n) for n in self.on_hand},
        }
