"""Settings of on-policy learners with generalised advantages and clipped updates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.learning.actor_critic import ActorCriticLearner


@dataclass(frozen=True)
class OnPolicyLearner(ActorCriticLearner):
    """Settings of an on-policy learner with clipped updates.

    Attributes
    ----------
    clip : float
        Range of the probability ratio (Schulman et al. 2017).
    epochs, minibatches : int
        Passes over a batch and parts of each pass.
    critic_only_updates : int
        Updates at the start that leave the actors alone.
    """

    trainer: ClassVar[str] = "marl_supply.learning.rllib.trainer:OnPolicyTrainer"

    clip: float = 0.2
    epochs: int = 4
    minibatches: int = 4
    critic_only_updates: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least_one("epochs", "minibatches")
        if self.minibatches > self.rows:
            raise InputError(f"minibatches: {self.minibatches} is more than replications x periods; use fewer.")
