"""Games of base-stock levels: the values of REFERENCE E, simulation, brute force over all levels, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from marl_supply.demand.distribution import Distribution, RealDistribution
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.solvers.cachon_zipkin import (
    competition,
    cooperative_optimum,
    retailer_responses,
    supplier_responses,
)
from marl_supply.solvers.level_costs import LevelCosts, level_costs
from marl_supply.solvers.two_stage_chain import TwoStageChain, two_stage_chain
from marl_supply.topology import load
from marl_supply.topology.network import Network

NORMAL = RealDistribution(stats.norm(1, 0.25), -np.inf, np.inf, lambda n: stats.norm(n, 0.25 * n**0.5))


def shipped(changes: Mapping[str, Any]) -> TwoStageChain:
    return two_stage_chain(Network(load("cachon_zipkin", changes)))


def document(demand: Mapping[str, Any], lead_times: tuple[int, int], **costs: Any) -> dict[str, Any]:
    """A file: lead times (L1, L2), local holding costs (retailer, supplier), p, alpha, who owns what is in transit."""
    at_retailer, at_supplier = costs["holding"]
    return {
        "name": "two_stages",
        "units": costs.get("units", "integer"),
        "nodes": {
            "plant": {"kind": "source"},
            "shop": {"holding_cost": at_retailer, "backorder_cost": costs["p"], "demand": dict(demand)},
            "depot": {"holding_cost": at_supplier},
        },
        "edges": [
            {"from": "depot", "to": "shop", "lead_time": lead_times[0], "holding_cost": 0.3, "title": costs["title"]},
            {"from": "plant", "to": "depot", "lead_time": lead_times[1], "holding_cost": 0.1, "title": "customer"},
        ],
        "timing": {"decision_order": "downstream_first"},
        "contract": {"backorder_share": costs["alpha"]},
        "game": {"horizon": 400, "warm_up": 60, "criterion": "average", "observe": "full", "actions": "order_up_to"},
    }


@pytest.mark.parametrize(
    ("share", "echelon", "echelon_total", "local"),
    [
        (0.1, (7, 13), 12.775423, {(7, 6): 12.775423}),
        (0.3, (9, 15), 8.746427, {(9, 6): 8.746427}),
        (0.5, (9, 14), 8.821082, {(10, 5): 7.804071}),
        (0.7, (10, 14), 8.066317, {(11, 4): 7.423823, (12, 3): 7.349463}),
        (0.9, (11, 14), 7.804204, {(13, 2): 7.377373}),
    ],
)
def test_table_of_p1(share: float, echelon: tuple, echelon_total: float, local: dict) -> None:
    """REFERENCE E: Poisson(4), h1 = h2 = .5, p = 5, L1 = L2 = 1; all equilibria, pipeline cost included."""
    chain = shipped({"contract.backorder_share": share})
    (found,) = competition(chain, "echelon").equilibria
    assert found.echelon_levels == echelon and not found.dominated
    assert found.total == pytest.approx(echelon_total, abs=5e-7)
    answers = competition(chain, "local").equilibria
    assert {each.local_levels: round(each.total, 6) for each in answers} == local
    optimum = cooperative_optimum(chain)
    assert optimum.echelon_levels == (12, 16)
    assert optimum.total == pytest.approx(7.312546, abs=5e-7)


@pytest.mark.parametrize("low", [-np.inf, 0.0])
def test_row_n1(low: float) -> None:
    """REFERENCE E: N(1, .25), h1 = h2 = .5, p = 5, L1 = L2 = 1, alpha = .3; moving draws to 0 changes the 6th digit."""
    law = RealDistribution(NORMAL.law, low, np.inf, NORMAL.total)
    chain = TwoStageChain(law, (1, 1), (1.0, 0.5), 5.0, 0.3, pipeline_costs=(0.0, 0.5))
    echelon, local = competition(chain, "echelon"), competition(chain, "local")
    assert echelon.optimum.echelon_levels == pytest.approx((2.48896, 3.45700), abs=1e-5)
    assert echelon.equilibria[0].echelon_levels == pytest.approx((2.08957, 3.29504), abs=1e-5)
    assert local.equilibria[0].local_levels == pytest.approx((2.12033, 1.19716), abs=1e-5)
    totals = [echelon.optimum.total, echelon.equilibria[0].total, local.equilibria[0].total]
    assert totals == pytest.approx([1.131084, 1.374417, 1.329083], abs=1e-6 if low < 0 else 1e-5)


def test_prices_of_anarchy_with_and_without_the_pipeline() -> None:
    """REFERENCE E, alpha .7: totals 7.423823 and 7.349463 against 7.312546, of which h2 mu L1 = 2 is constant."""
    found = competition(shipped({"contract.backorder_share": 0.7}), "local")
    assert found.optimum.pipeline_costs == pytest.approx((0.0, 2.0))
    assert found.optimum.total_without_pipeline == pytest.approx(5.312546, abs=1e-6)
    assert found.price_of_anarchy() == pytest.approx(7.423823 / 7.312546, abs=1e-6)
    assert found.price_of_anarchy(pipeline=False) == pytest.approx(5.423823 / 5.312546, abs=1e-6)
    assert found.price_of_stability() == pytest.approx(7.349463 / 7.312546, abs=1e-6)


POISSON, GEOMETRIC = {"process": "poisson", "mean": 5}, {"process": "geometric", "mean": 3}
UNIFORM = {"process": "uniform_integer", "low": 2, "high": 7}
LUMPY = {"process": "negative_binomial", "mean": 4, "variance": 9}
SIMULATED = [
    document(LUMPY, (2, 3), holding=(1.2, 0.4), p=8, alpha=0.4, title="supplier"),
    document(GEOMETRIC, (1, 2), holding=(1.0, 0.3), p=10, alpha=0.6, title="customer"),
    document({"process": "poisson", "mean": 0.7}, (3, 1), holding=(1.0, 0.8), p=4, alpha=0.2, title="supplier"),
    document(
        {"process": "uniform_integer", "low": 2, "high": 7},
        (0, 2),
        holding=(0.7, 0.7),
        p=6,
        alpha=0.5,
        title="customer",
    ),
    document(POISSON, (2, 0), holding=(1.0, 0.5), p=6, alpha=0.35, title="supplier"),
    document({"process": "poisson", "mean": 20}, (5, 4), holding=(1, 0.25), p=15, alpha=0.8, title="customer"),
    document({"process": "normal", "mean": 6, "sd": 3}, (1, 5), holding=(0.9, 0.5), p=5, alpha=0.1, title="supplier"),
    document(
        {"process": "normal", "mean": 6, "sd": 3, "round": False},
        (1, 2),
        holding=(1, 0.5),
        p=5,
        alpha=0.3,
        title="supplier",
        units="continuous",
    ),
    document(
        {"process": "gamma", "mean": 3, "sd": 4, "round": False},
        (2, 1),
        holding=(1.5, 0.5),
        p=9,
        alpha=0.7,
        title="customer",
        units="continuous",
    ),
]


def assert_simulation_agrees(game: Game, rule: str, expected: LevelCosts) -> None:
    """Each firm's cost within three standard errors."""
    retailer, supplier = expected.local_levels if rule == "base_stock" else expected.echelon_levels
    players = seat_everybody(game, rule, {"shop": retailer, "depot": supplier})
    evaluation = evaluate(game, players, 400, seed=3)
    for agent, cost in zip(("shop", "depot"), expected.costs, strict=True):
        sample = evaluation.cost[evaluation.agents.index(agent)] / evaluation.periods
        error = sample.std(ddof=1) / np.sqrt(len(sample))
        assert abs(sample.mean() - cost) < 3 * error
        assert error < 0.03 * cost


@pytest.mark.parametrize("chain", SIMULATED, ids=lambda chain: str(chain["nodes"]["shop"]["demand"]["process"]))
def test_simulated_costs_of_both_firms(chain: dict[str, Any]) -> None:
    """Local and echelon equilibria, and an echelon level of the supplier below the retailer's."""
    game = Game(chain)
    parameters = two_stage_chain(game.network)
    local, echelon = competition(parameters, "local"), competition(parameters, "echelon")
    assert_simulation_agrees(game, "base_stock", local.equilibria[-1])
    assert_simulation_agrees(game, "echelon_base_stock", echelon.undominated[0])
    level = echelon.optimum.echelon_levels[0]
    assert_simulation_agrees(game, "echelon_base_stock", level_costs(parameters, (level + 2, level + 1)))


def tabulated(
    law: list[float], lead_times: tuple[int, int], holding: tuple[float, float], p: float, alpha: float, top: int
) -> tuple[Any, Any]:
    """Costs (top + 1, 2 top + 1) of each firm at local levels (0..top, -top..top), by sums over both demands."""
    near, far = np.ones(1), np.ones(1)
    for _ in range(lead_times[0] + 1):
        near = np.convolve(near, law)
    for _ in range(lead_times[1]):
        far = np.convolve(far, law)
    retailer, supplier = np.arange(top + 1)[:, None, None, None], np.arange(-top, top + 1)[None, :, None, None]
    left = supplier - np.arange(len(far))[:, None]
    end = retailer + np.minimum(left, 0) - np.arange(len(near))
    weight = far[:, None] * near

    def expected(stock: Any) -> Any:
        return (np.maximum(stock, 0) * weight).sum((2, 3))

    short = expected(-end)
    own = holding[0] * expected(end) + alpha * p * short
    return own, holding[1] * expected(left + 0 * end) + (1 - alpha) * p * short


def stable(own: Any, suppliers: Any) -> set[tuple[int, int]]:
    """Pairs from which neither firm gains more than rounding errors by moving."""
    kept = (own <= own.min(0) + 1e-10) & (suppliers <= suppliers.min(1, keepdims=True) + 1e-10)
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(kept), strict=True)}


@pytest.mark.parametrize(
    ("law", "lead_times", "holding", "p", "alpha"),
    [
        ([0.3, 0.4, 0.2, 0.1], (1, 1), (1.0, 0.5), 5.0, 0.3),
        ([0.3, 0.4, 0.2, 0.1], (1, 1), (1.0, 0.5), 5.0, 0.7),
        ([0.25, 0.25, 0.25, 0.25], (0, 3), (1.0, 0.5), 20.0, 0.5),
        ([0.25, 0.25, 0.25, 0.25], (1, 2), (0.5, 0.5), 1.0, 0.5),
        ([0.0, 0.5, 0.5], (1, 2), (1.5, 0.5), 20.0, 0.97),
        ([0.6, 0.3, 0.1], (2, 1), (1.0, 0.5), 1.0, 0.9),
        ([0.5, 0.0, 0.5], (1, 2), (1.0, 0.25), 5.0, 0.5),
        ([0.2, 0.3, 0.5], (2, 0), (1.0, 0.5), 5.0, 0.5),
    ],
)
def test_all_equilibria_by_brute_force(
    law: list[float], lead_times: tuple[int, int], holding: tuple[float, float], p: float, alpha: float
) -> None:
    """Every pair of levels is tried in both games; costs and the optimum are those of plain sums."""
    top = (len(law) - 1) * (sum(lead_times) + 1) + 2
    own, suppliers = tabulated(law, lead_times, holding, p, alpha, top)
    chain = TwoStageChain(Distribution.of(np.arange(len(law)), law), lead_times, holding, p, alpha)
    local = competition(chain, "local")
    assert {each.local_levels for each in local.equilibria} == stable(own[:, top:], suppliers[:, top:])
    shifted = np.arange(top + 1)[:, None], np.arange(top + 1)[None] - np.arange(top + 1)[:, None] + top
    echelon = competition(chain, "echelon").equilibria
    assert {each.echelon_levels for each in echelon} == stable(own[shifted], suppliers[shifted])
    assert local.optimum.total == pytest.approx((own + suppliers).min(), abs=1e-12)
    for each in (*local.equilibria, *echelon, level_costs(chain, (3, -2), "local")):
        place = int(each.local_levels[0]), int(each.local_levels[1]) + top
        assert each.costs == pytest.approx((own[place], suppliers[place]), abs=1e-12)


def test_lower_equilibria_of_the_echelon_game_are_marked() -> None:
    """Without a lead time the supplier keeps nothing, and what the retailer asks for beyond it never comes."""
    chain = TwoStageChain(Distribution.of([0, 1, 2], [0.2, 0.3, 0.5]), (2, 0), (1.0, 0.5), 5.0, 0.5)
    found = competition(chain, "echelon")
    assert [each.echelon_levels for each in found.equilibria] == [(level, level) for level in range(6)]
    assert [each.dominated for each in found.equilibria] == [True] * 5 + [False]
    assert found.undominated == found.equilibria[-1:]
    assert found.price_of_anarchy() == pytest.approx(found.undominated[0].total / found.optimum.total)


def test_first_order_conditions_with_normal_demand() -> None:
    """The local equilibrium and the optimum by quadrature, at other lead times than N1's."""
    chain = TwoStageChain(NORMAL, (2, 3), (1.2, 0.4), 7.0, 0.45)
    near, far = stats.norm(3, 0.25 * 3**0.5), stats.norm(3, 0.25 * 3**0.5)

    def waited_for(level: float, local: float) -> float:
        """P(D2 > s2, D1 + D2 <= s1 + s2)."""
        return integrate.quad(lambda d: far.pdf(d) * near.cdf(level + local - d), local, 8, epsabs=1e-13, limit=200)[0]

    level, local = competition(chain, "local").equilibria[0].local_levels
    reached = near.cdf(level) * far.cdf(local) + waited_for(level, local)
    assert reached == pytest.approx(3.15 / (3.15 + 1.2), abs=1e-6)
    saved = far.sf(local) - waited_for(level, local)
    assert 0.4 * far.cdf(local) == pytest.approx(3.85 * saved, abs=1e-6)
    level, echelon = cooperative_optimum(chain).echelon_levels
    assert level == pytest.approx(near.ppf(7.4 / 8.2), abs=1e-6)
    local = echelon - level
    assert 0.4 + 8.2 * waited_for(level, local) == pytest.approx(7.4 * far.sf(local), abs=1e-6)


def test_draws_moved_to_both_bounds_are_like_a_fine_lattice() -> None:
    """Normal draws moved into [.7, 9.3], a fifth of them lumps; in units of .05 the game is one in whole levels."""
    law = RealDistribution(stats.norm(3, 6), 0.7, 9.3)
    real = TwoStageChain(law, (1, 2), (1.5, 0.5), 9.0, 0.7)
    cells = Distribution.of_cells(law.law.cdf, (0.7, 9.3), 0.05)
    fine = TwoStageChain(
        Distribution.of(np.rint(cells.values / 0.05), cells.probabilities), (1, 2), (0.075, 0.025), 0.45, 0.7
    )
    for game in ("echelon", "local"):
        exact, whole = competition(real, game), competition(fine, game)
        assert len(whole.equilibria) in (1, 2)
        near = [each.echelon_levels for each in whole.equilibria]
        levels = np.array(exact.equilibria[0].echelon_levels)
        assert min(np.abs(levels - 0.05 * np.array(each)).max() for each in near) < 0.1
        assert exact.optimum.total == pytest.approx(whole.optimum.total, rel=1e-4)


def test_responses_are_best() -> None:
    """At a share where two equilibria exist, each firm is indifferent to nothing around its answers."""
    chain = shipped({"contract.backorder_share": 0.7})
    assert retailer_responses(chain, 4) == (11, 11) and retailer_responses(chain, 3) == (12, 12)
    assert supplier_responses(chain, 11) == (4, 4) and supplier_responses(chain, 12) == (3, 3)


def test_reads_the_file() -> None:
    """Local holding costs as charged; the edges are told by where they lead, not by their order."""
    chain = two_stage_chain(Network(load(SIMULATED[0])))
    assert (chain.names, chain.lead_times, chain.holding_costs) == (("shop", "depot"), (2, 3), (1.2, 0.4))
    assert (chain.backorder_cost, chain.backorder_share) == (8.0, 0.4)
    assert chain.constants == pytest.approx((0.0, 0.3 * 4 * 2 + 0.1 * 4 * 3))
    owned_by_the_shop = two_stage_chain(Network(load(SIMULATED[1])))
    assert owned_by_the_shop.constants == pytest.approx((0.3 * 3 * 1, 0.1 * 3 * 2))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contract.backorder_share": 0}, "'retailer' would not care"),
        ({"contract.backorder_share": 1}, "'supplier' would not care"),
        ({"contract.backorder_share": None}, "nobody shares"),
        ({"contract.wholesale_price": 2}, "payments beside"),
        ({"nodes.retailer.backorder_cost": 0}, "makes waiting free"),
        ({"nodes.supplier.holding_cost": 0}, "its level has no bound"),
        ({"nodes.retailer.holding_cost": 0.25}, "who would keep none"),
        ({"nodes.supplier.backorder_cost": 1}, "what it owes the retailer"),
        ({"timing.decision_order": "simultaneous"}, "use downstream_first"),
        ({"timing.demand_visible": "before_ordering"}, "use after_ordering"),
        ({"markets.retailer.unmet": "lost"}, "customers who are not served leave"),
        ({"markets.retailer.price": 3}, "holding and backorder costs only"),
        ({"nodes.retailer.demand": {"process": "ar1", "mean": 4, "sd": 1, "correlation": 0.5}}, "ar1 demand"),
        ({"edges.0.fixed_order_cost": 3}, "edges.inbound.fixed_order_cost"),
        ({"edges.1.purchase_cost": 3}, "edges.outbound.purchase_cost"),
        ({"edges.1.unmet": "lost"}, "orders that stock cannot serve are lost"),
        ({"edges.1.information_delay": 1}, "edges.outbound.information_delay"),
        ({"edges.0.delay": [0.5, 0.5], "edges.0.pipeline": 4}, "edges.inbound.delay"),
        ({"nodes.supplier.review": [2]}, "every period"),
        ({"nodes.factory.capacity": 5}, "nodes.factory.capacity"),
    ],
)
def test_refuses_what_is_not_of_the_family(changes: dict[str, Any], said: str) -> None:
    """One sentence that begins with the name of the topology."""
    with pytest.raises(InputError, match=said) as refused:
        shipped(changes)
    assert str(refused.value).startswith("cachon_zipkin: ") and "\n" not in str(refused.value)


def test_refuses_chains_that_are_not_two_stages() -> None:
    with pytest.raises(InputError, match="beer_game: it is no source, supplier and retailer in series"):
        two_stage_chain(Network(load("beer_game")))


def test_refuses_other_games_and_laws() -> None:
    chain = shipped({})
    with pytest.raises(InputError, match="no 'locale' levels or game.*did you mean 'local'"):
        competition(chain, "locale")
    with pytest.raises(InputError, match="fractions of a unit"):
        cooperative_optimum(TwoStageChain(Distribution.of([0.5, 1], [0.5, 0.5]), (1, 1), (1.0, 0.5), 5.0, 0.3))
