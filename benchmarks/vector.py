"""Periods a second of Gymnasium's vector environments beside the game that they wrap, on one core.

    OMP_NUM_THREADS=1 python benchmarks/vector.py [--json]

Both play the same actions, drawn beforehand, in the same run; the best of `RUNS`, in processor time.
"""

from __future__ import annotations

import json
import sys
from time import process_time
from typing import Any

import gymnasium
import numpy as np

from marl_supply.envs.registration import gymnasium_ids, register_gymnasium
from marl_supply.game import Game

BATCH, PERIODS, RUNS = 1024, 100, 3
NAMES = ("lost_sales", "dual_sourcing", "uneven_review", "pricing_replenishment", "recommendation_replenishment")


def measure(name: str) -> dict[str, Any]:
    """Both on one topology."""
    identifier = next(one for one, chain in gymnasium_ids().items() if chain == name)
    horizon = {"horizon": PERIODS, "warm_up": 0}
    envs: Any = gymnasium.make_vec(identifier, num_envs=BATCH, vectorization_mode="vector_entry_point", **horizon)
    envs.action_space.seed(1)
    actions = [envs.action_space.sample() for _ in range(PERIODS)]
    game = Game(name, **horizon)
    vector = min(_play_vector(envs, actions) for _ in range(RUNS))
    core = min(_play_core(game, actions) for _ in range(RUNS))
    each = BATCH * PERIODS
    return {
        "environment": identifier,
        "vector_per_second": round(each / vector),
        "core_per_second": round(each / core),
        "core_over_vector": round(vector / core, 2),
    }


def _play_vector(envs: Any, actions: list[Any]) -> float:
    envs.reset(seed=0)
    start = process_time()
    for action in actions:
        envs.step(action)
    return process_time() - start


def _play_core(game: Game, actions: list[Any]) -> float:
    agent = game.agents[0]
    state = game.start(BATCH)
    start = process_time()
    for action in actions:
        decided = game.actions[agent].decode(np.ascontiguousarray(action.reshape(BATCH, -1).T))
        state, _ = game.step(state, {agent: decided})
        game.vector(state, agent)
    return process_time() - start


def main() -> None:
    register_gymnasium()
    rows = [measure(name) for name in NAMES]
    if "--json" in sys.argv[1:]:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(
            f"{row['environment']:48} {row['vector_per_second']:12,} a second, the game {row['core_per_second']:12,}: "
            f"{row['core_over_vector']:.2f} times as fast"
        )


if __name__ == "__main__":
    main()
