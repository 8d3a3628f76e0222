"""Periods a second of the simulator, demand drawn and accounts and rewards worked out, on one core.

    OMP_NUM_THREADS=1 python benchmarks/simulator.py [--json] [--all]

A period is one period of a whole chain in one replication. Decisions are constant: every row orders up to the level of
the topology's base-stock policy, and where a row has several suppliers its mean demand from each in equal parts. Every
figure is the best of `RUNS` runs of one episode, its start included, in seconds of processor time; its periods are
whole blocks of the noise, so that none is drawn for nothing. `--all` measures every shipped topology at 1,024
replications instead of the three sizes of chain at four batch sizes.

A list of objects with --json: `topology`, `nodes`, `replications`, `periods_per_second`, `nanoseconds_per_node_period`,
`megabytes` (most that numpy held in an episode of eight periods, beyond what the game itself holds).
"""

from __future__ import annotations

import argparse
import json
import tracemalloc
from time import process_time
from typing import Any

import numpy as np

from marl_supply.demand.noise import BLOCK
from marl_supply.game import Game
from marl_supply.policies import rule
from marl_supply.simulation import Decisions
from marl_supply.topology import names

BATCHES = (1, 64, 1024, 16384)
LARGEST = 4_200_000
"""Most rows x replications measured: beyond it the arrays of an episode take more than ten gigabytes."""
RUNS = 3


def stores(count: int) -> dict[str, Any]:
    """One warehouse and its stores."""
    shop = {"on_hand": 10, "holding_cost": 1, "backorder_cost": 9, "demand": {"process": "poisson", "mean": 4}}
    names_of = [f"store_{number}" for number in range(1, count + 1)]
    return {
        "name": f"one_warehouse_{count}",
        "nodes": {"plant": {"kind": "source"}, "warehouse": {"on_hand": 8 * count}, **dict.fromkeys(names_of, shop)},
        "edges": [
            {"from": "plant", "to": "warehouse", "lead_time": 2, "pipeline": 4 * count},
            *({"from": "warehouse", "to": name, "pipeline": 4} for name in names_of),
        ],
    }


CHAINS: dict[str, Any] = {
    "beer_game": "beer_game",
    "one_warehouse_49": stores(49),
    "random_dag_1000": "random_dag_1000",
}


def constant_decisions(game: Game, replications: int) -> Decisions:
    """The same decisions for every period."""
    network = game.network
    if not game.everybody.one_supplier_each:
        edges = game.everybody.edges
        share = network.mean_demand[network.customer] / np.bincount(network.customer)[network.customer]
        return Decisions(order=np.tile(np.rint(share[edges])[:, None], replications))
    levels = np.zeros((len(network.rows), replications))
    for seat in game.seats.values():
        levels[seat.scope.rows] = rule("base_stock", seat).values["base_stock_level"][:, None]
    return Decisions(order_up_to=levels)


def measure(name: str, replications: int) -> dict[str, Any]:
    """The speed of one chain at one batch size."""
    periods = 256 if replications <= 1024 else BLOCK
    game = Game(CHAINS.get(name, name), warm_up=0, horizon=periods)
    nodes = len(game.network.rows)
    periods = min(periods, max(1, LARGEST // (nodes * replications * BLOCK)) * BLOCK)
    decisions = constant_decisions(game, replications)
    best = min(_episode(game, decisions, replications, periods) for _ in range(RUNS))
    speed = periods * replications / best
    tracemalloc.start()
    _episode(game, decisions, replications, 8)
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return {
        "topology": name,
        "nodes": nodes,
        "replications": replications,
        "periods_per_second": round(speed),
        "nanoseconds_per_node_period": round(1e9 / (speed * nodes), 2),
        "megabytes": round(megabytes, 1),
    }


def _episode(game: Game, decisions: Decisions, replications: int, periods: int) -> float:
    """Seconds that an episode takes."""
    begun = process_time()
    state = game.start(replications, seed=1)
    for _ in range(periods):
        state, _ = game.step(state, decisions)
    return process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--all", action="store_true", help="every shipped topology at 1,024 replications")
    options = parser.parse_args()
    cases = [(name, batch) for name in CHAINS for batch in BATCHES]
    if options.all:
        cases = [(name, 1024) for name in names()]
    rows = []
    for name, replications in cases:
        game = Game(CHAINS.get(name, name))
        if len(game.network.rows) * replications > LARGEST:
            continue
        rows.append(measure(name, replications))
        if not options.json:
            told = rows[-1]
            print(
                f"{name:18} {replications:6} {told['periods_per_second'] / 1e6:9.4f} million periods a second "
                f"{told['nanoseconds_per_node_period']:9.2f} ns a node period {told['megabytes']:9.1f} MB",
                flush=True,
            )
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
