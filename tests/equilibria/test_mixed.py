"""Mixed equilibria against textbook answers, against nashpy, and by their NashConv."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_games import (
    coordination,
    jordan,
    matching_pennies,
    prisoners_dilemma,
    public_goods,
    random_game,
    rock_paper_scissors,
    shapleys_cycle,
    volunteers,
)

from marl_supply.equilibria.mixed import fictitious_play, support_enumeration
from marl_supply.equilibria.normal_form import NormalForm, Profile, normal_form
from marl_supply.equilibria.quantal_response import approximate_equilibrium, logit_path
from marl_supply.errors import InputError


def rounded(profiles: Iterable[Iterable[np.ndarray]]) -> list[list[float]]:
    """Profiles in an order and with digits in which two lists can be compared."""
    return sorted((np.round(np.concatenate(list(profile)), 6) + 0.0).tolist() for profile in profiles)


def found(game: NormalForm) -> list[list[float]]:
    return rounded(each.profile for each in support_enumeration(game))


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (coordination(), [[1, 0, 1, 0], [0, 1, 0, 1], [1 / 3, 2 / 3, 1 / 3, 2 / 3]]),
        (matching_pennies(), [[0.5, 0.5, 0.5, 0.5]]),
        (prisoners_dilemma(), [[0, 1, 0, 1]]),
        (rock_paper_scissors(), [[1 / 3] * 6]),
        (shapleys_cycle(), [[1 / 3] * 6]),
    ],
)
def test_all_equilibria_of_textbook_games(game: NormalForm, expected: list[list[float]]) -> None:
    assert found(game) == rounded([[np.array(each)] for each in expected])


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 4), (4, 4), (5, 3)])
def test_random_games_have_the_equilibria_that_nashpy_finds(shape: tuple[int, int]) -> None:
    """By its vertex enumeration: another algorithm, on positive payoffs, that misses none in nondegenerate games."""
    nashpy = pytest.importorskip("nashpy")
    for seed in range(5):
        game = random_game(seed, *shape)
        theirs = nashpy.Game(*(costs.max() + 1 - costs for costs in game.costs)).vertex_enumeration()
        assert found(game) == rounded(theirs) and len(found(game)) % 2


def test_degenerate_games_have_the_corners_that_nashpy_finds() -> None:
    nashpy = pytest.importorskip("nashpy")
    compared = 0
    for seed in range(15):
        game = random_game(seed, 3, 3, whole=True)
        theirs = nashpy.Game(*(costs.max() + 1 - costs for costs in game.costs)).vertex_enumeration()
        corners = rounded(theirs)
        assert {tuple(each) for each in corners} == {tuple(each) for each in found(game)}
        compared += len(corners)
    assert compared > 30


def test_a_degenerate_game_has_supports_of_unequal_size() -> None:
    """Row 0 is best against every mixture of the columns from (2/3, 1/3) on (Nisan et al. 2007, section 3.3)."""
    game = normal_form([[[-3, -3], [-2, -5], [0, -6]], [[-3, -3], [-2, -6], [-3, -1]]])
    expected = [[1, 0, 0, 1, 0], [1, 0, 0, 2 / 3, 1 / 3], [0, 1 / 3, 2 / 3, 1 / 3, 2 / 3]]
    assert found(game) == rounded([[np.array(each)] for each in expected])
    between = [[1, 0, 0], [0.8, 0.2]]
    assert game.nash_conv(between) == pytest.approx(0)


def test_players_who_are_indifferent_to_everything() -> None:
    assert found(normal_form(np.zeros((2, 2, 2)))) == rounded([[*map(np.array, pair)] for pair in PURE_PAIRS])


PURE_PAIRS = [([1, 0], [1, 0]), ([1, 0], [0, 1]), ([0, 1], [1, 0]), ([0, 1], [0, 1])]


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_every_game_has_an_equilibrium_and_all_found_are(seed: int, rows: int, columns: int, whole: bool) -> None:
    game = random_game(seed, rows, columns, whole=whole)
    equilibria = support_enumeration(game)
    assert equilibria
    for each in equilibria:
        assert 0 <= each.nash_conv <= 1e-8
        assert each.costs == pytest.approx(game.expected_costs(each.profile))
    for choice in game.pure_equilibria():
        assert any(np.allclose(np.concatenate(game.pure_profile(choice)), each) for each in found(game))


def test_units_of_money_do_not_matter() -> None:
    game = random_game(3, 3, 3)
    dear = normal_form(game.costs * np.array([1e9, 1e-4])[:, None, None] + 7)
    assert found(dear) == found(game)
    assert np.concatenate(approximate_equilibrium(dear).profile) == pytest.approx(
        np.concatenate(approximate_equilibrium(game).profile), abs=1e-6
    )


def test_support_enumeration_is_for_two_players_and_few_strategies() -> None:
    with pytest.raises(InputError, match="3 players; use approximate_equilibrium"):
        support_enumeration(volunteers())
    with pytest.raises(InputError, match="too many supports; use approximate_equilibrium"):
        support_enumeration(random_game(0, 11, 11))


def staying(loss: float) -> float:
    """How likely each of three is to stay away."""
    return float(np.sqrt(1 / loss))


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (coordination(), [1, 0, 1, 0]),
        (prisoners_dilemma(), [0, 1, 0, 1]),
        (matching_pennies(), [0.5] * 4),
        (rock_paper_scissors(), [1 / 3] * 6),
        (public_goods(), [1, 0] * 3),
        (volunteers(9), [1 - staying(9), staying(9)] * 3),
        (volunteers(2), [1 - staying(2), staying(2)] * 3),
        (jordan(), [0.5] * 6),
        (jordan(3), [0.5, 0.5, 0.75, 0.25, 0.5, 0.5]),
    ],
)
def test_the_end_of_the_logit_path(game: NormalForm, expected: list[float]) -> None:
    reached = approximate_equilibrium(game)
    assert np.concatenate(reached.profile) == pytest.approx(expected, abs=1e-6)
    assert reached.nash_conv <= 1e-9


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([(4,), (2, 2), (3, 3), (4, 3), (2, 2, 2), (3, 2, 3), (2, 2, 2, 2)]))
def test_random_games_are_solved(seed: int, shape: tuple[int, ...]) -> None:
    game = random_game(seed, *shape)
    reached = approximate_equilibrium(game)
    assert reached.nash_conv == pytest.approx(game.nash_conv(reached.profile)) and 0 <= reached.nash_conv <= 1e-6
    if len(shape) == 2:
        assert any(np.allclose(each, np.concatenate(reached.profile), atol=1e-5) for each in found(game))


@pytest.mark.parametrize(("seed", "whole"), [(1000, False), (1002, True)])
def test_long_steps_do_not_leave_the_path(seed: int, whole: bool) -> None:
    """In these games a path whose steps may turn freely lands on another branch and runs back to precision 0."""
    assert approximate_equilibrium(random_game(seed, 5, 5, 5, whole=whole)).nash_conv < 1e-8


def test_a_path_left_unfinished_says_so() -> None:
    game = random_game(5, 3, 3, 3).undominated()
    few = approximate_equilibrium(game, steps=2)
    assert few.nash_conv == pytest.approx(game.nash_conv(few.profile)) and few.nash_conv > 1e-3


def test_points_of_the_path_are_logit_responses_to_themselves() -> None:
    game = random_game(11, 3, 2, 3)
    path = logit_path(game, steps=25)
    assert path[0].precision == 0 and path[-1].precision > 1
    for point in path:
        for player, own in enumerate(point.profile):
            utilities = -point.precision * game.costs_against(player, point.profile) / game.ranges[player]
            response = np.exp(utilities - utilities.max())
            assert own == pytest.approx(response / response.sum(), abs=1e-6)


@pytest.mark.parametrize("make", [matching_pennies, rock_paper_scissors, coordination, public_goods, prisoners_dilemma])
def test_fictitious_play_comes_near_an_equilibrium(make: Callable[[], NormalForm]) -> None:
    play = fictitious_play(make(), rounds=3000)
    assert play.nash_conv[-1] < 0.05
    assert play.nash_conv[-1] == pytest.approx(make().nash_conv(play.profile))
    assert play.nash_conv[-1] <= play.nash_conv[0]


def test_fictitious_play_circles_in_shapleys_game() -> None:
    play = fictitious_play(shapleys_cycle(), rounds=3000, start=(0, 1))
    assert play.nash_conv[1000:].min() > 0.1


def test_fictitious_play_counts_its_own_rounds() -> None:
    play = fictitious_play(matching_pennies(), rounds=3, start=(0, 0))
    counts: Profile = tuple(3 * part for part in play.profile)
    assert [part.tolist() for part in counts] == [pytest.approx([3, 0]), pytest.approx([1, 2])]
    with pytest.raises(InputError, match="rounds: 0"):
        fictitious_play(matching_pennies(), rounds=0)
