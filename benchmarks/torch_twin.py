"""Periods a second of the simulator on torch, with and without derivatives, against numpy in the same run.

    OMP_NUM_THREADS=1 python benchmarks/torch_twin.py [--json] [--device cuda]

A period is one period of the whole beer game, in continuous units, in one replication: demand drawn and costs worked
out. Every row orders up to a level. `forward` plays one episode; `derivative` plays it and works out the derivatives of
its mean cost with respect to all levels. Every figure is the best of `RUNS` episodes of `PERIODS` periods, one thread,
in seconds of processor time, on a GPU of wall-clock time.

A list of objects with --json: `library`, `device`, `dtype`, `replications`, `forward`, `derivative` (periods a second).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch

from marl_supply.economics.accounts import Books
from marl_supply.game.randomness import Randomness
from marl_supply.simulation import Decisions, Scope, begin, step
from marl_supply.simulation.arrays import NUMPY
from marl_supply.simulation.torch_arrays import TorchArrays
from marl_supply.topology import load
from marl_supply.topology.network import Network

SIZES = (1, 64, 1024, 16384)
PERIODS = 128
RUNS = 5


def episode(network: Network, arrays: Any, levels: Any, replications: int) -> Any:
    """The mean cost of a period when every row orders up to its level (N, 1)."""
    books, everybody = Books(network, arrays), Scope(network, np.arange(len(network.rows)))
    noise = Randomness(network.processes, 1, replications, 0, PERIODS - 1)
    state = begin(network, replications, noise, arrays=arrays)
    decisions = Decisions(order_up_to=levels + arrays.zeros(1, replications))
    total = 0.0
    for _ in range(PERIODS):
        state, flows = step(network, state, [(everybody, decisions)])
        total = total + books.costs(flows).sum()
    return total / (PERIODS * replications)


def speed(run: Callable[[], Any], replications: int, clock: Callable[[], float]) -> int:
    """Periods a second of the fastest run."""
    seconds = []
    for _ in range(RUNS):
        begun = clock()
        run()
        seconds.append(clock() - begun)
    return round(PERIODS * replications / min(seconds))


def gpu_clock() -> float:
    """Wall-clock time once all that was asked of the GPU is done."""
    torch.cuda.synchronize()
    return perf_counter()


def measure(network: Network, arrays: Any, replications: int) -> dict[str, Any]:
    """The speed of one library at one batch size."""
    levels = (network.mean_demand * network.periods_below)[:, None] + 0.5
    told = {"library": "numpy", "device": "cpu", "dtype": "float64", "replications": replications}
    if arrays is NUMPY:
        played = speed(lambda: episode(network, NUMPY, levels, replications), replications, process_time)
        return {**told, "forward": played}
    leaf = arrays.given(levels).requires_grad_()
    clock = gpu_clock if arrays.device.type == "cuda" else process_time

    def forward() -> None:
        with torch.no_grad():
            episode(network, arrays, leaf, replications)

    def derivative() -> None:
        torch.autograd.grad(episode(network, arrays, leaf, replications), leaf)

    device, dtype = str(arrays.device), str(arrays.dtype).removeprefix("torch.")
    told.update(library="torch", device=device, dtype=dtype)
    return {
        **told,
        "forward": speed(forward, replications, clock),
        "derivative": speed(derivative, replications, clock),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--device", default="cpu", help="where torch plays")
    stated = parser.parse_args()
    torch.set_num_threads(1)
    network = Network(load("beer_game", {"units": "continuous"}))
    libraries = [NUMPY, *(TorchArrays(stated.device, dtype) for dtype in (torch.float64, torch.float32))]
    rows = []
    for replications in SIZES:
        for arrays in libraries:
            rows.append(measure(network, arrays, replications))
            if not stated.json:
                print(_line(rows[-1]), flush=True)
    if stated.json:
        print(json.dumps(rows, indent=1))


def _line(told: dict[str, Any]) -> str:
    where = f"{told['library']} {told['dtype']} {told['device']}"
    derivative = f"{told['derivative']:12,} with derivatives" if "derivative" in told else ""
    return f"{told['replications']:6} {where:20} {told['forward']:12,} periods a second {derivative}"


if __name__ == "__main__":
    main()
