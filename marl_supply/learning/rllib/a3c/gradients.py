"""What A3C's workers and its learner send each other, and the loss whose gradient it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from marl_supply.learning.networks import log_probability
from marl_supply.learning.rllib.actors_critics import ActorsCritics, Batch

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """All numbers of actors and critics at one time.

    version: gradients applied so far; arrays: by module those of its state, in its order.
    """

    version: int
    arrays: dict[str, list[Floats]]


@dataclass(frozen=True)
class Gradient:
    """What one worker found in one sample.

    version: of the weights it played with; arrays: by module the gradients of its parameters, in its order;
    mean_target, mean_square: (P K,) of the critics' targets, which the learner's moments take in; env_steps: of one
    copy.
    """

    version: int
    arrays: dict[str, list[Floats]]
    mean_target: Floats
    mean_square: Floats
    env_steps: int


def weights_of(module: Any, version: int) -> Weights:
    """The present weights, without copying them."""
    arrays = {name: [tensor.numpy() for tensor in own.state_dict().values()] for name, own in module.items()}
    return Weights(version, arrays)


@torch.no_grad()
def put_weights(module: Any, arrays: Mapping[str, list[Floats]]) -> None:
    """Make the modules those whose weights these are."""
    for name, own in arrays.items():
        for tensor, array in zip(module[name].state_dict().values(), own, strict=True):
            tensor.copy_(torch.from_numpy(np.require(array, requirements="W")))


def loss(networks: ActorsCritics, agents: list[str], batch: Batch, entropy: float) -> Tensor:
    """Minus the policy gradient's objective and the entropy bonus, plus half the critics' squared errors.

    Mnih et al. (2016), algorithm S3, as means over the sample; added over agents and copies, whose networks are apart.
    Advantages are in standard deviations of the critics' targets, so that step sizes do not depend on units of money.
    """
    value_loss = networks.value_loss(batch)
    if not agents:
        return value_loss
    logits = networks.logits(agents, batch, slice(0, len(agents)))
    taken, uncertainty = log_probability(logits, batch.actions)
    gain = taken * (batch.advantages / batch.unit) + entropy * uncertainty
    return value_loss - networks.gain(gain, batch.decides)
