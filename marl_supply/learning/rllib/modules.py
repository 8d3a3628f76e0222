"""RLModules that hold several copies of an actor, or of the critics, as one stack of parameters."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from marl_supply.learning.interface import Interface
from marl_supply.learning.networks import StackedNetwork
from marl_supply.learning.objectives import Moments
from marl_supply.learning.settings import Learner

CRITIC = "central_critic"
"""Module id of the critics, which learners alone hold."""


class Actor(TorchRLModule):
    """K copies of one agent's actor: scaled observations to logits of its choices.

    ``model_config``: sizes, seeds, agent, gain, and prior (C, n).
    """

    def setup(self) -> None:
        config = self.model_config
        keys = [(seed, f"actor/{config['agent']}") for seed in config["seeds"]]
        self.network = StackedNetwork(config["sizes"], keys, config["gain"])
        self.register_buffer("prior", torch.tensor(config["prior"], dtype=torch.float32), persistent=False)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        """(rows, K, C n) logits from (rows, K, o) observations."""
        scores = self.network(batch[Columns.OBS].transpose(0, 1))
        return {Columns.ACTION_DIST_INPUTS: scores.transpose(0, 1) + self.prior.flatten()}


class Critic(TorchRLModule):
    """Critics of P parties x K copies, and the moments of their targets; they see the whole state.

    ``model_config``: sizes, seeds, parties.
    """

    def setup(self) -> None:
        config = self.model_config
        keys = [(seed, f"critic/{party}") for party in range(config["parties"]) for seed in config["seeds"]]
        self.network = StackedNetwork(config["sizes"], keys, 1.0)
        self.moments = Moments(len(keys))
        self.parties = config["parties"]

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        """(rows, P K) values, money scaled, from (rows, K, F) states."""
        return {Columns.VF_PREDS: self.values(batch[Columns.OBS].transpose(0, 1)).transpose(0, 1)}

    def normalised(self, state: Tensor) -> Tensor:
        """(P K, rows) values in units of the moments, from (K, rows, F) states."""
        return self.network(state.repeat(self.parties, 1, 1)).squeeze(-1)

    def values(self, state: Tensor) -> Tensor:
        """(P K, rows) values from (K, rows, F) states."""
        mean, deviation = self.moments.current()
        return self.normalised(state) * deviation + mean


def module_specs(interface: Interface, learner: Learner, seeds: tuple[int, ...]) -> dict[str, RLModuleSpec]:
    """Specs of each learning agent's actor, in the order of the game, and of the critics."""
    components, choices = interface.prior.shape[1:]
    sizes = (interface.seen.shape[1], *learner.hidden, components * choices)
    gain = 0.01 if interface.starts_near_demand else 0.0
    spaces = module_spaces(interface)
    state = gym.spaces.Box(-interface.scaling.limit, interface.scaling.limit, (interface.size,), np.float32)
    specs = {
        agent: RLModuleSpec(
            module_class=Actor,
            observation_space=spaces[agent][0],
            action_space=spaces[agent][1],
            model_config={
                "agent": agent,
                "sizes": sizes,
                "seeds": seeds,
                "gain": gain,
                "prior": interface.prior[number].tolist(),
            },
        )
        for number, agent in enumerate(interface.agents)
    }
    specs[CRITIC] = RLModuleSpec(
        module_class=Critic,
        observation_space=state,
        action_space=spaces[interface.agents[0]][1],
        learner_only=True,
        model_config={
            "sizes": (interface.size, *learner.critic_hidden, 1),
            "seeds": seeds,
            "parties": interface.parties,
        },
    )
    return specs


def module_spaces(interface: Interface) -> dict[str, tuple[gym.Space, gym.Space]]:
    """What each actor sees of one chain, scaled, and its choices."""
    limit = interface.scaling.limit
    seen = gym.spaces.Box(-limit, limit, (interface.seen.shape[1],), np.float32)
    return {agent: (seen, gym.spaces.MultiDiscrete(interface.choices[n])) for n, agent in enumerate(interface.agents)}


def priors(modules: list[Actor]) -> Tensor:
    """(A, C, n) prior logits of several actors."""
    return torch.stack([module.prior for module in modules])


def as_rows(values: np.ndarray) -> Tensor:
    """(K, rows, ...) contiguous tensor from (rows, K, ...) numbers."""
    return torch.from_numpy(values).transpose(0, 1).contiguous()
