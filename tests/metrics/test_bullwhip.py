"""The bullwhip ratio by hand, against numpy, and the same for every batch size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from marl_supply.metrics.bullwhip import PeriodSums, bullwhip_ratio


def gather(flows: np.ndarray) -> PeriodSums:
    """Sums of flows [periods, rows, replications]."""
    sums = PeriodSums.start(*flows.shape[1:])
    for flow in flows:
        sums = sums.add(flow)
    return sums


def test_by_hand() -> None:
    """Orders 0, 4, 8 have variance 16; demand 3, 4, 5 has variance 1."""
    orders = gather(np.array([0.0, 4, 8]).reshape(3, 1, 1))
    demand = gather(np.array([3.0, 4, 5]).reshape(3, 1, 1))
    assert orders.variance() == pytest.approx([16])
    assert bullwhip_ratio(orders, demand) == pytest.approx([16])
    assert demand.mean() == pytest.approx([4])


def test_variance_is_within_replications() -> None:
    flows = np.random.default_rng(1).normal(50, 3, (40, 2, 100))
    expected = flows.var(axis=0, ddof=1).mean(axis=1)
    assert gather(flows).variance() == pytest.approx(expected)
    levels = 1000.0 * np.arange(100)
    assert gather(flows + levels).variance() == pytest.approx(expected)


def test_demand_that_does_not_vary_has_no_ratio() -> None:
    orders = np.random.default_rng(2).normal(4, 1, (30, 3, 5))
    constant = np.stack([np.full((30, 5), 8.0), np.full((30, 5), 0.1 + 0.2), np.zeros((30, 5))], axis=1)
    assert bullwhip_ratio(gather(orders), gather(constant)) == [None, None, None]


def test_orders_that_do_not_vary_have_ratio_zero() -> None:
    demand = np.random.default_rng(2).poisson(4, (30, 1, 5)).astype(float)
    assert bullwhip_ratio(gather(np.full((30, 1, 5), 4.0)), gather(demand)) == [0.0]


def test_too_few_periods_have_no_ratio() -> None:
    one = gather(np.ones((1, 2, 3)))
    assert bullwhip_ratio(one, one) == [None, None]


@given(arrays(np.float64, (6, 2, 12), elements=st.floats(0, 1e6)), st.integers(1, 12))
def test_batches_of_any_size_give_the_same_figure(flows: np.ndarray, size: int) -> None:
    batches = [gather(flows[:, :, first : first + size]) for first in range(0, 12, size)]
    joined, whole = PeriodSums.join(batches), gather(flows)
    assert np.array_equal(joined.variance(), whole.variance())
    assert np.array_equal(joined.mean(), whole.mean())


def test_only_equal_gatherings_compare() -> None:
    with pytest.raises(ValueError, match="same nodes"):
        bullwhip_ratio(gather(np.ones((3, 1, 2))), gather(np.ones((4, 1, 2))))
    with pytest.raises(ValueError, match="one length"):
        PeriodSums.join([gather(np.ones((3, 1, 2))), gather(np.ones((4, 1, 2)))])
