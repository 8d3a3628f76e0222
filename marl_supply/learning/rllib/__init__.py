"""Training on Ray RLlib: the only place that imports ray. Its loggers are quiet from here on."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray.rllib  # noqa: E402, F401

for _name in ("ray", "ray.rllib", "ray.tune"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # importing ray sets them to its own

from marl_supply.learning.rllib.adapter import multi_agent_env  # noqa: E402
from marl_supply.learning.rllib.algorithm import GameAlgorithm, GameConfig  # noqa: E402
from marl_supply.learning.rllib.runner import BatchedEnvRunner  # noqa: E402
from marl_supply.learning.rllib.session import ensure_ray  # noqa: E402

__all__ = ["BatchedEnvRunner", "GameAlgorithm", "GameConfig", "ensure_ray", "multi_agent_env"]
