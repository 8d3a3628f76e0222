"""Settings of on-policy learners with generalised advantages and clipped updates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.learning.choosing import ChoosingLearner

CRITICS = ("state", "own")


@dataclass(frozen=True)
class OnPolicyLearner(ChoosingLearner):
    """Settings of an on-policy learner with clipped updates.

    Attributes
    ----------
    update : str
        How the agents of a batch are updated: "simultaneous" or "sequential".
    critic : str
        What critics see, in training only: "state", the whole chain, or "own", what the agent sees.
    critic_hidden : tuple of int
        Widths of their hidden layers (ReLU).
    foresight : int
        Coming periods of realised demand that critics of the state see, and the time; 0 for neither.
    discount, trace : float
        Gamma and lambda of generalised advantage estimation (Schulman et al. 2016).
    clip : float
        Range of the probability ratio (Schulman et al. 2017).
    epochs, minibatches : int
        Passes over a batch and parts of each pass.
    entropy : float
        Weight of the entropy bonus; it falls linearly to 0 over the training.
    critic_only_updates : int
        Updates at the start that leave the actors alone.
    """

    trainer: ClassVar[str] = "marl_supply.learning.rllib.trainer:OnPolicyTrainer"
    update: ClassVar[str] = ""

    critic: str = "state"
    critic_hidden: tuple[int, ...] = (64, 64)
    foresight: int = 0
    discount: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    epochs: int = 4
    minibatches: int = 4
    entropy: float = 0.003
    critic_only_updates: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("critic", CRITICS)
        self.at_least_one("epochs", "minibatches", "critic_hidden")
        if not 0 < self.discount < 1:
            raise InputError(f"discount: {self.discount} is no discount; use a number between 0 and 1, such as 0.99.")
        if self.minibatches > self.rows:
            raise InputError(f"minibatches: {self.minibatches} is more than replications x periods; use fewer.")
        if self.foresight < 0:
            raise InputError(f"foresight: {self.foresight} is below 0; use 0 or more.")
        if self.foresight and self.critic == "own":
            raise InputError("foresight: critics that see what the agent sees have none; use critic: state.")
        if self.share != "none" and self.update == "sequential":
            raise InputError(f"share: {self.name} updates one agent after another; with one actor for all use mappo.")
