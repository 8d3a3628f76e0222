"""The causes of the bullwhip effect: switched off one at a time, against the closed form of one stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from marl_supply.equilibria.bullwhip_causes import EVERYTHING, SIGNAL, bullwhip_causes
from marl_supply.metrics.bullwhip import PeriodSums, bullwhip_intervals, bullwhip_ratio
from marl_supply.topology import load
from marl_supply.topology.generators import serial, single

NORMAL = {"process": "normal", "mean": 50, "sd": 4, "round": False}
LONG = {"units": "continuous", "game.criterion": "average", "game.horizon": 1000, "game.warm_up": 100}


@pytest.mark.parametrize(("cover", "weight"), [(3.0, 0.3), (5.0, 0.1)])
def test_one_stage_varies_as_exponential_smoothing_says(cover: float, weight: float) -> None:
    """Chen, Drezner, Ryan & Simchi-Levi (2000): 1 + 2 c a + 2 c^2 a^2 / (2 - a) for cover c and smoothing a."""
    chain = load(single(lead_time=2, demand=NORMAL), LONG)
    found = bullwhip_causes(chain, parameters={"cover": cover, "smoothing": weight}, replications=60)
    known = 1 + 2 * cover * weight + 2 * cover**2 * weight**2 / (2 - weight)
    (node,) = found.ratios[EVERYTHING]
    whole, without = found.ratios[EVERYTHING][node], found.ratios[SIGNAL][node]
    assert whole is not None and without is not None
    assert whole.mean == pytest.approx(known, rel=0.01)
    assert without.mean == pytest.approx(1, abs=1e-3)
    assert found.share(SIGNAL, node) == pytest.approx(1, abs=1e-3)


def test_causes_that_the_chain_has_are_measured_and_others_left_out() -> None:
    chain = load(serial(lead_times=(3, 2), holding_costs=(1.0, 0.5), demand=NORMAL), LONG)
    found = bullwhip_causes(chain, replications=40)
    assert list(found.ratios) == [EVERYTHING, "lead time", SIGNAL]
    means = {cause: {n: r.mean for n, r in ratios.items() if r} for cause, ratios in found.ratios.items()}
    upper, lower = "stage_2", "stage_1"
    assert means[EVERYTHING][upper] > means[EVERYTHING][lower] > 1
    assert all(means["lead time"][node] < means[EVERYTHING][node] for node in (upper, lower))
    assert means[SIGNAL][lower] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"edges.0.batch": 150}, "batching"),
        ({"nodes.stage_1.review": [4]}, "batching"),
        ({"edges.0.order_limit": 55}, "rationing"),
    ],
)
def test_switching_a_cause_off_is_the_chain_without_it(changes: dict[str, Any], cause: str) -> None:
    chain = load(single(lead_time=1, demand=NORMAL), {**LONG, **changes})
    plain = load(single(lead_time=1, demand=NORMAL), LONG)
    settings: dict[str, Any] = {"rule": "base_stock", "replications": 40}
    found, known = bullwhip_causes(chain, **settings), bullwhip_causes(plain, **settings)
    assert list(found.ratios) == [EVERYTHING, cause]
    assert found.ratios[cause] == known.ratios[EVERYTHING]
    assert found.ratios[EVERYTHING] != known.ratios[EVERYTHING]


def test_intervals_hold_the_ratio_and_need_a_replication_for_each_group() -> None:
    draw = np.random.default_rng(0)
    misses = 0
    for _ in range(60):
        orders, demand = draw.normal(10, 3, (200, 1, 40)), draw.normal(10, 2, (200, 1, 40))
        sums = [PeriodSums(200, flow.sum(0), (flow**2).sum(0)) for flow in (orders, demand)]
        found = bullwhip_intervals(*sums)[0]
        assert found is not None and found.low is not None and found.high is not None
        assert found.mean == pytest.approx(bullwhip_ratio(*sums)[0], rel=0.01)
        misses += not found.low <= 2.25 <= found.high
    assert misses <= 8
    with pytest.raises(ValueError, match="at least one for each group"):
        bullwhip_intervals(*(PeriodSums(200, s.total[:, :5], s.squares[:, :5]) for s in sums))
