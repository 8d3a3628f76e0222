"""Comparisons are paired on common replications, and refuse what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from marl_supply.errors import InputError
from marl_supply.game.compare import compare, differences
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.policies import seat_everybody


def test_difference_is_that_of_the_replications() -> None:
    game = Game("beer_game_uniform", horizon=30)
    rows = {name: seat_everybody(game, name) for name in ("base_stock", "sterman")}
    told = compare(game, rows, replications=40)
    by_hand = told.evaluations["sterman"].total - told.evaluations["base_stock"].total
    assert told.differences["sterman"].mean == pytest.approx(by_hand.mean())
    assert told.differences["sterman"].significant
    assert "base_stock" in str(told) and "+" in str(told)


def test_equal_rows_differ_by_nothing() -> None:
    game = Game("beer_game_uniform", horizon=30)
    players = seat_everybody(game, "base_stock")
    told = compare(game, {"a": players, "b": players}, replications=10)
    assert told.differences["b"].mean == 0
    assert not told.differences["b"].significant


def test_refuses_two_criteria_seeds_or_horizons() -> None:
    total = Game("beer_game_uniform", horizon=30)
    average = Game("beer_game_uniform", horizon=30, criterion="average")
    first = evaluate(total, seat_everybody(total, "base_stock"), 10)
    with pytest.raises(InputError, match="criterion average and 'a' has total"):
        differences({"a": first, "b": evaluate(average, seat_everybody(average, "base_stock"), 10)})
    with pytest.raises(InputError, match="seed"):
        differences({"a": first, "b": evaluate(total, seat_everybody(total, "base_stock"), 10, seed=8)})
    with pytest.raises(InputError, match="no row 'c'"):
        differences({"a": first}, "c")


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_change_nothing(batch: int) -> None:
    game = Game("beer_game_uniform", horizon=40)
    players = seat_everybody(game, "random_order")
    whole = evaluate(game, players, 130, batch=130, keep_path=True)
    parts = evaluate(game, players, 130, batch=batch, keep_path=True)
    assert np.array_equal(whole.cost, parts.cost)
    assert whole.path is not None and parts.path is not None
    assert np.array_equal(whole.path, parts.path)
    assert (whole.mean, whole.standard_error, whole.by_agent) == (parts.mean, parts.standard_error, parts.by_agent)
    assert (whole.fill_rate, whole.bullwhip) == (parts.fill_rate, parts.bullwhip)
    for name, account in whole.accounts.items():
        assert np.array_equal(account, parts.accounts[name])


def test_accounts_add_up_to_cost() -> None:
    game = Game("cachon_zipkin", horizon=50, warm_up=10)
    told = evaluate(game, seat_everybody(game, "base_stock"), 20)
    booked = sum(account.sum(0) for account in told.accounts.values())
    assert np.allclose(booked, told.total)
    assert told.accounts["transfers"].sum() == pytest.approx(0)
