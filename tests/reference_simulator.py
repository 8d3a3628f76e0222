"""The slow reference simulator: one replication, plain Python, dictionaries keyed by names.

The referee of the fast simulator, written from the definition of a period alone (receive, reveal, decide,
demand, ship, charge); they share nothing but the topology they read. Where the definition leaves a choice,
it is made here, and for the allocation rules in `reference_allocation`:

Claim: what was revealed on a line and is not yet served. A losing line keeps its claim until shipping and
    loses the rest there; before that, what is seen of it (`owed`, the customer's `on_order`) is at most the
    supplier's stock on hand, line by line, unless the supplier has an inbound edge of lead time 0, which
    could still add to that stock.
Incoming: the latest quantity revealed on a line, 0 before the first. On an edge with an information delay
    this is the order revealed in this period, without one the last order placed; on a market this period's
    demand if it is visible and else the last.
Order: min(quantity, order limit), rounded half to even in integer units, never negative.
Echelon inventory position: own on hand and on order; on hand and all inbound pipelines of every node it can
    reach; less what all their markets are owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

from reference_allocation import Amounts, fair_share, first_come, priority, proportional

Decide = Callable[[dict[str, Any]], Mapping[str, Any]]


def sole(names: Iterable[str], owner: str) -> str:
    found = sorted(set(names))
    if len(found) != 1:
        raise NotImplementedError(f"{owner}: one name expected, not {found}")
    return found[0]


class ReferenceSimulator:
    """One replication of one topology.

    Parameters
    ----------
    demand : callable (market, period) -> number, or mapping market -> numbers by period
    decide : for each stock node a callable that is given `state()` and returns `{"order": {edge: quantity}}`,
        or with one inbound edge `{"order_up_to": level}` or `{"demand_plus": number}`.
    reward : "individual", "shared" or {"blend": a}; the topology's if None.
    staged : under `downstream_first`, whether nodes are asked one by one (quantity actions) or all at once.
    """

    def __init__(
        self,
        topology: Any,
        demand: Any,
        decide: Mapping[str, Decide],
        reward: Any = None,
        staged: bool = False,
    ) -> None:
        self.topology, self.decide, self.time = topology, decide, 0
        self.demand = demand if callable(demand) else lambda market, period: demand[market][period]
        self.reward = topology.game.reward if reward is None else reward
        self.integer = topology.units == "integer"
        self.simultaneous = topology.timing.decision_order == "simultaneous"
        self.staged = staged and not self.simultaneous
        nodes, markets = topology.nodes, topology.markets
        self.edges = {edge.name: edge for edge in topology.edges}
        self.terms = {**self.edges, **markets}
        self.inbound = {n: [e.name for e in topology.edges if e.to == n] for n in nodes}
        self.markets = {n: [m for m in markets if sole(markets[m].served_by, m) == n] for n in nodes}
        self.lines = {n: self.markets[n] + [e.name for e in topology.edges if e.from_ == n] for n in nodes}
        self.server = {line: n for n in nodes for line in self.lines[n]}
        self.reach = {n: self._reach(n) for n in nodes}
        self.suppliers_first = sorted(nodes, key=lambda n: -len(self.reach[n]))
        self.transfers = self._named_contracts(topology.contract)
        for t in topology.contract.transfers:
            self.transfers.append((t.from_, t.to, t.rate, t.per, self._where(t.per, t.at)))
        self.on_hand = {n: self._amount(nodes[n].on_hand) for n in nodes if nodes[n].kind == "stock"}
        self.pipeline = {e.name: [self._amount(x) for x in e.pipeline] for e in topology.edges}
        self.travelling = {e.name: [self._amount(x) for x in e.orders_in_transit] for e in topology.edges}
        self.claim: dict[str, Any] = dict.fromkeys(self.server, 0)
        self.backorders, self.incoming = dict(self.claim), dict(self.claim)

    def _reach(self, node: str) -> set[str]:
        """The node and every node downstream of it."""
        return {node}.union(*(self._reach(edge.to) for edge in self.topology.edges if edge.from_ == node))

    def _amount(self, quantity: float) -> Any:
        return round(quantity) if self.integer else float(quantity)

    # What can be seen

    def owed(self, line: str) -> Any:
        """Revealed and not yet served; on a losing line at most what stock can still cover."""
        node, waits = self.server[line], self.terms[line].unmet == "backorder"
        if waits or node not in self.on_hand or any(self.edges[e].lead_time == 0 for e in self.inbound[node]):
            return self.claim[line]
        return min(self.claim[line], self.on_hand[node])

    def on_order(self, edges: Iterable[str]) -> Any:
        return sum(sum(self.travelling[e]) + self.owed(e) + sum(self.pipeline[e]) for e in edges)

    def inventory_position(self, node: str) -> Any:
        return self.on_hand[node] - sum(map(self.owed, self.lines[node])) + self.on_order(self.inbound[node])

    def echelon_inventory_position(self, node: str) -> Any:
        stock = sum(self.on_hand[n] for n in self.reach[node])
        moving = sum(sum(self.pipeline[e]) for n in self.reach[node] - {node} for e in self.inbound[n])
        waiting = sum(self.owed(market) for n in self.reach[node] for market in self.markets[n])
        return stock + moving - waiting + self.on_order(self.inbound[node])

    def state(self) -> dict[str, dict[str, Any]]:
        """Every quantity as it stands, by node, edge or line; `backorders` of the last period's end."""
        return {
            "on_hand": dict(self.on_hand),
            "owed": {line: self.owed(line) for line in self.server},
            "backorders": dict(self.backorders),
            "incoming": dict(self.incoming),
            "receipts": dict(self.receipts),
            "on_order": {edge: self.on_order([edge]) for edge in self.edges},
            "pipeline": {edge: list(slots) for edge, slots in self.pipeline.items()},
            "orders_in_transit": {edge: list(slots) for edge, slots in self.travelling.items()},
            "inventory_position": {n: self.inventory_position(n) for n in self.on_hand},
            "echelon_inventory_position": {n: self.echelon_inventory_position(n) for n in self.on_hand},
        }

    # The period

    def period(self) -> dict[str, Any]:
        """Play a period; return the state at its decision and at its end, its flows, costs and rewards."""
        self.order, self.shipped, self.lost = dict.fromkeys(self.edges, 0), {}, {}
        self.realised = {m: self._amount(self.demand(m, self.time)) for m in self.topology.markets}
        visible = self.topology.timing.demand_visible == "before_ordering"
        self.receipts = {edge: slots.pop(0) if slots else 0 for edge, slots in self.pipeline.items()}
        for edge, amount in self.receipts.items():
            self.on_hand[self.edges[edge].to] += amount
        self._reveal({edge: slots.pop(0) for edge, slots in self.travelling.items() if slots})
        self._reveal(self.realised if visible else {})
        seen = self.state()
        self._decide(seen)
        self._reveal({} if visible else self.realised)
        self._ship()
        self.backorders, self.time = dict(self.claim), self.time + 1
        flows = {"order": self.order, "demand": self.realised, "shipped": self.shipped, "lost": self.lost}
        return {"seen": seen, **flows, "end": self.state(), **self._money()}

    def _reveal(self, quantities: Mapping[str, Any]) -> None:
        self.incoming.update(quantities)
        for line, amount in quantities.items():
            self.claim[line] += amount

    def _decide(self, seen: dict[str, Any]) -> None:
        upward = [node for node in reversed(self.suppliers_first) if node in self.on_hand]
        decisions = {} if self.staged else {node: self.decide[node](seen) for node in upward}
        if self.simultaneous:
            orders = {node: self._orders(node, decisions[node]) for node in upward}
        for node in upward:
            decision = self.decide[node](self.state()) if self.staged else decisions[node]
            self._place(orders[node] if self.simultaneous else self._orders(node, decision))

    def _orders(self, node: str, decision: Mapping[str, Any]) -> dict[str, Any]:
        if "order" in decision:
            return {edge: self._within(edge, decision["order"].get(edge, 0)) for edge in self.inbound[node]}
        edge = sole(self.inbound[node], node)
        if "order_up_to" in decision:
            return {edge: self._within(edge, decision["order_up_to"] - self.inventory_position(node))}
        received = sum(self.incoming[line] for line in self.lines[node])
        return {edge: self._within(edge, received + decision["demand_plus"])}

    def _within(self, edge: str, quantity: float) -> Any:
        limit = self.edges[edge].order_limit
        return max(0, self._amount(quantity if limit is None else min(quantity, limit)))

    def _place(self, orders: Mapping[str, Any]) -> None:
        self.order.update(orders)
        for edge, amount in orders.items():
            if self.edges[edge].information_delay:
                self.travelling[edge].append(amount)
            else:
                self._reveal({edge: amount})

    def _ship(self) -> None:
        standing = {line: self._standing(line) for line in self.server}
        for node in self.suppliers_first:
            for line, amount in zip(self.lines[node], self._allocate(node, standing), strict=True):
                self._send(node, line, amount)

    def _standing(self, line: str) -> tuple[Any, float]:
        """Position and scale of a line's customer: see fair share."""
        if line not in self.edges:
            return -self.claim[line], self.terms[line].process.mean
        node = self.edges[line].to
        moving = sum(sum(self.pipeline[edge]) for edge in self.inbound[node])
        reached = [m for m in self.topology.markets if self.server[m] in self.reach[node]]
        mean = sum(self.terms[market].process.mean for market in reached)
        position = self.on_hand[node] + moving - sum(map(self.owed, self.lines[node]))
        return position, (self.edges[line].lead_time + 1) * mean

    def _allocate(self, node: str, standing: Mapping[str, tuple[Any, float]]) -> Amounts:
        lines, rule = self.lines[node], self.topology.nodes[node].allocation
        claims, stock = [self.claim[line] for line in lines], self.on_hand.get(node, inf)
        if stock >= sum(claims):
            return claims
        if rule == "fair_share":
            positions, scales = ([standing[line][part] for line in lines] for part in (0, 1))
            return fair_share(stock, claims, positions, scales, self.integer)
        if rule == "first_come":
            return first_come(stock, claims, [self.backorders[line] for line in lines], self.integer)
        assert rule in ("priority", "proportional"), rule
        return priority(stock, claims) if rule == "priority" else proportional(stock, claims, self.integer)

    def _send(self, node: str, line: str, amount: Any) -> None:
        short, waits = self.claim[line] - amount, self.terms[line].unmet == "backorder"
        self.shipped[line] = amount
        self.claim[line], self.lost[line] = (short, 0) if waits else (0, short)
        if node in self.on_hand:
            self.on_hand[node] -= amount
        if line in self.edges and self.edges[line].lead_time:
            self.pipeline[line].append(amount)
        elif line in self.edges:
            self.receipts[line] = amount
            self.on_hand[self.edges[line].to] += amount

    # The money

    def _money(self) -> dict[str, Any]:
        """Costs by node before (`accounts`) and after transfers, and rewards by agent."""
        nodes, agents = self.topology.nodes, self.topology.game.agents
        accounts = {n: nodes[n].holding_cost * self.on_hand.get(n, 0) for n in nodes}
        for line, node in self.server.items():
            accounts[node] += self._rate(line, "backorder_cost") * self.claim[line]
            accounts[node] += self._rate(line, "lost_sale_cost") * self.lost[line]
            accounts[node] -= self._count("revenue", line)
        for name, edge in self.edges.items():
            bought = (self.order if edge.charged_on == "order" else self.shipped)[name]
            owner = edge.from_ if edge.title == "supplier" else edge.to
            accounts[owner] += edge.holding_cost * sum(self.pipeline[name])
            accounts[edge.to] += edge.purchase_cost * bought + edge.fixed_order_cost * (bought > 0)
        costs = dict(accounts)
        for payer, paid, rate, measure, places in self.transfers:
            amount = rate * sum(self._count(measure, place) for place in places)
            costs[payer] += amount
            costs[paid] -= amount
        pays = {a: seat.pays for a, seat in agents.items()} if agents else {n: [n] for n in self.on_hand}
        own = {agent: -sum(costs[node] for node in paid_by) for agent, paid_by in pays.items()}
        alone = {"individual": 1, "shared": 0}
        weight = alone[self.reward] if isinstance(self.reward, str) else self.reward["blend"]
        mean = sum(own.values()) / len(own)
        rewards = {agent: weight * amount + (1 - weight) * mean for agent, amount in own.items()}
        return {"accounts": accounts, "costs": costs, "rewards": rewards}

    def _rate(self, line: str, cost: str) -> float:
        own = getattr(self.terms[line], cost)
        return getattr(self.topology.nodes[self.server[line]], cost) if own is None else own

    def _named_contracts(self, contract: Any) -> list[tuple[str, str, float, str, list[str]]]:
        """Between a market's node and its only supplier; wholesale prices on edges between stock nodes."""
        rows = []
        for market, node in ((m, n) for n in self.markets for m in self.markets[n]):
            above = {self.edges[edge].from_ for edge in self.inbound[node]}
            if contract.backorder_share is not None:
                rate = (1 - contract.backorder_share) * self._rate(market, "backorder_cost")
                rows.append((sole(above, node), node, rate, "backorder", [market]))
            if contract.revenue_share is not None:
                rows.append((node, sole(above, node), contract.revenue_share, "revenue", [market]))
            if contract.buy_back is not None and market == self.markets[node][0]:
                rows.append((sole(above, node), node, contract.buy_back, "on_hand", [node]))
        if contract.wholesale_price is not None:
            traded = [e for e in self.edges.values() if self.topology.nodes[e.from_].kind == "stock"]
            rows += [(e.to, e.from_, contract.wholesale_price, "shipped", [e.name]) for e in traded]
        return rows

    def _where(self, measure: str, at: str) -> list[str]:
        """The lines a transfer counts: of a node the inbound edges for what it buys, else those it serves."""
        if at not in self.topology.nodes or measure == "on_hand":
            return [at]
        return (self.inbound if measure in ("ordered", "received", "in_transit") else self.lines)[at]

    def _count(self, measure: str, at: str) -> Any:
        """A quantity on a line (or a node's stock); an edge sells nothing and earns no revenue."""
        if measure == "in_transit":
            return sum(self.pipeline.get(at, []))
        if at in self.edges and measure in ("sold", "revenue"):
            return 0
        if measure == "revenue":
            waits = self.terms[at].unmet == "backorder"
            return self.terms[at].price * (self.realised if waits else self.shipped)[at]
        table = {"on_hand": self.on_hand, "backorder": self.claim, "lost": self.lost, "shipped": self.shipped}
        table["sold"], table["ordered"] = self.shipped, {**self.realised, **self.order}
        table["received"] = {**self.shipped, **self.receipts}
        return table[measure][at]
