"""`solve` puts every method beside the others: published figures, equilibria, refusals, and play of what is found."""

from __future__ import annotations

from typing import Any

import pytest
from published import LOST_SALES

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.solvers import rules
from marl_supply.solvers.method import Solution, methods
from marl_supply.solvers.solve import solve
from marl_supply.topology import load

LOST = "nodes.store.lost_sale_cost"
LEAD = "edges.0.lead_time"


def game_of(name: str, *overrides: str) -> Game:
    return Game(load(name, overrides))


def costs(game: Game, *names: str) -> dict[str, float]:
    solutions = {name: solve(game, name)[0].solution for name in names}
    assert all(solution.exact and solution.standard_error == 0 for solution in solutions.values())
    return {name: solution.cost for name, solution in solutions.items()}


@pytest.mark.parametrize(("law", "shortage", "lead_time"), LOST_SALES)
def test_lost_sales(law: str, shortage: int, lead_time: int) -> None:
    """Zipkin (2008), and exact computations of the costs of rules."""
    game = game_of("lost_sales", f"{LOST}={shortage}", f"{LEAD}={lead_time}", f"nodes.store.demand.process={law}")
    optimum, (_, base_stock), (_, _, capped), *myopic = LOST_SALES[law, shortage, lead_time]
    found = costs(game, "optimal", "base_stock", "capped_base_stock", "myopic_1", "myopic_2")
    assert found["optimal"] == pytest.approx(optimum, abs=1e-5)
    assert list(found.values()) == pytest.approx([optimum, base_stock, capped, *myopic], abs=1e-4)


@pytest.mark.parametrize("shortage", [4, 39])
def test_constant_orders(shortage: int) -> None:
    """One unit a period is lost: 4 and 39 of the cost; orders of 5 cost less in finite episodes and have no limit."""
    (solved,) = solve(game_of("lost_sales", f"{LOST}={shortage}"), "constant_order")
    assert solved.solution.parameters == {"store": {"order_quantity": 4}} and solved.solution.exact
    assert solved.solution.cost == pytest.approx(1.274794 + shortage, abs=1e-6)


DUAL = {
    5: (16.769802, 18.0, 17.0221, 16.8484, 16.9030),
    10: (296 / 15, 22.0, 20.1253, 19.7994, 21.9030),
}


@pytest.mark.parametrize("premium", [5, pytest.param(10, marks=pytest.mark.slow)])
def test_dual_sourcing(premium: int) -> None:
    """Without the regular unit cost; 16.7718 and 19.7354 are published (INFORMS Journal on Computing 2022.0136)."""
    game = game_of("dual_sourcing", "edges.regular.purchase_cost=0", f"edges.express.purchase_cost={premium}")
    found = costs(game, "optimal", "single_index", "dual_index", "capped_dual_index", "tailored_base_surge")
    assert found["optimal"] == pytest.approx(DUAL[premium][0], abs=1e-6)
    assert list(found.values()) == pytest.approx(DUAL[premium], abs=1e-4)


FAMILIES: list[tuple[str, tuple[str, ...], str, Any, float]] = [
    ("single_echelon", ("edges.0.lead_time=0",), "base_stock", {"base_stock_level": 8}, 4.221093),
    ("single_echelon", (), "base_stock", {"base_stock_level": 20}, 7.123000),
    (
        "single_echelon",
        (
            "nodes.store.demand.mean=10",
            "edges.0.lead_time=0",
            "edges.0.fixed_order_cost=64",
            "edges.0.pipeline=[]",
        ),
        "s_S",
        {"reorder_point": 6, "order_up_to_level": 40},
        35.0216,
    ),
    ("uneven_review", (), "interval_base_stock", {"level_1": 28, "level_2": 32}, 12.474631),
    ("uneven_review", (), "base_stock", {"base_stock_level": 31}, 12.993359),
    ("serial_clark_scarf", (), "echelon_base_stock", [15, 27], 10.238924),
]


@pytest.mark.parametrize(("name", "overrides", "method", "parameters", "cost"), FAMILIES)
def test_chains_with_backorders(
    name: str, overrides: tuple[str, ...], method: str, parameters: Any, cost: float
) -> None:
    """Zheng & Federgruen (1991), Clark & Scarf (1960) and exact computations."""
    (solved,) = solve(game_of(name, *overrides), method)
    own = solved.solution.parameters
    assert (own["levels"] if "levels" in own else own["store"]) == parameters
    assert solved.solution.cost == pytest.approx(cost, abs=1e-4) and solved.solution.exact


EQUILIBRIA = {
    0.1: ([[7, 13]], 12.775423, [[7, 6]], [12.775423]),
    0.3: ([[9, 15]], 8.746427, [[9, 6]], [8.746427]),
    0.5: ([[9, 14]], 8.821082, [[10, 5]], [7.804071]),
    0.7: ([[10, 14]], 8.066317, [[11, 4], [12, 3]], [7.423823, 7.349463]),
    0.9: ([[11, 14]], 7.804204, [[13, 2]], [7.377373]),
}


@pytest.mark.parametrize("share", EQUILIBRIA)
def test_equilibria(share: float) -> None:
    """Cachon & Zipkin (1999), Poisson demand of mean 4: one row for each equilibrium."""
    game = game_of("cachon_zipkin", f"contract.backorder_share={share}")
    echelon, total, local, totals = EQUILIBRIA[share]
    (optimum,) = (each.solution for each in solve(game, "optimal"))
    assert optimum.parameters == {"levels": [12, 16]} and optimum.cost == pytest.approx(7.312546, abs=1e-6)
    found = [each.solution for each in solve(game, "echelon_equilibrium")]
    assert [each.parameters["levels"] for each in found] == echelon
    assert found[0].cost == pytest.approx(total, abs=1e-6)
    found = [each.solution for each in solve(game, "local_equilibrium")]
    assert [each.parameters["levels"] for each in found] == local
    assert [each.cost for each in found] == pytest.approx(totals, abs=1e-6)
    for each in found:
        assert sum(each.details["by_agent"].values()) == pytest.approx(each.cost)
        assert each.details["cost_without_pipeline"] == pytest.approx(each.cost - 2)
        assert each.details["price_of_anarchy"] == pytest.approx(each.cost / 7.312546, abs=1e-6)


def test_everything_that_applies_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SEARCHED", 200)
    monkeypatch.setattr(rules, "ESTIMATED", 400)
    monkeypatch.setattr(rules, "LARGEST", 20_000)
    said: dict[str, str] = {}
    found = solve(game_of("cachon_zipkin", "game.horizon=60", "game.warm_up=20"), progress=said.__setitem__)
    names = [each.solution.method for each in found]
    assert names[0] == "optimal" and list(dict.fromkeys(names)) == list(said)
    wanted = {"cooperative_base_stock", "echelon_equilibrium", "local_equilibrium", "shang_song", "base_stock"}
    assert wanted <= set(names)
    assert not {"random_order", "dual_index", "constant_order", "forecast_base_stock", "interval_base_stock"} & set(
        names
    )
    least = min(each.solution.cost for each in found if each.solution.exact)
    assert least == pytest.approx(found[0].solution.cost, abs=1e-8)


@pytest.mark.parametrize(
    ("name", "method", "sentence"),
    [
        ("lost_sales", "optimul", r"no method 'optimul' \(did you mean 'optimal'\?\)"),
        ("beer_game_basic", "optimal", "one agent"),
        ("lost_sales", "echelon_equilibrium", "it is no source, supplier and retailer in series"),
        ("lost_sales", "shang_song", "unmet"),
        ("one_warehouse_van_roy", "myopic_1", "choose another rule"),
        ("serial_liu", "transshipment_bound", "."),
        ("random_dag_1000", "base_stock", "numbers to tune here, and a search gets nowhere above 100"),
    ],
)
def test_what_does_not_apply_says_why(name: str, method: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        solve(game_of(name), method)
    assert "\n" not in str(caught.value)


def test_an_instance_too_large_is_refused_with_its_size() -> None:
    game = game_of("lost_sales", "edges.0.lead_time=6", "nodes.store.demand.mean=20")
    with pytest.raises(InputError, match=r"states, .* transitions, .* GB and .* seconds; tune a rule by simulation"):
        solve(game, "optimal")


PLAYED = [
    ("lost_sales", ("nodes.store.lost_sale_cost=9",), "optimal"),
    ("lost_sales", (), "myopic_2"),
    ("dual_sourcing", (), "optimal"),
    ("single_echelon", ("edges.0.fixed_order_cost=20",), "s_S"),
    ("cachon_zipkin", ("contract.backorder_share=.7",), "local_equilibrium"),
    ("serial_clark_scarf", (), "shang_song"),
]


@pytest.mark.parametrize(("name", "overrides", "method"), PLAYED)
def test_what_is_found_costs_that_in_the_simulator(name: str, overrides: tuple[str, ...], method: str) -> None:
    """Long episodes, within 3.3 standard errors."""
    game = game_of(name, *overrides, "game.horizon=1200", "game.warm_up=200")
    for each in solve(game, method):
        assert_played(game, each.solution)


def assert_played(game: Game, solution: Solution) -> None:
    found = evaluate(game, solution.players, 200, seed=11)
    error = found.standard_error / found.periods
    assert abs(found.per_period - solution.cost) < 3.3 * error, solution.method


def test_backward_induction_for_a_total() -> None:
    """A short horizon costs less a period than the long run: what is ordered last is never paid for by holding."""
    game = game_of("lost_sales", "game.criterion=total", "game.horizon=20", "game.warm_up=0")
    (solved,) = solve(game, "optimal")
    assert solved.solution.exact and solved.solution.details["by"] == "backward induction"
    found = evaluate(game, solved.solution.players, 4000, seed=3)
    assert abs(found.mean - solved.solution.cost) < 3.3 * found.standard_error
    with pytest.raises(InputError, match="200 periods"):
        solve(game_of("lost_sales", "game.criterion=total"), "optimal")


def test_names_are_unique_and_methods_documented() -> None:
    for name, method in methods().items():
        assert method.name == name and type(method).__doc__


PUBLISHED = {
    "poisson": {
        4: (4.04, 4.40, 4.60, 4.73),
        9: (5.44, 6.09, 6.53, 6.84),
        19: (6.68, 7.66, 8.36, 8.89),
        39: (7.84, 9.11, 10.04, 10.79),
    },
    "geometric": {
        4: (9.82, 10.24, 10.47, 10.61),
        9: (14.51, 15.50, 16.14, 16.58),
        19: (19.22, 20.89, 22.06, 22.95),
        39: (23.87, 26.21, 27.96, 29.36),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("law", PUBLISHED)
@pytest.mark.parametrize("shortage", [4, 9, 19, 39])
@pytest.mark.parametrize("lead_time", [1, 2, 3, 4])
def test_every_instance_of_zipkin(law: str, shortage: int, lead_time: int) -> None:
    """The optimal costs of Zipkin (2008), to the two decimals in which they are published."""
    game = game_of("lost_sales", f"{LOST}={shortage}", f"{LEAD}={lead_time}", f"nodes.store.demand.process={law}")
    found = solve(game, "optimal")[0].solution
    assert round(found.cost, 2) == PUBLISHED[law][shortage][lead_time - 1]
    assert found.details["upper"] - found.details["lower"] < 1e-7
