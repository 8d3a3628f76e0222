"""Replications: slices of a batch, longer horizons, warm starts, and episodes that begin while others go on."""

from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS, ORDERING

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.game.randomness import Randomness
from marl_supply.game.rollout import rollout
from marl_supply.policies import seat_everybody
from marl_supply.simulation.state import Columns


def paths(game: Game, rule: str, replications: int, first: int = 0, seed: int = 3) -> Any:
    """(T, A + E, B) costs and orders of every period."""
    outcomes = rollout(game, seat_everybody(game, rule), replications, seed, first)
    return np.array([np.concatenate([outcome.costs, outcome.flows.order]) for outcome in outcomes])


@pytest.mark.parametrize("rule", ["random_order", "constant_order"])
@pytest.mark.parametrize("start", ["file", "warm"])
@pytest.mark.parametrize("name", ORDERING)
def test_slices_of_a_batch_are_the_batch(name: str, start: str, rule: str) -> None:
    """Across the borders of noise blocks: replication 64 and period 64 begin new ones."""
    game = Game(CHAINS[name], horizon=67, warm_up=0, start=start)
    whole = paths(game, rule, 6, first=61)
    for first, size in ((61, 2), (63, 3), (66, 1)):
        np.testing.assert_array_equal(paths(game, rule, size, first), whole[:, :, first - 61 : first - 61 + size])


@pytest.mark.parametrize("name", ORDERING)
def test_a_longer_horizon_extends_and_changes_nothing(name: str) -> None:
    short, long = (Game(CHAINS[name], horizon=horizon, warm_up=0) for horizon in (10, 30))
    np.testing.assert_array_equal(paths(short, "random_order", 3), paths(long, "random_order", 3)[:10])


def test_seeds_differ_and_repeat() -> None:
    game = Game("serial_liu", horizon=10)
    one, again, other = (paths(game, "random_order", 2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_replications_can_be_evaluated_in_parts() -> None:
    game = Game("network_2x3", horizon=20)
    players = seat_everybody(game, "random_order")
    whole = evaluate(game, players, replications=70, seed=5)
    tail = evaluate(game, players, replications=10, seed=5, first_replication=60)
    np.testing.assert_array_equal(tail.cost, whole.cost[:, 60:])
    np.testing.assert_array_equal(tail.market_served, whole.market_served[:, 60:])


@pytest.mark.parametrize("name", CHAINS)
def test_warm_starts_lie_between_0_and_twice_mean_demand(name: str) -> None:
    game = Game(CHAINS[name], start="warm")
    network, state = game.network, game.start(400, seed=1)
    share = network.mean_demand[network.customer] / np.bincount(network.customer)[network.customer]
    received = [state.receipts[network.customer == row].sum(0) for row in range(len(network.rows))]
    at_start = state.on_hand - np.array(received)
    own_lead = network.lead_time[network.first_edge]
    assert (at_start >= 0).all()
    whole = np.rint if network.integer else np.asarray
    assert (at_start <= whole(2 * network.mean_demand * (own_lead + 1))[:, None]).all()
    for slot in [state.receipts, *state.pipeline, *state.travelling]:
        assert (slot >= 0).all() and (slot <= whole(2 * share)[:, None]).all()
    assert np.ptp(at_start, axis=1).min() > 0
    middle = np.rint(network.mean_demand * (own_lead + 1))
    error = network.mean_demand * (own_lead + 1) / np.sqrt(3 * 400)  # of the mean of 400 uniform numbers
    assert (np.abs(at_start.mean(1) - middle) < 4 * error + 0.5).all()


class Relay:
    """Noise of columns that begin new episodes: from `changed` on, some columns are those of another noise."""

    def __init__(self, first: Any, then: Any, columns: list[int], changed: int) -> None:
        self.first, self.then, self.columns, self.changed = first, then, columns, changed

    def _mixed(self, old: Any, new: Any) -> Any:
        mixed = np.array(old)
        mixed[:, self.columns] = new[:, self.columns]
        return mixed

    def at(self, clock: int) -> Any:
        old = self.first.at(clock)
        return old if clock < self.changed else self._mixed(old, self.then.at(clock - self.changed))

    def chance(self, clock: int) -> Any:
        old = self.first.chance(clock)
        return old if clock < self.changed else self._mixed(old, self.then.chance(clock - self.changed))

    def uniform(self, agent: str, clock: int, size: int) -> Any:
        old = self.first.uniform(agent, clock, size)
        if clock < self.changed:
            return old
        return self._mixed(old, self.then.uniform(agent, clock - self.changed, size))


@pytest.mark.parametrize("start", ["file", "warm"])
@pytest.mark.parametrize("name", ORDERING)
def test_columns_that_begin_again_play_fresh_episodes(name: str, start: str) -> None:
    changed, columns = 5, [0, 2]
    game = Game(CHAINS[name], horizon=30, warm_up=0, start=start)
    players = seat_everybody(game, "random_order")

    def step(state: Any) -> Any:
        orders = {agent: players[agent].act(game.observe(state, agent), None)[0] for agent in game.agents}
        return game.step(state, orders)

    def noise(seed: int) -> Randomness:
        return game.randomness(3, seed)

    mixed = game.start(3, noise=Relay(noise(1), noise(2), columns, changed))
    plain, fresh = game.start(3, seed=1), game.start(3, seed=2)
    for period in range(12):
        if period == changed:
            mixed = game.restart(mixed, columns)
        mixed, outcome = step(mixed)
        plain, same = step(plain)
        np.testing.assert_array_equal(outcome.costs[:, 1], same.costs[:, 1])
        if period < changed:
            np.testing.assert_array_equal(outcome.costs, same.costs)
        else:
            fresh, new = step(fresh)
            np.testing.assert_array_equal(outcome.costs[:, columns], new.costs[:, columns])
            np.testing.assert_array_equal(outcome.flows.on_hand[:, columns], new.flows.on_hand[:, columns])


def test_noise_of_some_columns_is_a_part_of_the_noise() -> None:
    whole = Randomness(Game("serial_liu").processes, 1, 4, 0, 9)
    part = Columns(whole, slice(1, 3))
    np.testing.assert_array_equal(part.at(2), whole.at(2)[:, 1:3])
    np.testing.assert_array_equal(part.uniform("retailer", 2, 5), whole.uniform("retailer", 2, 5)[:, 1:3])
