"""RLModules that hold several copies of an actor, or of the critics, as one stack of parameters."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from marl_supply.learning.actor_critic import ActorCriticLearner
from marl_supply.learning.interface import Interface
from marl_supply.learning.networks import Heads, StackedNetwork
from marl_supply.learning.objectives import Moments
from marl_supply.learning.recurrent import RecurrentNetwork

CRITIC = "central_critic"
"""Module id of the critics, which learners alone hold."""
MEMORY = "memory"
"""Batch column: what a recurrent actor remembers before the row; absent for others."""


class Actor(TorchRLModule):
    """K copies of one actor: scaled observations to logits of its choices.

    ``model_config``: sizes, seeds, name, gain, prior and values (C, n), and whether the head is gaussian.
    """

    network_class: ClassVar[type[StackedNetwork]] = StackedNetwork

    def setup(self) -> None:
        config = self.model_config
        keys = [(seed, f"actor/{config['name']}") for seed in config["seeds"]]
        self.network = self.network_class(config["sizes"], keys, config["gain"])
        for name in ("prior", "values"):
            self.register_buffer(name, torch.tensor(config[name], dtype=torch.float32), persistent=False)
        self.deviation = None
        if config["gaussian"]:
            self.deviation = torch.nn.Parameter(torch.zeros(len(keys), len(config["prior"])))

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        """(rows, K, C n) logits from (rows, K, o) observations."""
        scores = self.network(batch[Columns.OBS].transpose(0, 1))
        return {Columns.ACTION_DIST_INPUTS: heads([self]).logits(scores)[0].transpose(0, 1).flatten(2)}


class RecurrentActor(Actor):
    """K copies of one actor with a gated recurrent unit, one period at a time."""

    network_class: ClassVar[type[StackedNetwork]] = RecurrentNetwork

    def get_initial_state(self) -> dict[str, np.ndarray]:
        """(K, H) what a chain's actors remember where its episode begins."""
        return {MEMORY: np.zeros(self.network.weights[-2].shape[:2], dtype=np.float32)}

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """(rows, K, C n) logits from (rows, K, o) observations and (rows, K, H) memories, and the next memories."""
        memory = batch[Columns.STATE_IN][MEMORY].transpose(0, 1)
        scores, memory = self.network(batch[Columns.OBS].transpose(0, 1), memory)
        logits = heads([self]).logits(scores)[0].transpose(0, 1).flatten(2)
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.STATE_OUT: {MEMORY: memory.transpose(0, 1)}}


class Critic(TorchRLModule):
    """Critics of P parties x K copies, and the moments of their targets.

    ``model_config``: sizes, seeds, parties, and seen: None where they see the whole state, or for each party the
    positions of what its agent sees in the state with a zero and a one at its end.
    """

    def setup(self) -> None:
        config = self.model_config
        keys = [(seed, f"critic/{party}") for party in range(config["parties"]) for seed in config["seeds"]]
        self.network = StackedNetwork(config["sizes"], keys, 1.0)
        self.moments = Moments(len(keys))
        self.parties = config["parties"]
        self.seen = None if config["seen"] is None else torch.tensor(config["seen"])

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        """(rows, P K) values, money scaled, from (rows, K, F) states."""
        return {Columns.VF_PREDS: self.values(self.inputs(batch[Columns.OBS].transpose(0, 1))).transpose(0, 1)}

    def inputs(self, state: Tensor) -> Tensor:
        """(P K, rows, i) what each critic sees of (K, rows, F) states."""
        if self.seen is None:
            return state if self.parties == 1 else state.repeat(self.parties, 1, 1)
        pads = torch.tensor([0.0, 1.0]).expand(*state.shape[:-1], 2)
        return torch.cat([state, pads], -1)[..., self.seen].movedim(-2, 0).flatten(0, 1)

    def normalised(self, inputs: Tensor) -> Tensor:
        """(P K, rows) values in units of the moments, from what the critics see."""
        return self.network(inputs).squeeze(-1)

    def values(self, inputs: Tensor) -> Tensor:
        """(P K, rows) values from what the critics see."""
        mean, deviation = self.moments.current()
        return self.normalised(inputs) * deviation + mean


def module_specs(interface: Interface, learner: ActorCriticLearner, seeds: tuple[int, ...]) -> dict[str, RLModuleSpec]:
    """Specs of the actors, in the order of the game, and of the critics."""
    specs = actor_specs(interface, seeds)
    spaces = module_spaces(interface)
    size = state_size(interface, learner)
    own = learner.critic == "own"
    limit = interface.scaling.limit
    specs[CRITIC] = RLModuleSpec(
        module_class=Critic,
        observation_space=gym.spaces.Box(-limit, limit, (size,), np.float32),
        action_space=spaces[interface.modules[0]][1],
        learner_only=True,
        model_config={
            "sizes": (interface.seen.shape[1] if own else size, *learner.critic_hidden, 1),
            "seeds": seeds,
            "parties": len(interface.agents) if own else interface.parties,
            "seen": interface.seen.tolist() if own else None,
        },
    )
    return specs


def actor_specs(interface: Interface, seeds: tuple[int, ...]) -> dict[str, RLModuleSpec]:
    """Specs of the actors, in the order of the game."""
    learner = interface.learner
    components, choices = interface.prior.shape[1:]
    gaussian = learner.head == "gaussian"
    unit = (learner.memory_width,) if learner.memory_width else ()
    sizes = (interface.seen.shape[1], *learner.hidden, *unit, components * (1 if gaussian else choices))
    spaces = module_spaces(interface)
    first = {interface.module_of[agent]: number for number, agent in reversed(list(enumerate(interface.agents)))}
    return {
        name: RLModuleSpec(
            module_class=RecurrentActor if learner.memory_width else Actor,
            observation_space=spaces[name][0],
            action_space=spaces[name][1],
            model_config={
                "name": name,
                "sizes": sizes,
                "seeds": seeds,
                "gain": 0.01 if interface.starts_near_demand else 0.0,
                "gaussian": gaussian,
                "prior": interface.prior[first[name]].tolist(),
                "values": interface.values[first[name]].tolist(),
            },
        )
        for name in interface.modules
    }


def state_size(interface: Interface, learner: ActorCriticLearner) -> int:
    """Numbers that critics of the state see."""
    ahead = learner.foresight
    return interface.size + (ahead * len(interface.game.network.markets) + 1 if ahead else 0)


def module_spaces(interface: Interface) -> dict[str, tuple[gym.Space, gym.Space]]:
    """What each actor sees of one chain, scaled, and its choices."""
    limit = interface.scaling.limit
    seen = gym.spaces.Box(-limit, limit, (interface.seen.shape[1],), np.float32)
    return {
        interface.module_of[agent]: (seen, gym.spaces.MultiDiscrete(interface.choices[number]))
        for number, agent in enumerate(interface.agents)
    }


def heads(modules: list[Actor]) -> Heads:
    """The heads of several actors."""
    deviation = None
    if modules[0].deviation is not None:
        deviation = torch.stack([module.deviation for module in modules if module.deviation is not None])
    return Heads(
        torch.stack([module.prior for module in modules]),
        torch.stack([module.values for module in modules]),
        deviation,
    )


def as_rows(values: np.ndarray) -> Tensor:
    """(K, rows, ...) contiguous tensor from (rows, K, ...) numbers."""
    # Arrays that come from another process cannot be written, which torch warns of.
    return torch.from_numpy(np.require(values, requirements="W")).transpose(0, 1).contiguous()
