"""No law knows what comes after it, none knows what lies beyond the window, and the return asked for matters."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_transformer import SHAPE, batch_of, play, policy_of, random_model  # noqa: E402

from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.corpus import Batch  # noqa: E402
from marl_supply.learning.foundation.transformer import TensorBatch, Transformer  # noqa: E402

PERIODS = 9
REACH = SHAPE.layers * (SHAPE.window - 1)
"""Periods before its own that a token of the last layer has heard of."""


@pytest.fixture(scope="module")
def model() -> Transformer:
    return random_model(3)


@pytest.fixture(scope="module", params=["dual_sourcing", "collaborative"])
def batch(request: pytest.FixtureRequest, model: Transformer) -> Batch:
    game = Game(request.param)
    return batch_of(game, play(game, policy_of(model).sampling(), 2, PERIODS))


def laws(model: Transformer, batch: Batch) -> Any:
    """(B, S, n, .) all numbers of all laws of decisions."""
    found = expected(model, batch)
    return np.concatenate([found.names.numpy(), *parts(found.numbers)], -1)


def expected(model: Transformer, batch: Batch) -> Any:
    with torch.no_grad():
        return model(TensorBatch(batch, "cpu"))


def parts(mixture: Any) -> list[Any]:
    return [getattr(mixture, field.name).numpy() for field in fields(mixture)]


def changed(batch: Batch, name: str, period: int, number: int | None = None) -> Batch:
    """The same with other numbers of one kind in a period, or only one of the decisions."""
    array = getattr(batch, name).copy()
    where = (slice(None), period) if number is None else (slice(None), period, number)
    array[where] += 1.0
    return replace(batch, **{name: array})


def differs(model: Transformer, one: Batch, other: Batch) -> Any:
    """(S, n) whether a law differs; what is the same may differ by rounding."""
    return np.abs(laws(model, one) - laws(model, other)).max((0, 3)) > 1e-5


@pytest.mark.parametrize("period", [1, 4])
@pytest.mark.parametrize("name", ["seen"])
def test_what_comes_later_is_not_known(name: str, period: int, model: Transformer, batch: Batch) -> None:
    found = differs(model, batch, changed(batch, name, period))
    assert not found[:period].any() and found[period].all()


def test_a_decision_is_known_to_the_next_and_not_to_itself(model: Transformer, batch: Batch) -> None:
    count = batch.values.shape[2]
    for number in range(0, count, 3):
        if batch.values[:, 4, number].max() < 7:  # names end there
            found = differs(model, batch, changed(batch, "values", 4, number))
            assert not found[:4].any() and not found[4, : number + 1].any()
            assert found[4, number + 1 :].all() and found[5].all()


@pytest.mark.parametrize("name", ["seen", "values"])
def test_what_is_beyond_the_layers_reach_does_not_matter(name: str, model: Transformer, batch: Batch) -> None:
    """Each layer looks back over a window of periods, its own included."""
    found = differs(model, batch, changed(batch, name, 1))
    assert found[1 + REACH].any() and not found[1 + REACH + 1 :].any()


def test_what_is_hidden_is_not_told(model: Transformer, batch: Batch) -> None:
    hidden = replace(batch, hidden=np.ones_like(batch.hidden))
    assert not differs(model, hidden, replace(hidden, returns=hidden.returns + 1)).any()
    assert differs(model, hidden, batch).all()


def test_what_is_expected_after_a_decision_does_not_know_the_request_nor_what_comes_later(
    model: Transformer, batch: Batch
) -> None:
    """Else the return that is wanted would be expected, whatever is done."""

    def returns(given: Batch) -> Any:
        return np.concatenate(parts(expected(model, given).returns), -1)

    own = returns(batch)
    assert np.array_equal(own, returns(replace(batch, returns=batch.returns + 1)))
    later = np.abs(own - returns(changed(batch, "seen", 4))).max((0, 3)) > 1e-5
    assert not later[:4].any() and later[4:].any(1).all()
    last = batch.values.shape[2] - 1
    after = np.abs(own - returns(changed(batch, "values", 4, last))).max((0, 3)) > 1e-5
    assert not after[:4].any() and not after[4, :last].any() and after[4, last]


def test_what_is_told_of_the_instance_matters(model: Transformer, batch: Batch) -> None:
    assert differs(model, batch, replace(batch, rows=batch.rows + 0.5)).all()
    assert differs(model, batch, replace(batch, decisions=batch.decisions + 0.5)).all()
