"""Myopic orders: first-order conditions, lead time 0, the edges of the table, and what is refused."""

from typing import Any

import numpy as np
import pytest
from long_run import simulated
from scipy import stats

from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.policies import rule
from marl_supply.policies.myopic import Myopic_1, best_orders
from marl_supply.topology import load

LAW = Poisson(mean=5)


@pytest.mark.parametrize("penalty", [1, 4, 19])
def test_lead_time_0_is_the_newsvendor(penalty: float) -> None:
    """Both rules order up to F^-1(p / (p + h)): what is left over never exceeds it."""
    level = int(stats.poisson(5).ppf(penalty / (penalty + 1)))
    for periods in (1, 2):
        orders = best_orders(LAW, 1.0, float(penalty), 0, periods)
        expected = np.maximum(level - np.arange(len(orders)), 0)
        np.testing.assert_array_equal(orders, expected)


def test_myopic_1_meets_the_ratio_in_the_period_of_arrival() -> None:
    """At L = 1 the smallest q with P(D <= (x - D')^+ + q) >= p / (p + h)."""
    orders = best_orders(LAW, 1.0, 4.0, 1, 1)
    law, demand = stats.poisson(5), np.arange(60)
    for stock in range(14):
        left = np.maximum(stock - demand, 0)
        served = [law.pmf(demand) @ law.cdf(left + q) for q in range(12)]
        assert orders[stock] == int(np.argmax(np.array(served) >= 0.8))


@pytest.mark.parametrize("periods", [1, 2])
def test_more_stock_or_pipeline_never_means_more_orders_nor_one_unit_more_than_one_less(periods: int) -> None:
    """Orders fall by 0 or 1 for each unit, most for the youngest (Zipkin 2008 on the structure of lost sales)."""
    orders = best_orders(LAW, 1.0, 9.0, 3, periods)
    reach = orders[:30]  # beyond lies what no rule reaches
    for axis in range(3):
        fall = -np.diff(reach, axis=axis)
        assert fall.min() >= 0 and fall.max() <= 1


def test_a_price_counts_as_a_cost_of_lost_sales() -> None:
    """In the long run what is bought is sold: margin and lost_sale_cost add up."""
    priced = {"nodes.store.lost_sale_cost": 1, "nodes.store.demand.price": 5, "edges.0.purchase_cost": 2}
    players = [rule("myopic_2", Game(load("lost_sales", changes)).seats["store"]) for changes in (priced, {})]
    games = [Game(load("lost_sales", changes)) for changes in (priced, {})]
    observations = [game.observe(game.start(5, seed=1), "store") for game in games]
    first, second = (p.act(o, None)[0].order for p, o in zip(players, observations, strict=True))
    np.testing.assert_array_equal(first, second)
    assert first.max() > 0


def test_nothing_is_ordered_where_a_lost_sale_costs_nothing() -> None:
    assert simulated("lost_sales", "myopic_1", {"nodes.store.lost_sale_cost": 0}, 5).orders.total.sum() == 0


def test_stocks_beyond_the_table_are_read_at_its_edge() -> None:
    game = Game(load("lost_sales", {"nodes.store.on_hand": 500, "edges.0.pipeline": 300}))
    state = game.start(1)
    decisions, _ = rule("myopic_2", game.seats["store"]).act(game.observe(state, "store"), None)
    assert decisions.order.tolist() == [[0.0]]


def test_parameters_are_refused() -> None:
    with pytest.raises(InputError, match="Myopic_1: it has no parameters"):
        Myopic_1([3.0])


@pytest.mark.parametrize(
    ("chain", "changes", "sentence"),
    [
        ("single_echelon", {}, r"nodes.store: a myopic rule is for a node that serves one market, unmet: lost"),
        ("beer_game", {}, "a node that serves one market, unmet: lost"),
        ("lost_sales", {"edges.0.information_delay": 1}, "no information delay"),
        ("lost_sales", {"edges.0.delay": [0.5, 0.5], "edges.0.pipeline": 0}, "arrive on time and whole"),
        ("lost_sales", {"nodes.store.review": [2]}, "ordered every period"),
        ("lost_sales", {"units": "continuous"}, "whole units"),
        (
            "lost_sales",
            {"nodes.store.demand": {"process": "merton", "base": 5, "cap": 10, "length": 1000}},
            "independent demand of whole units with a known law, such as poisson",
        ),
        ("lost_sales", {"edges.0.lead_time": 9}, "its table is too large for a lead time of 9"),
    ],
)
def test_what_the_rule_is_not_for_is_refused(chain: str, changes: Any, sentence: str) -> None:
    seats = Game(load(chain, changes)).seats
    with pytest.raises(InputError, match=sentence):
        rule("myopic_1", next(iter(seats.values())))
