"""Each search finds the least of a quadratic, and on games what exact computation gives; nothing depends on batches."""

from __future__ import annotations

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game.compare import compare
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.policies import seat_everybody
from marl_supply.solvers import Tuned, tune
from marl_supply.solvers.search.cma_es import cma_es
from marl_supply.solvers.search.enumeration import enumeration, every_point, lattice
from marl_supply.solvers.search.pattern import pattern
from marl_supply.solvers.search.space import Costs, FloatArray, Space
from marl_supply.solvers.search.symmetry import equal_rows
from marl_supply.solvers.search.trials import Trials, heats
from marl_supply.topology import load
from marl_supply.topology.generators import one_warehouse

SEEDS = (0, 1, 2)


def box(dimension: int, whole: int) -> Space:
    """0 to 100 along every coordinate, the first ones whole."""
    return Space(np.zeros(dimension), np.full(dimension, 100.0), np.arange(dimension) < whole)


def quadratic(centre: FloatArray, tilt: float) -> Costs:
    """Curvatures from 1 to 100, and a tilt that couples all coordinates."""
    curvature = 100.0 ** np.linspace(0, 1, len(centre))

    def costs(points: FloatArray) -> FloatArray:
        away = points - centre
        return np.asarray((curvature * away**2).sum(1) + tilt * away.sum(1) ** 2)

    return costs


def drawn_centre(space: Space, seed: int) -> FloatArray:
    centre = np.random.default_rng(seed).uniform(10, 90, (1, space.dimension))
    return space.inside(centre)[0]


def test_enumeration_finds_the_least_of_a_quadratic() -> None:
    space = Space(np.array([-3.0, 0.0]), np.array([9.0, 20.0]), np.ones(2, dtype=bool))
    found = enumeration(quadratic(np.array([4.2, 11.8]), 0.0), space)
    assert found.point.tolist() == [4, 12]
    assert found.cost == pytest.approx(0.2**2 + 100 * 0.2**2)
    assert len(every_point(space)) == space.size == 13 * 21
    with pytest.raises(ValueError, match="not whole"):
        enumeration(quadratic(np.zeros(2), 0.0), box(2, 1))


def test_lattice_is_even_and_bounded() -> None:
    assert lattice(box(2, 0), 16).tolist() == [
        [x, y] for x in (12.5, 37.5, 62.5, 87.5) for y in (12.5, 37.5, 62.5, 87.5)
    ]
    assert len(lattice(box(4, 4), 256)) == 256
    assert len(lattice(box(9, 9), 256)) == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("whole", [4, 2, 0])
def test_pattern_search_finds_the_least_of_a_quadratic(seed: int, whole: int) -> None:
    space = box(4, whole)
    centre = drawn_centre(space, seed)
    found = pattern(quadratic(centre, 0.5), space, np.full((1, 4), 50.0))
    assert found.point == pytest.approx(centre, abs=1)
    assert found.point[:whole] == pytest.approx(np.rint(found.point[:whole]), abs=0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("whole", [10, 5, 0])
def test_cma_es_finds_the_least_of_a_quadratic(seed: int, whole: int) -> None:
    space = box(10, whole)
    centre = drawn_centre(space, seed)
    found = cma_es(quadratic(centre, 5.0), space, np.full(10, 50.0), np.random.default_rng(seed), population=20)
    assert found.point == pytest.approx(centre, abs=1)
    assert found.point[:whole] == pytest.approx(np.rint(found.point[:whole]), abs=0)


def test_cma_es_finds_a_least_cost_in_a_corner() -> None:
    space = box(6, 3)
    corner = np.array([0.0, 100.0, 0.0, 0.0, 100.0, 0.0])
    outside = corner + np.array([-40.0, 40.0, -40.0, -40.0, 40.0, -40.0])
    found = cma_es(quadratic(outside, 0.0), space, np.full(6, 50.0), np.random.default_rng(0))
    assert found.point == pytest.approx(corner, abs=1)


class NoisyParabola:
    """Costs (x - 3)^2 + x times a replication's noise + its noise, and a record of what was played."""

    def __init__(self) -> None:
        self.noise = np.random.default_rng(4).normal(size=(2, 64))
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, points: FloatArray, first: int, count: int) -> FloatArray:
        self.asked.append((len(points), first, count))
        slope, level = self.noise[:, first : first + count]
        return np.asarray((points - 3) ** 2 + 0.3 * points * slope + 9 * level)


def test_a_race_compares_on_common_replications_and_grows_them() -> None:
    """The costs of those that finish are their means over all; those that drop out were worse on the first ones."""
    play = NoisyParabola()
    trials = Trials(play, 64, 4)
    points = np.arange(-20.0, 21.0)[:, None]
    costs = trials.race(points)
    full = NoisyParabola()(points, 0, 64).mean(1)
    finished = np.isfinite(costs)
    assert heats(4, 64) == (4, 16, 64)
    assert costs[finished] == pytest.approx(full[finished], rel=1e-12)
    assert costs.argmin() == full.argmin()
    assert 1 <= finished.sum() < 10
    assert [first for _, first, _ in play.asked] == [0, 4, 16]
    assert trials.played == sum(number * count for number, _, count in play.asked)
    asked = len(play.asked)
    assert trials.race(points[finished]).min() == costs.min()
    assert len(play.asked) == asked
    assert np.isinf(trials.race(np.array([[-40.0]])))
    assert trials.best(1)[0] == points[costs.argmin()]


def results(found: Tuned) -> tuple[object, ...]:
    return (
        found.parameters,
        found.cost,
        found.second_best,
        found.candidates,
        found.periods,
        found.estimate,
        found.excess,
    )


@pytest.mark.parametrize("method", ["enumeration", "pattern", "cma_es"])
def test_results_depend_on_no_batch_and_repeat(method: str) -> None:
    game = Game("cachon_zipkin", horizon=12, warm_up=2)
    first, *others = (
        tune("base_stock", game, replications=80, first_replications=5, method=method, batch=batch)  # type: ignore[arg-type]
        for batch in (None, None, 50, 333)
    )
    assert first.method == method
    for other in others:
        assert results(other) == results(first)


def test_the_three_searches_agree() -> None:
    """Local levels (4, 12) are optimal for P1 of Cachon & Zipkin (1999)."""
    game = Game("cachon_zipkin", horizon=200, warm_up=20)
    for method in ("enumeration", "pattern", "cma_es"):
        found = tune("base_stock", game, replications=128, method=method)  # type: ignore[arg-type]
        assert found.parameters == {"supplier": {"base_stock_level": 4.0}, "retailer": {"base_stock_level": 12.0}}


def test_the_estimate_is_of_fresh_replications() -> None:
    game = Game("lost_sales", horizon=150, warm_up=50)
    found = tune("base_stock", game, replications=64, seed=5)
    fresh = evaluate(game, found.players, 64, seed=6)
    second = evaluate(game, seat_everybody(game, "base_stock", found.second_best[0]), 64, seed=6)
    assert found.estimate.mean == pytest.approx(fresh.mean, rel=1e-12)
    assert found.estimate.standard_error == pytest.approx(fresh.standard_error, rel=1e-9)
    assert found.excess.mean == pytest.approx(second.mean - fresh.mean, rel=1e-9)
    assert found.cost == pytest.approx(evaluate(game, found.players, 64, seed=5).mean, rel=1e-12)
    assert "base_stock by enumeration" in str(found)
    assert f"base_stock_level {found.parameters['store']['base_stock_level']:.0f}" in str(found)


@pytest.mark.parametrize(
    ("changed", "rule", "levels", "exact"),
    [
        ({}, "capped_base_stock", (17, 5), 4.40573),
        ({}, "base_stock", (16,), 4.63864),
        ({}, "constant_order", (4,), 5.274794),
        ({"edges.supplier-store.lead_time": 1}, "capped_base_stock", (12, 6), 4.06542),
    ],
)
def test_finds_the_best_of_lost_sales(
    changed: dict[str, object], rule: str, levels: tuple[int, ...], exact: float
) -> None:
    """Costs a period of the best parameters by exact computation; Zipkin (2008), Poisson demand, p = 4."""
    game = Game(load("lost_sales", changed))
    found = tune(rule, game, replications=512)
    assert tuple(found.parameters["store"].values())[: len(levels)] == levels
    assert found.estimate.standard_error is not None
    assert found.estimate.mean / 900 == pytest.approx(exact, abs=3.5 * found.estimate.standard_error / 900)


@pytest.mark.parametrize(("premium", "levels"), [(10, (4, 8, 2)), (5, (4, 8, 1))])
def test_finds_the_best_capped_dual_index(premium: int, levels: tuple[int, ...]) -> None:
    """Demand uniform on 0 to 4, regular lead time 2, expedited 0 (Veeraraghavan & Scheller-Wolf 2008)."""
    game = Game(load("dual_sourcing", {"edges.express.purchase_cost": 100 + premium}), warm_up=50, horizon=450)
    found = tune("capped_dual_index", game, replications=512)
    stated = dict(zip(("express_level", "regular_level", "regular_cap"), map(float, levels), strict=True))
    loss = compare(game, {"stated": seat_everybody(game, "capped_dual_index", {"store": stated}), "": found.players})
    assert loss.differences[""].mean <= 0 or not loss.differences[""].significant


def test_finds_the_echelon_levels_of_clark_and_scarf() -> None:
    """(15, 27) and 10.238924 a period: Poisson 5, lead times (1, 2), echelon h = .5 each, p = 9, by exact recursion."""
    found = tune("echelon_base_stock", Game("serial_clark_scarf"), replications=2048)
    levels = {node: own["echelon_base_stock_level"] for node, own in found.parameters.items()}
    assert levels == {"stage_1": 15, "stage_2": 27}
    assert found.estimate.standard_error is not None
    assert found.estimate.mean / 900 == pytest.approx(10.238924, abs=3.5 * found.estimate.standard_error / 900)


@pytest.mark.parametrize("case", ["beer_game", "beer_game_uniform", "beer_game_normal", "beer_game_basic"])
def test_is_no_worse_than_published_levels_of_the_beer_game(case: str) -> None:
    """The levels of Oroojlooyjadid et al. (2022) stand in the files; where search differs, it costs less."""
    game = Game(case)
    found = tune("base_stock", game, replications=1024)
    told = compare(game, {"published": seat_everybody(game, "base_stock"), "found": found.players}, 1500, seed=30)
    difference = told.differences["found"]
    assert found.method == "pattern"
    assert difference.mean < 0 and difference.significant or difference.mean == 0


def warehouse(stores: int, **of_store: dict[str, object]) -> Game:
    """One warehouse with equal stores but for attributes of some."""
    graph = one_warehouse(stores=stores)
    for name, attributes in of_store.items():
        graph.nodes[name].update(attributes)
    return Game(graph, horizon=60, warm_up=10)


def test_equal_rows_are_those_that_data_cannot_tell_apart() -> None:
    assert equal_rows(warehouse(4)) == (("warehouse",), ("store_1", "store_2", "store_3", "store_4"))
    told = equal_rows(warehouse(4, store_2={"holding_cost": 3.0}))
    assert told == (("warehouse",), ("store_1", "store_3", "store_4"), ("store_2",))
    assert all(len(group) == 1 for group in equal_rows(Game("network_2x3")))
    with_priority = equal_rows(warehouse(2, warehouse={"allocation": "priority"}))
    assert with_priority == (("warehouse",), ("store_1",), ("store_2",))


def test_ties_give_equal_stores_one_number_at_no_cost() -> None:
    """Four stores: two numbers instead of five, and no worse than five."""
    game = warehouse(4)
    tied = tune("base_stock", game, replications=64, tie="equal")
    free = tune("base_stock", game, replications=64)
    stores = {own["base_stock_level"] for node, own in tied.parameters.items() if node != "warehouse"}
    assert (tied.method, free.method) == ("pattern", "cma_es")
    assert len(stores) == 1
    assert tied.estimate.mean <= 1.01 * free.estimate.mean
    two = tune("base_stock", game, replications=32, tie=[["store_1", "store_2"]])
    assert two.parameters["store_1"] == two.parameters["store_2"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "enumerations"}, "did you mean 'enumeration'"),
        ({"method": "enumeration"}, "takes at most 4096 points and base_stock has a grid of"),
        ({"tie": "equals"}, "did you mean 'equal'"),
        ({"tie": [["retailer", "retailers"]]}, "no node 'retailers'"),
        ({"tie": [["retailer"], ["retailer"]]}, "named twice"),
        ({"replications": 0}, "at least 1"),
        ({"restarts": -1}, "at least 0"),
    ],
)
def test_refuses_settings_that_do_not_fit(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tune("base_stock", Game("beer_game"), **settings)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not whole"):
        tune("sterman", Game("beer_game"), method="enumeration")


@pytest.mark.slow
def test_all_sixteen_parameters_of_sterman_come_down_to_base_stock() -> None:
    """With both weights 1 the rule is a base-stock rule, so that its best costs no more; its defaults cost 11,220."""
    game = Game("beer_game_basic")
    found = tune("sterman", game, replications=512, restarts=1)
    base_stock = tune("base_stock", game, replications=512)
    told = compare(game, {"base_stock": base_stock.players, "sterman": found.players}, 2000, seed=30)
    assert told.differences["sterman"].mean < 0.03 * told.evaluations["base_stock"].mean


@pytest.mark.slow
def test_halves_the_cost_of_the_network_of_two_by_three() -> None:
    game = Game("network_2x3")
    found = tune("base_stock", game)
    told = compare(game, {"start": seat_everybody(game, "base_stock"), "tuned": found.players}, 500, seed=30)
    assert told.evaluations["tuned"].mean < 0.5 * told.evaluations["start"].mean
