"""An example of every demand process, and demand drawn from them."""

from typing import Any

import numpy as np

from marl_supply import plugins
from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.process import Array, DemandProcess

SERIES = [3.0, 0.0, 7.0, 1.0, 12.0, 5.0, 5.0, 2.0, 9.0, 4.0] * 20

EXAMPLES: dict[str, dict[str, Any]] = {
    "poisson": {"mean": 4},
    "geometric": {"mean": 5},
    "negative_binomial": {"mean": 5, "variance": 9},
    "uniform_integer": {"low": 0, "high": 8},
    "normal": {"mean": 10, "sd": 2},
    "gamma": {"mean": 5, "sd": 2},
    "step": {"before": 4, "after": 8, "at": 4},
    "seasonal": {"mean": 10, "amplitude": 5, "cycle": 7},
    "ar1": {"mean": 10, "correlation": 0.7, "sd": 2},
    "markov_modulated": {"means": [2, 8], "transition": [[0.9, 0.1], [0.2, 0.8]]},
    "merton": {"base": 10, "cap": 20, "length": 50},
    "trace": {"values": SERIES, "mode": "windows", "window": 30},
    "linear_price": {"intercept": 20, "slope": 0.5, "spread": 3},
    "logistic_price": {"reference_effect": -0.01},
    "logistic_rivals": {"item": 0, "reference_effect": -0.01, "moves": "in_turn"},
    "rating_choice": {"item": 0, "ratings": [[2.0, 1.0], [1.0, 3.0]], "customers": [4, 6]},
}
RESPONSIVE = {"linear_price", "logistic_price", "logistic_rivals", "rating_choice"}
"""Those whose demand the simulator makes from decisions: nothing is drawn beforehand."""


def names() -> list[str]:
    """The processes that are shipped."""
    return plugins.names("marl_supply.demand", DemandProcess)


def example(name: str) -> DemandProcess:
    """The process of that name with the parameters above."""
    process: DemandProcess = plugins.find("marl_supply.demand", DemandProcess, name)(**EXAMPLES[name])
    return process


def sample(
    markets: dict[str, DemandProcess], periods: int, replications: int, first: int = 0, seed: int = 3, **shared: Any
) -> Array:
    """Demand of periods 0, 1, ..., shape (periods, markets, replications)."""
    feed = DemandFeed(markets, seed, replications, first, **shared)
    return np.stack([feed.at(period).copy() for period in range(periods)])
