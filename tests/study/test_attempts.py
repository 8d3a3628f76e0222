"""Rows whose process was killed are begun again, as often as the file allows."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marl_supply.study import jobs
from marl_supply.study.attempts import Attempts, RowFailed
from marl_supply.study.experiment import Experiment
from marl_supply.study.folder import Folder
from marl_supply.study.progress import Progress
from marl_supply.study.run import run

RULES = {"base_stock": {"policy": "base_stock"}, "people": {"policy": "sterman"}}


def test_losses_are_said_and_counted(tmp_path: Path) -> None:
    log = io.StringIO()
    attempts = Attempts(Folder(tmp_path), 2, Progress({"team": "learner"}, 1, stream=log))
    attempts.count("team", "its node is gone")
    training = tmp_path / "rows" / "team" / "training"
    training.mkdir(parents=True)
    (training / "checkpoint.pt").write_text("")
    (training / "curve.jsonl").write_text('{"env_steps": 0}\n{"env_steps": 6400}\n')
    attempts.count("team", "its node is gone")
    assert log.getvalue().splitlines() == [
        "team: lost because its node is gone; goes on from the start (loss 1 of at most 2)",
        "team: lost because its node is gone; goes on from its checkpoint at step 6,400 (loss 2 of at most 2)",
    ]
    with pytest.raises(RowFailed, match=r"team: lost 3 times, the last because its node is gone"):
        attempts.count("team", "its node is gone")


@pytest.mark.parametrize("failures", (0, 1))
def test_a_killed_process_is_started_again(
    failures: int, make: Callable[..., Experiment], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    real = subprocess.Popen

    def killed_at_first(command: list[str], **options: Any) -> Any:
        if started.count(command[-1]) == 0 and command[-1] == "people":
            command = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", command[-1]]
        started.append(command[-1])
        return real(command, **options)

    monkeypatch.setattr(jobs.subprocess, "Popen", killed_at_first)
    experiment = make("train.jobs=2", f"train.failures={failures}", compare=RULES)
    if failures:
        folder = run(experiment, results)
        assert folder.finished("people") and started.count("people") == 2 and started.count("base_stock") == 1
    else:
        with pytest.raises(RowFailed, match="people: lost once, the last because its process was killed"):
            run(experiment, results)
