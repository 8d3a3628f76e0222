"""One chain in the fast simulator and, replication by replication, in the slow one: every number compared.

A `Play` holds what both are given: the demand of every period, and for every period what each agent decides, as a
table of numbers or as a reaction to what the agent sees at its turn. Units must be equal, or within 1e-9 where they
are continuous; money must agree to 1e-12 of its size or 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from reference_simulator import ReferenceSimulator

from marl_supply.game.game import Game, Outcome
from marl_supply.game.observation import pipeline, travelling
from marl_supply.simulation import Decisions, State
from marl_supply.simulation.step import echelon_inventory_position, inventory_position

Array = Any
KINDS = ("order", "react", "order_up_to", "demand_plus")


@dataclass(frozen=True)
class Play:
    """What both simulators are given; N stock nodes, E edges and K markets in file order.

    demand: (T + 1, K, B) units; kinds: for each period the kind of each agent's decision; quantity: (T, E, B) units
    for the kinds order and react; level, extra: (T, N, B) units for order_up_to and demand_plus; staged: whether
    quantities are asked for stage by stage under `downstream_first`, or all at once.
    """

    topology: Any
    demand: Array
    kinds: list[dict[str, str]]
    quantity: Array
    level: Array
    extra: Array
    staged: bool = False
    noise: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", TableNoise(self.demand))


@dataclass(frozen=True)
class TableNoise:
    """Demand from a table (T, K, B)."""

    table: Array

    def at(self, clock: int) -> Array:
        return self.table[clock]


def reaction(quantity: Any, incoming: Any, owed: Any, position: Any) -> Any:
    """An order that depends on what is seen; binary fractions, so that sums of whole units have no rounding error."""
    return np.maximum(quantity + incoming / 2 + owed / 8 - position / 4, 0)


class Slow:
    """One replication in the slow simulator; keeps what each node saw at its turn."""

    def __init__(self, play: Play, replication: int) -> None:
        topology, self.play, self.replication = play.topology, play, replication
        self.rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
        self.edges = [edge.name for edge in topology.edges]
        agents = topology.game.agents or {}
        self.agent_of = dict(zip(self.rows, self.rows, strict=True))
        self.agent_of.update((row, agent) for agent, seat in agents.items() for row in seat.decides)
        self.views: dict[str, Any] = {}
        markets = list(topology.markets)
        self.simulator = ReferenceSimulator(
            topology,
            lambda market, period: play.demand[period, markets.index(market), replication],
            {row: lambda view, row=row: self._decide(row, view) for row in self.rows},
            staged=play.staged,
        )

    def _decide(self, row: str, view: dict[str, Any]) -> dict[str, Any]:
        self.views[row] = view
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
    if kind == "order_up_to":
        return Decisions(order_up_to=play.level[time, seat.scope.rows])
    if kind == "demand_plus":
        return Decisions(demand_plus=play.extra[time, seat.scope.rows])
    quantity = play.quantity[time, seat.scope.edges]
    if kind == "react":
        seen = game.observe(state, agent)
        member = (seat.line_rows == np.arange(len(seat.rows))[:, None]) * 1.0
        of_rows = member @ seen.incoming_orders, member @ seen.owed, seen.inventory_position
        quantity = reaction(quantity, *(values[seat.edge_rows] for values in of_rows))
    return Decisions(order=quantity)


class Comparison:
    """Both simulators side by side through a play."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.game = Game(play.topology, actions="quantity") if play.staged else Game(play.topology)
        self.network, self.exact = self.game.network, self.game.network.integer
        self.slow = [Slow(play, b) for b in range(play.demand.shape[2])]
        self.state = self.game.start(play.demand.shape[2], noise=play.noise)
        self.last_order: Any = {name: [0.0] * len(self.slow) for name in self.network.edges}
        self.backorders: Any = {name: [0.0] * len(self.slow) for name in self.network.lines}
        self.time = 0

    def run(self) -> None:
        """Play all periods; an AssertionError names the first number that differs."""
        for _ in self.play.kinds:
            self.period()

    def period(self) -> None:
        """One period of both."""
        records = [slow.simulator.period() for slow in self.slow]
        self.decision_point([record["seen"] for record in records])
        *earlier, last = self.game.stages if self.play.staged else (self.game.agents,)
        for stage in earlier:
            self.state = self.game.decide(self.state, self.turn(stage))
        self.state, outcome = self.game.step(self.state, self.turn(last))
        self.flows(outcome, records)
        self.money(outcome, records)
        self.time += 1

    def turn(self, stage: tuple[str, ...]) -> dict[str, Decisions]:
        """The decisions of one stage, after comparing what its agents see."""
        for agent in stage:
            self.view(agent)
        return {agent: decisions(self.game, self.play, self.state, agent, self.time) for agent in stage}

    def decision_point(self, seen: list[Any]) -> None:
        """All of the state, at the decision point of the period."""
        network, state = self.network, self.state
        self.units("on_hand", network.rows, state.on_hand, seen)
        self.units("owed", network.lines, state.owed, seen)
        self.units("backorders", network.lines, state.backorders, seen)
        self.units("incoming", network.lines, state.incoming, seen)
        self.units("on_order", network.edges, state.on_order, seen)
        self.units("receipts", network.edges, state.receipts, seen)
        self.units("inventory_position", network.rows, inventory_position(network, state), seen)
        self.units("echelon_inventory_position", network.rows, echelon_inventory_position(network, state), seen)
        self.same("last_order", network.edges, state.last_order, [self.last_order[name] for name in network.edges])
        for name, slots, values in (
            ("pipeline", network.pipeline_slots, pipeline(network, state)),
            ("orders_in_transit", network.travelling_slots, travelling(network, state)),
        ):
            places = [(network.edges[edge], int(ahead) - 1) for edge, ahead in slots]
            expected = [[view[name][edge][slot] for view in seen] for edge, slot in places]
            assert len(slots) == sum(map(len, seen[0][name].values()))
            self.same(name, places, values, expected)

    def view(self, agent: str) -> None:
        """What an agent sees of its own rows at its turn; staged, only where every agent has one row and one turn."""
        seat, seen = self.game.seats[agent], self.game.observe(self.state, agent)
        if self.play.staged and self.game.topology.game.agents:
            return
        views = [slow.views[seat.rows[0]] for slow in self.slow]
        for name, places in (("on_hand", seat.rows), ("inventory_position", seat.rows), ("on_order", seat.edges)):
            self.units(name, places, getattr(seen, name), views)
        for name, places in (("owed", seat.lines), ("backorders", seat.lines)):
            self.units(name, places, getattr(seen, name), views)
        self.units("incoming", seat.lines, seen.incoming_orders, views)
        lanes = self.network.line_edge[seat.line_numbers]
        lanes = lanes[lanes >= 0]
        self.units("on_order", [self.network.edges[lane] for lane in lanes], self.state.on_order[lanes], views)

    def flows(self, outcome: Outcome, records: list[Any]) -> None:
        """What moved in the period, and the stocks at its end."""
        network, flows = self.network, outcome.flows
        ends = [record["end"] for record in records]
        self.units("order", network.edges, flows.order, records)
        self.units("incoming", network.edges, flows.requests, ends)
        self.units("receipts", network.edges, flows.receipts, ends)
        self.units("shipped", network.edges, flows.shipment, records)
        self.units("demand", network.markets, flows.demand, records)
        self.units("shipped", network.markets, flows.sales, records)
        self.units("lost", network.lines, flows.on_hand[:0] if flows.lost is None else flows.lost, records)
        self.units("on_hand", network.rows, flows.on_hand, ends)
        self.units("backorders", network.lines, flows.backorders, ends)
        in_transit = [[sum(end["pipeline"][name]) for end in ends] for name in network.edges]
        self.same("in_transit", network.edges, flows.in_transit, in_transit)
        at_once = [
            [max(r["shipped"][name] - old, 0) for r, old in zip(records, self.backorders[name], strict=True)]
            for name in network.markets
        ]
        self.same("served", network.markets, flows.served, at_once)
        self.last_order = {name: [record["order"][name] for record in records] for name in network.edges}
        self.backorders = {name: [end["backorders"][name] for end in ends] for name in network.lines}

    def money(self, outcome: Outcome, records: list[Any]) -> None:
        """Accounts and costs of all places, costs and rewards of all agents."""
        game, network = self.game, self.network
        zero = np.zeros((len(network.places), len(self.slow)))
        by_account = game.books.by_account(outcome.flows)
        raw = sum((amount for name, amount in by_account.items() if name != "transfers"), zero)
        self.sums("accounts", network.places, raw, records)
        self.sums("costs", network.places, game.books.costs(outcome.flows), records)
        self.sums("rewards", game.agents, outcome.rewards, records)
        agents = game.topology.game.agents
        pays = {agent: agents[agent].pays if agents else (agent,) for agent in game.agents}
        own = [[sum(r["costs"][place] for place in pays[agent]) for r in records] for agent in game.agents]
        self.close("agents' costs", game.agents, outcome.costs, own)

    def units(self, name: str, places: Any, fast: Array, slow: list[Any]) -> None:
        """A field or flow in units, by place."""
        if name == "lost" and not len(fast):
            assert not any(amount for record in slow for amount in record["lost"].values())
            return
        self.same(name, places, fast, [[one[name][place] for one in slow] for place in places])

    def sums(self, name: str, places: Any, fast: Array, slow: list[Any]) -> None:
        """A sum of money, by place."""
        self.close(name, places, fast, [[one[name][place] for one in slow] for place in places])

    def same(self, name: str, places: Any, fast: Array, slow: Any) -> None:
        """Equal units, or within 1e-9 where they are continuous."""
        self._compare(name, places, fast, slow, 0.0, 0.0 if self.exact else 1e-9)

    def close(self, name: str, places: Any, fast: Array, slow: Any) -> None:
        """Equal money but for rounding."""
        self._compare(name, places, fast, slow, 1e-12, 1e-9)

    def _compare(self, name: str, places: Any, fast: Array, slow: Any, relative: float, absolute: float) -> None:
        expected = np.array(slow, dtype=float).reshape(len(places), len(self.slow))
        assert fast.shape == expected.shape, f"{name}: {fast.shape}, not {expected.shape}"
        wrong = ~(np.abs(fast - expected) <= absolute + relative * np.abs(expected))
        if wrong.any():
            place = int(np.flatnonzero(wrong.any(1))[0])
            raise AssertionError(f"period {self.time}: {name} of {places[place]}: {fast[place]}, not {expected[place]}")


def assert_equal(play: Play) -> None:
    """Play both simulators and compare everything."""
    Comparison(play).run()
