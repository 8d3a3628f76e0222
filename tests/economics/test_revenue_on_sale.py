"""Whether customers who wait pay when they ask, or only if they are served in the same period."""

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions
from marl_supply.solvers.newsvendor import backlogged_row
from marl_supply.topology import load
from marl_supply.topology.check import check


def shop(**market: Any) -> dict[str, Any]:
    demand = {"process": "uniform_integer", "low": 4, "high": 4, "price": 10, **market}
    return {
        "name": "kiosk",
        "nodes": {"plant": {"kind": "source"}, "shop": {"on_hand": 6, "backorder_cost": 1, "demand": demand}},
        "edges": [{"from": "plant", "to": "shop", "lead_time": 0}],
    }


@pytest.mark.parametrize(
    "market, earned",
    [
        ({}, [40, 40, 40]),
        ({"revenue_on": "sale"}, [40, 20, 30]),  # 2 of the 9 units ordered in the third period serve who waited
        ({"revenue_on": "sale", "unmet": "lost"}, [40, 20, 40]),
        ({"unmet": "lost"}, [40, 20, 40]),
    ],
)
def test_revenue_of_three_periods(market: dict[str, Any], earned: list[float]) -> None:
    game = Game(shop(**market))
    state, found = game.start(2), []
    for quantity in (0.0, 0.0, 5.0):
        state, outcome = game.step(state, {"shop": Decisions(order=np.full((1, 2), quantity))})
        found.append(-game.books.by_account(outcome.flows)["revenue"][0, 0])
    assert found == earned


def test_solvers_that_book_revenue_when_asked_refuse_it() -> None:
    with pytest.raises(InputError, match="revenue_on"):
        backlogged_row(Game(shop(revenue_on="sale")).network)


def test_free_shortage_is_warned_of_only_where_somebody_orders() -> None:
    free = shop()
    free["nodes"]["shop"]["backorder_cost"] = 0
    assert any("nothing is lost" in str(warning) for warning in check(load(free)))
    priced = shop(price_range=[1, 20])
    priced["nodes"]["shop"]["backorder_cost"] = 0
    priced["game"] = {"agents": {"shop": {"decides": ["shop.price"], "pays": ["shop"]}}}
    assert not any("nothing is lost" in str(warning) for warning in check(load(priced)))
