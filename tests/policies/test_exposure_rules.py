"""Rules of exposure, the expected profit they look at, and several policies in one seat."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import rule, seat_everybody
from marl_supply.policies.base_stock import BaseStock
from marl_supply.policies.crowd_profit import crowd_profit
from marl_supply.policies.each_decides import EachDecides
from marl_supply.policies.exposure_rules import BaseStockRandomExposure, MyopicExposure, RandomExposure, UniformExposure
from marl_supply.policies.random_order import RandomOrder
from marl_supply.simulation import Decisions
from marl_supply.testing import check_policy
from marl_supply.topology import load

NAME = "recommendation_replenishment"
LEVELS = [28.0, 34.0, 37.0]
OVER = ("customers", "products")
every_reading = pytest.mark.parametrize("over", OVER)


def game_of(over: str = "customers", **changes: Any) -> Game:
    return Game(load(NAME, {"defaults.market.exposure_over": over, **changes}))


def desks(over: str = "customers") -> Game:
    document = load(NAME).to_dict()
    rows = ["shop:red", "shop:green", "shop:blue"]
    agents = {
        "buyer": {"decides": [f"{row}.order" for row in rows], "pays": rows},
        "recommender": {"decides": [f"{row}.exposure" for row in rows], "pays": []},
    }
    changes = {f"markets.{row}.exposure_over": over for row in rows}
    return Game(load(document, {"game.agents": agents, "game.reward": "shared", **changes}))


@every_reading
@pytest.mark.parametrize("name", ["base_stock", "base_stock_random_exposure", "base_stock_myopic_exposure"])
def test_rules_of_orders_and_exposure_play(name: str, over: str) -> None:
    check_policy(name, game_of(over))
    check_policy(name, game_of(over, **{"defaults.market.forgetting": 0.5, "defaults.market.unmet": "backorder"}))


@every_reading
@pytest.mark.parametrize("name", ["uniform_exposure", "random_exposure", "myopic_exposure"])
def test_rules_of_exposure_play_beside_a_buyer(name: str, over: str) -> None:
    game = desks(over)
    check_policy(seat_everybody(game, "base_stock", seats={"recommender": name}), game)


def test_rules_are_refused_where_they_do_not_fit() -> None:
    for game, agent, name, message in (
        (Game("lost_sales"), "store", "base_stock_random_exposure", "decides no exposure, which the rule"),
        (game_of(), "shop", "uniform_exposure", "decides orders, which the rule uniform_exposure does not"),
        (desks(), "recommender", "base_stock", "decides no orders, which the rule base_stock does"),
    ):
        with pytest.raises(InputError, match=message):
            rule(name, game.seats[agent])


@every_reading
def test_random_exposure_is_uniform_on_the_simplex(over: str) -> None:
    """Mean 1/n and variance (n - 1) / (n^2 (n + 1)) of each share; the uniform rule gives the mean."""
    game, n = game_of(over), 4 if over == "customers" else 3
    seen = game.observe(game.start(4_000), "shop")
    shares = np.array(RandomExposure().act(seen, None)[0].exposure)
    assert np.allclose(shares.sum(1 if over == "customers" else 0), 1)
    assert np.allclose(shares.mean(-1), 1 / n, atol=0.02)
    assert np.allclose(shares.var(-1), (n - 1) / (n**2 * (n + 1)), atol=0.006)
    equal = np.array(UniformExposure().act(seen, None)[0].exposure)
    assert (equal == 1 / n).all()


@pytest.mark.parametrize("changes", [{}, {"defaults.market.unmet": "backorder"}])
def test_expected_profit_is_that_of_many_periods(changes: dict[str, Any]) -> None:
    """One period from the file's stocks without an order; purchases that it spares or causes counted by hand."""
    game, many = game_of(**changes), 10_000
    profit = crowd_profit(game.seats["shop"])
    shown = np.random.default_rng(3).dirichlet(np.ones(4), 3)  # (items, groups)
    state = game.start(many, seed=2)
    stock = state.on_hand[:, :1].copy()
    expected = profit.profit([{}, {}, {}], stock, shown.T[:, :, None])[0]
    exposure = tuple(np.repeat(own[:, None], many, axis=1) for own in shown)
    _, outcome = game.step(state, {"shop": Decisions(order=np.zeros((3, many)), exposure=exposure)})
    flows = outcome.flows
    gone = flows.demand if changes else flows.sales
    holding_of_all = (np.array([0.5, 0.6, 0.8]) @ stock)[0]
    money = -outcome.costs[0] + holding_of_all - np.array([4, 4, 5]) @ gone
    assert expected == pytest.approx(money.mean(), rel=0.01)


@every_reading
def test_myopic_exposure_comes_near_the_best_on_the_grid(over: str) -> None:
    """Two groups: all exposures in quarters are looked at, from several stocks."""
    chain = load(NAME).to_dict()
    for row in ("shop:red", "shop:green", "shop:blue"):
        chain["markets"][row] |= {"customers": [10, 8], "ratings": [[3.0, 1.0], [1.0, 3.0], [1.0, 1.0]]}
        chain["markets"][row]["exposure_over"] = over
    game = Game(load(chain))
    state = game.start(5, seed=1)
    state.on_hand = np.array([[30, 5, 0, 12, 8], [3, 20, 0, 12, 8], [9, 9, 9, 2, 20]], dtype=float)
    profit = crowd_profit(game.seats["shop"])
    shares = np.array(MyopicExposure().act(game.observe(state, "shop"), None)[0].exposure).transpose(1, 0, 2)
    found = profit.profit([{}] * 3, state.on_hand, shares)
    quarters = [k / 4 for k in range(5)]
    if over == "customers":
        grid = [np.array([own, [1 - x for x in own]]) for own in product(quarters, repeat=3)]
    else:
        split = [(a, b, 1 - a - b) for a, b in product(quarters, repeat=2) if a + b <= 1 + 1e-9]
        grid = [np.array(both) for both in product(split, repeat=2)]
    all_of_them = np.array([profit.profit([{}] * 3, state.on_hand, shown[:, :, None] * np.ones(5)) for shown in grid])
    alike = np.full((2, 3, 5), 1 / 2 if over == "customers" else 1 / 3)
    best, equal = all_of_them.max(0), profit.profit([{}] * 3, state.on_hand, alike)
    assert (found <= best + 1e-9).all()
    assert (best - found <= 0.2 * (best - equal) + 1e-9).all()


@every_reading
def test_myopic_exposure_earns_more_than_equal_and_random_ones(over: str) -> None:
    game = game_of(over)
    rows = {name: {"shop": rule(name, game.seats["shop"])} for name in ("base_stock", "base_stock_myopic_exposure")}
    rows["random"] = {"shop": BaseStockRandomExposure(LEVELS)}
    means = {name: evaluate(game, players, replications=64).mean for name, players in rows.items()}
    assert means["base_stock_myopic_exposure"] < means["base_stock"]
    assert means["base_stock_myopic_exposure"] < means["random"]


class Everything(BaseStock):
    """Stands for a policy trained to decide everything: base stock, and all attention on each product's first group."""

    decides = frozenset({"order", "exposure"})

    def act(self, observation: Any, memory: Any) -> Any:
        decided, _ = super().act(observation, memory)
        loud = np.zeros((4, observation.replications))
        loud[0] = 1.0
        return Decisions(order_up_to=decided.order_up_to, exposure=(loud,) * 3), (memory or 0) + 1


def test_of_each_policy_only_its_own_decisions_count() -> None:
    game = game_of()
    whole, seen = Everything(LEVELS), game.observe(game.start(8), "shop")
    naive = EachDecides({"order": RandomOrder([9.0] * 3), "exposure": whole})
    decided, memory = naive.act(seen, naive.start(game.seats["shop"], 8))
    assert decided.kinds() == ("order", "exposure") and memory == {"order": None, "exposure": 1}
    assert (decided.exposure[1][0] == 1).all() and (decided.order <= 9).all()
    other = EachDecides({"order": whole, "exposure": RandomExposure()})
    decided, _ = other.act(seen, None)
    assert decided.kinds() == ("order_up_to", "exposure") and np.isclose(decided.exposure[0].sum(0), 1).all()
    assert EachDecides({"order": whole}).act(seen, None)[0].kinds() == ("order_up_to",)
    assert naive.needs == whole.needs
    for policy in (naive, other):
        check_policy({"shop": policy}, game)


def test_parts_have_random_numbers_of_their_own() -> None:
    """Beside a part that draws as many numbers, both would otherwise draw the same ones."""
    game = game_of()
    seen = game.observe(game.start(2000), "shop")
    decided, _ = EachDecides({"order": RandomOrder([99.0] * 3), "exposure": RandomExposure()}).act(seen, None)
    alone = RandomExposure().act(seen, None)[0]
    assert decided.exposure[0].shape == alone.exposure[0].shape
    assert not np.array_equal(decided.exposure[0], alone.exposure[0])
    shares, orders = np.array(decided.exposure).reshape(12, -1), np.asarray(decided.order)
    assert np.abs(np.corrcoef(np.concatenate([shares, orders]))[:12, 12:]).max() < 0.1


def test_two_desks_and_one_shop_with_each_decides_play_the_same() -> None:
    """What needs no chance: base stock and all attention on the first group."""
    one, two = game_of(), desks()
    joint = evaluate(one, {"shop": Everything(LEVELS)}, replications=20).mean

    class Loud(UniformExposure):
        def act(self, observation: Any, memory: Any) -> Any:
            loud = np.zeros((4, observation.replications))
            loud[0] = 1.0
            return Decisions(exposure=(loud,) * 3), memory

    parted = evaluate(two, {"buyer": BaseStock(LEVELS), "recommender": Loud()}, replications=20).mean
    combined = evaluate(one, {"shop": EachDecides({"order": BaseStock(LEVELS), "exposure": Loud()})}, replications=20)
    assert np.allclose(joint, combined.mean) and np.allclose(joint, parted)


def test_combinations_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="nobody decides anything"):
        EachDecides({})
    with pytest.raises(InputError, match=r"no 'exposures' can be decided \(did you mean 'exposure'"):
        EachDecides({"exposures": RandomExposure()})
    game = game_of()
    wrong = EachDecides({"order": RandomExposure()})
    with pytest.raises(InputError, match="RandomExposure stands for order and decides exposure"):
        wrong.act(game.observe(game.start(2), "shop"), None)
