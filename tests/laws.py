"""Laws of a chain's periods, checked from the outside: each takes a chain and plays it with orders often too many.

None of them uses the simulator's own sums: stock, claims and positions are added up here from the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import networkx as nx
import numpy as np

from marl_supply.game import Game
from marl_supply.game.game import Outcome
from marl_supply.simulation import Decisions, Flows, State
from marl_supply.simulation.positions import echelon_inventory_position, inventory_position, owed_seen
from marl_supply.topology.network import Network

PERIODS, B = 10, 3
Array = Any


@dataclass(frozen=True)
class Period:
    """One period of a play: the decision point before it, what flowed, and the decision point after it."""

    before: State
    outcome: Outcome
    after: State

    @property
    def flows(self) -> Flows:
        return self.outcome.flows


def orders_by_name(game: Game, period: int, replications: int = B) -> Decisions:
    """Orders that depend on the edge's name, the period and the replication, and on nothing else; often too many."""
    edges = [game.network.edges[number] for number in game.everybody.edges]
    drawn = [np.random.default_rng([period, *name.encode()]).random(replications) * 8 for name in edges]
    return Decisions(order=np.floor(drawn) if game.network.integer else np.array(drawn))


def played(game: Game, periods: int = PERIODS, noise: Any = None) -> Iterator[Period]:
    """A play of some periods; every state is kept as it was."""
    state = game.start(B, seed=1) if noise is None else game.start(B, noise=noise)
    for period in range(periods):
        before = state.copy()
        state, outcome = game.step(state, orders_by_name(game, period))
        yield Period(before, outcome, state.copy())


def add_up(targets: Any, values: Array, size: int) -> Array:
    """(size, B) sums of values by target; negative targets are nobody."""
    total = np.zeros((size, values.shape[1]))
    kept = np.asarray(targets) >= 0
    np.add.at(total, np.asarray(targets)[kept], values[kept])
    return total


def near(left: Any, right: Any, what: str) -> None:
    """Equal up to rounding."""
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-9, err_msg=what)


def or_zero(flow: Array | None, like: Array) -> Array:
    return np.zeros_like(like) if flow is None else flow


def left_for_others(network: Network, flows: Flows) -> Array:
    """(N, B) units that each row delivered to markets of other rows."""
    expedited = or_zero(flows.expedited, flows.sales)
    return add_up(network.expedite_row, expedited[network.expedited_markets], len(network.rows))


def material_is_conserved(chain: Any, random: Random) -> None:
    """Stock + received - sent = stock; in transit + shipped - arrived = in transit; what arrived is received, lost on
    the way or refused; what is scrapped was there."""
    game = Game(chain)
    network, rows = game.network, len(game.network.rows)
    for period in played(game):
        before, flows, after = period.before, period.flows, period.after
        received = add_up(network.customer, flows.receipts, rows)
        sent = add_up(network.supplier, flows.shipment, rows) + left_for_others(network, flows)
        sent += add_up(network.market_row, flows.sales - or_zero(flows.expedited, flows.sales), rows)
        stock = before.on_hand - add_up(network.customer, before.receipts, rows)
        near(stock + received - sent, flows.on_hand, "stock")
        kept = flows.on_hand - or_zero(flows.scrapped, flows.on_hand)
        near(kept + add_up(network.customer, after.receipts, rows), after.on_hand, "stock after receipts")
        at_once = flows.receipts - before.receipts
        near(before.in_transit + flows.shipment - at_once, flows.in_transit, "in transit")
        gone = after.receipts + or_zero(after.missing, after.receipts) + or_zero(after.overflow, after.receipts)
        near(flows.in_transit - gone, after.in_transit, "in transit after arrivals")
        near(np.sum(after.pipeline, axis=0), after.in_transit, "pipelines")


def claims_are_conserved(chain: Any, random: Random) -> None:
    """Claims + asked - served - lost = claims, line by line."""
    network = (game := Game(chain)).network
    for period in played(game):
        flows = period.flows
        asked = np.concatenate([flows.requests, flows.demand])[network.line_claim]
        served = np.concatenate([flows.shipment, flows.sales])[network.line_claim]
        claims = period.before.backorders + asked - served - or_zero(flows.lost, asked)
        near(claims, flows.backorders, "claims")
        assert (flows.served <= np.minimum(flows.demand, flows.sales) + 1e-9).all()


def nothing_is_negative(chain: Any, random: Random) -> None:
    """No number is negative, and whole units stay whole."""
    network = (game := Game(chain)).network
    for period in played(game):
        state = period.after
        numbers = [value for name, value in vars(period.flows).items() if value is not None and name != "price"]
        numbers += [state.on_hand, state.owed, state.on_order, state.in_transit, *state.pipeline, *state.travelling]
        for values in numbers:
            assert (values >= (0 if network.integer else -1e-9)).all()
            assert not network.integer or (values == np.rint(values)).all()


def limits_hold(chain: Any, random: Random) -> None:
    """Nobody ships beyond capacity or while down, stocks beyond storage, orders beyond a limit or between reviews."""
    network = (game := Game(chain)).network
    topology, rows = game.topology, list(game.network.rows)
    for period in played(game):
        flows, after, before = period.flows, period.after, period.before
        shipped = add_up(network.supplier_place, flows.shipment, len(network.places))
        own_sales = flows.sales - or_zero(flows.expedited, flows.sales)
        shipped[: len(rows)] += add_up(network.market_row, own_sales, len(rows)) + left_for_others(network, flows)
        for place, name in enumerate(network.places):
            if topology.nodes[name].capacity is not None:
                assert (shipped[place] <= topology.nodes[name].capacity + 1e-9).all()
        if before.stopped is not None:
            near(shipped * before.stopped, 0, "what is down ships")
            near(flows.shipment * before.closed, 0, "a closed edge ships")
        groups = [((name,), node.storage) for name, node in topology.nodes.items() if node.storage is not None]
        groups += [(shared.rows, shared.storage) for shared in topology.shared.values() if shared.storage is not None]
        for members, storage in groups:
            own = [rows.index(name) for name in members]
            kept = flows.on_hand - or_zero(flows.scrapped, flows.on_hand)
            assert (after.on_hand[own].sum(0) <= np.maximum(storage, kept[own].sum(0)) + 1e-9).all()
        for shared in topology.shared.values():
            if shared.capacity is not None:
                own = [rows.index(name) for name in shared.rows]
                assert (shipped[own].sum(0) <= shared.capacity + 1e-9).all()
        for number, edge in enumerate(topology.edges):
            assert edge.order_limit is None or (flows.order[number] <= edge.order_limit + 1e-9).all()
            if edge.batch:
                near(np.rint(flows.order[number] / edge.batch) * edge.batch, flows.order[number], "batches")
            node, now = topology.nodes[edge.to], before.clock - node_offset(topology, edge.to)
            if now < 0 or now % sum(node.review) not in np.cumsum([0, *node.review]):
                near(flows.order[number], 0, "an order between reviews")


def node_offset(topology: Any, name: str) -> int:
    return int(topology.nodes[name].review_offset)


def positions_follow_their_recursion(chain: Any, random: Random) -> None:
    """Position + order - what is asked of the row + what it loses or others deliver for it - what never arrives."""
    network = (game := Game(chain)).network
    rows = len(network.rows)

    def position(state: State) -> Array:
        owed = add_up(np.where(network.line_place < rows, network.line_place, -1), state.owed, rows)
        return state.on_hand - owed + add_up(network.customer, state.on_order, rows)

    for period in played(game):
        before, flows, after = period.before, period.flows, period.after
        asked = flows.requests - before.revealed + after.revealed
        change = add_up(network.customer, flows.order, rows) - add_up(network.supplier, asked, rows)
        change -= add_up(network.market_row, after.last_demand if network.demand_first else flows.demand, rows)
        if flows.lost is not None:
            change += add_up(np.where(network.line_place < rows, network.line_place, -1), flows.lost, rows)
            bought = np.where(network.line_edge >= 0, network.customer[network.line_edge], -1)
            change -= add_up(bought, flows.lost, rows)
        for never in (after.missing, after.overflow):
            change -= 0 if never is None else add_up(network.customer, never, rows)
        change -= or_zero(flows.scrapped, flows.on_hand) + left_for_others(network, flows)
        change += add_up(network.market_row, or_zero(flows.expedited, flows.sales), rows)
        near(position(before) + change, position(after), "position")


def on_order_is_what_it_says(chain: Any, random: Random) -> None:
    """What is on order travels up, is owed by the supplier, or is in transit."""
    network = (game := Game(chain)).network
    for period in played(game):
        state = period.after
        owed = state.revealed.copy()  # a source that never falls short ships in this period what is revealed now
        internal = network.edge_line >= 0
        owed[internal] = state.owed[network.edge_line[internal]]
        near(np.sum(state.travelling, axis=0) + owed + state.in_transit, state.on_order, "on order")


def echelons_are_own_and_downstream(chain: Any, random: Random) -> None:
    """The echelon position: a row's own, and stock and pipelines of all below it, less what their markets are owed."""
    network = (game := Game(chain)).network
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(network.rows)))
    graph.add_edges_from((u, v) for u, v in zip(network.supplier, network.customer, strict=True) if u >= 0)
    below = {row: sorted(nx.descendants(graph, row)) for row in graph}
    for period in played(game):
        state = period.after
        owed, own = owed_seen(network, state), inventory_position(network, state)
        echelon = echelon_inventory_position(network, state)
        for row, under in below.items():
            to_rows = (network.line_place == row) & (network.line_edge >= 0)
            inner = own[row] + owed[to_rows].sum(0)  # what it owes to rows stays inside its echelon
            for other in under:
                markets = network.market_line[network.market_row == other]
                moving = state.in_transit[network.customer == other].sum(0)
                inner = inner + state.on_hand[other] + moving - owed[markets].sum(0)
            near(inner, echelon[row], "echelon position")


def shipments_arrive_when_due(chain: Any, random: Random) -> None:
    """After exactly the lead time; with random delays, between the shortest and the longest one."""
    network = (game := Game(chain)).network
    periods = list(played(game))
    first = periods[0].before
    arrived = [first.receipts + or_zero(first.missing, first.receipts) + or_zero(first.overflow, first.receipts)]
    for period in periods:
        after = period.after
        arrived.append(
            after.receipts + or_zero(after.missing, after.receipts) + or_zero(after.overflow, after.receipts)
        )
    shipped = [period.flows.shipment for period in periods]
    for edge in range(len(network.edges)):
        shortest, longest = int(network.lead_time[edge]), int(network.longest_lead_time[edge])
        came = np.cumsum([amount[edge] for amount in arrived], axis=0)
        left = np.cumsum([amount[edge] for amount in shipped], axis=0)
        start = first.in_transit[edge] + arrived[0][edge]
        for t in range(PERIODS + 1):
            if shortest == 0:
                continue  # on hand at once; stock is checked by the conservation of material
            at_most = start + (left[t - shortest] if t >= shortest else 0)
            assert (came[t] <= at_most + 1e-9).all(), "a shipment came too early"
            if t >= longest:
                near(np.minimum(came[t], start + left[t - longest]), start + left[t - longest], "a shipment is late")
            if shortest == longest and t >= shortest:
                near(arrived[t][edge], shipped[t - shortest][edge], "what arrives")


def transfers_sum_to_zero(chain: Any, random: Random) -> None:
    """A contract moves money between places and changes no flow."""
    game, plain = Game(chain), Game({**chain, "contract": {}})
    for period, same in zip(played(game), played(plain), strict=True):
        booked = game.books.by_account(period.flows)
        near(booked.pop("transfers", np.zeros((1, B))).sum(0), 0, "transfers")
        near(sum(booked.values()), plain.books.costs(same.flows), "accounts")


def a_shared_reward_is_the_mean(chain: Any, random: Random) -> None:
    """Shared: the mean of the individual rewards; a blend: between the two."""
    kinds: list[Any] = ["individual", "shared", {"blend": 0.25}]
    games = [Game(chain, reward=kind) for kind in kinds]
    for own, shared, blend in zip(*(played(game) for game in games), strict=True):
        mean = np.broadcast_to(own.outcome.rewards.mean(0), own.outcome.rewards.shape)
        near(own.outcome.rewards, -own.outcome.costs, "individual rewards")
        near(shared.outcome.rewards, mean, "shared rewards")
        near(blend.outcome.rewards, 0.25 * own.outcome.rewards + 0.75 * mean, "blended rewards")


class Permuted:
    """The noise of one chain for another that has the same parts in another order and under other names."""

    def __init__(self, noise: Any, markets: Any, chances: Any) -> None:
        self.noise, self.markets, self.chances = noise, markets, chances

    def at(self, clock: int) -> Array:
        return self.noise.at(clock)[self.markets]

    def chance(self, clock: int) -> Array:
        return self.noise.chance(clock)[self.chances]


def renamed(part: Any, alias: dict[str, str]) -> Any:
    """A document with other names for its nodes, wherever they stand."""
    if isinstance(part, dict):
        return {alias.get(key, key): renamed(value, alias) for key, value in part.items()}
    if isinstance(part, list):
        return [renamed(value, alias) for value in part]
    return alias.get(part, part) if isinstance(part, str) else part


def chance_rows(network: Network) -> dict[tuple[str, str], range]:
    """Where the numbers of each chance stand."""
    rows, start = {}, 0
    for chance in network.chances:
        rows[chance.stream, chance.name] = range(start, start + chance.size)
        start += chance.size
    return rows


def names_and_order_do_not_matter(chain: Any, random: Random) -> None:
    """Nodes in another order and under other names, the noise with them: the same results in that order.

    Where several rows or edges share a limit, units left over go to the earlier of two equal claims: there the names
    change alone.
    """
    order = list(chain["nodes"])
    shares = "shared" in chain or any("storage" in node for node in chain["nodes"].values())
    order = order if shares else random.sample(order, len(order))
    alias = {node: f"place_{number}" for number, node in enumerate(order)}
    moved = {
        **chain,
        "nodes": {node: chain["nodes"][node] for node in order},
        "edges": chain["edges"] if shares else sorted(chain["edges"], key=lambda edge: order.index(edge["from"])),
        "shared": {name: {**one, "rows": list(one["rows"])} for name, one in chain.get("shared", {}).items()},
    }
    first, second = Game(chain), Game(renamed(moved, alias))
    where = [second.network.rows.index(alias[row]) for row in first.network.rows]
    agents = [second.agents.index(alias.get(agent, agent)) for agent in first.agents]
    numbers = chance_rows(first.network)
    back = {new: old for old, new in alias.items()}
    chances = [n for one in second.network.chances for n in numbers[one.stream, back.get(one.name, one.name)]]
    markets = [first.network.markets.index(name) for name in second.network.markets]
    noise = first.randomness(B, 1)
    other = Permuted(first.randomness(B, 1), markets, np.array(chances, dtype=int))
    for one, same in zip(played(first, noise=noise), played(second, noise=other), strict=True):
        near(one.flows.on_hand, same.flows.on_hand[where], "stock")
        near(one.outcome.costs, same.outcome.costs[agents], "costs")
        near(one.outcome.rewards, same.outcome.rewards[agents], "rewards")


def a_batch_is_its_replications(chain: Any, random: Random) -> None:
    """A batch, and its replications one by one: every bit of what flows, costs and is seen."""
    check_batch(Game(chain), random.randint(0, 200), random.randint(1, 5))


def check_batch(game: Game, first: int, size: int) -> None:
    """A batch from a replication on, and its replications one by one."""
    state, alone = game.start(size, 9, first), [game.start(1, 9, first + r) for r in range(size)]
    for period in range(PERIODS):
        orders = orders_by_name(game, period, size)
        seen, seen_alone = game.table.read(state), [game.table.read(one) for one in alone]
        state, outcome = game.step(state, orders)
        for r in range(size):
            alone[r], one = game.step(alone[r], Decisions(order=orders.order[:, r : r + 1].copy()))
            for field, value in vars(outcome.flows).items():
                if value is not None:
                    assert np.array_equal(value[:, r : r + 1], getattr(one.flows, field)), field
            assert np.array_equal(outcome.costs[:, r : r + 1], one.costs)
            assert np.array_equal(outcome.rewards[:, r : r + 1], one.rewards)
            assert np.array_equal(seen[:, r : r + 1], seen_alone[r])


def torch_is_numpy(chain: Any, random: Random) -> None:
    """Every bit in whole units, within 1e-9 in continuous ones."""
    from marl_supply.simulation.torch_arrays import TorchArrays

    game = Game(chain)
    state = game.start(B, seed=1, arrays=TorchArrays())
    for number, period in enumerate(played(game)):
        orders = orders_by_name(game, number).order
        state, outcome = game.step(state, Decisions(order=state.arrays.given(orders)))
        for field, value in vars(period.flows).items():
            if value is not None:
                twin = np.asarray(getattr(outcome.flows, field))
                if game.network.integer:
                    assert np.array_equal(value, twin), field
                else:
                    near(value, twin, field)
        near(period.outcome.costs, np.asarray(outcome.costs), "costs")


LAWS = (
    material_is_conserved,
    claims_are_conserved,
    nothing_is_negative,
    limits_hold,
    positions_follow_their_recursion,
    on_order_is_what_it_says,
    echelons_are_own_and_downstream,
    shipments_arrive_when_due,
    transfers_sum_to_zero,
    a_shared_reward_is_the_mean,
    names_and_order_do_not_matter,
    a_batch_is_its_replications,
    torch_is_numpy,
)
