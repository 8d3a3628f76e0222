"""Shapley shares, the core and its objections against games with known answers and against all orders of players."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from marl_supply.equilibria.coalition_costs import CoalitionCosts
from marl_supply.equilibria.core import in_core, least_core, objections, structure
from marl_supply.equilibria.shapley import (
    saving_intervals,
    saving_samples,
    shapley_samples,
    shapley_savings,
    shapley_shares,
    share_intervals,
)
from marl_supply.errors import InputError
from marl_supply.metrics.intervals import over_replications, over_seeds

NAMES = "abcdef"


def game_of(count: int, cost) -> CoalitionCosts:  # type: ignore[no-untyped-def]
    """The game in which `cost` says what a tuple of players, by place, costs."""
    groups = [group for size in range(1, count + 1) for group in combinations(range(count), size)]
    return CoalitionCosts(tuple(NAMES[:count]), {frozenset(NAMES[k] for k in group): cost(group) for group in groups})


def random_costs(seed: int, count: int, replications: int | None = None) -> CoalitionCosts:
    generator = np.random.default_rng(seed)
    return game_of(count, lambda group: generator.normal(len(group), 1, replications))


def by_orders(game: CoalitionCosts) -> ArrayLike:
    """The definition: what each adds to those before it, averaged over all orders."""
    added = dict.fromkeys(game.players, 0.0)
    orders = list(permutations(game.players))
    for order in orders:
        for place, name in enumerate(order):
            with_it, before = frozenset(order[: place + 1]), frozenset(order[:place])
            added[name] += (float(game.costs[with_it]) - float(game.costs.get(before, 0.0))) / len(orders)  # type: ignore[arg-type]
    return list(added.values())


def glove_game() -> CoalitionCosts:
    """One left and two right gloves; a pair brings 1, as a cost of -1."""
    return game_of(3, lambda group: -float(0 in group and len(group) > 1))


def majority_game() -> CoalitionCosts:
    """Any two of three bring 1: the core is empty."""
    return game_of(3, lambda group: -float(len(group) > 1))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_shares_are_those_of_all_orders_and_add_up(seed: int, count: int) -> None:
    game = random_costs(seed, count)
    shares = shapley_shares(game)
    assert shares == pytest.approx(by_orders(game))
    assert shares.sum() == pytest.approx(game.costs[frozenset(game.players)])
    alone = [float(game.costs[frozenset({name})]) for name in game.players]  # type: ignore[arg-type]
    assert shapley_savings(game) == pytest.approx(np.array(alone) - shares)


@settings(max_examples=30)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6))
def test_an_additive_game_charges_each_its_own(own: list[float]) -> None:
    game = game_of(len(own), lambda group: sum(own[k] for k in group))
    assert shapley_shares(game) == pytest.approx(own, abs=1e-9)
    assert in_core(game, own) and not least_core(game).empty
    assert structure(game).subadditive and structure(game).convex


@settings(max_examples=30)
@given(st.lists(st.floats(-100, 100), min_size=6, max_size=6), st.integers(2, 6))
def test_symmetric_players_share_equally(by_size: list[float], count: int) -> None:
    game = game_of(count, lambda group: by_size[len(group) - 1])
    assert shapley_shares(game) == pytest.approx([by_size[count - 1] / count] * count, abs=1e-9)


def test_glove_game() -> None:
    """Shapley shares 2/3, 1/6, 1/6; the only allocation in the core gives all to the owner of the left glove."""
    game = glove_game()
    assert shapley_shares(game) == pytest.approx([-2 / 3, -1 / 6, -1 / 6])
    assert in_core(game, [-1, 0, 0])
    found = objections(game, shapley_shares(game))
    assert [each.coalition for each in found] == [frozenset("ab"), frozenset("ac")]
    assert [each.gain for each in found] == pytest.approx([1 / 6, 1 / 6])
    least = least_core(game)
    assert not least.empty and least.value == pytest.approx(0, abs=1e-9)
    assert least.allocation == pytest.approx([-1, 0, 0], abs=1e-7)
    assert structure(game).subadditive and not structure(game).convex


@settings(max_examples=30)
@given(st.lists(st.floats(1, 100), min_size=2, max_size=6))
def test_airport_game(lengths: list[float]) -> None:
    """Each part of the runway is shared by those who need it (Littlechild & Owen 1973); costs are submodular."""
    game = game_of(len(lengths), lambda group: max(lengths[k] for k in group))
    steps = sorted(lengths)
    parts = np.diff([0.0, *steps]) / np.arange(len(steps), 0, -1)
    expected = [parts[: steps.index(length) + 1].sum() for length in lengths]
    assert shapley_shares(game) == pytest.approx(expected)
    assert structure(game).convex and structure(game).subadditive
    assert in_core(game, shapley_shares(game))


def test_a_majority_of_three_has_no_core() -> None:
    least = least_core(majority_game())
    assert least.empty and least.value == pytest.approx(1 / 3)
    assert least.allocation == pytest.approx([-1 / 3] * 3)
    assert not in_core(majority_game(), least.allocation)
    assert max(each.gain for each in objections(majority_game(), least.allocation)) == pytest.approx(1 / 3)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 5), st.floats(1e-4, 1e6))
def test_the_least_core_is_the_weakest_strongest_objection(seed: int, count: int, unit: float) -> None:
    generator = np.random.default_rng(seed)
    game = game_of(count, lambda group: unit * generator.normal(len(group), 1))
    least = least_core(game)
    assert in_core(game, least.allocation) == (not least.empty)
    gains = [each.gain for each in objections(game, least.allocation)]
    if gains:
        assert max(gains) == pytest.approx(least.value, rel=1e-6)
    strongest = max(each.gain for each in objections(game, shapley_shares(game))) if least.empty else np.inf
    assert strongest >= least.value - 1e-7 * unit


def test_costs_that_rise_by_uniting() -> None:
    game = game_of(2, lambda group: 5.0 if len(group) == 2 else 2.0)
    assert structure(game).dearer_union == 1 and not structure(game).subadditive
    assert least_core(game).value == pytest.approx(0.5)


def test_samples_give_an_interval_for_each_player() -> None:
    game = random_costs(1, 4, replications=50)
    samples = shapley_samples(game)
    for place in (0, 17, 49):
        single = CoalitionCosts(game.players, {who: np.asarray(costs)[place] for who, costs in game.costs.items()})
        assert samples[:, place] == pytest.approx(by_orders(single))
    intervals = share_intervals(game)
    assert list(intervals) == list(game.players)
    assert intervals["b"] == over_replications(samples[1])
    assert [each.mean for each in intervals.values()] == pytest.approx(list(shapley_shares(game)))
    assert saving_intervals(game, over_seeds)["a"] == over_seeds(saving_samples(game)[0])


def test_common_noise_leaves_savings_exact() -> None:
    """What all coalitions of a size share cancels: here each replication shifts each player's own cost."""
    shifts = np.random.default_rng(2).normal(0, 10, (3, 40))
    game = game_of(3, lambda group: shifts[list(group)].sum(axis=0) + 3 * len(group) - (len(group) - 1))
    for interval in saving_intervals(game).values():
        assert interval.mean == pytest.approx(2 / 3) and interval.half_width == pytest.approx(0, abs=1e-9)


def test_objections_of_samples_have_intervals() -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, (7, 100))
    rows = iter(noise)
    game = game_of(3, lambda group: -float(0 in group and len(group) > 1) + next(rows))
    found = objections(game, shapley_samples(game))
    assert {each.coalition for each in found} >= {frozenset("ab"), frozenset("ac")}
    for each in found[:2]:
        assert each.interval is not None and each.interval.significant
        assert each.interval.mean == pytest.approx(each.gain)


def test_costs_must_be_complete() -> None:
    pair = {frozenset("a"): 1.0, frozenset("b"): 2.0, frozenset("ab"): 2.5}
    assert shapley_shares(CoalitionCosts(("a", "b"), pair)) == pytest.approx([0.75, 1.75])
    for costs, match in [
        ({frozenset("a"): 1.0, frozenset("ab"): 2.0}, "{b} is missing"),
        (pair | {frozenset("c"): 1.0}, "{c} is none of a, b"),
        (pair | {frozenset("a"): np.nan}, "not finite"),
        (pair | {frozenset("a"): [1.0, 2.0]}, "equally many samples"),
        (dict.fromkeys(pair, []), "has no samples"),
    ]:
        with pytest.raises(InputError, match=match):
            CoalitionCosts(("a", "b"), costs)


@pytest.mark.parametrize("players", [("a",), tuple("abcdefg"), ("a", "a")])
def test_two_to_six_players(players: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="give from 2 to 6 different names"):
        CoalitionCosts(players, {})


def test_exact_costs_have_no_intervals_and_allocations_add_up() -> None:
    with pytest.raises(InputError, match="use shapley_shares"):
        share_intervals(glove_game())
    with pytest.raises(InputError, match="adds up to -0.5; make that -1"):
        objections(glove_game(), [-0.5, 0, 0])
