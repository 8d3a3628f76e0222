"""Serial systems: published optima, all other levels of small systems, non-lattice levels, and simulation."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from published import NORMAL_QUANTILE, assert_agrees

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.gamma import Gamma
from marl_supply.demand.normal import Normal
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.solvers import clark_scarf
from marl_supply.solvers.clark_scarf import (
    SerialSolution,
    best_levels,
    continuous_review,
    cost_of_levels,
    lattice_of,
    local_costs,
    periodic,
    serial_system,
    textbook,
)
from marl_supply.solvers.newsvendor import BackloggedRow, best_level
from marl_supply.topology import generators, load
from marl_supply.topology.network import Network


def normal(mean: float, sd: float) -> Any:
    return Normal(mean=mean, sd=sd, round=False).distribution()


def poisson(mean: float) -> Distribution:
    return Poisson(mean=mean).distribution()


def test_example_6_1_of_snyder_and_shen() -> None:
    """S* = (6.49, 12.02, 22.71), cost 47.65 to 47.67 (Snyder & Shen 2019, Example 6.1; REFERENCE D)."""
    system = textbook(normal(5, 1), (1, 1, 2), (3, 2, 2), 37.12)
    found = best_levels(system)
    assert found.levels == pytest.approx((6.49, 12.02, 22.71), abs=0.005)
    assert 47.65 < found.cost < 47.67
    assert cost_of_levels(system, found.levels).cost == pytest.approx(found.cost, abs=1e-5)


def test_row_1_of_shang_and_song() -> None:
    """N = 4, Poisson 16, L = .25 and h = .25 each, p = 9: S = (8, 13, 18, 22), cost 12.6879 (REFERENCE D)."""
    found = best_levels(continuous_review(16, [0.25] * 4, [0.25] * 4, 9))
    assert found.levels == (8, 13, 18, 22)
    assert found.cost == pytest.approx(12.6879, abs=5e-5)
    periods = best_levels(textbook(poisson(4), [1] * 4, [0.25] * 4, 9))
    assert periods.levels == found.levels
    assert periods.cost == pytest.approx(found.cost, abs=1e-9)


def test_periodic_convention() -> None:
    """Poisson 5, L = (1, 2), echelon h = .5: (15, 27), 7.738924 without and 10.238924 with pipeline (REFERENCE D)."""
    without = best_levels(periodic(poisson(5), (1, 2), local_costs((0.5, 0.5)), 9))
    assert without.levels == (15, 27)
    assert without.cost == pytest.approx(7.738924, abs=1e-6)
    charged = best_levels(periodic(poisson(5), (1, 2), (1, 0.5), 9, pipeline_holding_costs=(0.5, 0)))
    assert charged.cost == pytest.approx(10.238924, abs=1e-6)
    assert best_levels(serial_system(Network(load("serial_clark_scarf")))).cost == pytest.approx(10.238924, abs=1e-6)


def test_serial_system_of_alvo_russo_and_kanoria() -> None:
    """S* = (14.66, 32.54, 56.82, 67.36), 8.36690 (REFERENCE D)."""
    system = serial_system(Network(load("serial_alvo")))
    found = best_levels(system)
    assert found.levels == pytest.approx((14.66, 32.54, 56.82, 67.36), abs=0.01)
    assert found.cost == pytest.approx(8.36690, abs=5e-5)
    assert cost_of_levels(system, (14.66, 32.54, 56.82, 67.36)).cost == pytest.approx(8.36690, abs=5e-5)


def test_the_retailer_and_supplier_of_cachon_and_zipkin() -> None:
    """P1 of REFERENCE E: echelon levels (12, 16), 7.312546; a contract between the two moves no total."""
    found = best_levels(serial_system(Network(load("cachon_zipkin"))))
    assert found.by_row == {"retailer": 12, "supplier": 16}
    assert found.cost == pytest.approx(7.312546, abs=1e-6)


SMALL: list[tuple[Distribution, tuple[int, ...], tuple[float, ...], float]] = [
    (poisson(0.8), (1, 2), (2.0, 0.7), 8),
    (poisson(0.5), (0, 1, 2), (1.0, 0.8, 0.1), 20),
    (Distribution.of([0, 2, 5], [0.6, 0.3, 0.1]), (2, 0), (1.0, 0.4), 5),
    (poisson(0.6), (1, 1, 1), (0.9, 1.1, 0.4), 6),  # stage 1 is cheaper than its supplier, which then keeps nothing
    (poisson(0.6), (1, 2, 1), (0.3, 0.9, 1.5), 9),
    (poisson(1.0), (1, 1), (1.0, 1.0), 9),
]


@pytest.mark.parametrize(("law", "lead_times", "costs", "backorder"), SMALL)
@pytest.mark.parametrize("seen", [False, True])
def test_no_other_levels_cost_less(
    law: Distribution, lead_times: tuple[int, ...], costs: tuple[float, ...], backorder: float, seen: bool
) -> None:
    system = periodic(law, lead_times, costs, backorder, demand_seen=seen)
    found = best_levels(system)
    top = range(int(max(found.levels)) + 4)
    least = min(cost_of_levels(system, levels).cost for levels in product(top, repeat=len(costs)))
    assert found.cost == pytest.approx(least, abs=1e-9)
    assert cost_of_levels(system, found.levels).cost == pytest.approx(least, abs=1e-9)


def test_levels_between_whole_numbers() -> None:
    """Three stages by brute force over all demands of the lead times."""
    law = Distribution.of([0, 1, 3], [0.5, 0.3, 0.2])
    system = periodic(law, (0, 1, 1), (1.5, 0.8, 0.3), 7)
    levels, cost = (2.7, 4.25, 5.5), 0.0
    for draws in product(zip(law.values, law.probabilities, strict=True), repeat=3):
        (one, two, three), chance = [d for d, _ in draws], np.prod([p for _, p in draws])
        third = levels[2]
        second = min(levels[1], third - three)
        first = min(levels[0], second - two)
        end = first - one
        held = 0.3 * (third - three - second) + 0.8 * (second - two - first) + 1.5 * max(end, 0) + 7 * max(-end, 0)
        cost += chance * held
    assert cost_of_levels(system, levels).cost == pytest.approx(cost, abs=1e-12)


@pytest.mark.parametrize("law", [poisson(5), normal(5, 1.6)])
def test_one_stage_is_a_newsvendor(law: Any) -> None:
    alone = best_level(BackloggedRow(law, 4, 1, 9))
    found = best_levels(periodic(law, [4], [1], 9))
    assert found.levels[0] == pytest.approx(alone.level, abs=1e-3)
    assert found.cost == pytest.approx(alone.cost, rel=1e-6)


@pytest.mark.parametrize("law", [normal(5, 2), normal(2, 2), Gamma(mean=4, sd=3, round=False).distribution()])
def test_cells_are_fine_enough(law: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the cells move the optimum by less than a hundred thousandth of its cost."""
    fine = best_levels(periodic(law, (1, 2, 3), (1, 0.6, 0.2), 9))
    monkeypatch.setattr(clark_scarf, "CELLS_PER_DEVIATION", 500)
    coarse = best_levels(periodic(law, (1, 2, 3), (1, 0.6, 0.2), 9))
    assert coarse.cost == pytest.approx(fine.cost, rel=1e-5)
    assert coarse.levels == pytest.approx(fine.levels, abs=2e-3)


def test_demand_in_lots_and_of_fractions() -> None:
    """Units of demand scale levels and costs."""
    single = best_levels(periodic(poisson(2), (1, 1), (1, 0.5), 9))
    for size in (0.25, 4):
        law = Distribution(poisson(2).values * size, poisson(2).probabilities)
        assert lattice_of(law) == pytest.approx(size)
        scaled = best_levels(periodic(law, (1, 1), (1, 0.5), 9))
        assert scaled.levels == pytest.approx(tuple(size * level for level in single.levels))
        assert scaled.cost == pytest.approx(size * single.cost)


def simulated(chain: Any, solution: SerialSolution, replications: int) -> Evaluation:
    game = Game(chain, horizon=600, warm_up=100, criterion="average", observe="shared_demand", reward="shared")
    return evaluate(game, seat_everybody(game, "echelon_base_stock", solution.by_row), replications, seed=41)


CHAINS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "clark_scarf": ("serial_clark_scarf", {}, 1500),
    "alvo": ("serial_alvo", {}, 2500),
    "demand seen": ("serial_clark_scarf", {"timing.demand_visible": "before_ordering"}, 1500),
    "all that is charged": (
        "serial_clark_scarf",
        {
            "edges.0.holding_cost": 0.2,
            "edges.0.title": "customer",
            "edges.0.information_delay": 1,
            "edges.1.purchase_cost": 0.3,
            "markets.stage_1.price": 0.1,
            "nodes.stage_1.demand": {"process": "negative_binomial", "mean": 4, "variance": 8},
        },
        2000,
    ),
    "gamma": (
        generators.serial([2, 0, 1], [1.2, 0.7, 0.3], 12, {"process": "gamma", "mean": 4, "sd": 3, "round": False}),
        {"units": "continuous"},
        2000,
    ),
    "nothing gained upstream": (generators.serial([1, 1, 2], [1, 1, 0.4], 9), {}, 1500),
}


@pytest.mark.parametrize(("chain", "changes", "replications"), CHAINS.values(), ids=CHAINS)
def test_simulated_costs_agree(chain: Any, changes: dict[str, Any], replications: int) -> None:
    """Of the optimum, and of levels that are not: all that the simulator charges."""
    topology = load(chain, changes)
    system = serial_system(Network(topology))
    best = best_levels(system)
    assert_agrees(simulated(topology, best, replications), best.cost, width=0.015)
    moved = cost_of_levels(system, [level + step for level, step in zip(best.levels, (-2, 3, -4, 2), strict=False)])
    assert_agrees(simulated(topology, moved, replications), moved.cost, width=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("chain", ["serial_clark_scarf", "serial_alvo"])
def test_simulation_finds_nothing_better(chain: str) -> None:
    """Paired on common demand: no neighbour costs less, but for chance."""
    best = best_levels(serial_system(Network(load(chain))))
    costs = simulated(chain, best, 1500).sample
    for stage, step in product(range(len(best.levels)), (-2.0, 2.0)):
        levels = tuple(level + step * (number == stage) for number, level in enumerate(best.levels))
        moved = SerialSolution(levels, 0, 0, 0, best.rows)
        loss = simulated(chain, moved, 1500).sample - costs
        assert loss.mean() > -NORMAL_QUANTILE * loss.std(ddof=1) / np.sqrt(len(loss))


REFUSED = [
    ("serial_liu", {}, "edges.factory-manufacturer.order_limit"),
    ("serial_liu", {f"edges.{n}.order_limit": None for n in range(3)}, "what its supplier owes costs something"),
    ("beer_game", {}, "edges.wholesaler-retailer.information_delay"),
    ("transshipment", {}, "6 stock nodes, 6 edges and 5 markets"),
    ("dual_sourcing", {}, "1 stock nodes, 2 edges"),
    ("serial_clark_scarf", {"nodes.stage_2.capacity": 9}, "nodes.stage_2.capacity"),
    ("serial_clark_scarf", {"nodes.stage_2.holding_cost": 0}, "holding cost of the last stage: 0 is not"),
    ("serial_clark_scarf", {"edges.0.delay": [0.5, 0.5]}, "delay"),
    ("serial_clark_scarf", {"edges.1.unmet": "lost"}, "edges.stage_2-stage_1.unmet"),
    ("serial_clark_scarf", {"nodes.stage_1.demand": {"process": "ar1", "mean": 5, "sd": 1, "correlation": 0.5}},
     "needs independent demand"),
]  # fmt: skip


@pytest.mark.parametrize(("chain", "changes", "told"), REFUSED)
def test_refuses_chains_of_other_families(chain: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        serial_system(Network(load(chain, changes)))


def test_refuses_numbers_that_are_no_system() -> None:
    with pytest.raises(InputError, match="differ in length"):
        periodic(poisson(1), (1, 1), (1,), 9)
    with pytest.raises(InputError, match="not all whole periods"):
        periodic(poisson(1), (0.25,), (1,), 9)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="multiples of 1e-06"):
        periodic(Distribution.of([0, np.pi], [0.5, 0.5]), (1,), (1,), 9)
    with pytest.raises(InputError, match="backorder_cost"):
        periodic(poisson(1), (1,), (1,), 0)
    with pytest.raises(InputError, match="differ in length"):
        cost_of_levels(periodic(poisson(1), (1, 1), (1, 0.5), 9), (3,))
