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
    window : int
        Periods over which recurrent actors are trained at a time (back-propagation through time, Werbos 1990): each
        window begins with what was remembered when it was played. It divides the periods.
    """

    trainer: ClassVar[str] = "marl_supply.learning.rllib.trainer:OnPolicyTrainer"

    clip: float = 0.2
    epochs: int = 4
    minibatches: int = 4
    critic_only_updates: int = 3
    window: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least_one("epochs", "minibatches", "window")
        if self.minibatches > self.rows:
            raise InputError(f"minibatches: {self.minibatches} is more than replications x periods; use fewer.")
        self._check_windows()

    def _check_windows(self) -> None:
        if not self.recurrent:
            return
        if self.periods % self.window:
            raise InputError(f"window: {self.window} does not divide {self.periods} periods; use a number that does.")
        if self.minibatches > self.rows // self.window:
            raise InputError(f"minibatches: {self.minibatches} is more than there are windows; use fewer.")

    @property
    def together(self) -> int:
        """Successive rows of a batch that stay together: a window of recurrent actors, or 1."""
        return self.window if self.recurrent else 1
