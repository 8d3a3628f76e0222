"""What a logger does, and how it is found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from marl_supply.errors import InputError
from marl_supply.plugins import find

Figures = Mapping[str, float]
Watch = Callable[[int, Figures], None]
"""Called with the environment steps of each copy and what was measured there."""


@dataclass(frozen=True)
class Run:
    """What is logged: the folder of the training's results, its names, and its settings (JSON-able)."""

    folder: Path
    experiment: str
    row: str
    settings: Mapping[str, Any]


class Logger(ABC):
    """Told of costs, losses and speed after every evaluation; opened when the first of them comes.

    Attributes
    ----------
    package : str
        What it imports.
    """

    package: ClassVar[str] = ""

    @abstractmethod
    def __init__(self, run: Run, first_step: int) -> None:
        """Open it; a training that was resumed goes on at `first_step`, and what stands later is void."""

    @abstractmethod
    def write(self, step: int, figures: Figures) -> None:
        """Log some figures."""

    @abstractmethod
    def close(self) -> None:
        """Write what is not written yet."""


def check_loggers(names: Sequence[str]) -> None:
    """Refuse loggers that do not exist or whose package is missing.

    Raises
    ------
    InputError
        With the command that installs it.
    """
    for name in names:
        logger = _found(name)
        if find_spec(logger.package) is None:
            raise InputError(
                f"train.loggers: {name} needs {logger.package}, which is not installed; run pip install "
                f"{logger.package}, or leave it out"
            )


class Loggers:
    """Several loggers as one `Watch`."""

    def __init__(self, names: Sequence[str], run: Run) -> None:
        check_loggers(names)
        self.names, self.run = tuple(names), run
        self._open: list[Logger] = []

    def __call__(self, step: int, figures: Figures) -> None:
        """Tell all of them."""
        if not self._open:
            self._open = [_found(name)(self.run, step) for name in self.names]
        for logger in self._open:
            logger.write(step, figures)

    def close(self) -> None:
        """Close those that were opened."""
        for logger in self._open:
            logger.close()


def _found(name: str) -> type[Logger]:
    return find("marl_supply.learning.loggers", Logger, name)
