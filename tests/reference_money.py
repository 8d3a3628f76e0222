"""The money of a period in the slow reference simulator: accounts by place, transfers, rewards by agent.

What is bought is what was ordered, or what was shipped where that is charged; with discounts each unit costs the price
of the largest break that the quantity reaches (`all_units`), or that the unit itself lies above (`increment`).
A customer who waits pays the price of the period in which he asked, one who does not when he is served; where revenue
is on sales, only who is served in the period in which he asked pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import inf
from typing import Any

from reference_chain import Chain, sole

NOTHING = 1e-9  # an order of no more is a rounding error of continuous units
Transfer = tuple[str, str, float, str, list[str]]  # who pays, who is paid, rate, measure, where it is counted


class Money:
    """The accounts of one period.

    `flows` holds by edge `order`, `shipped`, `receipts` and `overflow`, by market `demand`, `price` and `expedited`, by
    line `shipped` and `lost`; what stands on hand, on the way and open is read from the chain.
    """

    def __init__(self, chain: Chain, flows: Mapping[str, Mapping[str, Any]]) -> None:
        self.chain, self.flows = chain, flows
        self.nodes, self.edges = chain.topology.nodes, chain.edges
        self.by_account: dict[str, dict[str, Any]] = {}
        self._stocks()
        self._lines()
        self._purchases()
        self.accounts = {n: sum(account.get(n, 0) for account in self.by_account.values()) for n in self.nodes}
        self.costs = dict(self.accounts)
        for payer, paid, rate, measure, places in transfers(chain):
            amount = rate * sum(self.count(measure, place) for place in places)
            self.costs[payer] += amount
            self.costs[paid] -= amount

    def _book(self, account: str, node: str, amount: Any) -> None:
        places = self.by_account.setdefault(account, {})
        places[node] = places.get(node, 0) + amount

    def _stocks(self) -> None:
        for name, stock in self.chain.on_hand.items():
            node = self.nodes[name]
            self._book("holding", name, node.holding_cost * stock)
            if node.shelf_life == 1:
                self._book("salvage", name, -node.salvage_value * stock)
        for name, edge in self.edges.items():
            self._book("overflow", edge.to, self.nodes[edge.to].overflow_cost * self.flows["overflow"][name])
            owner = edge.from_ if edge.title == "supplier" else edge.to
            self._book("pipeline", owner, edge.holding_cost * self.chain.in_transit(name))

    def _lines(self) -> None:
        for line, node in self.chain.server.items():
            self._book("backorder", node, rate(self.chain, line, "backorder_cost") * self.chain.claim[line])
            self._book("lost_sale", node, rate(self.chain, line, "lost_sale_cost") * self.flows["lost"][line])
            self._book("revenue", node, -self.count("revenue", line))
        for name, market in self.chain.topology.markets.items():
            if market.expedite:
                self._book("expedite", market.expedite.from_, market.expedite.cost * self.flows["expedited"][name])

    def _purchases(self) -> None:
        for name, edge in self.edges.items():
            bought = self.flows["order" if edge.charged_on == "order" else "shipped"][name]
            self._book("purchase", edge.to, purchase(edge, bought))
            self._book("fixed_order", edge.to, edge.fixed_order_cost * (bought > NOTHING))

    def count(self, measure: str, at: str) -> Any:
        """A quantity on a line (or a node's stock); an edge sells nothing and earns no revenue."""
        chain, flows = self.chain, self.flows
        if measure == "in_transit":
            return chain.in_transit(at) if at in self.edges else 0
        if at in self.edges and measure in ("sold", "revenue"):
            return 0
        if measure == "revenue":
            waits = chain.terms[at].unmet == "backorder"
            if waits and chain.terms[at].revenue_on == "sale":
                late = flows["shipped"][at] - flows["expedited"][at] - chain.backorders[at]
                return flows["price"][at] * (max(late, 0) + flows["expedited"][at])
            return flows["price"][at] * (flows["demand"] if waits else flows["shipped"])[at]
        table: dict[str, Mapping[str, Any]] = {
            "on_hand": chain.on_hand,
            "backorder": chain.claim,
            "lost": flows["lost"],
            "shipped": flows["shipped"],
            "sold": flows["shipped"],
            "ordered": {**flows["demand"], **flows["order"]},
            "received": {**flows["shipped"], **flows["receipts"]},
        }
        return table[measure][at]

    def rewards(self, reward: Any) -> dict[str, Any]:
        """What each agent is given: its own part or the mean of all."""
        agents = self.chain.topology.game.agents
        pays = {a: seat.pays for a, seat in agents.items()} if agents else {n: [n] for n in self.chain.on_hand}
        own = {agent: -sum(self.costs[node] for node in paid_by) for agent, paid_by in pays.items()}
        alone = {"individual": 1, "shared": 0}
        weight = alone[reward] if isinstance(reward, str) else reward["blend"]
        mean = sum(own.values()) / len(own)
        return {agent: weight * amount + (1 - weight) * mean for agent, amount in own.items()}


def purchase(edge: Any, bought: Any) -> Any:
    """The price of a quantity, without what is fixed."""
    prices = [(0, edge.purchase_cost), *((one.from_, one.purchase_cost) for one in edge.discounts)]
    if edge.discount_on == "all_units":
        return bought * [price for least, price in prices if least <= max(bought, 0)][-1]
    spans = pairwise([*prices, (inf, 0)])
    return sum(price * max(0, min(bought, end) - start) for (start, price), (end, _) in spans)


def rate(chain: Chain, line: str, cost: str) -> float:
    own = getattr(chain.terms[line], cost)
    return getattr(chain.topology.nodes[chain.server[line]], cost) if own is None else own


def transfers(chain: Chain) -> list[Transfer]:
    """All payments of the contract, named ones spelt out."""
    stated = chain.topology.contract.transfers
    return _named(chain) + [(t.from_, t.to, t.rate, t.per, _where(chain, t.per, t.at)) for t in stated]


def _named(chain: Chain) -> list[Transfer]:
    """Between a market's node and its only supplier; wholesale prices on edges between stock nodes."""
    rows: list[Transfer] = []
    contract, nodes = chain.topology.contract, chain.topology.nodes
    for market, node in ((m, n) for n in chain.markets for m in chain.markets[n]):
        above = {chain.edges[edge].from_ for edge in chain.inbound[node]}
        if contract.backorder_share is not None:
            share = (1 - contract.backorder_share) * rate(chain, market, "backorder_cost")
            rows.append((sole(above, node), node, share, "backorder", [market]))
        if contract.revenue_share is not None:
            rows.append((node, sole(above, node), contract.revenue_share, "revenue", [market]))
        if contract.buy_back is not None and market == chain.markets[node][0]:
            rows.append((sole(above, node), node, contract.buy_back, "on_hand", [node]))
    if contract.wholesale_price is not None:
        traded = [edge for edge in chain.edges.values() if nodes[edge.from_].kind == "stock"]
        rows += [(e.to, e.from_, contract.wholesale_price, "shipped", [e.name]) for e in traded]
    return rows


def _where(chain: Chain, measure: str, at: str) -> list[str]:
    """The lines a transfer counts: of a node the inbound edges for what it buys, else those it serves."""
    if at not in chain.topology.nodes or measure == "on_hand":
        return [at]
    return (chain.inbound if measure in ("ordered", "received", "in_transit") else chain.lines)[at]
