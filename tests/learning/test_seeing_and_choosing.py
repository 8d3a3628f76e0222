"""What actors remember and may choose, and what critics foresee: smoothing by hand, masks, bases, shared actors."""

from typing import Any

import numpy as np
import pytest
from small_learner import small

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.rollout import rollout
from marl_supply.learning.arena import Arena
from marl_supply.learning.interface import CLOSED, Interface
from marl_supply.learning.signals import Signals
from marl_supply.policies import seat_everybody
from marl_supply.topology import load

RESIDUAL = {"base": "base_stock", "reach": 0.5}


def middle(arena: Arena) -> Any:
    """Choices in the middle: where actions are added to a base, nothing is added."""
    choices = (arena.interface.choices - 1) // 2
    return np.broadcast_to(choices[:, None, None], (len(choices), arena.copies, arena.replications, choices.shape[1]))


def test_signals_by_hand() -> None:
    """Two sums, two smoothing weights and two lags, against the recursion written out."""
    signals = Signals(((0, 2), (1,)), (4.0, 5.0), (0.5, 1.0), 2)
    seen = [np.array([[1.0], [2.0], [3.0]]), np.array([[0.0], [6.0], [8.0]])]
    remembered = signals.first(1)
    assert remembered[:, 0].tolist() == [4, 5] * 4
    for numbers in seen:
        remembered = signals.after(remembered, numbers)
    # sums 4 and 2, then 8 and 6; half of each: 4 -> 4 -> 6, 5 -> 3.5 -> 4.75
    assert remembered[:, 0].tolist() == [6, 4.75, 8, 6, 8, 6, 4, 2]


def test_actors_remember_what_they_see_and_nothing_else() -> None:
    """Local seats remember the claims on them, in every episode anew; with shared demand the market's as well."""
    learner = small("ppo", smoothing=(0.3,), history=2, restart_after=8)
    arena = Arena(Game("serial_liu"), learner, [0])
    assert arena.interface.sizes == tuple(len(arena.game.seen[a]) + 3 for a in arena.interface.agents)
    shared = Interface(Game("serial_liu", observe="shared_demand"), None, learner)
    assert shared.sizes == tuple(len(shared.game.seen[a]) + 6 for a in shared.agents)
    retailer = arena.interface.agents.index("retailer")
    smoothed = np.full(32, 10.0)
    for _ in range(12):
        step = arena.step(middle(arena))
        demand = step.outcome.flows.demand[0]
        smoothed = smoothed + 0.3 * (demand - smoothed)
        smoothed[step.cut] = 10.0
        demand = np.where(np.isin(np.arange(32), step.cut), 10.0, demand)
        own = step.view.actors[retailer, 0, :, -3:]
        np.testing.assert_allclose(own[:, 0], (smoothed - 10) / 10, atol=1e-5)
        np.testing.assert_allclose(own[:, 1], (demand - 10) / 10, atol=1e-5)


def test_critics_foresee_the_demand_that_comes() -> None:
    """Also across cuts, after a saved state, and never among what actors see."""
    game = Game("serial_liu_merton")
    learner = small("happo", restart_after=7)
    arena = Arena(game, learner, [3, 4], foresight=5)
    without = Arena(game, learner, [3, 4])
    assert without.view().state.shape[-1] + 6 == arena.view().state.shape[-1]
    np.testing.assert_array_equal(without.view().actors, arena.view().actors)
    saved: Any = None
    mean = next(iter(game.processes.values())).mean
    for period in range(40):
        expected = arena.view().state[..., -6]
        step = arena.step(middle(arena))
        demand = step.outcome.flows.demand[0].reshape(2, 32)
        np.testing.assert_allclose(expected, np.clip((demand - mean) / mean, -4, 4), atol=1e-6)
        if period == 20:
            saved, expected_next = arena.get_state(), arena.view()
        if period == 26:
            end = arena.view()
    arena.set_state(saved)
    np.testing.assert_array_equal(arena.view().state, expected_next.state)
    for _ in range(6):
        arena.step(middle(arena))
    np.testing.assert_array_equal(arena.view().state, end.state)


@pytest.mark.parametrize("name", ["pricing_replenishment", "recommendation_replenishment"])
def test_critics_foresee_the_luck_of_markets_that_answer(name: str) -> None:
    """Standardised, the same for every decision, read ahead of the chains and through cuts."""
    game = Game(name)
    arena = Arena(game, small("ppo", restart_after=6), [2], foresight=4)
    markets, luck = len(game.network.markets), []
    for _ in range(40):
        coming = arena.view().state[0, :, -(4 * markets + 1) : -1].reshape(32, 4, markets)
        chance = arena.streams.chance(arena.state.clock)
        for market, _, span in game.network.responsive:
            own = (chance[span].mean(0) - 0.5) * np.sqrt(12 * (span.stop - span.start))
            np.testing.assert_allclose(coming[:, 0, market], np.clip(own, -4, 4), atol=1e-5)
        luck.append(coming[:, 0].copy())
        last = arena.step(middle(arena)).cut
        if not len(last):
            np.testing.assert_array_equal(arena.view().state[0, :, -(4 * markets + 1)], coming[:, 1, 0])
    assert abs(np.mean(luck)) < 0.1 and np.std(luck) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("serial_liu", "base_stock"),
        ("cachon_zipkin", "base_stock"),
        ("beer_game_uniform", "base_stock"),
        ("pricing_replenishment", "reorder_point_price"),
        ("recommendation_replenishment", "base_stock_myopic_exposure"),
        ("recommendation_replenishment", "base_stock"),
    ],
)
def test_nothing_added_is_the_base(name: str, base: str) -> None:
    """With nothing added, costs are those of the rule, also after episodes have begun anew; what it leaves is equal."""
    game = Game(name)
    arena = Arena(game, small("ppo", restart_after=None, base=base, reach=0.5), [0], held_out=True)
    from marl_supply.learning.streams import HELD_OUT

    players = seat_everybody(game, base)
    for outcome, _ in zip(rollout(game, players, 32, HELD_OUT), range(25), strict=False):
        np.testing.assert_allclose(arena.step(middle(arena)).outcome.costs, outcome.costs, atol=1e-9)


def test_bases_of_orders_and_levels() -> None:
    """What is added counts in units of the order, or of the level."""
    game = Game("serial_liu")
    arena = Arena(game, small("ppo", **RESIDUAL), [0])
    assert arena.interface.choices.tolist() == [[11]] * 3 and arena.interface.low.tolist() == [[-5.0]] * 3
    position = arena.game.observe(arena.state, "retailer").inventory_position[0]
    highest = np.zeros((3, 1, 32, 1), dtype=int) + 9
    order = arena.step(highest).outcome.flows.order[game.network.edges.index("distributor-retailer")]
    np.testing.assert_array_equal(order, np.minimum(np.maximum(53 + 4 - position, 0), 20))
    with pytest.raises(InputError, match="no rule 'bas_stock'"):
        Arena(game, small("ppo", base="bas_stock"), [0])
    with pytest.raises(InputError, match="observe: shared_demand"):
        Arena(game, small("ppo", base="echelon_base_stock"), [0])
    with pytest.raises(InputError, match="base_parameters: no node 'shop'"):
        Arena(game, small("ppo", base="base_stock", base_parameters={"shop": 3}), [0])
    with pytest.raises(InputError, match="dotted path"):
        small("ppo", base="my.module:Rule")


def test_choices_are_closed_without_review_and_above_a_limit() -> None:
    game = Game("uneven_review", actions="order_up_to")
    arena = Arena(game, small("ppo"), [0])
    last = arena.interface.choices[0, 0] - 1
    highest = []
    for _ in range(8):
        highest.append(int(arena.view().highest[0, 0, 0, 0]))
        arena.step(np.full((1, 1, 32, 1), 28))
    assert highest == [last, 0, 0, last, 0, 0, 0, last]
    limited = Arena(Game("serial_liu", actions="order_up_to"), small("ppo"), [0])
    view = limited.view()
    number = limited.interface.agents.index("retailer")
    position = limited.game.observe(limited.state, "retailer").inventory_position[0]
    np.testing.assert_array_equal(
        view.highest[number, 0, :, 0], np.minimum(position + 20, limited.interface.choices[0, 0] - 1)
    )
    assert Arena(Game("serial_liu"), small("ppo"), [0]).view().highest is None


def test_sharing_an_actor() -> None:
    """Each agent is told whose seat it plays; agents with different choices cannot share."""
    interface = Interface(Game("beer_game_uniform"), None, small("mappo", share="all"))
    assert interface.modules == ("everybody",) and set(interface.module_of.values()) == {"everybody"}
    np.testing.assert_array_equal(interface.seen[:, -4:] - interface.size, np.eye(4))
    with pytest.raises(InputError, match="different choices"):
        Interface(Game("one_warehouse_van_roy"), None, small("mappo", share="all"))
    with pytest.raises(InputError, match="one agent after another"):
        small("happo", share="all")


def test_first_choices_have_the_stated_spread() -> None:
    """The prior of a base is a Gaussian about nothing added, its deviation `spread` of the largest."""
    interface = Interface(load_game(), None, small("ppo", base="base_stock", reach=1.0, spread=0.4, head="gaussian"))
    weight = np.exp(interface.prior[0, 0]) * (interface.prior[0, 0] > CLOSED)
    added = interface.low[0, 0] + np.arange(interface.width)
    deviation = np.sqrt((weight * added**2).sum() / weight.sum())
    assert interface.choices[0, 0] == 21 and deviation == pytest.approx(4.0, rel=0.05)
    np.testing.assert_allclose(interface.values[0, 0], added / 4.0)


def load_game() -> Game:
    return Game(load("serial_liu"))
