"""What a learner is told besides the game: one frozen record per learner, each default in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.plugins import find, snake_case


@dataclass(frozen=True)
class Learner:
    """Settings that all learners have; a subclass in `learners/` is one learner.

    Attributes
    ----------
    trainer : str
        "module:Class" of what trains with these settings; see `trainer.Trainer`.
    packages : tuple of str
        What has to be installed beyond the core.
    replications : int
        B, chains that play side by side for each copy.
    periods : int
        T, periods that each of them plays between two updates.
    hidden : tuple of int
        Widths of the hidden layers (ReLU) of each actor.
    learning_rate : float
        Step size of Adam; it falls linearly to 0 over the training.
    gradient_clip : float
        Greatest norm of the gradient of one network of one copy.
    observation_clip : float
        Scaled observations lie between minus this and this.
    evaluations : int
        Greedy evaluations over the training, the last at its end.
    evaluation_replications, evaluation_periods : int
        Held-out chains of an evaluation, the same at each, and the most periods they play.
    """

    trainer: ClassVar[str] = ""
    packages: ClassVar[tuple[str, ...]] = ("torch", "ray")

    replications: int = 128
    periods: int = 50
    hidden: tuple[int, ...] = (32, 32)
    learning_rate: float = 2e-3
    gradient_clip: float = 0.5
    observation_clip: float = 4.0
    evaluations: int = 10
    evaluation_replications: int = 128
    evaluation_periods: int = 300

    def __post_init__(self) -> None:
        for item in fields(self):
            if isinstance(getattr(self, item.name), list):
                object.__setattr__(self, item.name, tuple(getattr(self, item.name)))
        self.at_least_one("replications", "periods", "evaluations", "evaluation_replications", "evaluation_periods")
        self.at_least_one("hidden")

    def at_least_one(self, *names: str) -> None:
        """Refuse counts below 1."""
        for name in names:
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if number < 1:
                    raise InputError(f"{name}: {number} is too few; use 1 or more.")

    def one_of(self, name: str, known: Sequence[str]) -> None:
        """Refuse other words."""
        if getattr(self, name) not in known:
            raise InputError(f"{name}: no '{getattr(self, name)}'{nearest(getattr(self, name), known)}")

    def check(self, game: Game, fixed: Mapping[str, Policy]) -> None:
        """Refuse games that this learner cannot play, before anything begins.

        Raises
        ------
        InputError
            With the place and the fix.
        """

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
