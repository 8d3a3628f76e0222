"""Empirical games of policies, mixtures that play, response oracles, and cross-play."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matrix_game import EveryNumber, MatrixGame, Mixed

from marl_supply.equilibria.cross_play import cross_play
from marl_supply.equilibria.empirical import empirical_game, equilibrium_of, response_oracles
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.mixture import Mixture
from marl_supply.equilibria.normal_form import normal_form
from marl_supply.equilibria.responders.search import Search
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import rule, seat_everybody
from marl_supply.solvers.cachon_zipkin import competition
from marl_supply.solvers.two_stage_chain import two_stage_chain
from marl_supply.topology import load

SMALL = {
    "nodes.retailer.demand": {"process": "uniform_integer", "low": 0, "high": 2},
    "nodes.retailer.on_hand": 3,
    "nodes.supplier.on_hand": 1,
    "edges.inbound.pipeline": 1,
    "edges.outbound.pipeline": 1,
    "game.horizon": 200,
    "game.warm_up": 50,
}
PENNIES = [[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]]


def levels(game: Game, agent: str, *numbers: float) -> dict[str, Any]:
    return {f"{agent} {number:g}": rule("base_stock", game.seats[agent], {agent: number}) for number in numbers}


def pure(game: Any, *numbers: int) -> dict[str, dict[str, Mixed]]:
    return {agent: {str(number): Mixed(np.eye(2)[number]) for number in numbers} for agent in game.agents}


def test_the_table_of_a_matrix_game_is_the_matrix() -> None:
    game = MatrixGame(PENNIES)
    found = empirical_game(game, pure(game, 0, 1), replications=5)
    assert found.table.costs == pytest.approx(np.array(PENNIES))
    mixed = equilibrium_of(found.table)
    assert [list(part) for part in mixed.profile] == [[0.5, 0.5], [0.5, 0.5]]
    assert found.deviation_gain("player_1", mixed.profile).mean == pytest.approx(0)
    assert found.deviation_gain("player_1", found.table.pure_profile((0, 0))).mean == pytest.approx(2)


def test_oracles_find_the_equilibrium_of_matching_pennies() -> None:
    game = MatrixGame(PENNIES)
    exact = EveryNumber(exactly=True)
    found = response_oracles(game, pure(game, 0), [exact], rounds=6, replications=20)
    assert found.game.table.shape == (2, 2)
    assert found.equilibrium.nash_conv == pytest.approx(0, abs=1e-12)
    assert found.nash_conv[0] == 2 and len(found.nash_conv) <= 6


def test_a_mixture_plays_each_of_its_policies_as_often_as_it_says() -> None:
    game = Game(load("cachon_zipkin", SMALL))
    others = seat_everybody(game, "base_stock", {"retailer": 4, "supplier": 1})
    low, high = levels(game, "retailer", 2, 6).values()
    costs = [costs_of(game, {**others, "retailer": one}, 640, 3).sum(0) for one in (low, high)]
    mixed = costs_of(game, {**others, "retailer": Mixture([low, high], [0.25, 0.75])}, 640, 3).sum(0)
    is_low, is_high = (np.isclose(mixed, cost) for cost in costs)
    assert (is_low | is_high).all()
    assert (is_low & ~is_high).mean() == pytest.approx(0.25, abs=0.06)
    again = costs_of(game, {**others, "retailer": Mixture([low, high], [0.25, 0.75])}, 640, 3).sum(0)
    assert np.array_equal(mixed, again)


def test_policies_of_different_kinds_do_not_mix() -> None:
    game = Game(load("cachon_zipkin", SMALL))
    others = seat_everybody(game, "base_stock", {"retailer": 4, "supplier": 1})
    odd = Mixture([others["retailer"], rule("echelon_base_stock", game.seats["retailer"])], [0.5, 0.5])
    if rule("echelon_base_stock", game.seats["retailer"]).needs:
        odd = Mixture([others["retailer"], rule("constant_order", game.seats["retailer"])], [0.5, 0.5])
    with pytest.raises(InputError, match="different ways"):
        costs_of(game, {**others, "retailer": odd}, 2, 1)
    with pytest.raises(InputError, match="add up to 1"):
        Mixture([others["retailer"]], [0.5])


def test_oracles_come_to_the_equilibrium_in_levels() -> None:
    game = Game(load("cachon_zipkin", SMALL))
    known = competition(two_stage_chain(game.network), "local")
    start = {"retailer": levels(game, "retailer", 8), "supplier": levels(game, "supplier", 0)}
    found = response_oracles(game, start, [Search("base_stock", 64)], rounds=8, replications=200)
    players = found.game.players(found.equilibrium.profile)
    rested = tuple(float(players[agent].values["base_stock_level"][0]) for agent in ("retailer", "supplier"))
    assert rested in {each.local_levels for each in known.equilibria}
    assert found.left.nash_conv("base_stock").mean == pytest.approx(0, abs=1e-3)


def test_a_foreign_member_costs_more_where_teams_agree_on_something_else() -> None:
    game = MatrixGame([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
    teams = [{agent: Mixed(np.eye(2)[side]) for agent in game.agents} for side in (0, 1, 0)]
    found = cross_play(game, teams, 10)
    assert found.costs == pytest.approx(np.array([[0, 2, 0], [2, 0, 2], [0, 2, 0]]))
    assert found.excess.mean == pytest.approx(8 / 6)
    with pytest.raises(InputError, match="give two"):
        cross_play(game, teams[:1])


def test_what_cannot_be_tabled_is_refused() -> None:
    game = MatrixGame(PENNIES)
    with pytest.raises(InputError, match="no policy for 'player_2'"):
        empirical_game(game, {"player_1": pure(game, 0)["player_1"]})
    many = {agent: {str(k): Mixed([1.0, 0.0]) for k in range(70)} for agent in game.agents}
    with pytest.raises(InputError, match="4,900 combinations"):
        empirical_game(game, many)
    assert equilibrium_of(normal_form([[[1, 3], [0, 2]], [[1, 0], [3, 2]]])).profile[0][1] == 1
