"""The decision process: its parts fit, its size is foretold, and what it cannot carry is refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions
from marl_supply.solvers.markov.decision_points import DecisionPoints
from marl_supply.solvers.markov.decision_process import decision_process, size_of
from marl_supply.solvers.markov.demand_outcomes import outcomes_of
from marl_supply.solvers.markov.numbering import Numbering
from marl_supply.solvers.markov.one_period import OnePeriod
from marl_supply.topology import generators, load

GAMES = [
    ("lost_sales", {}),
    ("dual_sourcing", {}),
    ("uneven_review", {}),
    ("single_echelon", {}),
    ("single_echelon", {"timing": {"demand_visible": "before_ordering"}}),
]


@pytest.mark.parametrize(("chain", "changes"), GAMES)
def test_parts_fit(chain: str, changes: dict[str, Any]) -> None:
    process = decision_process(Game(load(chain, changes)))
    states, pairs = process.states.shape[1], len(process.costs)
    assert process.transitions.shape == (pairs, states) and process.orders.shape[1] == pairs
    assert process.first_pair[0] == 0 and process.first_pair[-1] == pairs and (process.pairs_of_states > 0).all()
    np.testing.assert_allclose(process.transitions.sum(1), 1, atol=1e-12)
    assert process.start.sum() == pytest.approx(1) and process.cut < 1e-12
    np.testing.assert_array_equal(process.numbering.find(process.states), np.arange(states))


@pytest.mark.parametrize("lead", [1, 2, 3])
def test_the_size_of_lost_sales_is_foretold_exactly(lead: int) -> None:
    game = Game(load("lost_sales", {"edges.0.lead_time": lead}))
    process, size = decision_process(game), size_of(game)
    found = (process.states.shape[1], len(process.costs), process.transitions.nnz)
    assert (size.states, size.pairs, size.transitions) == pytest.approx(found)


@pytest.mark.parametrize(("chain", "changes"), GAMES[1:])
def test_other_sizes_are_foretold_roughly(chain: str, changes: dict[str, Any]) -> None:
    game = Game(load(chain, changes))
    assert 0.3 < size_of(game).transitions / decision_process(game).transitions.nnz < 12


def test_what_is_too_large_is_refused_before_it_starts() -> None:
    game = Game(load("lost_sales", {"edges.0.lead_time": 8, "nodes.store.lost_sale_cost": 39}))
    with pytest.raises(InputError, match=r"transitions, .* GB and .* seconds; tune a rule by simulation"):
        decision_process(game)
    with pytest.raises(InputError, match="transitions"):
        decision_process(Game("lost_sales"), most_transitions=1000)


@pytest.mark.parametrize(
    ("chain", "changes", "message"),
    [
        ("cachon_zipkin", {}, "2 agents"),
        ("single_echelon", {"edges.0.information_delay": 2, "edges.0.orders_in_transit": 5}, "information_delay"),
        ("single_echelon", {"nodes.store.capacity": 9}, "no bound"),
        ("single_echelon", {"edges.0.order_limit": 9}, "below the largest demand"),
        ("single_echelon", {"game.start": "warm"}, "game.start: file"),
        ("lost_sales", {"timing": {"demand_visible": "before_ordering"}}, "demand seen before ordering"),
        ("single_echelon", {"edges.0.shipping_loss": 0.1}, "demand alone as random"),
    ],
)
def test_refusals(chain: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        decision_process(Game(load(chain, changes)))


@pytest.mark.parametrize("apart", [True, False])
def test_columns_make_the_state_again(apart: bool) -> None:
    """A state in the middle of an episode, of a chain with travelling orders: played on, both cost the same."""
    game = Game(load("beer_game_uniform", {"game.horizon": 30}))
    read = {"incoming_orders", "last_order", "receipts", "market_demand"}
    points = DecisionPoints(game.network, read | ({"on_hand"} if apart else set()))
    state, rng = game.start(50, seed=3), np.random.default_rng(1)
    for _ in range(12):
        state, _ = game.step(state, _random_orders(game, rng))
    again = points.build(points.read(state, 12)).changed(noise=state.noise)
    for name in ("on_order", "in_transit", "receipts", "incoming", "last_demand", *(("on_hand", "owed") * apart)):
        np.testing.assert_array_equal(getattr(again, name), getattr(state, name), err_msg=name)
    for _ in range(8):
        decisions = _random_orders(game, rng)
        state, first = game.step(state, decisions)
        again, second = game.step(again, decisions)
        np.testing.assert_array_equal(first.costs, second.costs)


def _random_orders(game: Game, rng: np.random.Generator) -> Decisions:
    return Decisions(order=rng.integers(0, 9, (len(game.network.edges), 50)).astype(float))


def test_demand_beyond_the_stock_is_one_outcome_of_the_same_cost() -> None:
    game = Game("lost_sales")
    period = OnePeriod(game, DecisionPoints(game.network))
    assert period.losing_row == 0
    state = period.state(np.array([[0, 3, 9], [2, 0, 4], [0, 0, 0]]))
    state = state.changed(order=np.array([[1.0, 2.0, 3.0]]))
    lumped = period.follow(state, 0)
    period.losing_row = -1
    apart = period.follow(state, 0)
    assert len(lumped.owner) == 1 + 4 + 10 < len(apart.owner)
    np.testing.assert_allclose(lumped.expected(lumped.costs, 3), apart.expected(apart.costs, 3), rtol=1e-12)


def test_outcomes_of_two_markets_are_their_products() -> None:
    chain = generators.one_warehouse(2, demand={"process": "uniform_integer", "low": 0, "high": 2})
    outcomes = outcomes_of(Game(load(chain)))
    assert len({tuple(column) for column in outcomes.demand.T}) == len(outcomes) == 9
    np.testing.assert_allclose(outcomes.probability, 1 / 9)


def test_tails_are_cut_below_the_stated_bound() -> None:
    outcomes = outcomes_of(Game("lost_sales"))
    assert 0 < outcomes.cut < 1e-12 and len(outcomes) < 40
    assert (outcomes.demand @ outcomes.probability)[0] == pytest.approx(5, abs=1e-10)


@pytest.mark.parametrize("width", [5, 4000])
def test_numbers_are_given_once(width: int) -> None:
    """Both ways to find codes: a table over all of them, and sorted runs where it would be too large."""
    rng, numbering, known = np.random.default_rng(2), Numbering(4), {}
    for _ in range(30):
        columns = rng.integers(-width, width, (4, 300))
        numbers = numbering.number(columns)
        for column, number in zip(columns.T.tolist(), numbers.tolist(), strict=True):
            assert known.setdefault(tuple(column), number) == number
    assert sorted(known.values()) == list(range(len(numbering)))
    found = numbering.find(np.array([[width + 10**6], [0], [0], [0]]))
    np.testing.assert_array_equal(found, [-1])
    np.testing.assert_array_equal(numbering.find(numbering.columns), np.arange(len(numbering)))
