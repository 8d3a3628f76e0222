"""Least costs of realised paths: brute force over all orders, orders replayed, and policies, which never cost less."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.simulation import Decisions
from marl_supply.solvers.hindsight import hindsight, hindsight_cost
from marl_supply.topology import load

SMALL = {"process": "uniform_integer", "low": 0, "high": 3}
TINY: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("lost_sales", {"edges.0.lead_time": 1, "edges.0.pipeline": 1}, {}),
    ("lost_sales", {"edges.0.lead_time": 0, "edges.0.pipeline": 0, "edges.0.purchase_cost": 2}, {}),
    ("lost_sales", {"nodes.store.on_hand": 0, "edges.0.purchase_cost": 1, "nodes.store.demand.price": 3}, {}),
    ("lost_sales", {"edges.0.purchase_cost": 5}, {"discount": 0.9}),
    ("single_echelon", {"edges.0.lead_time": 1, "edges.0.pipeline": 2, "nodes.store.on_hand": 0}, {}),
    ("single_echelon", {"nodes.store.demand.price": 7, "nodes.store.on_hand": 1}, {"warm_up": 2}),
    ("single_echelon", {"nodes.store.review": [2, 1], "nodes.store.on_hand": 1, "edges.0.lead_time": 1}, {}),
    ("single_echelon", {"nodes.store.capacity": 1, "edges.0.lead_time": 1, "nodes.store.on_hand": 1}, {}),
    ("single_echelon", {"edges.0.order_limit": 1, "edges.0.lead_time": 0, "nodes.store.on_hand": 0}, {}),
    (
        "single_echelon",
        {
            "edges.0.information_delay": 1,
            "edges.0.orders_in_transit": 2,
            "edges.0.lead_time": 1,
            "edges.0.pipeline": 1,
            "edges.0.holding_cost": 0.5,
            "edges.0.title": "customer",
            "edges.0.purchase_cost": 3,
            "edges.0.charged_on": "shipment",
            "nodes.store.on_hand": 0,
        },
        {"criterion": "total", "discount": 0.8},
    ),
    ("dual_sourcing", {"edges.regular.lead_time": 1, "nodes.store.on_hand": 0}, {"horizon": 3}),
]


class Repeated:
    """One path of demand for many replications."""

    def __init__(self, path: Any, count: int) -> None:
        self.path, self.count = path, count

    def at(self, clock: int) -> Any:
        return np.repeat(self.path[min(clock, len(self.path) - 1)][:, None], self.count, 1)


class Replay:
    """Orders that are fixed beforehand."""

    needs = frozenset[str]()

    def __init__(self, orders: Any) -> None:
        self.orders = orders

    def start(self, seat: Any, replications: int) -> int:
        return 0

    def act(self, observation: Any, period: int) -> tuple[Decisions, int]:
        return Decisions(order=np.maximum(self.orders[period], 0.0)), period + 1


def least_of_all(game: Game, path: Any, highest: int) -> float:
    """The least cost over all whole orders from 0 to `highest`, by the simulator."""
    edges = len(game.network.edges)
    choices = np.array(list(product(range(highest + 1), repeat=edges * game.horizon)), dtype=float)
    orders = choices.T.reshape(game.horizon, edges, -1)
    state, total = game.start(len(choices), noise=Repeated(path, len(choices))), np.zeros(len(choices))
    for period in range(game.horizon):
        state, outcome = game.step(state, Decisions(order=orders[period]))
        if period >= game.warm_up:
            total += game.discount ** (period - game.warm_up) * outcome.costs.sum(0)
    return float(total.min() / (game.horizon - game.warm_up if game.criterion == "average" else 1))


@pytest.mark.parametrize(("chain", "changes", "settings"), TINY)
def test_it_is_what_brute_force_finds(chain: str, changes: dict[str, Any], settings: dict[str, Any]) -> None:
    unmet = {"unmet": "lost"} if chain == "lost_sales" else {}
    price = {"price": changes["nodes.store.demand.price"]} if "nodes.store.demand.price" in changes else {}
    rest = {key: value for key, value in changes.items() if key != "nodes.store.demand.price"}
    game = Game(
        load(chain, {"nodes.store.demand": {**SMALL, **unmet, **price}, **rest}),
        **{"horizon": 5, "warm_up": 0, **settings},
    )
    noise = game.randomness(4, 11)
    paths = np.stack([noise.at(period) for period in range(game.horizon)])
    costs = hindsight_cost(game, 4, 11)
    expected = [least_of_all(game, paths[:, :, one], 4) for one in range(4)]
    np.testing.assert_allclose(costs, expected, atol=1e-9)


def test_where_sales_are_lost_in_a_warm_up_it_is_a_bound_alone() -> None:
    """Demand that is sent away in the warm-up costs nothing, and its stock serves later: no game does that."""
    lost = {"nodes.store.demand": {**SMALL, "unmet": "lost"}, "nodes.store.on_hand": 2}
    game = Game(load("lost_sales", {**lost, "edges.0.pipeline": 0, "edges.0.order_limit": 1}), horizon=5, warm_up=2)
    noise = game.randomness(6, 1)
    paths = np.stack([noise.at(period) for period in range(5)])
    least = np.array([least_of_all(game, paths[:, :, one], 1) for one in range(6)])
    costs = hindsight_cost(game, 6, 1)
    assert (costs <= least + 1e-9).all() and (costs < least - 1e-9).any()


@pytest.mark.parametrize(
    ("chain", "changes"),
    [
        ("lost_sales", {"edges.0.order_limit": 6}),
        ("single_echelon", {"nodes.store.capacity": 6}),
        ("dual_sourcing", {"edges.regular.order_limit": 2}),
        ("uneven_review", {}),
        ("uneven_review", {"edges.0.information_delay": 2, "nodes.store.review_offset": 1}),
    ],
)
def test_orders_reach_the_cost_and_are_whole(chain: str, changes: dict[str, Any]) -> None:
    game = Game(load(chain, changes), horizon=120, warm_up=0)
    found = hindsight(game, 6, 3)
    played = evaluate(game, {"store": Replay(found.orders)}, 6, 3)  # type: ignore[dict-item]
    np.testing.assert_allclose(played.sample, found.costs, atol=1e-9)
    np.testing.assert_allclose(found.orders, np.rint(found.orders), atol=1e-9)


def test_no_rule_costs_less_on_any_path_and_the_exact_optimum_costs_more() -> None:
    """Zipkin (2008), Poisson 5, p = 4, L = 2: optimal 4.39530; dual sourcing, l_r = 2, c_e = 10: 19.733333 + 200."""
    for chain, rules, optimum in (
        ("lost_sales", ("base_stock", "capped_base_stock", "constant_order", "myopic_2"), 4.39530),
        ("dual_sourcing", ("dual_index", "capped_dual_index", "tailored_base_surge", "single_index"), 219.733333),
    ):
        game = Game(chain, horizon=400, warm_up=0)
        bound = hindsight_cost(game, 16, 2)
        assert bound.mean() + 3 * bound.std(ddof=1) / 4 < optimum
        for rule in rules:
            assert (evaluate(game, seat_everybody(game, rule), 16, 2).sample > bound).all()


def test_a_path_does_not_depend_on_how_many_there_are() -> None:
    game = Game("dual_sourcing", horizon=50, warm_up=10)
    np.testing.assert_allclose(hindsight_cost(game, 6, 4)[:3], hindsight_cost(game, 3, 4))


def test_warm_stocks_are_where_it_begins() -> None:
    game = Game("single_echelon", horizon=40, warm_up=0, start="warm")
    found = hindsight(game, 5, 8)
    played = evaluate(game, {"store": Replay(found.orders)}, 5, 8)  # type: ignore[dict-item]
    np.testing.assert_allclose(played.sample, found.costs, atol=1e-9)


@pytest.mark.parametrize(
    ("chain", "changes", "reason"),
    [
        ("beer_game", {}, "one row, and there are 4"),
        ("single_echelon", {"edges.0.fixed_order_cost": 5}, "without the account 'fixed_order'"),
        ("single_echelon", {"nodes.supplier.capacity": 9}, "suppliers that are never short"),
        ("single_echelon", {"nodes.store.storage": 30}, "stock without limits"),
        ("single_echelon", {"edges.0.shipping_loss": 0.1}, "arrive on time and whole"),
    ],
)
def test_what_is_no_such_program_is_refused(chain: str, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=f"hindsight is for .*{reason}.*; solve or simulate"):
        hindsight_cost(Game(load(chain, changes)))
