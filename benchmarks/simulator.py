"""Periods a second of the simulator, demand drawn and accounts and rewards worked out, on one core.

    OMP_NUM_THREADS=1 python benchmarks/simulator.py [--json]

A period is one period of a whole chain in one replication. Decisions are constant: every row orders up to the level of
the topology's base-stock policy, and where a row has several suppliers its mean demand from each in equal parts. Every
figure is the best of `RUNS` runs of one episode, its start included, in seconds of processor time.

A list of objects with --json: `topology`, `replications`, `periods_per_second`, `nanoseconds_per_node_period`.
"""

from __future__ import annotations

import argparse
import json
from time import process_time
from typing import Any

import numpy as np

from marl_supply.game import Game
from marl_supply.policies import rule
from marl_supply.simulation import Decisions
from marl_supply.topology import names

CASES = [("beer_game", 1024), ("beer_game", 16384), *((name, 1024) for name in names() if name != "beer_game")]
PERIODS = 256
RUNS = 3


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
    game = Game(name, horizon=PERIODS, warm_up=0)
    decisions = constant_decisions(game, replications)
    best = min(_episode(game, decisions, replications) for _ in range(RUNS))
    speed = PERIODS * replications / best
    return {
        "topology": name,
        "replications": replications,
        "periods_per_second": round(speed),
        "nanoseconds_per_node_period": round(1e9 / (speed * len(game.network.rows)), 2),
    }


def _episode(game: Game, decisions: Decisions, replications: int) -> float:
    """Seconds that an episode takes."""
    begun = process_time()
    state = game.start(replications, seed=1)
    for _ in range(PERIODS):
        state, _ = game.step(state, decisions)
    return process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    rows = []
    as_json = parser.parse_args().json
    for name, replications in CASES:
        rows.append(measure(name, replications))
        if not as_json:
            told = rows[-1]
            speed = f"{told['periods_per_second'] / 1e6:8.2f} million periods a second"
            print(f"{name:20} {replications:6} {speed} {told['nanoseconds_per_node_period']:8.2f} ns a node period")
    if as_json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
