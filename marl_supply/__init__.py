"""Multi-agent supply chains: a graph, who decides, what they see and what they pay.

The names below load their module on first use, so that `import marl_supply` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "load": "marl_supply.topology.load",
    "Topology": "marl_supply.topology.file",
    "Network": "marl_supply.topology.network",
    "Game": "marl_supply.game.game",
    "Policy": "marl_supply.game.policy",
    "rollout": "marl_supply.game.rollout",
    "evaluate": "marl_supply.game.evaluate",
    "compare": "marl_supply.game.compare",
    "tune": "marl_supply.solvers.tune",
    "parallel_env": "marl_supply.envs.parallel",
    "aec_env": "marl_supply.envs.aec",
    "InputError": "marl_supply.errors",
}

if TYPE_CHECKING:
    from marl_supply.envs.aec import aec_env as aec_env
    from marl_supply.envs.parallel import parallel_env as parallel_env
    from marl_supply.errors import InputError as InputError
    from marl_supply.game.compare import compare as compare
    from marl_supply.game.evaluate import evaluate as evaluate
    from marl_supply.game.game import Game as Game
    from marl_supply.game.policy import Policy as Policy
    from marl_supply.game.rollout import rollout as rollout
    from marl_supply.solvers.tune import tune as tune
    from marl_supply.topology.file import Topology as Topology
    from marl_supply.topology.load import load as load
    from marl_supply.topology.network import Network as Network


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'marl_supply' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
