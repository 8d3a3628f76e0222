"""Quantity discounts, leftovers, special deliveries and what storage refuses: money worked out by hand."""

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions

BREAKS = [{"from": 10, "purchase_cost": 4}, {"from": 20, "purchase_cost": 3}]


def shop(**edge: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "nodes": {"plant": {"kind": "source"}, "shop": {"demand": {"process": "poisson", "mean": 1}}},
        "edges": [{"from": "plant", "to": "shop", "order_limit": 50, **edge}],
    }


def cost_of_orders(chain: dict[str, Any], orders: list[float], account: str) -> list[float]:
    game = Game(chain)
    _, outcome = game.step(game.start(len(orders)), Decisions(order=np.array([orders])))
    return [float(x) for x in game.books.by_account(outcome.flows)[account].sum(0)]


def test_a_discount_on_all_units() -> None:
    """5 a unit, 4 from ten on, 3 from twenty on, for the whole order."""
    chain = shop(purchase_cost=5, discounts=BREAKS)
    assert cost_of_orders(chain, [0, 9, 10, 19, 20, 30], "purchase") == [0, 45, 40, 76, 60, 90]


def test_a_discount_on_what_lies_above() -> None:
    chain = shop(purchase_cost=5, discounts=BREAKS, discount_on="increment")
    assert cost_of_orders(chain, [0, 9, 10, 19, 20, 30], "purchase") == [0, 45, 50, 86, 90, 120]


def test_a_rounding_error_is_no_order() -> None:
    chain = {**shop(fixed_order_cost=7), "units": "continuous"}
    assert cost_of_orders(chain, [0, 1e-16, 1e-6, 3], "fixed_order") == [0, 0, 7, 7]


def newsvendor(**changes: Any) -> dict[str, Any]:
    return {
        "name": "newsvendor",
        "nodes": {
            "press": {"kind": "source"},
            "printer": {"on_hand": 100},
            "stand": {
                "on_hand": 12,
                "shelf_life": 1,
                "salvage_value": 2,
                "holding_cost": 0.5,
                "demand": {"process": "uniform_integer", "low": 5, "high": 5, "unmet": "lost", "price": 10},
            },
        },
        "edges": [{"from": "press", "to": "printer"}, {"from": "printer", "to": "stand"}],
        **changes,
    }


def test_leftovers_are_charged_scrapped_and_paid_for() -> None:
    game = Game(newsvendor(contract={"buy_back": 3}))
    nothing = Decisions(order=np.zeros((2, 1)))
    state, outcome = game.step(game.start(1), nothing)
    assert outcome.flows.on_hand[1, 0] == outcome.flows.scrapped[1, 0] == 7  # type: ignore[index]
    booked = {name: cost[:, 0].tolist() for name, cost in game.books.by_account(outcome.flows).items()}
    assert booked["holding"] == [0, 3.5, 0] and booked["salvage"] == [0, -14, 0]
    assert booked["transfers"] == [21, -21, 0]
    assert state.on_hand.tolist() == [[100], [0]]
    _, outcome = game.step(state, nothing)
    assert outcome.flows.lost[0, 0] == 0 or outcome.flows.lost.sum() == 5  # type: ignore[index, union-attr]


def test_buying_back_what_keeps_is_refused() -> None:
    chain = newsvendor(contract={"buy_back": 3})
    chain["nodes"]["stand"].pop("shelf_life")
    with pytest.raises(InputError, match="leftovers of 'stand' are not scrapped.*set nodes.stand.shelf_life to 1"):
        Game(chain).books  # noqa: B018


def test_what_storage_refuses_is_charged_where_it_arrives() -> None:
    chain = shop(pipeline=9)
    chain["nodes"]["shop"] |= {"on_hand": 4, "storage": 10, "overflow_cost": 2}
    game = Game(chain)
    state = game.start(1)
    assert state.on_hand[0, 0] == 10
    _, outcome = game.step(state, Decisions(order=np.zeros((1, 1))))
    assert outcome.flows.overflow[0, 0] == 3 and game.books.by_account(outcome.flows)["overflow"].tolist() == [[6], [0]]  # type: ignore[index]


def test_who_delivers_for_another_pays_for_it() -> None:
    chain = {
        "name": "van",
        "nodes": {"plant": {"kind": "source"}, "depot": {"on_hand": 3}, "store": {"on_hand": 2}},
        "edges": [{"from": "plant", "to": "depot"}, {"from": "depot", "to": "store"}],
        "markets": {
            "town": {
                "served_by": ["store"],
                "process": "uniform_integer",
                "low": 7,
                "high": 7,
                "unmet": "lost",
                "price": 10,
                "lost_sale_cost": 4,
                "expedite": {"from": "depot", "probability": 1, "cost": 1.5},
            }
        },
    }
    game = Game(chain)
    _, outcome = game.step(game.start(1), Decisions(order=np.zeros((2, 1))))
    flows = outcome.flows
    assert flows.expedited.tolist() == [[3]] and flows.sales.tolist() == flows.served.tolist() == [[5]]  # type: ignore[union-attr]
    assert flows.on_hand.tolist() == [[0], [0]] and flows.lost.sum() == 2  # type: ignore[union-attr]
    booked = game.books.by_account(flows)
    assert booked["expedite"].tolist() == [[4.5], [0], [0]] and booked["lost_sale"].tolist() == [[0], [8], [0]]
    assert booked["revenue"].tolist() == [[0], [-50], [0]]
