"""What both simulators are given: demand, chance numbers, and for every period what each agent decides.

A decision stands in a table of numbers, or is a reaction to what the agent sees at its turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from reference_chance import layout
from reference_simulator import ReferenceSimulator

from marl_supply.game.game import Game
from marl_supply.simulation import Decisions, State

Array = Any
KINDS = ("order", "react", "order_up_to", "demand_plus")


@dataclass(frozen=True)
class Play:
    """What both simulators are given; N stock nodes, E edges and K markets in file order.

    demand: (T + 1, K, B) units; kinds: for each period the kind of each agent's decision; quantity: (T, E, B) units
    for the kinds order and react; level, extra: (T, N, B) units for order_up_to and demand_plus; staged: whether
    quantities are asked for stage by stage under `downstream_first`, or all at once; chance: (T + 1, C, B) numbers in
    [0, 1); wish: (T, K + E, B) units to ship where that is decided, price: (T, K, B) money where there is a range; None
    where nobody decides them.
    """

    topology: Any
    demand: Array
    kinds: list[dict[str, str]]
    quantity: Array
    level: Array
    extra: Array
    staged: bool = False
    chance: Array | None = None
    wish: Array | None = None
    price: Array | None = None
    noise: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", TableNoise(self.demand, self.chance))


@dataclass(frozen=True)
class TableNoise:
    """Demand from a table (T, K, B), chance numbers from another (T, C, B)."""

    table: Array
    numbers: Array | None

    def at(self, clock: int) -> Array:
        return self.table[clock]

    def chance(self, clock: int) -> Array:
        assert self.numbers is not None
        return self.numbers[clock]


def reaction(quantity: Any, incoming: Any, owed: Any, position: Any) -> Any:
    """An order that depends on what is seen; binary fractions, so that sums of whole units have no rounding error."""
    return np.maximum(quantity + incoming / 2 + owed / 8 - position / 4, 0)


class Slow:
    """One replication in the slow simulator; keeps what each node saw at its turn."""

    def __init__(self, play: Play, replication: int) -> None:
        topology, self.play, self.replication = play.topology, play, replication
        self.rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
        self.edges = [edge.name for edge in topology.edges]
        self.market_names = list(topology.markets)
        agents = topology.game.agents or {}
        self.agent_of = dict(zip(self.rows, self.rows, strict=True))
        self.agent_of.update((row, agent) for agent, seat in agents.items() for row in seat.decides)
        self.views: dict[str, Any] = {}
        self.numbers: dict[tuple[str, str], slice] = {}
        for stream, name, size in layout(topology):
            start = max((span.stop for span in self.numbers.values()), default=0)
            self.numbers[stream, name] = slice(start, start + size)
        self.simulator = ReferenceSimulator(
            topology,
            lambda market, period: play.demand[period, self.market_names.index(market), replication],
            {row: lambda view, row=row: self._decide(row, view) for row in self.rows},
            staged=play.staged,
            chance=lambda stream, name, period: play.chance[period, self.numbers[stream, name], replication],
        )

    def _decide(self, row: str, view: dict[str, Any]) -> dict[str, Any]:
        self.views[row] = view
        decision, play, now = self._order(row, view), self.play, (self.simulator.time, slice(None), self.replication)
        if play.wish is not None:
            wishes = dict(zip(self.market_names + self.edges, play.wish[now], strict=True))
            decision["allocation"] = {line: wishes[line] for line in self.simulator.lines[row]}
        if play.price is not None:
            prices = dict(zip(self.market_names, play.price[now], strict=True))
            own = [m for m in self.simulator.markets[row] if play.topology.markets[m].price_range is not None]
            decision["price"] = {market: prices[market] for market in own}
        return decision

    def _order(self, row: str, view: dict[str, Any]) -> dict[str, Any]:
        play, time, b, number = self.play, self.simulator.time, self.replication, self.rows.index(row)
        kind = play.kinds[time][self.agent_of[row]]
        if kind == "order_up_to":
            return {kind: play.level[time, number, b]}
        if kind == "demand_plus":
            return {kind: play.extra[time, number, b]}
        quantities = {edge: play.quantity[time, self.edges.index(edge), b] for edge in self.simulator.inbound[row]}
        if kind == "react":
            lines = self.simulator.lines[row]
            seen = [sum(view[name][line] for line in lines) for name in ("incoming", "owed")]
            position = view["inventory_position"][row]
            quantities = {edge: reaction(quantity, *seen, position) for edge, quantity in quantities.items()}
        return {"order": quantities}


def decisions(game: Game, play: Play, state: State, agent: str, time: int) -> Decisions:
    """What an agent of the fast simulator decides."""
    seat, kind = game.seats[agent], play.kinds[time][agent]
    decision = Decisions(allocation=wishes(game, play, agent, time), price=prices(game, play, agent, time))
    if kind == "order_up_to":
        return replace(decision, order_up_to=play.level[time, seat.scope.rows])
    if kind == "demand_plus":
        return replace(decision, demand_plus=play.extra[time, seat.scope.rows])
    quantity = play.quantity[time, seat.scope.edges]
    if kind == "react":
        seen = game.observe(state, agent)
        member = (seat.line_rows == np.arange(len(seat.rows))[:, None]) * 1.0
        of_rows = member @ seen.incoming_orders, member @ seen.owed, seen.inventory_position
        quantity = reaction(quantity, *(values[seat.edge_rows] for values in of_rows))
    return replace(decision, order=quantity)


def wishes(game: Game, play: Play, agent: str, time: int) -> Array | None:
    """What it wishes to ship on the lines that it divides stock over, None where it has none."""
    lines = [game.network.lines[line] for line in game.seats[agent].scope.decided_lines]
    if not lines or play.wish is None:
        return None
    names = [*game.network.markets, *game.network.edges]
    return play.wish[time, [names.index(line) for line in lines]]


def prices(game: Game, play: Play, agent: str, time: int) -> Array | None:
    """What it asks of the markets that it can ask a price of, None where it has none."""
    markets = game.seats[agent].scope.priced_markets
    return play.price[time, markets] if len(markets) and play.price is not None else None
