"""One chain in the fast simulator and, replication by replication, in the slow one: every number compared.

Units must be equal, or within 1e-9 where they are continuous; money must agree to 1e-12 of its size or 1e-9.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from plays import Play, Slow, decisions
from reference_chance import layout

from marl_supply.game.game import Game, Outcome
from marl_supply.game.quantities import pipeline, travelling
from marl_supply.simulation import Decisions
from marl_supply.simulation.positions import (
    echelon_inventory_position,
    inventory_position,
    on_order_seen,
    owed_seen,
    periods_to_review,
    review_interval,
)

Array = Any


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
        chances = [(chance.stream, chance.name, chance.size) for chance in self.network.chances]
        assert chances == layout(play.topology)

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
        self.units("claim", network.lines, state.owed, seen)
        self.units("owed", network.lines, owed_seen(network, state), seen)
        self.units("backorders", network.lines, state.backorders, seen)
        self.units("incoming", network.lines, state.incoming, seen)
        self.units("on_order", network.edges, on_order_seen(network, state), seen)
        self.units("in_transit", network.edges, state.in_transit, seen)
        self.units("receipts", network.edges, state.receipts, seen)
        self.units("inventory_position", network.rows, inventory_position(network, state), seen)
        self.units("echelon_inventory_position", network.rows, echelon_inventory_position(network, state), seen)
        self.units("periods_to_review", network.rows, periods_to_review(network, state), seen)
        self.units("review_interval", network.rows, review_interval(network, state), seen)
        self.same("last_order", network.edges, state.last_order, [self.last_order[name] for name in network.edges])
        assert (np.asarray(state.period) == self.time).all()
        for name, slots, values in (
            ("pipeline", network.pipeline_slots, pipeline(network, state)),
            ("orders_in_transit", network.travelling_slots, travelling(network, state)),
        ):
            places = [(network.edges[edge], int(ahead) - 1) for edge, ahead in slots]
            expected = [[view[name][edge][slot] for view in seen] for edge, slot in places]
            assert len(slots) == sum(map(len, seen[0][name].values()))
            self.same(name, places, values, expected)
        self.chance(seen)

    def chance(self, seen: list[Any]) -> None:
        """What is down, and what responsive markets remember."""
        network, state = self.network, self.state
        self.perhaps("stopped", network.places, state.stopped, seen)
        self.perhaps("closed", network.edges, state.closed, seen)
        streams = ("node_disruption", "edge_disruption")
        broken = [(stream, name) for stream, name, _ in layout(self.play.topology) if stream in streams]
        expected = [[one[stream][name] for one in seen] for stream, name in broken]
        self.same("broken", broken, np.zeros((0, len(seen))) if state.broken is None else state.broken, expected)
        for number, fields in state.memory.items():
            market = network.markets[number]
            remembered = [one["memory"][market] for one in seen]
            assert fields.keys() == remembered[0].keys()
            for field_name, values in fields.items():
                kept = np.concatenate([one[field_name] for one in remembered], axis=1)
                self.same(f"{field_name} of {market}", range(len(kept)), values, kept)

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
        on_order = on_order_seen(self.network, self.state)[lanes]
        self.units("on_order", [self.network.edges[lane] for lane in lanes], on_order, views)

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
        self.perhaps("lost", network.lines, flows.lost, records)
        self.perhaps("overflow", network.edges, flows.overflow, records)
        self.perhaps("missing", network.edges, flows.missing, records)
        self.perhaps("scrapped", network.rows, flows.scrapped, records)
        self.perhaps("expedited", network.markets, flows.expedited, records)
        if flows.price is not None:
            self.sums("price", network.markets, flows.price, records)
        else:
            assert all(r["price"][m] == one.price for r in records for m, one in self.play.topology.markets.items())
        self.units("on_hand", network.rows, flows.on_hand, ends)
        self.units("backorders", network.lines, flows.backorders, ends)
        self.units("in_transit", network.edges, flows.in_transit, ends)
        at_once = [
            [
                max(r["shipped"][name] - r["expedited"][name] - old, 0) + r["expedited"][name]
                for r, old in zip(records, self.backorders[name], strict=True)
            ]
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
        for name in {*by_account, *records[0]["by_account"]} - {"transfers"}:
            booked = [[r["by_account"].get(name, {}).get(place, 0) for r in records] for place in network.places]
            self.close(f"account {name}", network.places, by_account.get(name, zero), booked)
        self.sums("costs", network.places, game.books.costs(outcome.flows), records)
        self.sums("rewards", game.agents, outcome.rewards, records)
        agents = game.topology.game.agents
        pays = {agent: agents[agent].pays if agents else (agent,) for agent in game.agents}
        own = [[sum(r["costs"][place] for place in pays[agent]) for r in records] for agent in game.agents]
        self.close("agents' costs", game.agents, outcome.costs, own)

    def units(self, name: str, places: Any, fast: Array, slow: list[Any]) -> None:
        """A field or flow in units, by place."""
        self.same(name, places, fast, [[one[name][place] for one in slow] for place in places])

    def perhaps(self, name: str, places: Any, fast: Array | None, slow: list[Any]) -> None:
        """The same for what the fast simulator leaves out where it can only be 0."""
        if fast is None:
            assert not any(amount for one in slow for amount in one[name].values()), f"{name}: None"
        else:
            self.units(name, places, fast, slow)

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
