"""The bound of a centre with stores: its formula by hand, one store as a newsvendor, and policies above it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from published import NORMAL_QUANTILE

from marl_supply.demand.normal import Normal
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.solvers.newsvendor import BackloggedRow, best_level
from marl_supply.solvers.transshipment_bound import TransshipmentCentre, lower_bound, transshipment_centre
from marl_supply.topology import load
from marl_supply.topology.network import Network

STORES = tuple(f"store_{number}" for number in range(1, 6))


def test_the_shipped_chain() -> None:
    """(h + p) phi(z) sqrt((L_s + 1) (sum of sd)^2 + L_w Var(total)) of REFERENCE G: 19.2155 as its file states."""
    found = lower_bound(transshipment_centre(Network(load("transshipment"))))
    assert found.cost == pytest.approx(19.2155, abs=5e-5)
    total = 0.5 * (0.75**2 + 1 + 1.25**2 + 1.5**2 + 1.75**2) + 0.5 * 6.25**2
    assert found.cost == pytest.approx(5 * 0.27996193 * math.sqrt(3 * 6.25**2 + 3 * total), rel=1e-6)


@pytest.mark.parametrize("stores", [1, 2, 10])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_equal_stores(stores: int, correlation: float) -> None:
    """Var(total) = K sd^2 (1 + (K - 1) correlation) for K equal stores."""
    matrix = np.full((stores, stores), correlation) + (1 - correlation) * np.eye(stores)
    centre = TransshipmentCentre(np.full(stores, 9.0), np.full(stores, 2.0), 4, 1, 1.0, 9.0, matrix)
    spread = math.sqrt(2 * (2 * stores) ** 2 + 4 * 4 * stores * (1 + (stores - 1) * correlation))
    found = lower_bound(centre)
    assert found.cost == pytest.approx(10 * 0.17549833 * spread, rel=1e-6)  # phi(1.2815516)
    assert found.echelon_level == pytest.approx(9 * stores * 6 + 1.2815516 * spread, rel=1e-6)


def test_one_store_is_a_newsvendor() -> None:
    """The centre passes all on at once: one echelon with lead time L_w + L_s."""
    law: Any = Normal(mean=20, sd=3, round=False).distribution()
    centre = TransshipmentCentre(np.array([20.0]), np.array([3.0]), 2, 3, 0.7, 5.0)
    alone = best_level(BackloggedRow(law, 5, 0.7, 5.0))
    found = lower_bound(centre)
    assert (found.cost, found.echelon_level) == pytest.approx((alone.cost, alone.level), rel=1e-6)


def test_demand_correlation_raises_it() -> None:
    costs = [
        lower_bound(transshipment_centre(Network(load("transshipment", {"correlation.0.coefficient": share})))).cost
        for share in (-0.2, 0.0, 0.4, 1.0)
    ]
    assert costs == sorted(costs)
    shared = {"correlation": [], **{f"markets.{store}.stream": "all" for store in STORES}}
    assert lower_bound(transshipment_centre(Network(load("transshipment", shared)))).cost == pytest.approx(costs[-1])


CHANGES: list[dict[str, Any]] = [
    {},
    {"correlation": []},
    {"timing.demand_visible": "before_ordering"},
    {"edges.0.lead_time": 1, "edges.0.holding_cost": 0.1, "edges.0.title": "customer", "edges.1.holding_cost": 0.4,
     "edges.2.purchase_cost": 0.5, "markets.store_3.price": 0.2},
]  # fmt: skip


@pytest.mark.parametrize("changes", CHANGES)
def test_no_simulated_policy_costs_less(changes: dict[str, Any]) -> None:
    """Echelon levels of the relaxed system at the centre, equal safety at the stores: a few percent above the bound."""
    topology = load("transshipment", changes)
    centre = transshipment_centre(Network(topology))
    bound = lower_bound(centre)
    periods = centre.lead_time_to_stores + (not centre.demand_seen)
    game = Game(topology, horizon=500, warm_up=100)
    for safety in (0.5, 1.5, 3.0):
        levels = periods * centre.means + safety * centre.deviations * math.sqrt(periods)
        players = {"centre": bound.echelon_level, **dict(zip(STORES, levels.tolist(), strict=True))}
        scored = evaluate(game, seat_everybody(game, "echelon_base_stock", players), 200, seed=51)
        assert scored.figure > bound.cost - NORMAL_QUANTILE * scored.standard_error / scored.periods
        if safety == 3.0:
            assert scored.figure < bound.cost + 0.15 * (bound.cost - centre.constant_cost)


def test_one_store_reaches_it_in_simulation() -> None:
    """A centre without work: the store orders all there is."""
    document = {
        "name": "one_store",
        "units": "continuous",
        "nodes": {
            "source": {"kind": "source"},
            "centre": {"holding_cost": 1},
            "store": {
                "on_hand": 90,
                "holding_cost": 1,
                "backorder_cost": 6,
                "demand": {"process": "normal", "mean": 20, "sd": 3, "round": False},
            },
        },
        "edges": [
            {"from": "source", "to": "centre", "lead_time": 2, "pipeline": 20},
            {"from": "centre", "to": "store", "lead_time": 1, "pipeline": 20, "holding_cost": 0.1},
        ],
        "game": {"horizon": 500, "warm_up": 50, "criterion": "average", "observe": "shared_demand"},
    }
    topology = load(document)
    bound = lower_bound(transshipment_centre(Network(topology)))
    game = Game(topology)
    players = seat_everybody(game, "echelon_base_stock", {"centre": bound.echelon_level, "store": 1000.0})
    scored = evaluate(game, players, 500, seed=52)
    assert abs(scored.figure - bound.cost) < NORMAL_QUANTILE * scored.standard_error / scored.periods
    assert scored.standard_error / scored.periods < 0.005 * bound.cost


REFUSED = [
    ("serial_alvo", {}, "is for one node that a source supplies"),
    ("transshipment", {"nodes.centre.allocation": "fair_share"}, "'fair_share' divides knowing the demand"),
    ("transshipment", {"nodes.centre.holding_cost": 0.5}, "nodes.centre.holding_cost: it is below"),
    ("transshipment", {"nodes.store_2.backorder_cost": 5}, "backorder_cost of the stores: 4, 5 differ"),
    ("transshipment", {"edges.3.lead_time": 1, "edges.3.pipeline": 5}, "lead_time of the edges to the stores: 1, 2"),
    ("transshipment", {"markets.store_1.sd": 2}, "markets.store_1.clip: it moves too many draws"),
    ("transshipment", {"nodes.centre.backorder_cost": 1}, "nodes.centre.backorder_cost"),
    ("transshipment", {"edges.2.information_delay": 1}, "knows none between the nodes"),
]


@pytest.mark.parametrize(("chain", "changes", "told"), REFUSED)
def test_refuses_chains_of_other_families(chain: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        transshipment_centre(Network(load(chain, changes)))


def test_refuses_numbers_that_are_no_centre() -> None:
    with pytest.raises(InputError, match="for each store"):
        TransshipmentCentre(np.ones(2), np.ones(3), 1, 1, 1, 9)
    with pytest.raises(InputError, match="correlation: its shape"):
        TransshipmentCentre(np.ones(2), np.ones(2), 1, 1, 1, 9, np.eye(3))
