"""Hindsight differentiable policy optimisation (Alvo, Russo & Kanoria 2023, "Neural inventory control in networks")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.settings import Learner

ACTORS = ("mlp", "graph")
ORDERS = ("position", "quantity")
STARTS = ("mean", "newsvendor")


@dataclass(frozen=True)
class Differentiable(Learner):
    """Policies follow the derivative of the cost of whole episodes with respect to their weights.

    No critic and no exploration: the simulator itself is differentiated. Under a shared reward all agents follow the
    derivative of the cost of all; under an individual one each follows that of its own cost with respect to its own
    weights, all at once; under a blend that of the blend.

    Attributes
    ----------
    actor : str
        "mlp": a network for each agent, which sees the agent's own observation; "graph": one network over the topology,
        its weights shared by all nodes, which sees everything.
    orders : str
        What the numbers that a network puts out are, where actions are quantities. "position": a level, measured from
        mean lead-time demand in standard deviations of it; what is missing to it is ordered. Levels and positions are
        those of echelons where `observe` shows them. A row with several suppliers has a level for each, and the
        position of each counts what arrives no later than an order there, faster orders of the same period included.
        "quantity": the order itself, mean demand at first.
    start : str
        Where levels start. "mean": at mean lead-time demand; "newsvendor": with the safety factors of
        `safety.safety_factors`, which is a start at a rule, and a table of results should say so.
    rounds : int
        How often nodes of a graph hear from their neighbours before they decide.
    warm_up : int
        Periods at the start of an episode whose costs are not counted and whose decisions are not differentiated.
    periods : int
        Periods after them, which are.
    observation_clip : float
        Scaled observations lie between minus this and this; with 0 actors see nothing and learn constants, such as
        constant levels.
    """

    trainer: ClassVar[str] = "marl_supply.learning.differentiable.trainer:DifferentiableTrainer"
    packages: ClassVar[tuple[str, ...]] = ("torch",)

    actor: str = "mlp"
    orders: str = "position"
    start: str = "mean"
    rounds: int = 3
    warm_up: int = 20
    replications: int = 256
    periods: int = 50
    hidden: tuple[int, ...] = (32, 32)
    learning_rate: float = 3e-3
    gradient_clip: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("actor", ACTORS), ("orders", ORDERS), ("start", STARTS)):
            self.one_of(name, known)
        if self.warm_up < 0:
            raise InputError(f"warm_up: {self.warm_up} is negative; use 0 or more periods.")
        if self.actor == "graph" and not self.hidden:
            raise InputError("hidden: a graph network needs a width; give one, such as [32].")

    def check(self, game: Game, fixed: Mapping[str, Policy]) -> None:
        """Refuse games that have no derivative, and fixed policies."""
        from marl_supply.learning.differentiable.episode import relaxation

        if fixed:
            raise InputError(
                f"{game.topology.name}: fixed policies ({', '.join(sorted(fixed))}) have no derivative; leave them "
                "out, or use ppo or happo."
            )
        relaxation(game)

    @property
    def rows(self) -> int:
        """Environment steps of one copy between two updates: replications x (warm_up + periods)."""
        return self.replications * (self.warm_up + self.periods)
