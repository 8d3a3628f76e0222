"""How far a run is, on one line, with an estimate of the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

EVERY = {True: 0.5, False: 15.0}
"""Seconds between two lines, on a terminal and in a log."""


@dataclass
class _Row:
    kind: str
    started: float | None = None
    seconds: float | None = None
    share: float = 0.0
    words: str = ""


@dataclass
class Progress:
    """The state of all rows, drawn on `stream`.

    Parameters
    ----------
    kinds
        For each row that is to be done, "policy" or "learner": rows of a kind are taken to last alike.
    jobs
        Rows worked on at once.
    """

    kinds: dict[str, str]
    jobs: int
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._rows = {name: _Row(kind) for name, kind in self.kinds.items()}
        self._drawn = -float("inf")
        self._width = 0

    def update(self, name: str, share: float, words: str = "") -> None:
        """A row is being worked on."""
        row = self._rows[name]
        row.started = self.clock() if row.started is None else row.started
        row.share, row.words = share, words
        self.draw()

    def finish(self, name: str) -> None:
        """A row is done."""
        row = self._rows[name]
        row.seconds = self.clock() - (self.clock() if row.started is None else row.started)
        row.share = 1.0
        self.say(f"{name}: done in {duration(row.seconds)}")
        self.draw(force=True)

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._clear()
        print(line, file=self.stream, flush=True)

    def draw(self, force: bool = False) -> None:
        """Write where things are, unless that was done a moment ago."""
        terminal = self.stream.isatty()
        if not force and self.clock() - self._drawn < EVERY[terminal]:
            return
        self._drawn = self.clock()
        line = self.line()
        if not line:
            return
        if terminal:
            self._clear()
            self.stream.write(line[:118])
            self._width = len(line[:118])
            self.stream.flush()
        else:
            print(line, file=self.stream, flush=True)

    def line(self) -> str:
        """Where things are; nothing when all is done."""
        running = {n: r for n, r in self._rows.items() if r.started is not None and r.seconds is None}
        done = sum(row.seconds is not None for row in self._rows.values())
        if done == len(self._rows):
            return ""
        now = ", ".join(f"{n} {row.share:.0%}" + (f" ({row.words})" if row.words else "") for n, row in running.items())
        left = self.left()
        guess = "time left not known yet" if left is None else f"about {duration(left)} left"
        return f"{done} of {len(self._rows)} rows done; {guess}" + (f"; {now}" if now else "")

    def left(self) -> float | None:
        """Seconds until all is done, or None as long as a row's kind has shown nothing."""
        remaining: list[float] = []
        for row in self._rows.values():
            if row.seconds is not None:
                continue
            whole = self._whole(row)
            if whole is None:
                return None
            spent = 0.0 if row.started is None else self.clock() - row.started
            remaining.append(max(whole - spent, 0.0))
        return max(sum(remaining) / self.jobs, *remaining, 0.0)

    def _whole(self, row: _Row) -> float | None:
        """Seconds that a row takes: by its own pace, or that of its kind."""
        own = self._paced(row)
        if own is not None:
            return own
        like = [pace for other in self._rows.values() if other.kind == row.kind and (pace := self._paced(other))]
        return sum(like) / len(like) if like else None

    def _paced(self, row: _Row) -> float | None:
        if row.seconds is not None:
            return row.seconds
        if row.started is None or row.share < 0.03:
            return None
        return (self.clock() - row.started) / row.share

    def _clear(self) -> None:
        if self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self._width = 0


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
