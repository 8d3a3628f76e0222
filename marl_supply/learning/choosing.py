"""Settings of learners whose actions are choices: what actors see, and what their choices mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.settings import Learner

HEADS = ("categories", "gaussian")
SHARES = ("none", "all")


@dataclass(frozen=True)
class ChoosingLearner(Learner):
    """Settings of a learner whose actors choose among whole units.

    Attributes
    ----------
    restart_after : int or None
        Periods after which a chain starts anew, cut there and bootstrapped, groups of chains at different times;
        None for the game's horizon if its criterion is total, and for never if it is average.
    smoothing : tuple of float
        Weights of exponential smoothing: for each, actors also see the smoothed claims on their rows and, where they
        see it, the smoothed demand of the markets downstream.
    history : int
        So many latest values of the same signals that actors also see.
    base : str
        A rule: choices are then whole units added to what it orders (Silver et al. 2018, residual policy learning), so
        that learning starts near it; where it decides prices or exposure, choices are added to these too. Empty:
        choices are the actions of the game.
    base_parameters : mapping
        Its parameters by node; unstated ones are the topology file's, then the rule's own.
    reach : float
        Most that is added or taken away, as a share of mean demand, rounded up to whole units.
    steering_reach : float
        Most that is added to prices and to shares of exposure, or taken away, as a share of what they range over.
    head : str
        "categories": a score for each choice. "gaussian": a mean and a standard deviation, so that near choices have
        near probabilities.
    spread : float
        Standard deviation of the first choices on top of demand or of the base, as a share of the largest.
    share : str
        "all": one actor for all agents, which sees whose seat it plays; "none": one for each.
    """

    restart_after: int | None = None
    smoothing: tuple[float, ...] = ()
    history: int = 0
    base: str = ""
    base_parameters: Mapping[str, Any] = field(default_factory=dict)
    reach: float = 1.0
    steering_reach: float = 0.2
    head: str = "categories"
    spread: float = 0.35
    share: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("head", HEADS)
        self.one_of("share", SHARES)
        for weight in self.smoothing:
            if not 0 < weight <= 1:
                raise InputError(f"smoothing: {weight} is no weight; use numbers above 0, 1 at most.")
        if self.history < 0:
            raise InputError(f"history: {self.history} is below 0; use 0 or more.")
        for name in ("reach", "steering_reach", "spread"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name}: {getattr(self, name)} is not positive; use a number above 0.")
        if ":" in self.base:
            raise InputError(f"base: '{self.base}' is a dotted path; name a shipped rule or one of an entry point.")

    def check(self, game: Game, fixed: Mapping[str, Policy]) -> None:
        """Refuse games whose choices it cannot learn, and seats that leave nobody to learn."""
        from marl_supply.learning.arena import learning_agents
        from marl_supply.learning.interface import Interface

        Interface(game, learning_agents(game, fixed), self)

    @property
    def memory_width(self) -> int:
        """Numbers that an actor remembers beside what it sees; 0 for one without a recurrent unit."""
        return 0
