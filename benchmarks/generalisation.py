"""One graph network on chains that it has not seen: its cost over that of tuned echelon base stock.

``python benchmarks/generalisation.py [--json] [--updates 200] [--instances 3] [--retailers 4]``

Five copies (seeds 0 to 4) learn from 200 random serial chains of 3 to 5 stages, 32 replications of 80 periods an
update, starting at newsvendor safety stocks. Then each plays, unchanged, fresh chains of 2 to 8 stages, and warehouses
with two stores. Serial chains are compared with the levels of Clark & Scarf (1960), which are optimal; trees with
echelon base stock by search. All on 256 common replications of 400 periods, the first 100 not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

SEEDS = range(5)
STAGES = range(2, 9)
REPLICATIONS = 256


def trained(updates: int) -> tuple[Any, list[Any]]:
    """The settings, and the network of each seed."""
    from marl_supply.learning.differentiable.generalise import GeneralTrainer, random_serial_games
    from marl_supply.learning.learners.differentiable import Differentiable

    learner = Differentiable(actor="graph", hidden=(32,), rounds=3, replications=32, warm_up=30, start="newsvendor")
    trainer = GeneralTrainer(random_serial_games(200, (3, 5), seed=1), learner, list(SEEDS), updates * learner.rows)
    for _ in range(trainer.updates):
        trainer.update()
    return learner, [trainer.snapshot(copy) for copy in range(len(SEEDS))]


def instances(count: int, retailers: int) -> dict[str, list[Any]]:
    """Games that no network was trained on, by kind."""
    from marl_supply.learning.differentiable.generalise import random_serial_games, random_two_store_games

    kinds = {f"{length} stages": random_serial_games(count, (length, length), seed=1000 + length) for length in STAGES}
    return {**kinds, "two stores": random_two_store_games(retailers, seed=2000)}


def rule(game: Any) -> Any:
    """The players of echelon base stock: optimal levels of a serial chain, else levels by search."""
    from marl_supply.solvers.solve import solve
    from marl_supply.solvers.tune import tune

    if "store_1" in game.network.rows:
        return tune("echelon_base_stock", game, replications=256).players
    return solve(game, "echelon_base_stock")[0].solution.players


def gaps(game: Any, learner: Any, networks: list[Any]) -> list[float]:
    """Percent by which each network costs more than the rule on the same demand."""
    from marl_supply.game.evaluate import evaluate
    from marl_supply.learning.differentiable.generalise import seat_everybody

    known = evaluate(game, rule(game), REPLICATIONS).mean
    found = [evaluate(game, seat_everybody(game, network, learner), REPLICATIONS).mean for network in networks]
    return [100 * (cost / known - 1) for cost in found]


def measure(updates: int, count: int, retailers: int) -> dict[str, Any]:
    """The gaps of every instance, and the seconds that training took."""
    import torch

    torch.set_num_threads(1)
    began = time.process_time()
    learner, networks = trained(updates)
    seconds = time.process_time() - began
    kinds = instances(count, retailers)
    found = {kind: [gaps(game, learner, networks) for game in games] for kind, games in kinds.items()}
    return {"updates": updates, "training_seconds": seconds, "percent_above_rule": found}


def table(found: dict[str, Any]) -> str:
    """Markdown: for each kind the mean over instances with its interval over seeds, and the worst instance."""
    from marl_supply.metrics.intervals import over_seeds

    lines = ["| chain | instances | above the rule | worst instance |", "|---|---:|---:|---:|"]
    for kind, percent in found["percent_above_rule"].items():
        by_seed = np.array(percent)
        interval = over_seeds(by_seed.mean(0))
        half = (interval.high - interval.low) / 2
        worst = by_seed.mean(1).max()
        lines.append(f"| {kind} | {len(by_seed)} | {interval.mean:+.2f} ± {half:.2f}% | {worst:+.2f}% |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--retailers", type=int, default=4)
    options = parser.parse_args()
    found = measure(options.updates, options.instances, options.retailers)
    print(json.dumps(found) if options.json else f"{table(found)}\n\ntraining: {found['training_seconds']:.0f} s")


if __name__ == "__main__":
    main()
