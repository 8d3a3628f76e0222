"""Rules with an express and a regular supplier: which edge is which, formulas, limits in which they are other rules."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from long_run import simulated

from marl_supply.game import Game
from marl_supply.policies import rule, seat_everybody
from marl_supply.policies.two_suppliers import express_edges, express_position, regular_edges
from marl_supply.topology import load

NEVER = -(10**6)
ALWAYS = 10**6


def costs(name: str, changes: Any = None, **values: float) -> Any:
    return simulated("dual_sourcing", name, changes, 10, **values).total


def game_of(express: int, regular: int) -> Game:
    return Game(load("dual_sourcing", {"edges.express.lead_time": express, "edges.regular.lead_time": regular}))


def at(game: Game, on_hand: float, owed: float, regular: list[float], express: list[float]) -> Any:
    """An observation with these stocks; pipelines begin with what arrives next period."""
    chain = load(
        game.topology,
        {
            "nodes.store.on_hand": on_hand,
            "edges.regular.pipeline": [0, *regular],
            "edges.express.pipeline": [0, *express] if game.topology.edges[1].lead_time else 0,
        },
    )
    own = Game(chain)
    state = own.start(1, seed=1)
    return own.observe(state.changed(owed=state.owed + owed), "store")


def test_the_fastest_edge_is_express_and_the_slowest_regular() -> None:
    seat = Game("dual_sourcing").seats["store"]
    assert [seat.edges[edge] for edge in (*express_edges(seat), *regular_edges(seat))] == ["express", "regular"]
    delayed = Game(load("dual_sourcing", {"edges.express.information_delay": 3})).seats["store"]
    assert [delayed.edges[edge] for edge in (*express_edges(delayed), *regular_edges(delayed))] == [
        "regular",
        "express",
    ]
    upper = Game("network_2x3").seats["retailer_0"]
    assert [upper.edges[edge] for edge in (*express_edges(upper), *regular_edges(upper))] == [
        "distributor_1-retailer_0",
        "distributor_0-retailer_0",
    ]


def test_the_express_position_counts_what_arrives_within_the_express_lead_time() -> None:
    at_once = at(game_of(0, 3), 7, 2, [10, 20], [])
    assert express_position(at_once).tolist() == [[5]]
    later = at(game_of(2, 4), 7, 2, [1, 10, 100], [1000])
    assert express_position(later).tolist() == [[5 + 1000 + 1 + 10]]
    assert later.inventory_position.tolist() == [[5 + 1000 + 111]]


def test_orders_of_each_rule() -> None:
    """x = 5 - 4, on order 2 + 1, so the position is 4: express orders look at 1 or 4, regular orders at 4."""
    expected = {  # regular, express: the order of the file
        ("single_index", 6, 8): (2, 2),
        ("dual_index", 4, 8): (1, 3),
        ("capped_dual_index", 4, 8, 3): (3, 3),
        ("capped_dual_index", 4, 6, 3): (2, 3),
        ("tailored_base_surge", 4, 1): (1, 3),
    }
    game = game_of(0, 3)
    for (name, *values), order in expected.items():
        observation = at(game, 5, 4, [2, 1], [])
        player = rule(name, observation.seat)
        given = {parameter.name: value for parameter, value in zip(player.parameters, values, strict=True)}
        decisions, _ = type(player)(given).act(observation, None)
        assert decisions.order[:, 0].tolist() == list(order), name


def test_what_an_order_limit_cuts_off_is_ordered_from_the_other_supplier() -> None:
    game = Game("network_2x3")
    seat, state = game.seats["retailer_0"], game.start(1, seed=1)
    seen = game.observe(state, "retailer_0")
    position = float(seen.inventory_position[0, 0])
    for name in ("single_index", "dual_index"):
        levels = {"express_level": position + 12, "regular_level": position + 7}
        decisions, _ = rule(name, seat, {"retailer_0": levels}).act(seen, None)
        assert dict(zip(seat.edges, decisions.order[:, 0], strict=True)) == {
            "distributor_0-retailer_0": 3,
            "distributor_1-retailer_0": 4,
        }


def test_rules_that_never_use_one_supplier() -> None:
    """Without express orders what is left is base stock on the regular edge, the first of the file; and the reverse."""
    slow = costs("base_stock", base_stock_level=11)
    for name in ("single_index", "dual_index"):
        np.testing.assert_array_equal(costs(name, express_level=NEVER, regular_level=11), slow)
    uncapped = costs("capped_dual_index", express_level=NEVER, regular_level=11, regular_cap=ALWAYS)
    np.testing.assert_array_equal(uncapped, slow)
    fast = costs("tailored_base_surge", express_level=4, regular_quantity=0)
    for name in ("single_index", "dual_index"):
        np.testing.assert_array_equal(costs(name, express_level=4, regular_level=NEVER), fast)
    np.testing.assert_array_equal(costs("single_index", express_level=4, regular_level=4), fast)
    capped = costs("capped_dual_index", express_level=4, regular_level=8, regular_cap=0)
    np.testing.assert_array_equal(capped, fast)


def test_a_high_level_makes_a_capped_dual_index_base_surge() -> None:
    surge = costs("tailored_base_surge", express_level=4, regular_quantity=1)
    capped = costs("capped_dual_index", express_level=4, regular_level=ALWAYS, regular_cap=1)
    np.testing.assert_array_equal(capped, surge)


def test_with_lead_times_one_period_apart_single_and_dual_index_see_the_same() -> None:
    """With lead times 0 and 1 all that is on order has arrived at the next decision point."""
    changes = {"edges.regular.lead_time": 1}
    values = {"express_level": 4, "regular_level": 7}
    np.testing.assert_array_equal(costs("single_index", changes, **values), costs("dual_index", changes, **values))


@settings(max_examples=30)
@given(st.integers(0, 8), st.integers(0, 14), st.integers(0, 2), st.integers(1, 3))
def test_after_ordering_positions_are_at_least_the_levels(fast: int, slow: int, lead: int, apart: int) -> None:
    game = game_of(lead, lead + apart)
    players = seat_everybody(game, "dual_index", {"store": {"express_level": fast, "regular_level": slow}})
    state = game.start(5, seed=fast + 100 * slow)
    for _ in range(6):
        observation = game.observe(state, "store")
        decisions, _ = players["store"].act(observation, None)
        regular, express = decisions.order
        assert (express_position(observation)[0] + express >= fast).all()
        assert (observation.inventory_position[0] + express + regular >= max(fast, slow)).all() or slow < fast
        assert (observation.inventory_position[0] + express + regular >= slow).all()
        state, _ = game.step(state, {"store": decisions})


def test_a_row_with_one_supplier_orders_up_to_the_higher_level() -> None:
    samples = [
        simulated("single_echelon", "dual_index", {}, 10, express_level=low, regular_level=high).total
        for low, high in ((18, 20), (20, 18))
    ]
    plain = simulated("single_echelon", "base_stock", {}, 10, base_stock_level=20).total
    np.testing.assert_array_equal(samples, [plain, plain])
