"""Microseconds a period of one environment through PettingZoo's parallel interface, resets included, on one core.

    OMP_NUM_THREADS=1 python benchmarks/environment.py [--json]

The best of `RUNS` runs of `PERIODS` periods, in processor time; actions are sampled beforehand.
"""

from __future__ import annotations

import json
import sys
from time import process_time
from typing import Any

from marl_supply.envs import make, names

PERIODS = 2000
RUNS = 3


def measure(name: str) -> dict[str, Any]:
    """The cost of a period of one environment."""
    env: Any = make(name, horizon=100, warm_up=0)
    env.reset(seed=0)
    spaces = {agent: env.action_space(agent) for agent in env.possible_agents}
    actions = [{agent: space.sample() for agent, space in spaces.items()} for _ in range(PERIODS)]
    best = min(_play(env, actions) for _ in range(RUNS))
    return {"environment": name, "agents": len(spaces), "microseconds_per_period": round(best / PERIODS * 1e6, 1)}


def _play(env: Any, actions: list[dict[str, Any]]) -> float:
    start = process_time()
    env.reset()
    for action in actions:
        env.step(action)
        if not env.agents:
            env.reset()
    return process_time() - start


def main() -> None:
    rows = [measure(name) for name in names()]
    if "--json" in sys.argv[1:]:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['environment']:24} {row['agents']:3} agents {row['microseconds_per_period']:8.1f} us a period")


if __name__ == "__main__":
    main()
