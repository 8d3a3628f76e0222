"""What every trained policy can do besides play: say what it is, as arrays and as JSON."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.seat import Seat
from marl_supply.game.table import Table
from marl_supply.plugins import snake_case


class TrainedPolicy(Policy):
    """A policy that learning has found; a subclass in this room is one kind of actor.

    Attributes
    ----------
    agent : str
        Whose seat it was trained in.
    training : dict
        Learner, its settings, seed and steps, for the record.
    """

    agent: str
    training: dict[str, Any]

    @classmethod
    def kind(cls) -> str:
        """The name it is found by."""
        return snake_case(cls.__name__)

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its numbers by name."""

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """The rest of it, JSON-able."""

    @classmethod
    @abstractmethod
    def restore(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` and `description` describe."""


class DescribedPolicy(TrainedPolicy):
    """One that is made of its description and arrays alone.

    Parameters
    ----------
    description
        JSON-able: agent, training, and what the kind needs.
    arrays
        Numbers by name.
    """

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._description, self._arrays = dict(description), dict(arrays)
        self.agent, self.training = str(description["agent"]), dict(description["training"])

    @classmethod
    def restore(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The policy that `description` and `arrays` came from."""
        return cls(description, arrays)

    def description(self) -> dict[str, Any]:
        """What it was made for, JSON-able."""
        return self._description

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its numbers."""
        return self._arrays


def fields_of(game: Game, agent: str) -> tuple[str, ...]:
    """(k,) the field of each number that an agent sees."""
    return tuple(entry.field for entry in game.layouts[agent])


def check_seat(agent: str, fields: tuple[str, ...], observe: str, seat: Seat) -> None:
    """Refuse a seat that does not see the numbers a policy was trained on.

    Raises
    ------
    InputError
        With the first field of which it sees fewer or more numbers.
    """
    seen = tuple(entry.field for entry in Table(seat.network).seen(seat, observe)[0])
    for field in dict.fromkeys((*fields, *seen)):
        own, theirs = fields.count(field), seen.count(field)
        if own != theirs:
            raise InputError(
                f"the policy of '{agent}' was trained on {own} numbers of {field}, and '{seat.agent}' sees {theirs}; "
                "train one for this seat."
            )
