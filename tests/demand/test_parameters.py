"""Parameters that make no sense are refused with the fix."""

from typing import Any

import pytest
from pydantic import ValidationError

from marl_supply import plugins
from marl_supply.demand.normal import Normal
from marl_supply.demand.process import DemandProcess

REFUSED = [
    ("poisson", {"mean": 0}, "greater than 0"),
    ("poisson", {"mean": float("nan")}, "finite"),
    ("poisson", {"mean": 5, "sd": 1}, "Extra inputs"),
    ("geometric", {"mean": -1}, "greater than 0"),
    ("negative_binomial", {"mean": 5, "variance": 5}, "must exceed the mean"),
    ("uniform_integer", {"low": 3, "high": 2}, "exchange them"),
    ("uniform_integer", {"low": -1, "high": 2}, "greater than or equal to 0"),
    ("normal", {"mean": 5, "sd": 0}, "greater than 0"),
    ("normal", {"mean": 5, "sd": 1, "clip": -1}, "cannot be negative"),
    ("normal", {"mean": 5, "sd": 1, "clip": [3, 2]}, "exchange them"),
    ("normal", {"mean": 5, "sd": 1, "clip": True}, "valid number"),
    ("normal", {"centre": 5, "sd": 1}, "Extra inputs"),
    ("step", {"before": 4, "after": 8, "at": -1}, "greater than or equal to 0"),
    ("seasonal", {"mean": 5, "amplitude": 6, "cycle": 7}, "exceeds the mean"),
    ("seasonal", {"mean": 5, "amplitude": 1, "cycle": 7, "noise": "normal"}, "needs sd"),
    ("seasonal", {"mean": 5, "amplitude": 1, "cycle": 7, "sd": 1}, "takes no sd"),
    ("ar1", {"mean": 5, "correlation": 1, "sd": 1}, "less than 1"),
    ("markov_modulated", {"means": [1, 2], "transition": [[0.5, 0.5]]}, "2 rows of 2"),
    ("markov_modulated", {"means": [1, 2], "transition": [[0.5, 0.4], [0, 1]]}, "sum to 1"),
    ("markov_modulated", {"means": [1, 2], "transition": [[1, 0], [0, 1]]}, "no long run"),
    ("markov_modulated", {"means": [0, 0], "transition": [[0.5, 0.5], [0.5, 0.5]]}, "positive"),
    ("linear_price", {"intercept": 10, "slope": 0}, "greater than 0"),
    ("linear_price", {"intercept": 10, "slope": 1, "spread": -1}, "greater than or equal to 0"),
    ("merton", {"base": 0, "cap": 20}, "greater than or equal to 1"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), REFUSED, ids=str)
def test_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plugins.find("marl_supply.demand", DemandProcess, name)(**parameters)


def test_clip_takes_whole_numbers_and_pairs() -> None:
    assert Normal(mean=5, sd=1, clip=0).integer
    assert Normal.model_validate({"mean": 5, "sd": 1, "clip": [0, 9]}).clip == (0, 9)
