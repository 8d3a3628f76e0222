"""Replicator dynamics against their closed forms and against the equilibria they must or must not reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_games import (
    coordination,
    matching_pennies,
    prisoners_dilemma,
    random_game,
    rock_paper_scissors,
    volunteers,
)

from marl_supply.equilibria.normal_form import NormalForm, normal_form
from marl_supply.equilibria.replicator import basins, grid_starts, random_starts, replicator_path
from marl_supply.errors import InputError


def test_one_population_follows_the_logistic_curve() -> None:
    """Two strategies whose costs differ by a whole range: the odds of the cheaper grow as exp(time)."""
    path = replicator_path(normal_form([[2.0, 5.0]]), [[0.1, 0.9]], duration=6, points=31)
    odds = path.shares[0][:, 0] / path.shares[0][:, 1]
    assert odds == pytest.approx(np.exp(path.times) / 9, rel=1e-6)
    assert path.times[-1] == 6 and not path.settled


def test_the_dominant_strategy_takes_over() -> None:
    path = replicator_path(prisoners_dilemma(), [[0.99, 0.01], [0.6, 0.4]], duration=1000)
    assert path.settled and path.nash_conv == pytest.approx(0, abs=1e-6)
    assert np.concatenate(path.end) == pytest.approx([0, 1, 0, 1], abs=1e-6)


def entropy(game: NormalForm, path: tuple[np.ndarray, ...]) -> np.ndarray:
    """sum_i sum_k x*_k log x_k, which zero-sum replicators keep where x* is an interior equilibrium."""
    return sum((np.log(part).mean(axis=1) for part in path), start=np.zeros(1))


@pytest.mark.parametrize("game", [matching_pennies(), rock_paper_scissors()])
def test_zero_sum_games_circle_on_a_constant_of_motion(game: NormalForm) -> None:
    """Hofbauer & Sigmund (1998), section 11.2: paths stay at the same relative entropy from the equilibrium."""
    start = random_starts(game, 1)[0]
    path = replicator_path(game, start, duration=60, points=400)
    levels = entropy(game, path.shares)
    assert levels == pytest.approx(np.full(400, levels[0]), abs=1e-5)
    assert not path.settled and path.speed > 1e-3
    found = basins(game, [start], duration=60)
    assert found.unsettled == 1 and not found.ends


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.sampled_from([(2, 2), (3, 2), (2, 2, 3)]))
def test_shares_stay_on_the_simplex_and_absent_strategies_absent(seed: int, shape: tuple[int, ...]) -> None:
    game = random_game(seed, *shape)
    start = [np.array(part) for part in random_starts(game, 1, seed)[0]]
    start[0] = np.eye(shape[0])[0]
    path = replicator_path(game, start, duration=100, points=20)
    for part in path.shares:
        assert (part >= 0).all() and np.abs(part.sum(axis=1) - 1).max() < 1e-14
    assert (path.shares[0][:, 0] == 1).all()
    assert path.nash_conv == pytest.approx(game.nash_conv(path.end))


def test_equilibria_are_at_rest() -> None:
    for start in ([[1 / 3, 2 / 3]] * 2, [[1, 0], [1, 0]]):
        path = replicator_path(coordination(), start, duration=5)
        assert path.settled
        assert np.concatenate(path.end) == pytest.approx(np.concatenate(start), abs=1e-9)


def test_a_missing_strategy_can_leave_it_at_rest_far_from_an_equilibrium() -> None:
    path = replicator_path(prisoners_dilemma(), [[1, 0], [1, 0]], duration=5)
    assert path.settled and path.nash_conv == 2


def test_basins_of_coordination() -> None:
    """By symmetry of the flow, equal shares in both populations flow to 0 from above 1/3 and to 1 from below."""
    game = coordination()
    starts = [[[share, 1 - share]] * 2 for share in (0.05, 0.2, 0.32, 0.35, 0.4, 0.6, 0.9)]
    found = basins(game, starts)
    assert found.belongs.tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert [each.starts for each in found.ends] == [4, 3] and not found.unsettled
    assert np.concatenate(found.ends[0].profile) == pytest.approx([1, 0, 1, 0], abs=1e-3)
    assert np.concatenate(found.ends[1].profile) == pytest.approx([0, 1, 0, 1], abs=1e-3)
    assert all(each.nash_conv < 1e-3 for each in found.ends)


def test_basins_of_random_starts_are_the_pure_equilibria() -> None:
    """The mixed equilibria of the volunteer's dilemma repel, those in which one alone volunteers attract."""
    game = volunteers()
    found = basins(game, random_starts(game, 12))
    assert not found.unsettled and sum(each.starts for each in found.ends) == 12
    for each in found.ends:
        assert tuple(int(part[1] > 0.5) for part in each.profile) in game.pure_equilibria()


def test_grids_lie_inside() -> None:
    starts = grid_starts(coordination(), 3)
    assert len(starts) == 16
    assert all((part > 0).all() and part.sum() == pytest.approx(1) for start in starts for part in start)
    assert len(grid_starts(rock_paper_scissors(), 2)) == 36
    with pytest.raises(InputError, match="steps: 0"):
        grid_starts(coordination(), 0)


def test_money_and_time_have_no_unit() -> None:
    game, start = random_game(4, 2, 3), random_starts(random_game(4, 2, 3), 1)[0]
    dear = normal_form(1000 * game.costs)
    first, second = (replicator_path(each, start, duration=10, points=5) for each in (game, dear))
    assert np.concatenate(first.end) == pytest.approx(np.concatenate(second.end), abs=1e-7)


def test_durations_are_positive() -> None:
    with pytest.raises(InputError, match="duration"):
        replicator_path(coordination(), [[0.5, 0.5]] * 2, duration=0)
