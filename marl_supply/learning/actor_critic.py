"""Settings of learners with actors that choose and critics that judge what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.learning.choosing import ChoosingLearner

CRITICS = ("state", "own")


@dataclass(frozen=True)
class ActorCriticLearner(ChoosingLearner):
    """Settings of a learner with actors and critics.

    Attributes
    ----------
    update : str
        How the agents of a batch are updated: "simultaneous", "sequential" or "asynchronous".
    critic : str
        What critics see, in training only: "state", the whole chain, or "own", what the agent sees.
    critic_hidden : tuple of int
        Widths of their hidden layers (ReLU).
    foresight : int
        Coming periods of realised demand that critics of the state see, and the time; 0 for neither.
    discount, trace : float
        Gamma and lambda of generalised advantage estimation (Schulman et al. 2016).
    entropy : float
        Weight of the entropy bonus; it falls linearly to 0 over the training.
    recurrent : int
        Width of a gated recurrent unit (Cho et al. 2014) between the hidden layers and the output of each actor, which
        remembers what mattered since its episode began; 0 for none.
    """

    update: ClassVar[str] = ""

    critic: str = "state"
    critic_hidden: tuple[int, ...] = (64, 64)
    foresight: int = 0
    discount: float = 0.99
    trace: float = 0.95
    entropy: float = 0.003
    recurrent: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("critic", CRITICS)
        self.at_least_one("critic_hidden")
        if not 0 < self.discount < 1:
            raise InputError(f"discount: {self.discount} is no discount; use a number between 0 and 1, such as 0.99.")
        if not 0 <= self.trace <= 1:
            raise InputError(f"trace: {self.trace} is no trace; use a number from 0 to 1, such as 0.95.")
        for name in ("foresight", "recurrent"):
            if getattr(self, name) < 0:
                raise InputError(f"{name}: {getattr(self, name)} is below 0; use 0 or more.")
        if self.foresight and self.critic == "own":
            raise InputError("foresight: critics that see what the agent sees have none; use critic: state.")
        if self.share != "none" and self.update == "sequential":
            raise InputError(f"share: {self.name} updates one agent after another; with one actor for all use mappo.")

    @property
    def memory_width(self) -> int:
        """Numbers that an actor remembers beside what it sees; 0 for one without a recurrent unit."""
        return self.recurrent

    @property
    def together(self) -> int:
        """Successive rows of a batch that stay together: all of a chain for recurrent actors, or 1."""
        return self.periods if self.recurrent else 1
