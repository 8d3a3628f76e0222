"""A thing to look at in a topology that is well formed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Warning:
    """One thing to look at: the place in the file, and a sentence about it."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
