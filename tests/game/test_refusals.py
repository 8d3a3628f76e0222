"""What `Game` and `Game.step` refuse: NaN, wrong shapes, values outside their space, settings that mean nothing."""

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions

GAME = Game("beer_game")
B = 3


def decided(**changed: Any) -> dict[str, Decisions]:
    """Everybody orders 4, but for some agents."""
    plain = {agent: Decisions(order=np.full((1, B), 4.0)) for agent in GAME.agents}
    return {**plain, **changed}


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (Decisions(order=np.full((1, B), np.nan)), "retailer: order is"),
        (Decisions(order=np.array([[1.0, -1.0, 1.0]])), "retailer: order is"),
        (Decisions(order_up_to=np.full((1, B), np.nan)), "retailer: order_up_to is NaN"),
        (Decisions(demand_plus=np.full((1, B), np.nan)), "retailer: demand_plus is NaN"),
        (Decisions(order=np.ones((2, B))), r"retailer: order has shape \(2, 3\), not \(1, 3\)"),
        (Decisions(order=np.ones((1, B + 1))), r"retailer: order has shape \(1, 4\), not \(1, 3\)"),
        (Decisions(order=np.ones(B)), r"retailer: order has shape \(3,\), not \(1, 3\)"),
        (Decisions(), "retailer: decide exactly one of order, order_up_to, demand_plus, not nothing"),
        (Decisions(order=np.ones((1, B)), order_up_to=np.ones((1, B))), "retailer: decide exactly one"),
        (Decisions(price=np.ones((1, B))), "retailer: decide exactly one"),
    ],
)
def test_decisions_that_mean_nothing_are_refused(decision: Decisions, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        GAME.step(GAME.start(B), decided(retailer=decision))


def test_infinite_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="retailer: order"):
        GAME.step(GAME.start(B), decided(retailer=Decisions(order=np.full((1, B), np.inf))))


@pytest.mark.parametrize("order", [np.full((4, B), np.nan), np.full((4, B), -1.0), np.ones((3, B))])
def test_joint_decisions_are_checked_as_well(order: Any) -> None:
    with pytest.raises(ValueError, match="order"):
        GAME.step(GAME.start(B), Decisions(order=order))


def test_an_agent_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"no agent 'retaler' \(did you mean 'retailer'\?\)"):
        GAME.step(GAME.start(B), decided(retaler=Decisions(order=np.ones((1, B)))))


@pytest.mark.parametrize("action", [[[-1]], [[17]], [[np.nan]], [[0.5]], [[0], [0]], [0]])
def test_actions_outside_their_space_are_refused(action: Any) -> None:
    """17 choices: demand plus -8 to 8."""
    with pytest.raises(ValueError, match="retailer: an action"):
        GAME.actions["retailer"].decode(action)


def test_an_action_is_a_choice_on_the_grid() -> None:
    coarse = Game("beer_game", actions={"kind": "order_up_to", "highest": 40, "step": 5}).actions["retailer"]
    assert coarse.choices.tolist() == [9] and coarse.labels == ("retailer",)
    assert coarse.decode([[0, 3, 8]]).order_up_to.tolist() == [[0, 15, 40]]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"actions": "quantities"}, r"quantities.*did you mean 'quantity'"),
        ({"actions": {"kind": "quantity", "spread": 3}}, "game.actions: no parameter 'spread'"),
        ({"actions": {"kind": "demand_plus", "spread": -3}}, "game.actions.spread: -3 is not a positive number"),
        ({"observe": "loca"}, "observe"),
        ({"horizon": 0}, "horizon"),
        ({"criterion": "mean"}, "criterion"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Game("beer_game", **settings)


@pytest.mark.parametrize("kind", ["order_up_to", "demand_plus"])
def test_levels_need_one_supplier(kind: str) -> None:
    with pytest.raises(InputError, match=f"game.actions: '{kind}' needs rows with one supplier each"):
        Game("network_2x3", actions=kind)


def test_two_agents_cannot_decide_one_row() -> None:
    rows = ["manufacturer", "distributor", "wholesaler", "retailer"]
    with pytest.raises(InputError, match="retailer"):
        Game("beer_game", agents={"a": {"decides": rows, "pays": rows}, "b": {"decides": ["retailer"], "pays": []}})


def test_somebody_decides_every_row() -> None:
    rows = ["manufacturer", "distributor", "wholesaler", "retailer"]
    with pytest.raises(InputError, match="retailer"):
        Game("beer_game", agents={"a": {"decides": rows[:3], "pays": rows}})


def test_an_agent_without_rows_is_refused() -> None:
    agents = {"a": {"decides": ["retailer", "wholesaler", "distributor", "manufacturer"]}, "b": {"decides": []}}
    with pytest.raises(InputError, match=r"beer_game: game\.agents\.b\.decides: it is empty; name a row\."):
        Game("beer_game", agents=agents)


def test_every_agent_of_the_last_stage_decides() -> None:
    game = Game("beer_game")
    with pytest.raises(ValueError, match="manufacturer: no decisions; every agent of the stage decides"):
        game.step(game.start(1), {})
