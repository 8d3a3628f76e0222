"""Dividing whole units among many lines: sorting and comparing pairs give the same, in numpy and in torch."""

import numpy as np
import pytest
from reference_allocation import proportional

from marl_supply.simulation import allocation
from marl_supply.simulation.arrays import NUMPY


@pytest.mark.parametrize("lines", [2, 8, 9, 20, 49])
def test_proportional_shares_of_whole_units(lines: int) -> None:
    draw = np.random.default_rng(lines)
    claims = draw.integers(0, 6, size=(3, lines, 40)).astype(float)
    stock = np.floor(claims.sum(1) * draw.random((3, 40)))
    served = allocation.divide(NUMPY, claims, stock, True)
    for row in range(3):
        for b in range(40):
            expected = proportional(int(stock[row, b]), [int(x) for x in claims[row, :, b]], True)
            assert served[row, :, b].tolist() == expected


def test_torch_divides_alike() -> None:
    torch = pytest.importorskip("torch")
    from marl_supply.simulation.torch_arrays import TorchArrays

    draw = np.random.default_rng(5)
    claims = draw.integers(0, 6, size=(2, 30, 25)).astype(float)
    stock = np.floor(claims.sum(1) / 2)
    given = allocation.divide(TorchArrays(), torch.as_tensor(claims), torch.as_tensor(stock), True)
    assert np.array_equal(np.asarray(given), allocation.divide(NUMPY, claims, stock, True))
