"""The slow reference simulator: one replication, plain Python, dictionaries keyed by names.

The referee of the fast simulator, written from the definition of a period alone (receive, reveal, decide,
demand, ship, charge); they share nothing but the topology they read, and the demand processes that answer to prices.
`reference_chain` keeps the stocks and says what can be seen; each of the other files named `reference_...` is one part
of the period and makes the choices that the definition leaves open.

Order: min(quantity, order limit), then rounded half to even to whole batches, or without batches to whole units,
    never negative; 0 where the node has no review in the period.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from reference_chain import Chain, sole
from reference_chance import Chance, responds
from reference_choice import purchases
from reference_money import Money
from reference_receiving import break_down, receive
from reference_rivals import rivalry
from reference_shipping import expedite, lose, ship

from marl_supply.simulation.arrays import NUMPY

Decide = Callable[[dict[str, Any]], Mapping[str, Any]]


def certain(stream: str, name: str, period: int) -> Sequence[float]:
    raise LookupError(f"no chance numbers for the {stream} of {name}")


class ReferenceSimulator(Chain):
    """One replication of one topology.

    Parameters
    ----------
    demand : callable (market, period) -> number, or mapping market -> numbers by period
        Of the markets whose demand does not answer to prices.
    decide : for each stock node a callable that is given `state()` and returns `{"order": {edge: quantity}}`,
        or with one inbound edge `{"order_up_to": level}` or `{"demand_plus": number}`; beside it perhaps
        `"allocation": {line: wish}` and `"price": {market: price}`.
    reward : "individual", "shared" or {"blend": a}; the topology's if None.
    staged : under `downstream_first`, whether nodes are asked one by one (quantity actions) or all at once.
    chance : callable (stream, name, period) -> the uniform numbers that `reference_chance` lays out.
    """

    def __init__(
        self,
        topology: Any,
        demand: Any,
        decide: Mapping[str, Decide],
        reward: Any = None,
        staged: bool = False,
        chance: Chance = certain,
    ) -> None:
        super().__init__(topology)
        self.decide, self.chance = decide, chance
        self.demand = demand if callable(demand) else lambda market, period: demand[market][period]
        self.reward = topology.game.reward if reward is None else reward
        self.simultaneous = topology.timing.decision_order == "simultaneous"
        self.staged = staged and not self.simultaneous
        self.upward = sorted(self.on_hand, key=lambda n: len(self.reach[n]))
        self.broken: dict[str, dict[str, bool]] = {
            "node_disruption": dict.fromkeys(topology.nodes, False),
            "edge_disruption": dict.fromkeys(self.edges, False),
        }
        self.memory = {
            name: {
                key: np.reshape(np.asarray(value, dtype=float), (-1, 1)) for key, value in one.process.start().items()
            }
            for name, one in topology.markets.items()
            if responds(one)
        }

    def state(self) -> dict[str, dict[str, Any]]:
        """Every quantity as it stands, by name."""
        return {
            **super().state(),
            **{name: dict(those) for name, those in self.broken.items()},
            "memory": dict(self.memory),
        }

    def period(self) -> dict[str, Any]:
        """Play a period; return the state at its decision and at its end, its flows, costs and rewards."""
        break_down(self, self.chance, self.broken)
        flows: dict[str, dict[str, Any]] = receive(self, self.chance)
        self._reveal({edge: slots.pop(0) for edge, slots in self.travelling.items() if slots})
        visible = self.topology.timing.demand_visible == "before_ordering"
        self.price = {name: market.price for name, market in self.topology.markets.items()}
        asked = self._demand() if visible else {}
        self._reveal(asked)
        seen = self.state()
        self._decide(seen)
        flows["demand"] = asked or self._demand()
        self._reveal({} if visible else flows["demand"])
        flows |= {"order": self.order, "price": self.price, **self._serve(flows["demand"])}
        money = Money(self, {**flows, "receipts": self.receipts})
        self.backorders = dict(self.claim)
        end = self.state()
        flows["scrapped"] = self._scrap()
        self.time += 1
        paid = {"by_account": money.by_account, "accounts": money.accounts, "costs": money.costs}
        return {"seen": seen, **flows, "end": end, **paid, "rewards": money.rewards(self.reward)}

    def _reveal(self, quantities: Mapping[str, Any]) -> None:
        self.incoming.update(quantities)
        for line, amount in quantities.items():
            self.claim[line] += amount

    def _demand(self) -> dict[str, Any]:
        """What each market asks for; those that answer to prices do so now."""
        asked, ratings, rivals = {}, {}, {}
        for name, market in self.topology.markets.items():
            if hasattr(market.process, "sellers"):
                rivals = rivals or rivalry(self.topology, self.price, self.memory, self.chance, self.time)
                self.price[name], demand, self.memory[name] = rivals[name]
                asked[name] = self.amount(demand)
            elif hasattr(market.process, "crowd"):
                demand, rating = purchases(self.topology, name, self.price, self.memory, self.chance, self.time)
                asked[name] = self.amount(demand)
                ratings[name] = rating
            elif responds(market):
                numbers = self.chance("demand", name, self.time) if market.process.uniforms else []
                price = np.array([self.price[name]], dtype=float)
                answer, self.memory[name] = market.process.respond(
                    NUMPY, self.memory[name], price, None, np.reshape(numbers, (-1, 1))
                )
                asked[name] = self.amount(float(answer[0]))
            else:
                asked[name] = self.amount(self.demand(name, self.time))
        for name, rating in ratings.items():
            if self.memory[name]:
                self.memory[name] = {"rating": np.reshape(rating, (-1, 1))}
        return asked

    # Decisions

    def _decide(self, seen: dict[str, Any]) -> None:
        self.order: dict[str, Any] = dict.fromkeys(self.edges, 0)
        self.wishes: dict[str, float] = {}
        decisions = {} if self.staged else {node: self.decide[node](seen) for node in self.upward}
        if self.simultaneous:
            orders = {node: self._orders(node, decisions[node]) for node in self.upward}
        for node in self.upward:
            decision = self.decide[node](self.state()) if self.staged else decisions[node]
            self.wishes.update(decision.get("allocation", {}))
            self.price.update(decision.get("price", {}))
            self._place(orders[node] if self.simultaneous else self._orders(node, decision))

    def _orders(self, node: str, decision: Mapping[str, Any]) -> dict[str, Any]:
        if not self.reviews(node, self.time):
            return dict.fromkeys(self.inbound[node], 0)
        if "order" in decision:
            return {edge: self._within(edge, decision["order"].get(edge, 0)) for edge in self.inbound[node]}
        edge = sole(self.inbound[node], node)
        if "order_up_to" in decision:
            return {edge: self._within(edge, decision["order_up_to"] - self.inventory_position(node))}
        received = sum(self.incoming[line] for line in self.lines[node])
        return {edge: self._within(edge, received + decision["demand_plus"])}

    def _within(self, edge: str, quantity: float) -> Any:
        limit, batch = self.edges[edge].order_limit, self.edges[edge].batch
        quantity = quantity if limit is None else min(quantity, limit)
        return max(0, self.amount(batch * round(quantity / batch) if batch else quantity))

    def _place(self, orders: Mapping[str, Any]) -> None:
        self.order.update(orders)
        for edge, amount in orders.items():
            if self.edges[edge].information_delay:
                self.travelling[edge].append(amount)
            else:
                self._reveal({edge: amount})

    # The end

    def _serve(self, demand: dict[str, Any]) -> dict[str, Any]:
        """Ship, expedite and lose; `shipped` counts what was expedited as sold."""
        shipped = ship(self, self.wishes)
        expedited = expedite(self, self.chance, demand, shipped)
        shipped = {line: amount + expedited.get(line, 0) for line, amount in shipped.items()}
        return {"shipped": shipped, "expedited": expedited, "lost": lose(self)}

    def _scrap(self) -> dict[str, Any]:
        """Leftovers that do not keep."""
        scrapped = {n: stock if self.topology.nodes[n].shelf_life == 1 else 0 for n, stock in self.on_hand.items()}
        for node, amount in scrapped.items():
            self.on_hand[node] -= amount
        return scrapped
