"""What a learner is told besides the game: one frozen record per learner, each default in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

from marl_supply.errors import InputError, nearest
from marl_supply.plugins import find, snake_case


@dataclass(frozen=True)
class Learner:
    """Settings of an on-policy learner with clipped updates; a subclass in `learners/` is one learner.

    Attributes
    ----------
    update : str
        How the agents of a batch are updated: "simultaneous" or "sequential".
    replications : int
        B, chains that play side by side for each copy.
    periods : int
        T, periods that each of them plays between two updates.
    restart_after : int or None
        Periods after which a chain starts anew, cut there and bootstrapped, groups of chains at different times;
        None for the game's horizon if its criterion is total, and for never if it is average.
    hidden, critic_hidden : tuple of int
        Widths of the hidden layers (ReLU) of each actor and of the critic.
    discount, trace : float
        Gamma and lambda of generalised advantage estimation (Schulman et al. 2016).
    clip : float
        Range of the probability ratio (Schulman et al. 2017).
    epochs, minibatches : int
        Passes over a batch and parts of each pass.
    learning_rate, entropy : float
        Step size of Adam and weight of the entropy bonus; both fall linearly to 0 over the training.
    gradient_clip : float
        Greatest norm of the gradient of one network of one copy.
    critic_only_updates : int
        Updates at the start that leave the actors alone.
    observation_clip : float
        Scaled observations lie between minus this and this.
    spread : float
        Standard deviation of the first actions on top of demand, as a share of the largest.
    evaluations : int
        Greedy evaluations over the training, the last at its end.
    evaluation_replications, evaluation_periods : int
        Held-out chains of an evaluation, the same at each, and the most periods they play.
    """

    update: ClassVar[str] = ""

    replications: int = 128
    periods: int = 50
    restart_after: int | None = None
    hidden: tuple[int, ...] = (32, 32)
    critic_hidden: tuple[int, ...] = (64, 64)
    discount: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    epochs: int = 4
    minibatches: int = 4
    learning_rate: float = 2e-3
    entropy: float = 0.003
    gradient_clip: float = 0.5
    critic_only_updates: int = 3
    observation_clip: float = 4.0
    spread: float = 0.35
    evaluations: int = 10
    evaluation_replications: int = 128
    evaluation_periods: int = 300

    def __post_init__(self) -> None:
        for name in ("hidden", "critic_hidden"):
            object.__setattr__(self, name, tuple(int(width) for width in getattr(self, name)))
        counts = ("replications", "periods", "epochs", "minibatches", "evaluation_replications", "evaluation_periods")
        for name in counts:
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} is too few; use 1 or more.")
        if not 0 < self.discount < 1:
            raise InputError(f"discount: {self.discount} is no discount; use a number between 0 and 1, such as 0.99.")
        if self.minibatches > self.replications * self.periods:
            raise InputError(f"minibatches: {self.minibatches} is more than replications x periods; use fewer.")

    @property
    def name(self) -> str:
        """The name it is found by."""
        return snake_case(type(self).__name__)

    @property
    def rows(self) -> int:
        """Environment steps of one copy between two updates: replications x periods."""
        return self.replications * self.periods

    def updates(self, env_steps: int) -> int:
        """Updates that a budget of environment steps of one copy pays for, at least 1."""
        return max(1, round(env_steps / self.rows))

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The same learner with some settings changed.

        Raises
        ------
        InputError
            If a setting does not exist.
        """
        known = [item.name for item in fields(self)]
        for key in changes:
            if key not in known:
                raise InputError(f"learner {self.name}: no setting '{key}'{nearest(key, known)}")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Name and settings, JSON-able; `learner_from` reads it."""
        return {"learner": self.name, **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}}


def learner_named(name: str, settings: Mapping[str, Any] | None = None) -> Learner:
    """The learner that `name` stands for, with some of its settings changed.

    Parameters
    ----------
    name : str
        Snake case name of a class in `marl_supply.learning.learners`, a dotted path or an entry point.

    Raises
    ------
    InputError
        If there is no such learner or setting.
    """
    learner: Learner = find("marl_supply.learning.learners", Learner, name)()
    return learner.changed(settings or {})


def learner_from(description: Mapping[str, Any]) -> Learner:
    """The learner that `Learner.to_dict` described."""
    settings = dict(description)
    return learner_named(settings.pop("learner"), settings)
