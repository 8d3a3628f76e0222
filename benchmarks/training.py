"""Whole iterations and time to a cost: our learners against RLlib's own PPO, same game, one process, one core.

``python benchmarks/training.py [--json] [--seconds 20] [--budget 120] [--topology beer_game_uniform]``

`ratio_to_stock`: environment steps a second of whole iterations (sampling, update, weights back), ours divided by
stock PPO at its best of the environment counts in `STOCK`; both with two hidden layers of 64, four epochs and four
minibatches an update. Measured in turns, the best of `ROUNDS` each, in seconds of processor time, so that other work on
the machine does not decide. A step is one period of one chain, all agents acting.

`copies`: processor time of an iteration of five copies over that of one, by chains a copy.

`target`: the cost 5% above that of the best rule; `ours`, `stock`: processor seconds until a greedy evaluation on
common demand first costs less, null where the budget ran out before, and then the lowest cost seen.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

HIDDEN = (64, 64)
STOCK = (8, 32, 128)
PERIODS = 50
ROUNDS = 2
COPIES = (16, 32, 128)
ABOVE = 1.05


def stock_config(topology: str, environments: int) -> Any:
    """RLlib's PPO, an actor and a critic for each agent, as many rows an update as ours."""
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.rllib.policy.policy import PolicySpec
    from ray.tune.registry import register_env

    from marl_supply.learning.rllib import multi_agent_env

    register_env(
        "trained",
        lambda context: multi_agent_env(topology, reward="shared", stream=(context.worker_index, context.vector_index)),
    )
    agents = multi_agent_env(topology).possible_agents
    rows = environments * PERIODS
    return (
        PPOConfig()
        .environment("trained")
        .env_runners(num_env_runners=0, num_envs_per_env_runner=environments, rollout_fragment_length=PERIODS)
        .multi_agent(policies={a: PolicySpec() for a in agents}, policy_mapping_fn=lambda agent, *_, **__: agent)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=list(HIDDEN), fcnet_activation="relu"))
        .training(
            train_batch_size_per_learner=rows,
            minibatch_size=rows // 4,
            num_epochs=4,
            lr=2e-3,
            gamma=0.99,
            grad_clip=0.5,
        )
        .debugging(seed=0)
    )


def ours(topology: str, name: str, replications: int, seeds: int, **settings: Any) -> Any:
    """An algorithm of ours."""
    from marl_supply.game.game import Game
    from marl_supply.learning.rllib import GameConfig
    from marl_supply.learning.settings import learner_named

    given = {"replications": replications, "periods": PERIODS, "critic_only_updates": 0, **settings}
    learner = learner_named(name, given)
    return GameConfig().play(Game(topology, reward="shared"), learner, range(seeds), 10**8).build_algo()


def fastest(iterate: Callable[[], Any], seconds: float) -> float:
    """Least processor seconds of one iteration."""
    iterate()
    best, begun = np.inf, time.process_time()
    while time.process_time() - begun < seconds:
        before = time.process_time()
        iterate()
        best = min(best, time.process_time() - before)
    return best


def iterations(topology: str, seconds: float) -> dict[str, Any]:
    """Environment steps a second of whole iterations, in turns."""
    made = {f"stock_ppo_{n}": (stock_config(topology, n).build_algo(), n * PERIODS) for n in STOCK}
    for name in ("ppo", "mappo", "happo"):
        made[name] = ours(topology, name, 128, 1, hidden=HIDDEN, critic_hidden=HIDDEN), 128 * PERIODS
    speed = dict.fromkeys(made, 0.0)
    for _ in range(ROUNDS):
        for name, (algorithm, steps) in made.items():
            speed[name] = max(speed[name], steps / fastest(algorithm.train, seconds / ROUNDS))
    for algorithm, _ in made.values():
        algorithm.stop()
    best = max(speed[f"stock_ppo_{n}"] for n in STOCK)
    told: dict[str, Any] = {name: round(value) for name, value in speed.items()}
    told["ratios"] = {name: round(speed[name] / best, 1) for name in ("ppo", "mappo", "happo")}
    return {**told, "ratio_to_stock": told["ratios"]["ppo"]}


def copies(topology: str, seconds: float) -> dict[str, float]:
    """Processor time of five copies over that of one, by chains a copy."""
    found = {}
    for replications in COPIES:
        one, five = (ours(topology, "happo", replications, seeds) for seeds in (1, 5))
        times = {"one": np.inf, "five": np.inf}
        for _ in range(ROUNDS):
            times["one"] = min(times["one"], fastest(one.train, seconds / ROUNDS))
            times["five"] = min(times["five"], fastest(five.train, seconds / ROUNDS))
        one.stop()
        five.stop()
        found[str(replications)] = round(times["five"] / times["one"], 2)
    return found


def stock_cost(algorithm: Any, game: Any, replications: int = 64) -> float:
    """Total cost of stock PPO's most probable choices, on common demand."""
    import torch

    from marl_supply.learning.interface import table_scaling
    from marl_supply.learning.rllib.adapter import LIMIT

    scaling = table_scaling(game.network, LIMIT)
    state, total = game.start(replications, seed=99), 0.0
    for _ in range(game.horizon):
        decisions = {}
        for agent in game.agents:
            seen = scaling.part(game.seen[agent]).apply(game.vector(state, agent)).T
            with torch.no_grad():
                out = algorithm.get_module(agent).forward_inference(
                    {"obs": torch.from_numpy(np.ascontiguousarray(seen))}
                )
            logits = out["action_dist_inputs"].numpy().reshape(replications, -1)
            decisions[agent] = game.actions[agent].decode(logits.argmax(1)[None])
        state, outcome = game.step(state, decisions)
        total += float(outcome.costs.sum(0).mean())
    return total


def our_cost(algorithm: Any, game: Any, replications: int = 64) -> float:
    """The same for ours."""
    from marl_supply.game.evaluate import evaluate
    from marl_supply.learning.trained.choosing_policy import choosing_policies

    interface = algorithm.config.interface()
    layers = {
        name: [(w[0].detach().numpy(), b[0].detach().numpy()) for w, b in algorithm.get_module(name).network.layers()]
        for name in interface.modules
    }
    return float(evaluate(game, choosing_policies(interface, layers, {}), replications, seed=99).total.mean())


def seconds_to(algorithm: Any, cost: Callable[[], float], target: float, budget: float, every: float) -> dict[str, Any]:
    """Processor seconds of training until the cost is below the target; evaluations are not counted."""
    spent, lowest, next_look = 0.0, np.inf, 0.0
    while spent < budget:
        before = time.process_time()
        algorithm.train()
        spent += time.process_time() - before
        if spent >= next_look:
            next_look = spent + every
            lowest = min(lowest, cost())
            if lowest <= target:
                return {"seconds": round(spent, 1), "cost": round(lowest, 1)}
    return {"seconds": None, "cost": round(lowest, 1), "budget": budget}


def to_target(topology: str, budget: float) -> dict[str, Any]:
    """Time to a cost 5% above the best rule: base-stock at the levels of the file."""
    from marl_supply.game.evaluate import evaluate
    from marl_supply.game.game import Game
    from marl_supply.policies import seat_everybody

    game = Game(topology)
    target = ABOVE * float(evaluate(game, seat_everybody(game, "base_stock"), 64, seed=99).total.mean())
    found: dict[str, Any] = {"target": round(target, 1)}
    makers: Mapping[str, Callable[[], tuple[Any, Callable[[Any, Any], float]]]] = {
        "ours": lambda: (ours(topology, "mappo", 128, 1), our_cost),
        "stock": lambda: (stock_config(topology, 32).build_algo(), stock_cost),
    }
    for name, make in makers.items():
        algorithm, cost = make()
        found[name] = seconds_to(algorithm, lambda a=algorithm, c=cost: c(a, game), target, budget, budget / 60)  # type: ignore[misc]
        algorithm.stop()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each learner and size")
    parser.add_argument("--budget", type=float, default=120.0, help="processor seconds to the target; 0 leaves it out")
    parser.add_argument("--topology", default="beer_game_uniform")
    options = parser.parse_args()

    import torch

    from marl_supply.learning.rllib import ensure_ray

    torch.set_num_threads(1)
    ensure_ray(1)
    result = {"topology": options.topology, **iterations(options.topology, options.seconds)}
    result["copies"] = copies(options.topology, options.seconds)
    if options.budget:
        result["time_to_target"] = to_target(options.topology, options.budget)
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
