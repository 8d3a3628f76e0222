"""RLModules that hold the Q-networks of several copies as one stack of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from marl_supply.learning.interface import CLOSED, Interface
from marl_supply.learning.learners.dqn import DQN
from marl_supply.learning.networks import StackedNetwork
from marl_supply.learning.rllib.modules import module_spaces

LAST_GAIN = 0.1
"""Scale of the last layer's first weights: first values near 0, and yet not all alike."""


class QModule(TorchRLModule):
    """K copies of one agent's Q-network: scaled observations to a value for each choice.

    ``model_config``: sizes, seeds, agent and closed (n,), which is added to the values so that choices that do not
    exist are never taken.
    """

    def setup(self) -> None:
        config = self.model_config
        keys = [(seed, f"q/{config['agent']}") for seed in config["seeds"]]
        self.network = StackedNetwork(config["sizes"], keys, LAST_GAIN)
        self.register_buffer("closed", torch.tensor(config["closed"], dtype=torch.float32), persistent=False)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        """(rows, K, n) values, whose largest is played, from (rows, K, o) observations."""
        values = self.network(batch[Columns.OBS].transpose(0, 1))
        return {Columns.ACTION_DIST_INPUTS: values.transpose(0, 1) + self.closed}


def closed_choices(interface: Interface) -> np.ndarray:
    """(A, C, n) 0 where a choice exists and `CLOSED` where not."""
    return np.where(interface.prior > CLOSED / 2, 0.0, CLOSED)


def module_specs(interface: Interface, learner: DQN, seeds: tuple[int, ...]) -> dict[str, RLModuleSpec]:
    """Specs of each learning agent's Q-network, in the order of the game."""
    closed, spaces = closed_choices(interface), module_spaces(interface)
    return {
        agent: RLModuleSpec(
            module_class=QModule,
            observation_space=spaces[agent][0],
            action_space=spaces[agent][1],
            model_config={
                "agent": agent,
                "sizes": (interface.seen.shape[1], *learner.hidden, interface.width),
                "seeds": seeds,
                "closed": closed[number, 0].tolist(),
            },
        )
        for number, agent in enumerate(interface.agents)
    }
