"""The estimate of the time left."""

from __future__ import annotations

import io

from marl_supply.study.progress import Progress, duration


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rows_of_a_kind_are_taken_to_last_alike() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress({"a": "learner", "b": "learner", "c": "learner"}, 1, stream, clock)
    assert progress.left() is None
    progress.update("a", 0.0)
    clock.now = 10.0
    progress.update("a", 0.25)
    assert progress.left() == 30 + 40 + 40
    clock.now = 40.0
    progress.finish("a")
    assert progress.left() == 80
    assert "1 of 3 rows done; about 80 s left" in stream.getvalue()


def test_two_at_once_halve_the_time() -> None:
    clock = Clock()
    progress = Progress(dict.fromkeys("abcd", "learner"), 2, io.StringIO(), clock)
    progress.update("a", 0.0)
    progress.update("b", 0.0)
    clock.now = 10.0
    progress.update("a", 0.5)
    progress.update("b", 0.5)
    assert progress.left() == (10 + 10 + 20 + 20) / 2


def test_durations_are_said_as_people_do() -> None:
    assert [duration(s) for s in (8, 200, 7800)] == ["8 s", "3 min", "2 h 10 min"]
