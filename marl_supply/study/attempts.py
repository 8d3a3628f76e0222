"""How often a row whose process or node died is begun again, and where it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

from marl_supply.study.folder import Folder
from marl_supply.study.progress import Progress


class RowFailed(RuntimeError):
    """A row's process ended with an error that is not the user's: its name, and where its log is."""


@dataclass
class Attempts:
    """Counts the failures of each row, at most `most`, and says them."""

    folder: Folder
    most: int
    progress: Progress
    failures: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, why: str) -> None:
        """A row was lost; it goes on from its last checkpoint.

        Raises
        ------
        RowFailed
            If that happened too often.
        """
        number = self.failures[name] = self.failures.get(name, 0) + 1
        if number > self.most:
            times = "once" if number == 1 else f"{number} times"
            raise RowFailed(f"{name}: lost {times}, the last because {why} (train.failures: {self.most})")
        step = self.folder.resume_step(name)
        where = f"its checkpoint at step {step:,}" if step else "the start"
        self.progress.say(f"{name}: lost because {why}; goes on from {where} (loss {number} of at most {self.most})")
