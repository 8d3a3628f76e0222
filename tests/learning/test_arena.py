"""The arena plays the game: same costs as its rollout, copies and workers apart, episodes cut and resumed exactly."""

from typing import Any

import numpy as np
import pytest
from small_learner import small

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.learning.arena import Arena
from marl_supply.learning.choosing import ChoosingLearner as Learner
from marl_supply.learning.interface import CLOSED, Interface
from marl_supply.learning.settings import learner_from, learner_named
from marl_supply.learning.streams import HELD_OUT
from marl_supply.policies import seat_everybody

GAMES = ("cachon_zipkin", "beer_game_uniform", "cd_retail_chain", "network_2x3", "serial_liu_merton")


def some_actions(arena: Arena, period: int) -> Any:
    """(A, K, B, C) choices that differ by agent, component, replication and period, not by copy."""
    choices = arena.interface.choices
    drawn = np.random.default_rng(period).random((len(choices), 1, arena.replications, choices.shape[1]))
    middle = choices[:, None, None, :] * (0.1 + 0.8 * drawn)
    return np.broadcast_to(middle.astype(int), (len(choices), arena.copies, *middle.shape[2:]))


def play(arena: Arena, periods: int, first: int = 0) -> list[Any]:
    return [arena.step(some_actions(arena, first + period)) for period in range(periods)]


@pytest.mark.parametrize("name", GAMES)
def test_costs_are_those_of_the_game(name: str) -> None:
    """Choices of the arena, decoded by the game itself on the same noise, cost the same."""
    game = Game(name)
    arena = Arena(game, small("ppo", restart_after=None), [3], held_out=True)
    state = game.start(32, seed=HELD_OUT)
    for period in range(12):
        actions = some_actions(arena, period)
        decisions = {
            agent: game.actions[agent].decode(actions[n, 0, :, : len(game.actions[agent].low)].T)
            for n, agent in enumerate(game.agents)
        }
        seen = [game.vector(state, agent) for agent in game.agents]
        view = arena.view()
        for number, vector in enumerate(seen):
            scaled = arena.interface.of(number).apply(vector)
            np.testing.assert_array_equal(view.actors[number, 0, :, : len(vector)].T, scaled)
        state, outcome = game.step(state, decisions)
        step = arena.step(actions)
        np.testing.assert_allclose(step.outcome.costs, outcome.costs, atol=1e-9)
        np.testing.assert_allclose(
            step.rewards[:, 0] * arena.interface.reward_scale, outcome.rewards, rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("name", GAMES)
def test_copies_and_workers_do_not_mix(name: str) -> None:
    """A copy is the run of its seed alone, and half of the replications are the half of a worker's, cuts included."""
    game, learner = Game(name), small("ppo", restart_after=5)
    both, alone = Arena(game, learner, [4, 9]), Arena(game, learner, [9])
    half = Arena(game, learner, [9], replications=16, first_replication=16)
    cut = 0
    for period in range(16):
        actions = some_actions(both, period)
        steps = both.step(actions), alone.step(actions[:, :1]), half.step(actions[:, :1, 16:])
        np.testing.assert_array_equal(steps[0].view.state[1], steps[1].view.state[0])
        np.testing.assert_array_equal(steps[1].view.state[:, 16:], steps[2].view.state)
        np.testing.assert_array_equal(steps[0].rewards[:, 1], steps[1].rewards[:, 0])
        np.testing.assert_array_equal(steps[0].final[1], steps[1].final[0])
        mine = steps[1].cut >= 16
        np.testing.assert_array_equal(steps[1].final[:, mine], steps[2].final)
        cut += len(steps[0].cut)
        uniforms = both.uniforms()
        np.testing.assert_array_equal(uniforms[:, :, 1], alone.uniforms()[:, :, 0])
    assert cut == 32 * 3
    assert not np.array_equal(uniforms[:, :, 0], uniforms[:, :, 1])


def test_episodes_begin_as_the_game_does_and_meet_new_demand() -> None:
    game = Game("beer_game_uniform")
    arena = Arena(game, small("ppo", restart_after=6), [0])
    begun = arena.view().state
    steps = play(arena, 12)
    cuts = [step.cut for step in steps]
    assert [len(cut) for cut in cuts] == [0, 0, 16, 0, 0, 16] * 2
    first, again = steps[2], steps[8]
    fields = [entry.field for entry in game.table.entries]
    static = np.flatnonzero([field in ("on_hand", "pipeline", "on_order", "travelling") for field in fields])
    np.testing.assert_array_equal(first.view.state[:, first.cut][..., static], begun[:, first.cut][..., static])
    demand = fields.index("market_demand")
    assert not np.array_equal(first.view.state[:, first.cut, demand], again.view.state[:, again.cut, demand])
    assert not np.array_equal(first.final, first.view.state[:, first.cut])


@pytest.mark.parametrize("name", ("cachon_zipkin", "cd_retail_chain"))
def test_goes_on_exactly_from_a_saved_state(name: str) -> None:
    game, learner = Game(name), small("ppo", restart_after=7)
    arena, other = Arena(game, learner, [1, 2]), Arena(game, learner, [1, 2])
    play(arena, 11)
    saved = arena.get_state()
    expected = play(arena, 70, 11)
    other.set_state(saved)
    for one, two in zip(expected, play(other, 70, 11), strict=True):
        np.testing.assert_array_equal(one.view.state, two.view.state)
        np.testing.assert_array_equal(one.rewards, two.rewards)


def test_local_equilibrium_levels_cost_what_they_should() -> None:
    """Levels (9, 6) of instance P1 at backorder share .3: retailer 2.823, supplier 5.923 (REFERENCE E)."""
    game = Game("cachon_zipkin")
    arena = Arena(game, learner_named("ppo", {"replications": 256}), [0])
    levels = np.array([{"retailer": 9, "supplier": 6}[agent] for agent in game.agents])
    actions = np.broadcast_to(levels[:, None, None, None], (2, 1, 256, 1))
    costs = np.mean([arena.step(actions).outcome.costs.mean(1) for _ in range(600)][100:], axis=0)
    by_agent = dict(zip(game.agents, costs, strict=True))
    assert by_agent["retailer"] == pytest.approx(2.823, rel=0.01)
    assert by_agent["supplier"] == pytest.approx(5.923, rel=0.01)


@pytest.mark.parametrize("rule", ("base_stock", "forecast_base_stock"))
def test_fixed_policies_play_their_seats(rule: str) -> None:
    """A game whose other seats are fixed costs what the rules cost, where the learner's choices copy its rule's."""
    game = Game("beer_game_uniform", actions="order_up_to", horizon=40)
    players = seat_everybody(game, rule)
    fixed = {agent: policy for agent, policy in players.items() if agent != "retailer"}
    arena = Arena(game, small("ppo", restart_after=None), [0], fixed, held_out=True)
    assert arena.interface.agents == ("retailer",)
    base = seat_everybody(game, "base_stock")["retailer"]
    level = int(base.values["base_stock_level"][0])
    total = sum(arena.step(np.full((1, 1, 32, 1), level)).outcome.costs for _ in range(40))
    expected = evaluate(game, {**fixed, "retailer": base}, replications=32, seed=HELD_OUT)
    np.testing.assert_allclose(total.sum(0).mean(), expected.mean, rtol=1e-9)


def test_fixed_memory_begins_anew_with_the_episode() -> None:
    """Where a chain was cut, a policy with memory decides as in a first period."""
    game = Game("beer_game_uniform")
    fixed = {a: p for a, p in seat_everybody(game, "forecast_base_stock").items() if a != "retailer"}
    arena = Arena(game, small("ppo", restart_after=6), [0], fixed)
    play(arena, 3)
    first, second = Arena(game, small("ppo", restart_after=6), [0], fixed), np.flatnonzero(arena.state.period == 0)
    assert len(second) == 16
    orders = arena.step(some_actions(arena, 0)).outcome.flows.order
    begun = first.step(some_actions(first, 0)).outcome.flows.order
    upstream = [game.network.edges.index("brewery-manufacturer")]
    np.testing.assert_array_equal(orders[upstream][:, second], begun[upstream][:, second])


def test_interface_shapes_and_prior() -> None:
    game = Game("beer_game_uniform")
    interface = Interface(game, None, Learner())
    assert interface.choices.tolist() == [[17]] * 4
    assert interface.prior.argmax(-1).tolist() == [[8]] * 4
    several = Interface(Game("network_2x3"), None, Learner())
    closed = several.prior <= CLOSED
    assert several.choices.shape[1] == 2 and not closed[..., 0].any()
    assert np.array_equal((~closed).sum(-1), several.choices)


def test_scaled_numbers_are_about_one() -> None:
    """At the start hardly any number of the table lies at its limit."""
    for name in GAMES:
        game = Game(name)
        arena = Arena(game, learner_named("ppo"), [0])
        state = np.abs(arena.view().state).max(axis=(0, 1))
        assert state.max() <= 4 and (state < 4).mean() > 0.8, name


def test_user_errors_are_one_sentence() -> None:
    game = Game("beer_game")
    everybody = seat_everybody(game, "base_stock")
    with pytest.raises(InputError, match="every seat has a fixed policy"):
        Arena(game, Learner(), [0], everybody)
    with pytest.raises(InputError, match="did you mean 'retailer'"):
        Arena(game, Learner(), [0], {"retailr": everybody["retailer"]})
    with pytest.raises(InputError, match="did you mean 'happo'"):
        learner_named("hapo")
    with pytest.raises(InputError, match="did you mean 'epochs'"):
        learner_named("ppo", {"epoch": 3})
    with pytest.raises(InputError, match="choices are too many"):
        Arena(Game("cd_retail_chain", actions="order_up_to"), Learner(), [0])
    with pytest.raises(InputError, match="several stages"):
        Arena(Game("cachon_zipkin", actions="quantity"), Learner(), [0])


@pytest.mark.parametrize("name", ("ppo", "happo"))
def test_settings_round_trip(name: str) -> None:
    learner = learner_named(name, {"hidden": [16, 8], "entropy": 0.5})
    assert learner_from(learner.to_dict()) == learner
    assert learner.hidden == (16, 8)
    assert learner.updates(learner.rows * 7) == 7
