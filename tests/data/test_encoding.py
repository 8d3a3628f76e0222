"""Decisions as actions: every action comes back from what it means, and rules keep what they decided."""

from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS

from marl_supply.data.encoding import encode
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.decisions.action import Action
from marl_supply.policies.seating import seat_everybody
from marl_supply.simulation import Decisions
from marl_supply.topology import load

NAMES = [
    "lost_sales",
    "dual_sourcing",
    "cachon_zipkin",
    "pricing_replenishment",
    "pricing_duopoly",
    "recommendation_replenishment",
    "collaborative",
]


def random_actions(action: Action, count: int, seed: int = 0) -> Any:
    drawn = np.random.default_rng(seed).random((len(action.low), count))
    if action.seat.integer:
        return np.floor(drawn * action.choices[:, None]).astype(np.int64)
    return (action.low[:, None] + drawn * (action.high - action.low)[:, None]).astype(np.float32)


@pytest.mark.parametrize("kind", ["quantity", "order_up_to", "demand_plus"])
@pytest.mark.parametrize("units", ["integer", "continuous"])
def test_orders_of_every_kind_come_back(kind: str, units: str) -> None:
    game = Game(load("serial_clark_scarf", {"units": units}), actions=kind)
    state = game.start(20, seed=1)
    for agent, action in game.actions.items():
        actions = random_actions(action, 20)
        low, high = (action.low[:, None], action.high[:, None])
        decided = action.decode(actions if units == "integer" else np.clip(actions.astype(float), low, high))
        assert np.array_equal(encode(action, decided, state), actions), agent


@pytest.mark.parametrize("name", NAMES)
def test_an_action_that_was_recorded_means_the_same_once_more(name: str) -> None:
    game = Game(CHAINS[name])
    state = game.start(50, seed=2)
    for action in game.actions.values():
        first = encode(action, action.decode(random_actions(action, 50)), state)
        meant = action.decode(first)
        assert np.array_equal(encode(action, meant, state), first)
        for field in ("order", "order_up_to", "demand_plus", "price"):
            drawn = getattr(action.decode(random_actions(action, 50)), field)
            assert (drawn is None) == (getattr(meant, field) is None)
            if drawn is not None:
                assert np.array_equal(drawn, getattr(meant, field))


def test_equal_and_single_shares_are_kept_exactly() -> None:
    game = Game("collaborative")
    action, state = game.actions["shop"], game.start(2)
    shares = (np.array([[1 / 3, 0], [1 / 3, 1], [1 / 3, 0]]), np.array([[0.5, 0.2], [0.25, 0.4], [0.25, 0.4]]))
    decided = Decisions(order=np.zeros((4, 2)), price=np.array([[9.0, 9.4], [5.0, 30.0]]), exposure=shares)
    meant = action.decode(encode(action, decided, state))
    assert np.allclose(meant.exposure[0], shares[0]) and np.allclose(meant.exposure[1], shares[1], atol=0.02)
    assert meant.price.tolist() == [[9, 9], [5, 25]]
    bare = action.decode(encode(action, Decisions(order=np.zeros((4, 2))), state))
    assert bare.price.tolist() == [[10, 10], [14, 14]] and np.allclose(bare.exposure, 1 / 3)


def test_levels_and_quantities_are_told_from_one_another() -> None:
    up_to = Game("single_echelon", actions="order_up_to")
    quantity, plus = (Game("single_echelon", actions=kind) for kind in ("quantity", "demand_plus"))
    state = up_to.start(3, seed=4)
    agent = up_to.agents[0]
    position = up_to.observe(state, agent).inventory_position
    level = position + np.array([[4.0, 0.0, -3.0]])
    orders = encode(quantity.actions[agent], Decisions(order_up_to=level), state)
    assert orders.tolist() == [[4, 0, 0]]
    again = encode(up_to.actions[agent], Decisions(order=orders.astype(float)), state)
    assert np.array_equal(again, np.maximum(level, position))
    extra = plus.actions[agent]
    told = extra.decode(encode(extra, Decisions(order_up_to=level), state)).demand_plus
    expected = level - position - up_to.observe(state, agent).incoming_orders
    assert np.array_equal(told, np.clip(expected, extra.low[:, None], extra.high[:, None]))


def test_an_edge_is_chosen_by_its_order() -> None:
    game = Game("dual_sourcing", actions="choose_one")
    action, state = game.actions["store"], game.start(3)
    orders = np.array([[3.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    assert encode(action, Decisions(order=orders), state).tolist() == [[0, 1, 0], [3, 2, 2]]
    assert encode(action, Decisions(order_up_to=np.full((1, 3), 7.0)), state)[0].tolist() == [0, 0, 0]


def test_what_is_no_action_is_refused() -> None:
    game = Game("one_warehouse_alvo")
    decided = Decisions(order_up_to=np.zeros((1, 1)))

    class Own(Action):
        def bounds(self) -> Any:
            return np.zeros(1), np.ones(1)

        def decide(self, values: Any) -> Decisions:
            return Decisions()

    agent = game.agents[-1]
    with pytest.raises(InputError, match="no action of kind Own"):
        encode(Own(game.seats[agent], {}), decided, game.start(1))
    with pytest.raises(InputError, match="decides no orders"):
        encode(Game("lost_sales").actions["store"], Decisions(), game.start(1))


def test_rules_are_kept_where_they_fit() -> None:
    for name in ("lost_sales", "dual_sourcing"):
        game = Game(CHAINS[name])
        rule = "base_stock" if name == "lost_sales" else "dual_index"
        player, action, orders = seat_everybody(game, rule)["store"], game.actions["store"], []
        for encoded in (False, True):
            state = game.start(30, seed=3)
            decided, _ = player.act(game.observe(state, "store"), None)
            played = action.decode(encode(action, decided, state)) if encoded else decided
            orders.append(game.step(state, {"store": played})[1].flows.order)
        assert np.array_equal(*orders)
