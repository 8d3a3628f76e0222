"""Rows one after another in this process, or several at once in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marl_supply.errors import InputError
from marl_supply.study.attempts import Attempts, RowFailed
from marl_supply.study.experiment import Experiment
from marl_supply.study.folder import Folder
from marl_supply.study.progress import Progress
from marl_supply.study.remote import do_rows_on
from marl_supply.study.seats_of import in_order, sources_of
from marl_supply.study.work import work

PAUSE = 0.2
"""Seconds between two looks at the processes."""
PATIENCE = 10.0
"""Seconds that a process has to end when it is asked to."""

Finished = Callable[[str], None]


def do_rows(
    folder: Folder,
    experiment: Experiment,
    rows: Sequence[str],
    progress: Progress,
    done: Finished,
    on: str | None = None,
) -> None:
    """Work on rows, here or on the cluster at `on`; `done` is called with the name of each that is finished.

    Raises
    ------
    InputError, RowFailed
        If a row cannot be done; the others that run are stopped.
    """
    rows = in_order(experiment.compare, rows)
    if on is not None and rows:
        do_rows_on(on, folder, experiment, rows, progress, done)
        return
    if experiment.train.jobs == 1 or len(rows) == 1:
        for name in rows:
            work(folder, experiment, name, lambda share, words, row=name: progress.update(row, share, words))  # type: ignore[misc]
            progress.finish(name)
            done(name)
        return
    _Pool(folder, experiment, progress, done).run(rows)


@dataclass
class _Pool:
    """At most `jobs` processes, one row each; one that was killed is started again, `failures` times."""

    folder: Folder
    experiment: Experiment
    progress: Progress
    done: Finished

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.folder, self.experiment.train.failures, self.progress)

    def run(self, waiting: list[str]) -> None:
        """Work until no row is left."""
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            while waiting or running:
                for name in [name for name in waiting if self._ready(name)]:
                    if len(running) < self.experiment.train.jobs:
                        waiting.remove(name)
                        running[name] = self._start(name)
                time.sleep(PAUSE)
                for name, process in list(running.items()):
                    self._look(name)
                    if process.poll() is not None:
                        del running[name]
                        if process.returncode == -signal.SIGKILL:
                            self.attempts.count(name, "its process was killed")
                            waiting.insert(0, name)
                        else:
                            self._end(name, process.returncode)
        finally:
            _stop(list(running.values()))

    def _ready(self, name: str) -> bool:
        return all(map(self.folder.finished, sources_of(self.experiment.compare[name])))

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        place = self.folder.row(name)
        place.mkdir(parents=True, exist_ok=True)
        (place / "progress.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "marl_supply.study.child", str(self.folder.path), name]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.progress.update(name, 0.0, "starting")
        with (place / "log.txt").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **one_thread},
                start_new_session=True,
            )

    def _look(self, name: str) -> None:
        with suppress(OSError, ValueError):
            seen = json.loads((self.folder.row(name) / "progress.json").read_text(encoding="utf-8"))
            self.progress.update(name, float(seen["share"]), str(seen["words"]))
        self.progress.draw()

    def _end(self, name: str, code: int) -> None:
        place = self.folder.row(name)
        if code == 0 and self.folder.finished(name):
            for scrap in ("progress.json", "log.txt"):
                (place / scrap).unlink(missing_ok=True)
            self.progress.finish(name)
            self.done(name)
            return
        last = _last_line(place / "log.txt")
        if code == 2 and last:
            raise InputError(last)
        said = f"{last or 'no message'} (all of it: {place}/log.txt)"
        raise RowFailed(f"{name}: its process ended with status {code}: {said}")


def _stop(processes: Sequence[Any]) -> None:
    """Ask processes to end, and end those that do not."""
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            if process.poll() is None:
                with suppress(OSError):
                    os.killpg(process.pid, sent)
        until = time.monotonic() + PATIENCE
        while any(process.poll() is None for process in processes) and time.monotonic() < until:
            time.sleep(0.05)


def _last_line(log: Path) -> str:
    try:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return lines[-1] if lines else ""
