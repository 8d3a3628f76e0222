"""Check a game: that what it shows, rewards and draws is what it says."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.testing.plays import (
    PERIODS,
    REPLICATIONS,
    as_game,
    check,
    column_differs,
    near,
    random_period,
    random_play,
)
from marl_supply.testing.topologies import check_play


def check_game(game: Any) -> None:
    """Check a game.

    Each agent moves once in a period; layouts say what is in vectors and table; the same seed gives the same play;
    noise is the same whatever the batch; demand does not depend on what is ordered, unless its law says so; episodes
    that begin beside others play what they play alone; shared rewards are the mean of all; it comes back from pickling;
    and what `check_topology` says of its play.

    Parameters
    ----------
    game
        A `Game`, or what `Game` takes.

    Raises
    ------
    AssertionError
        For the first thing that does not hold, in one sentence.
    """
    try:
        game = as_game(game)
    except InputError as error:
        raise AssertionError(f"it is no game: {error}") from error
    _check_stages(game)
    check_views(game)
    _check_noise(game)
    _check_demand(game)
    _check_restart(game)
    _check_same(game, game, "played twice with one seed")
    try:
        copy = pickle.loads(pickle.dumps(game))
    except Exception as error:
        raise AssertionError(f"{game.topology.name}: it cannot be pickled: {error}") from error
    _check_same(game, copy, "played by a pickled copy")
    _check_rewards(game)
    check_play(game)


def _check_stages(game: Game) -> None:
    moved = sorted(agent for stage in game.stages for agent in stage)
    each = f"stages name {', '.join(moved)}, where every agent moves once."
    check(moved == sorted(game.agents), f"{game.topology.name}: {each}")


def check_views(game: Game) -> None:
    """Layouts have the length of the vectors, each number is the table's, and what has no sign is not negative."""
    name = game.topology.name
    for period in random_play(game, 0, REPLICATIONS):
        table = game.table.read(period.after)
        check(
            table.shape == (len(game.table.entries), REPLICATIONS),
            f"{name}: the table has {len(table)} numbers and {len(game.table.entries)} entries.",
        )
        for agent in game.agents:
            vector, layout = game.vector(period.after, agent), game.layouts[agent]
            check(
                vector.shape == (len(layout), REPLICATIONS),
                f"{name}: {agent} sees {len(vector)} numbers, and its layout has {len(layout)}.",
            )
            check(near(vector, table[game.seen[agent]]), f"{name}: {agent} sees numbers that are not the table's.")
            check(np.isfinite(vector).all(), f"{name}: {agent} sees a number that is not finite.")
            for entry, values in zip(layout, vector, strict=True):
                where = f"{entry.field} of {entry.label}"
                check(entry.signed or (values >= 0).all(), f"{name}: {agent} sees {where} below 0, without a sign.")


def _check_noise(game: Game) -> None:
    name, together = game.topology.name, game.randomness(REPLICATIONS)
    periods = min(game.horizon, 8)
    demand = [together.at(clock) for clock in range(periods)]
    chance = [together.chance(clock) for clock in range(periods)]
    for replication in range(REPLICATIONS):
        alone, column = game.randomness(1, 0, replication), slice(replication, replication + 1)
        for clock in range(periods):
            same = np.array_equal(alone.at(clock), demand[clock][:, column])
            same = same and np.array_equal(alone.chance(clock), chance[clock][:, column])
            check(
                same,
                f"{name}: the noise of replication {replication} is not the same alone as in a batch, in period "
                f"{clock + 1}.",
            )
    values = np.stack(demand)
    check(np.isfinite(values).all() and (values >= 0).all(), f"{name}: demand is negative or not finite.")
    whole = not game.network.integer or (values == np.rint(values)).all()
    check(whole, f"{name}: demand is not whole, where units are.")


def _check_demand(game: Game) -> None:
    """Demand that does not respond to decisions is the same whatever is decided."""
    responsive = [market for market, _, _ in game.network.responsive]
    given = np.setdiff1d(np.arange(len(game.network.markets)), responsive)
    plays = zip(random_play(game, 0, REPLICATIONS), random_play(game, 0, REPLICATIONS, orders=1), strict=True)
    for number, (one, other) in enumerate(plays):
        same = np.array_equal(one.outcome.flows.demand[given], other.outcome.flows.demand[given])
        check(same, f"{game.topology.name}: demand of period {number + 1} depends on what is decided.")


def _check_restart(game: Game) -> None:
    """Replications that begin anew in the middle play what they play alone from then, and the others go on."""
    name, clock = game.topology.name, min(3, game.horizon - 1)
    state = game.start(REPLICATIONS, 0)
    for period in range(clock):
        state, _ = random_period(game, state, period, 0)
    fresh, going = np.array([0]), slice(1, None)
    mixed = game.restart(state.copy(), fresh)
    begun = game.start(REPLICATIONS, noise=game.randomness(REPLICATIONS), clock=clock)
    for period in range(clock, min(game.horizon, PERIODS)):
        (mixed, both), (begun, new), (state, old) = (
            random_period(game, each, period, 0) for each in (mixed, begun, state)
        )
        same = near(both.costs[:, fresh], new.costs[:, fresh])
        check(same, f"{name}: a replication that begins beside others does not play what it plays when all begin.")
        same = near(both.costs[:, going], old.costs[:, going])
        check(same, f"{name}: a replication that goes on is changed by another that begins anew.")


def _check_same(game: Game, other: Game, how: str) -> None:
    plays = zip(random_play(game, 0, 1), random_play(other, 0, 1), strict=True)
    for number, (first, second) in enumerate(plays):
        differs = column_differs(first.outcome.flows, second.outcome.flows, 0)
        differs = differs or ("" if near(first.outcome.costs, second.outcome.costs) else "costs")
        differs = differs or ("" if near(first.outcome.rewards, second.outcome.rewards) else "rewards")
        check(not differs, f"{game.topology.name}: {how} it differs: {differs} in period {number + 1}.")


def _check_rewards(game: Game) -> None:
    name = game.topology.name
    for period in random_play(game, 0, REPLICATIONS):
        costs, rewards = period.outcome.costs, period.outcome.rewards
        check(
            costs.shape == rewards.shape == (len(game.agents), REPLICATIONS),
            f"{name}: costs and rewards are not one number for each of the {len(game.agents)} agents.",
        )
        check(np.isfinite(rewards).all(), f"{name}: a reward is not finite.")
        if game.reward == "shared":
            mean = np.broadcast_to(-costs.mean(axis=0), rewards.shape)
            check(near(rewards, mean), f"{name}: shared rewards are not minus the mean cost of the agents.")
        elif game.reward == "individual":
            check(near(rewards, -costs), f"{name}: individual rewards are not minus the agents' own costs.")
