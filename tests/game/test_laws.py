"""Laws on random chains: nothing is negative, material and claims are conserved, names and order do not matter."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_plays import chains

from marl_supply.game import Game
from marl_supply.simulation import Decisions, Flows, State
from marl_supply.topology.network import Network

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PERIODS, B = 10, 3


def orders_by_name(game: Game, period: int, replications: int) -> Decisions:
    """Orders that depend on the edge's name, the period and the replication, and on nothing else; often too many."""
    edges = [game.network.edges[number] for number in game.everybody.edges]
    drawn = [np.random.default_rng([period, *name.encode()]).random(replications) * 8 for name in edges]
    return Decisions(order=np.floor(drawn) if game.network.integer else np.array(drawn))


def add_up(targets: Any, values: Any, size: int) -> Any:
    """(size, B) sums of values by target."""
    total = np.zeros((size, values.shape[1]))
    np.add.at(total, targets, values)
    return total


def assert_near(left: Any, right: Any) -> None:
    """Equal up to rounding."""
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-9)


def check_stock(network: Network, before: State, flows: Flows) -> None:
    """Stock + received - sent = stock, and in transit + shipped - received = in transit."""
    rows = len(network.rows)
    internal = network.supplier >= 0
    received = add_up(network.customer, flows.receipts, rows)
    sent = add_up(network.supplier[internal], flows.shipment[internal], rows)
    sent += add_up(network.market_row, flows.sales, rows)
    stock = before.on_hand - add_up(network.customer, before.receipts, rows)  # the end of the period before
    assert_near(stock + received - sent, flows.on_hand)
    assert_near(before.in_transit + before.receipts + flows.shipment - flows.receipts, flows.in_transit)


def check_claims(network: Network, before: State, flows: Flows) -> None:
    """Claims + asked - served - lost = claims, line by line."""
    asked = np.concatenate([flows.requests, flows.demand])[network.line_claim]
    served = np.concatenate([flows.shipment, flows.sales])[network.line_claim]
    lost = 0 if flows.lost is None else flows.lost
    assert_near(before.backorders + asked - served - lost, flows.backorders)
    assert (flows.served <= np.minimum(flows.demand, flows.sales) + 1e-9).all()


def check_position(network: Network, state: State) -> None:
    """What is on order travels up, is owed by the supplier, or is in transit."""
    travelling = np.sum(state.travelling, axis=0)
    owed = state.revealed.copy()  # a source owes what is revealed now, and ships it in this period
    internal = network.edge_line >= 0
    owed[internal] = state.owed[network.edge_line[internal]]
    assert_near(state.on_order, travelling + owed + state.in_transit)
    assert_near(state.in_transit, np.sum(state.pipeline, axis=0))


def check_signs(network: Network, state: State, flows: Flows) -> None:
    """No number is negative, and whole units stay whole."""
    numbers = [value for value in vars(flows).values() if value is not None]
    numbers += [state.on_hand, state.owed, state.on_order, state.in_transit, *state.pipeline, *state.travelling]
    for values in numbers:
        assert (values >= (0 if network.integer else -1e-9)).all()
        assert not network.integer or (values == np.rint(values)).all()


@LAW
@given(chains())
def test_nothing_is_created_lost_or_negative(chain: dict[str, Any]) -> None:
    game = Game(chain)
    state = game.start(B, seed=1)
    for period in range(PERIODS):
        before = state.copy()
        state, outcome = game.step(state, orders_by_name(game, period, B))
        check_stock(game.network, before, outcome.flows)
        check_claims(game.network, before, outcome.flows)
        check_position(game.network, state)
        check_signs(game.network, state, outcome.flows)


@LAW
@given(chains())
def test_transfers_of_a_contract_sum_to_zero(chain: dict[str, Any]) -> None:
    game, plain = Game(chain), Game({**chain, "contract": {}})
    state, other = game.start(B), plain.start(B)
    for period in range(PERIODS):
        state, outcome = game.step(state, orders_by_name(game, period, B))
        other, same = plain.step(other, orders_by_name(plain, period, B))
        booked = game.books.by_account(outcome.flows)
        assert_near(booked.pop("transfers", np.zeros((1, B))).sum(0), 0)
        assert_near(sum(booked.values()), plain.books.costs(same.flows))
        assert_near(game.books.costs(outcome.flows).sum(0), plain.books.costs(same.flows).sum(0))


def renamed(part: Any, alias: dict[str, str]) -> Any:
    """A document with other names for its nodes, wherever they stand."""
    if isinstance(part, dict):
        return {alias.get(key, key): renamed(value, alias) for key, value in part.items()}
    if isinstance(part, list):
        return [renamed(value, alias) for value in part]
    return alias.get(part, part) if isinstance(part, str) else part


@LAW
@given(chains(), st.randoms(use_true_random=False))
def test_names_of_nodes_and_their_order_in_a_file_do_not_matter(chain: dict[str, Any], random: Any) -> None:
    """Noise goes with the names of markets, actions with the names of edges; each row keeps the order of its lines."""
    order = random.sample(list(chain["nodes"]), len(chain["nodes"]))
    alias = {node: f"place_{number}" for number, node in enumerate(order)}
    moved = {
        **chain,
        "nodes": {node: chain["nodes"][node] for node in order},
        "edges": sorted(chain["edges"], key=lambda edge: order.index(edge["from"])),
    }
    first, second = Game(chain), Game(renamed(moved, alias))
    where = [second.network.rows.index(alias[row]) for row in first.network.rows]
    agents = [second.agents.index(alias.get(agent, agent)) for agent in first.agents]
    state, other = first.start(B), second.start(B)
    for period in range(PERIODS):
        state, outcome = first.step(state, orders_by_name(first, period, B))
        other, same = second.step(other, orders_by_name(second, period, B))
        assert_near(outcome.flows.on_hand, same.flows.on_hand[where])
        assert_near(outcome.costs, same.costs[agents])
        assert_near(outcome.rewards, same.rewards[agents])


def check_batch(game: Game, first: int, size: int) -> None:
    """A batch, and its replications one by one: every bit of what flows, costs and is seen."""
    state, alone = game.start(size, 9, first), [game.start(1, 9, first + r) for r in range(size)]
    for period in range(PERIODS):
        orders = orders_by_name(game, period, size)
        seen, seen_alone = game.table.read(state), [game.table.read(one) for one in alone]
        state, outcome = game.step(state, orders)
        for r in range(size):
            alone[r], one = game.step(alone[r], Decisions(order=orders.order[:, r : r + 1].copy()))
            for field in ("order", "demand", "shipment", "on_hand", "backorders"):
                assert np.array_equal(getattr(outcome.flows, field)[:, r : r + 1], getattr(one.flows, field)), field
            assert np.array_equal(outcome.costs[:, r : r + 1], one.costs)
            assert np.array_equal(outcome.rewards[:, r : r + 1], one.rewards)
            assert np.array_equal(seen[:, r : r + 1], seen_alone[r])


@LAW
@given(chains(), st.integers(0, 200), st.integers(1, 5))
def test_a_batch_is_its_replications_one_by_one(chain: dict[str, Any], first: int, size: int) -> None:
    check_batch(Game(chain), first, size)


@pytest.mark.parametrize("units", ["integer", "continuous"])
def test_a_batch_is_its_replications_one_by_one_where_many_numbers_add_up(units: str) -> None:
    """Eleven agents and ten lines on one row: sums long enough to be rounded differently in another order."""
    process = {"process": "poisson", "mean": 2} if units == "integer" else {"process": "gamma", "mean": 2, "sd": 1}
    stores = [f"store_{number}" for number in range(10)]
    holding = [{"on_hand": 3, "holding_cost": 0.1 + 0.03 * number, "backorder_cost": 0.7} for number in range(10)]
    chain = {
        "name": "star",
        "nodes": {
            "plant": {"kind": "source"},
            "depot": {"on_hand": 20, "holding_cost": 0.1},
            **dict(zip(stores, holding, strict=True)),
        },
        "edges": [
            {"from": "plant", "to": "depot", "lead_time": 2, "pipeline": 10},
            *({"from": "depot", "to": store, "pipeline": 1} for store in stores),
        ],
        "markets": {f"to_{store}": {"served_by": [store], **process} for store in stores},
        "units": units,
        "game": {"reward": "shared", "actions": "quantity"},
    }
    check_batch(Game(chain), 62, 4)
