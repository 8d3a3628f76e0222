"""Costs of profiles and gains of deviating, against enumeration and against games with known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_games import coordination, matching_pennies, prisoners_dilemma, public_goods, random_game

from marl_supply.equilibria.normal_form import NormalForm, normal_form
from marl_supply.errors import InputError


def by_enumeration(game: NormalForm, player: int, profile: list[np.ndarray]) -> float:
    """The expected cost, outcome by outcome."""
    return sum(
        float(game.costs[(player, *choice)] * np.prod([part[k] for part, k in zip(profile, choice, strict=True)]))
        for choice in np.ndindex(*game.shape)
    )


@settings(max_examples=40)
@given(st.integers(0, 1000), st.sampled_from([(3,), (2, 3), (4, 2), (2, 3, 2), (2, 2, 2, 3)]))
def test_costs_and_gains_are_those_of_enumeration(seed: int, shape: tuple[int, ...]) -> None:
    game = random_game(seed, *shape)
    generator = np.random.default_rng(seed)
    profile = [generator.dirichlet(np.ones(count)) for count in shape]
    expected = [by_enumeration(game, player, profile) for player in range(len(shape))]
    assert game.expected_costs(profile) == pytest.approx(expected)
    gains = []
    for player, count in enumerate(shape):
        deviations = [[*profile[:player], pure, *profile[player + 1 :]] for pure in np.eye(count)]
        costs = [by_enumeration(game, player, deviation) for deviation in deviations]
        assert game.costs_against(player, profile) == pytest.approx(costs)
        gains.append(expected[player] - min(costs))
    assert game.deviation_gains(profile) == pytest.approx(gains)
    assert game.nash_conv(profile) == pytest.approx(sum(gains)) and game.nash_conv(profile) >= 0


def test_prisoners_dilemma() -> None:
    game = prisoners_dilemma()
    assert game.pure_equilibria() == ((1, 1),)
    assert game.dominated(0) == game.dominated(1) == (0,)
    assert game.undominated().strategies == (("confess",), ("confess",))
    assert list(game.deviation_gains(game.pure_profile((0, 0)))) == [1, 1]
    assert game.nash_conv(game.pure_profile((1, 1))) == 0


def test_coordination_and_matching_pennies() -> None:
    assert coordination().pure_equilibria() == ((0, 0), (1, 1))
    assert coordination().nash_conv([[1 / 3, 2 / 3]] * 2) == pytest.approx(0)
    assert coordination().undominated() is not None and coordination().dominated(0) == ()
    assert matching_pennies().pure_equilibria() == ()
    assert matching_pennies().nash_conv([[0.75, 0.25], [0.5, 0.5]]) == pytest.approx(0.25)


def test_public_goods_are_not_given_though_all_would_gain() -> None:
    game = public_goods()
    assert game.pure_equilibria() == ((0, 0, 0),)
    assert [game.dominated(player) for player in range(3)] == [(1,)] * 3
    giving = game.pure_profile((1, 1, 1))
    assert game.deviation_gains(giving) == pytest.approx([0.5] * 3)
    assert game.expected_costs(giving) == pytest.approx([-0.5] * 3)


def test_elimination_goes_on_until_nothing_is_dominated() -> None:
    """Column 2 goes first, then row 0, then column 0: one strategy each is left."""
    game = normal_form([[[1, 2, 0], [0, 1, 9]], [[3, 1, 4], [2, 1, 4]]], strategies=[["up", "down"], ["l", "m", "r"]])
    assert game.dominated(0) == () and game.dominated(1) == (0, 2)
    left = game.undominated()
    assert left.strategies == (("down",), ("m",)) and left.costs.ravel().tolist() == [1, 1]


def test_pure_equilibria_within_a_tolerance() -> None:
    game = normal_form([[[0.0, 1.0], [-0.1, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    assert (0, 0) not in game.pure_equilibria()
    assert (0, 0) in game.pure_equilibria(0.2)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_costs_must_be_finite(bad: float) -> None:
    with pytest.raises(InputError, match="not finite; give a number"):
        normal_form([[[0, 1], [1, bad]], [[0, 1], [1, 0]]])


def test_shapes_and_names_must_fit() -> None:
    with pytest.raises(InputError, match=r"shape is \(3, 2, 2\)"):
        normal_form(np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match=r"give \(2, 2, 3\), the players first"):
        normal_form(np.zeros((2, 2, 2)), strategies=[["a", "b"], ["a", "b", "c"]])
    with pytest.raises(InputError, match="at least one strategy for each player"):
        normal_form(np.zeros((2, 2, 2)), strategies=[["a", "b"]])
    with pytest.raises(InputError, match="a name stands twice in a, a"):
        normal_form(np.zeros((2, 2, 2)), players=["a", "a"])
    with pytest.raises(InputError, match="z: a name stands twice"):
        normal_form(np.zeros((2, 2, 2)), players=["y", "z"], strategies=[["a", "b"], ["c", "c"]])


@pytest.mark.parametrize("part", [[0.5, 0.6], [-0.1, 1.1], [np.nan, 1], [1.0], [[0.5, 0.5]]])
def test_profiles_must_lie_on_the_simplex(part: list[float]) -> None:
    with pytest.raises(InputError, match="profile: the part of column .* give"):
        prisoners_dilemma().nash_conv([[0.5, 0.5], part])


def test_profiles_and_choices_must_fit_the_players() -> None:
    with pytest.raises(InputError, match="give one for each of 2 players"):
        prisoners_dilemma().expected_costs([[0.5, 0.5]])
    for choice in [(0,), (0, 2), (-1, 0)]:
        with pytest.raises(InputError, match="is no choice"):
            prisoners_dilemma().pure_profile(choice)
    with pytest.raises(InputError, match="place from 0 to 1"):
        prisoners_dilemma().costs_against(2, [[0.5, 0.5]] * 2)


def test_costs_cannot_be_changed_behind_its_back() -> None:
    table = np.zeros((2, 2, 2))
    game = normal_form(table)
    table[:] = 1
    assert not game.costs.any()
    with pytest.raises(ValueError, match="read-only"):
        game.costs[0] = 1
