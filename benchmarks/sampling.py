"""Environment steps a second: the batched runner against RLlib's MultiAgentEnvRunner, same game, one process, one core.

``python benchmarks/sampling.py [--json] [--seconds 4] [--topology beer_game]``. A step is one period of one chain, all
agents acting, networks of two hidden layers of 64. Measured in turns, three times over, and the best of each is
kept, so that other work on the machine does not decide. `ratio_at_32` and `ratio_at_256` divide the batched runner
with that many chains by the stock runner at its best of 8, 32 and 128 environments.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

HIDDEN = (64, 64)
STOCK = (8, 32, 128)
BATCHED = (32, 256)
ROUNDS = 3


def stock_sampler(topology: str, environments: int) -> Callable[[], int]:
    """RLlib's own multi-agent runner: a function that samples and returns the environment steps."""
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
    from ray.rllib.policy.policy import PolicySpec
    from ray.tune.registry import register_env

    from marl_supply.learning.rllib import multi_agent_env

    register_env("sampled", lambda context: multi_agent_env(topology))
    agents = multi_agent_env(topology).possible_agents
    config = (
        PPOConfig()
        .environment("sampled")
        .env_runners(num_env_runners=0, num_envs_per_env_runner=environments)
        .multi_agent(policies={a: PolicySpec() for a in agents}, policy_mapping_fn=lambda agent, *_, **__: agent)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=list(HIDDEN), fcnet_activation="relu"))
    )
    runner = MultiAgentEnvRunner(config=config)

    def sample() -> int:
        episodes = runner.sample(num_timesteps=32 * environments, random_actions=False)
        runner.get_metrics()
        return sum(len(episode) for episode in episodes)

    return sample


def batched_sampler(topology: str, replications: int) -> Callable[[], int]:
    """The batched runner."""
    from marl_supply.game.game import Game
    from marl_supply.learning.learners.ppo import PPO
    from marl_supply.learning.rllib import BatchedEnvRunner, GameConfig

    learner = PPO(replications=replications, periods=50, hidden=HIDDEN)
    runner = BatchedEnvRunner(config=GameConfig().play(Game(topology), learner))

    def sample() -> int:
        batch = runner.sample()
        runner.get_metrics()
        return int(batch.env_steps())

    return sample


def steps_per_second(sample: Callable[[], int], seconds: float) -> float:
    """Steps a second over at least `seconds`."""
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        steps += sample()
    return steps / (time.perf_counter() - began)


def measure(topology: str, seconds: float) -> dict[str, Any]:
    """Both runners at all their sizes, and the ratios."""
    samplers = {f"stock_{n}": stock_sampler(topology, n) for n in STOCK}
    samplers |= {f"batched_{n}": batched_sampler(topology, n) for n in BATCHED}
    for sample in samplers.values():
        sample()
    speed = dict.fromkeys(samplers, 0.0)
    for _ in range(ROUNDS):
        for name, sample in samplers.items():
            speed[name] = max(speed[name], steps_per_second(sample, seconds / ROUNDS))
    best = max(speed[f"stock_{n}"] for n in STOCK)
    ratios = {f"ratio_at_{n}": round(speed[f"batched_{n}"] / best, 1) for n in BATCHED}
    return {"topology": topology, **{name: round(value) for name, value in speed.items()}, **ratios}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each runner and size")
    parser.add_argument("--topology", default="beer_game")
    options = parser.parse_args()

    import torch

    from marl_supply.learning.rllib import ensure_ray

    torch.set_num_threads(1)
    ensure_ray(1)
    result = measure(options.topology, options.seconds)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:14} {value:>10}" if isinstance(value, str) else f"{name:14} {value:>10,}")


if __name__ == "__main__":
    main()
