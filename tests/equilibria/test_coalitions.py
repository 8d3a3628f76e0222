"""Coalitions of a two-stage chain: what each costs, and how the savings are shared."""

from __future__ import annotations

import numpy as np
import pytest

from marl_supply.equilibria.coalitions import coalitions_of
from marl_supply.equilibria.core import in_core
from marl_supply.equilibria.shapley import saving_intervals, shapley_savings, shapley_shares
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.cachon_zipkin import competition
from marl_supply.solvers.markov.markov_chain import evaluate_exactly
from marl_supply.solvers.two_stage_chain import two_stage_chain
from marl_supply.topology import load

SMALL = {
    "nodes.retailer.demand": {"process": "uniform_integer", "low": 0, "high": 2},
    "nodes.retailer.on_hand": 3,
    "nodes.supplier.on_hand": 1,
    "edges.inbound.pipeline": 1,
    "edges.outbound.pipeline": 1,
    "game.horizon": 300,
    "game.warm_up": 50,
}


def test_alone_agents_pay_as_in_equilibrium_and_together_the_optimum() -> None:
    game = Game(load("cachon_zipkin", SMALL))
    known = competition(two_stage_chain(game.network), "local")
    retailer, supplier = known.equilibria[0].local_levels
    players = seat_everybody(game, "base_stock", {"retailer": retailer, "supplier": supplier})
    found = coalitions_of(game, players, "base_stock", replications=400, search_replications=64)
    exact = evaluate_exactly(game, players).by_agent
    for agent in game.agents:
        cost = np.asarray(found.costs.costs[frozenset([agent])])
        assert cost.mean() == pytest.approx(exact[agent], abs=4 * cost.std() / 20)
        assert (
            found.parameters[frozenset([agent])][agent]["base_stock_level"]
            == {
                "retailer": retailer,
                "supplier": supplier,
            }[agent]
        )
    team = np.asarray(found.costs.costs[frozenset(game.agents)])
    assert team.mean() == pytest.approx(known.optimum.total, abs=4 * team.std() / 20)
    shares = shapley_shares(found.costs)
    assert np.sum(shares) == pytest.approx(team.mean())
    savings = shapley_savings(found.costs)
    assert savings[0] == pytest.approx(savings[1])  # two players share what they save in halves
    assert in_core(found.costs, shares)
    assert all(interval.mean == pytest.approx(savings[0]) for interval in saving_intervals(found.costs).values())


def test_too_many_agents_are_refused() -> None:
    game = Game("one_warehouse_van_roy")
    with pytest.raises(InputError, match="11 agents have 2,048 coalitions"):
        coalitions_of(game, seat_everybody(game, "base_stock"), "base_stock")
