"""Service measures by hand."""

import numpy as np
import pytest

from marl_supply.metrics.service import cycle_service_level, fill_rate


def test_fill_rate_is_a_ratio_of_totals() -> None:
    """8 of 10 and 1 of 30: nine of forty units, not the mean of two shares."""
    assert fill_rate([8, 1], [10, 30]) == pytest.approx(9 / 40)


def test_no_demand_has_no_fill_rate() -> None:
    assert fill_rate([0, 0], [0, 0]) is None


def test_cycle_service_level_counts_periods() -> None:
    assert cycle_service_level([90, 100], 100) == pytest.approx(0.95)
    assert cycle_service_level([90, 40], [100, 50]) == pytest.approx(130 / 150)
    assert cycle_service_level([0], 0) is None


def test_order_of_replications_does_not_matter() -> None:
    generator = np.random.default_rng(1)
    demanded = generator.gamma(2, 3, 1000)
    served = demanded * generator.random(1000)
    order = generator.permutation(1000)
    assert fill_rate(served, demanded) == fill_rate(served[order], demanded[order])


def test_totals_must_match() -> None:
    with pytest.raises(ValueError, match="gather both in the same way"):
        fill_rate([1, 2], [3])
