"""Markets that share a stream meet the same noise, so that recorded series move together."""

import numpy as np
import pytest
from demand.samples import sample

from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.trace import Trace

PLACES = tuple(float(place) for place in range(100))
BOOTSTRAP = {"mode": "bootstrap", "block": 9}
COLUMNS: dict[str, DemandProcess] = {
    "tea": Trace(values=PLACES, **BOOTSTRAP),  # type: ignore[arg-type]
    "coffee": Trace(values=tuple(1000 + place for place in PLACES), **BOOTSTRAP),  # type: ignore[arg-type]
}


def test_bootstrapped_columns_of_one_stream_keep_their_rows_together() -> None:
    together = sample(COLUMNS, 200, 70, streams={"tea": "shop", "coffee": "shop"})
    assert np.all(together[:, 1] - together[:, 0] == 1000)
    apart = sample(COLUMNS, 200, 70)
    assert np.mean(apart[:, 1] - apart[:, 0] == 1000) < 0.05


def test_a_stream_is_noise_under_another_name() -> None:
    markets: dict[str, DemandProcess] = {"a": Poisson(mean=5), "b": Poisson(mean=5)}
    demand = sample(markets, 70, 5, streams={"a": "b"})
    assert np.array_equal(demand[:, 0], demand[:, 1])
    assert np.array_equal(demand[:, 1], sample(markets, 70, 5)[:, 1])


def test_one_stream_with_other_laws_is_comonotone() -> None:
    markets: dict[str, DemandProcess] = {"a": Poisson(mean=5), "b": Poisson(mean=7)}
    demand = sample(markets, 70, 64, streams={"a": "x", "b": "x"})
    assert np.all(demand[:, 0] <= demand[:, 1]) and np.any(demand[:, 0] < demand[:, 1])


@pytest.mark.parametrize("block", [1, 9, 70])
def test_moments_of_a_block_bootstrap(block: int) -> None:
    """Values near the ends are in fewer blocks, so the moments differ from those of the series; 70 periods a block
    pass the blocks of noise."""
    process = Trace(values=tuple(place**2 for place in PLACES), mode="bootstrap", block=block)
    demand = sample({"market": process}, 3 * 70, 2048)[:, 0]
    whole = demand[: demand.shape[0] // block * block]
    error = whole.mean(axis=0).std() / np.sqrt(whole.shape[1])
    assert process.mean == pytest.approx(whole.mean(), abs=4 * error)
    assert process.variance == pytest.approx(whole.var(), rel=0.03)
    if block == 1:
        assert process.mean == pytest.approx(np.mean(process.values))
    else:
        assert abs(process.mean - np.mean(process.values)) > 4 * error


def test_blocks_are_drawn_independently() -> None:
    demand = sample({"market": COLUMNS["tea"]}, 180, 512)[:, 0]
    starts = demand[::9]
    assert abs(np.corrcoef(starts[:-1].ravel(), starts[1:].ravel())[0, 1]) < 4 / np.sqrt(starts[1:].size)
    assert np.array_equal(np.unique(starts), np.arange(92))
