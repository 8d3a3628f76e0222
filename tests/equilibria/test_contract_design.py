"""Contracts that make the team's optimum an equilibrium: rates found by search, checked against exact costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from marl_supply.equilibria.contract_design import Term, design_contract
from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.responders.search import Search
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.cachon_zipkin import cooperative_optimum
from marl_supply.solvers.markov.markov_chain import evaluate_exactly
from marl_supply.solvers.two_stage_chain import two_stage_chain
from marl_supply.topology import load

SMALL = {
    "nodes.retailer.demand": {"process": "uniform_integer", "low": 0, "high": 2},
    "nodes.retailer.on_hand": 3,
    "nodes.supplier.on_hand": 1,
    "edges.inbound.pipeline": 1,
    "edges.outbound.pipeline": 1,
}
TERMS = [
    Term("supplier", "retailer", "backorder", "retailer", -5, 5),
    Term("supplier", "retailer", "on_hand", "retailer", -2, 2),
    Term("supplier", "retailer", "backorder", "outbound", -5, 5),
]


def gains(game: Game, optimum: dict[str, float], levels: range) -> dict[str, float]:
    """What each agent saves at most by another level, exactly."""

    def cost(agent: str, changes: dict[str, float]) -> float:
        return evaluate_exactly(game, seat_everybody(game, "base_stock", {**optimum, **changes})).by_agent[agent]

    return {agent: cost(agent, {}) - min(cost(agent, {agent: level}) for level in levels) for agent in game.agents}


def design(game: Game, **settings: Any) -> tuple[Any, dict[str, float]]:
    retailer, supplier = cooperative_optimum(two_stage_chain(game.network)).local_levels
    optimum = {"retailer": retailer, "supplier": supplier}
    team = seat_everybody(game, "base_stock", optimum)
    return design_contract(game, team, TERMS, [Search("base_stock", 64)], **settings), optimum


def test_under_the_contract_nobody_gains_by_leaving_the_optimum() -> None:
    game = Game(load("cachon_zipkin", {**SMALL, "game.horizon": 300, "game.warm_up": 50}))
    told: list[str] = []
    found, optimum = design(game, replications=128, progress=told.append)
    assert sum(gains(game, optimum, range(9)).values()) > 0.1
    assert sum(gains(found.game, optimum, range(9)).values()) == pytest.approx(0, abs=1e-9)
    assert found.left.nash_conv("base_stock").mean == 0
    assert len(told) == found.rounds and found.deviations > 0
    contract = found.game.topology.contract
    assert [t.rate for t in contract.transfers] == [rate for rate in found.rates if rate]
    assert contract.backorder_share == game.topology.contract.backorder_share


def test_a_contract_moves_money_and_makes_none() -> None:
    game = Game(load("cachon_zipkin", {**SMALL, "game.horizon": 300, "game.warm_up": 50}))
    found, optimum = design(game, replications=64)
    team = seat_everybody(game, "base_stock", optimum)
    before, after = (costs_of(each, team, 64, 1).mean(1) for each in (game, found.game))
    assert after.sum() == pytest.approx(before.sum())
    supplier = game.agents.index("supplier")
    assert after[supplier] - before[supplier] == pytest.approx(found.payments.sum())


def test_without_room_what_is_left_is_reported() -> None:
    game = Game(load("cachon_zipkin", {**SMALL, "game.horizon": 200, "game.warm_up": 50}))
    retailer, supplier = cooperative_optimum(two_stage_chain(game.network)).local_levels
    team = seat_everybody(game, "base_stock", {"retailer": retailer, "supplier": supplier})
    narrow = [Term("supplier", "retailer", "backorder", "retailer", 0, 0.01)]
    found = design_contract(game, team, narrow, [Search("base_stock", 32)], replications=64)
    assert np.all((found.rates >= 0) & (found.rates <= 0.01))
    assert found.left.nash_conv("base_stock").mean > 0.05
    with pytest.raises(InputError, match="no transfer to agree on"):
        design_contract(game, team, [], [Search("base_stock", 32)])


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_the_optimum_of_cachon_and_zipkin_becomes_an_equilibrium(alpha: float) -> None:
    game = Game(load("cachon_zipkin", {"contract.backorder_share": alpha, "game.horizon": 1000}))
    found, optimum = design(game, replications=256)
    assert sum(gains(found.game, optimum, range(22)).values()) == pytest.approx(0, abs=1e-9)
