"""Equilibria within a rule: where answers come to rest from several starts, and fictitious play."""

from __future__ import annotations

import numpy as np
import pytest
from small_chain import small_chain

from marl_supply.equilibria.best_response_dynamics import BestResponses, equilibria_within, random_profiles
from marl_supply.equilibria.exploitability import exploitability
from marl_supply.equilibria.fictitious_play import Plays, fictitious_play
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.mixture import Mixture
from marl_supply.equilibria.responders.search import Search
from marl_supply.errors import InputError
from marl_supply.solvers.cachon_zipkin import competition
from marl_supply.solvers.two_stage_chain import two_stage_chain


def levels(retailer: float, supplier: float) -> dict[str, dict[str, float]]:
    return {"retailer": {"base_stock_level": retailer}, "supplier": {"base_stock_level": supplier}}


def test_equilibria_are_told_with_their_starts_the_dearest_first() -> None:
    game = small_chain()
    known = {each.local_levels for each in competition(two_stage_chain(game.network), "local").equilibria}
    responses = BestResponses(game, "base_stock", 64)
    points = equilibria_within(responses, starts=4)
    found = [tuple(p.parameters[node]["base_stock_level"] for node in ("retailer", "supplier")) for p in points]
    assert set(found) <= known and sum(point.starts for point in points) == 4
    assert [point.cost for point in points] == sorted((point.cost for point in points), reverse=True)
    played = costs_of(game, responses.players(points[0].parameters), 64, 1).sum(0).mean()
    assert points[0].cost == played
    with pytest.raises(InputError, match="use 1 or more"):
        equilibria_within(responses, starts=0)


def test_random_profiles_lie_in_the_ranges_of_the_rule_and_are_whole() -> None:
    game = small_chain()
    found = random_profiles(game, "base_stock", 50, seed=3)
    numbers = np.array([[own["base_stock_level"] for own in each.values()] for each in found])
    assert numbers.shape == (50, 2) and (numbers == np.rint(numbers)).all() and (numbers >= 0).all()
    assert len(np.unique(numbers[:, 0])) > 3
    assert found == random_profiles(game, "base_stock", 50, seed=3)


def test_fictitious_play_settles_at_an_equilibrium() -> None:
    game = small_chain()
    responses = BestResponses(game, "base_stock", 64)
    plays = fictitious_play(responses, levels(0, 0), rounds=40, patience=5)
    assert plays.settled == 5
    last = {node: own for agent in game.agents for node, own in plays.counts[agent][-1][0].items()}
    known = {each.local_levels for each in competition(two_stage_chain(game.network), "local").equilibria}
    assert (last["retailer"]["base_stock_level"], last["supplier"]["base_stock_level"]) in known


def test_from_an_equilibrium_nobody_ever_moves() -> None:
    game = small_chain()
    responses = BestResponses(game, "base_stock", 64)
    (point, *_) = equilibria_within(responses)
    plays = fictitious_play(responses, point.parameters, rounds=3)
    assert plays.settled == 3
    assert all(plays.shares(agent)[0][1] == 1.0 for agent in game.agents)
    left = exploitability(game, plays.players, [Search("base_stock", 64)], replications=64, seed=1, search_seed=1)
    assert left.nash_conv("base_stock").mean == 0


def test_plays_are_mixtures_by_how_often_they_were_played() -> None:
    game = small_chain()
    counts = {
        "retailer": [({"retailer": {"base_stock_level": 2.0}}, 1), ({"retailer": {"base_stock_level": 6.0}}, 3)],
        "supplier": [({"supplier": {"base_stock_level": 1.0}}, 4)],
    }
    players = Plays(game, "base_stock", counts, 0).players
    mixed = players["retailer"]
    assert isinstance(mixed, Mixture) and list(mixed.probabilities) == [0.75, 0.25]
    assert not isinstance(players["supplier"], Mixture)
    responses = BestResponses(game, "base_stock", 64)
    pure = [costs_of(game, responses.players(levels(n, 1)), 640, 3).sum(0).mean() for n in (6, 2)]
    cost = costs_of(game, players, 640, 3).sum(0).mean()
    assert cost == pytest.approx(0.75 * pure[0] + 0.25 * pure[1], rel=0.05)


def test_there_is_a_round_to_play() -> None:
    with pytest.raises(InputError, match="leaves nothing to play"):
        fictitious_play(BestResponses(small_chain(), "base_stock", 8), levels(0, 0), rounds=0)
