"""The settings of a pretraining: what makes no sense is refused, in one sentence."""

import json
from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.learning.foundation.settings import Pretraining


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"widht": 64}, "no setting 'widht' .did you mean 'width'"),
        ({"width": 64.0}, "width: 64.0 is no whole number"),
        ({"layers": True}, "layers: True is no whole number"),
        ({"tokens": 0}, "tokens: 0 is too few; use 1 or more"),
        ({"seed": -1}, "seed: -1 is too few"),
        ({"width": 30}, "width: 30 numbers do not divide among 4 heads"),
        ({"segment": 4}, "segment: 4 periods are fewer than the window, 8"),
        ({"held_back": 0.9}, "held_back: 0.9 is no share"),
        ({"share": 0}, "share: 0 is not above 0"),
        ({"unconditional": float("nan")}, "unconditional: nan is no finite number"),
        ({"learning_rate": 0}, "learning_rate: 0 is not above 0"),
        ({"request": float("nan")}, "request: nan is no finite number"),
        ({"learning_rate": float("inf")}, "learning_rate: inf is no finite number"),
        ({"weight_decay": -1.0}, "weight_decay: -1.0 is too few; use 0"),
        ({"learning_rate": "1e-3"}, "learning_rate: '1e-3' is no number"),
        ({"precision": "float23"}, "no 'float23' .did you mean 'float32'"),
        ({"precision": 32}, "precision: 32 is no text"),
        ({"device": 0}, "device: 0 is no text"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"^pretrain[.:].*{sentence}"):
        Pretraining().changed(changes)


def test_settings_go_through_json() -> None:
    own = Pretraining(width=32, precision="bfloat16", tokens=7)
    assert Pretraining().changed(json.loads(json.dumps(own.to_dict()))) == own
