"""Correlated and coarse correlated equilibria: chicken, and what holds in every game."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_games import prisoners_dilemma, random_game

from marl_supply.equilibria.correlated import coarse_correlated_equilibrium, correlated_equilibrium
from marl_supply.equilibria.mixed import support_enumeration
from marl_supply.equilibria.normal_form import normal_form
from marl_supply.errors import InputError


def test_chicken() -> None:
    """Payoffs 6, 6 / 2, 7 / 7, 2 / 0, 0: the best is (1/2, 1/4, 1/4, 0), worth 5.25 each (after Aumann 1974)."""
    game = normal_form([[[-6, -2], [-7, 0]], [[-6, -7], [-2, 0]]])
    best = correlated_equilibrium(game)
    assert best.probabilities == pytest.approx(np.array([[0.5, 0.25], [0.25, 0]]))
    assert best.costs == pytest.approx([-5.25, -5.25])


def test_a_dominant_strategy_leaves_one() -> None:
    for equilibrium in (correlated_equilibrium, coarse_correlated_equilibrium):
        for total in ("least", "most"):
            assert equilibrium(prisoners_dilemma(), total).costs == pytest.approx([2, 2])


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([(2, 2), (3, 3), (2, 3)]))
def test_equilibria_lie_between_the_totals(seed: int, shape: tuple[int, int]) -> None:
    game = random_game(seed, *shape)
    inner = [correlated_equilibrium(game, total).total for total in ("least", "most")]
    outer = [coarse_correlated_equilibrium(game, total).total for total in ("least", "most")]
    assert outer[0] <= inner[0] + 1e-7 and inner[1] <= outer[1] + 1e-7
    for each in support_enumeration(game):
        assert inner[0] - 1e-6 <= each.costs.sum() <= inner[1] + 1e-6


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([(2, 3), (2, 2, 2)]))
def test_no_player_gains_by_disobeying(seed: int, shape: tuple[int, ...]) -> None:
    game = random_game(seed, *shape)
    draws = correlated_equilibrium(game).probabilities
    for player, count in enumerate(shape):
        for told in range(count):
            seen = np.take(draws, told, axis=player)
            pays = [float((seen * np.take(game.costs[player], k, axis=player)).sum()) for k in range(count)]
            assert pays[told] <= min(pays) + 1e-7


def test_totals_are_least_or_most() -> None:
    with pytest.raises(InputError, match="did you mean 'least'"):
        correlated_equilibrium(prisoners_dilemma(), "leats")  # type: ignore[arg-type]
