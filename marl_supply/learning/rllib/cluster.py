"""A ray cluster as a place to work: run a function on some node, and bring back the files that it changes."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from marl_supply import __version__
from marl_supply.errors import InputError
from marl_supply.learning.rllib.connection import first_line
from marl_supply.learning.rllib.session import Resources

REST = 120.0
"""Seconds that the last files of an errand have to come."""
NOT_SENT = (".partial", ".lock")

Files = dict[str, bytes]
"""Contents by path, relative to the folder of an errand."""
Report = Callable[[float, str], None]
Work = Callable[[Report], None]
"""What an errand does, in a folder that is its working directory; InputError is told as a sentence."""


class Lost(RuntimeError):
    """The process of an errand, or its node, is gone."""


class Failed(RuntimeError):
    """An errand ended with an error that is not the user's: what was raised, with its traceback."""


@dataclass
class News:
    """What happened since the last time: how far it is, and the files that changed."""

    share: float = 0.0
    words: str = ""
    files: Files = field(default_factory=dict)


class Errand:
    """A function at work on some node of the cluster, seen from here.

    Parameters
    ----------
    work
        What is done; it travels by reference, so this package must be installed on the nodes.
    files
        What lies in its folder at the start.
    kept
        The part of the folder whose changed files come back.
    resources
        Of its process and of its runners.

    Attributes
    ----------
    begun : bool
        Whether the cluster has found a place for it.
    """

    def __init__(self, work: Work, files: Files, kept: str, resources: Resources) -> None:
        self.begun = False
        self._group = _reserve(resources)
        options: dict[str, Any] = {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_concurrency": 2}
        if self._group is not None:
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                self._group, placement_group_bundle_index=0, placement_group_capture_child_tasks=True
            )
        self._actor: Any = ray.remote(_Worker).options(**options).remote()
        self._end = self._actor.run.remote(work, files, kept, __version__)
        self._asked: Any = None

    def rest(self) -> list[News]:
        """What was not fetched yet of an errand that is over.

        Raises
        ------
        Lost
            If its process or node is gone.
        """
        before = [] if self._asked is None else [self.news(REST)]
        return [news for news in [*before, self.news(REST)] if news is not None]

    def news(self, patience: float = 0.0) -> News | None:
        """What happened; None if it has not answered within some seconds.

        Raises
        ------
        Lost
            If its process or node is gone.
        """
        self._asked = self._actor.news.remote() if self._asked is None else self._asked
        try:
            told: News = ray.get(self._asked, timeout=patience)
        except GetTimeoutError:
            return None
        except RayActorError as error:
            raise Lost(_why(error)) from None
        self._asked, self.begun = None, True
        return told

    def ended(self) -> bool:
        """Whether it is over.

        Raises
        ------
        InputError, Failed, Lost
            If it did not end well.
        """
        if not ray.wait([self._end], timeout=0)[0]:
            return False
        try:
            kind, text = ray.get(self._end)
        except RayActorError as error:
            raise Lost(_why(error)) from None
        except RayError as error:
            raise Failed(str(error)) from None
        if kind == "input":
            raise InputError(text)
        if kind == "error":
            raise Failed(text)
        return True

    def stop(self) -> None:
        """End its process and give its place back."""
        with suppress(RayError, ValueError):
            ray.kill(self._actor)
        if self._group is not None:
            with suppress(RayError, ValueError):
                remove_placement_group(self._group)


def _reserve(resources: Resources) -> Any:
    """Places for a process and its runners, held together; None where there are no runners."""
    if not resources.runners:
        return None
    first = {"CPU": resources.cpus, **({"GPU": resources.gpus} if resources.gpus else {})}
    return placement_group([first, *({"CPU": 1} for _ in range(resources.runners))], strategy="PACK")


class _Worker:
    """The process of an errand: one thread works, another answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = News()
        self._seen: dict[str, tuple[int, int]] = {}

    def run(self, work: Work, files: Mapping[str, bytes], kept: str, version: str) -> tuple[str, str]:
        """Do the work; how it ended, and the sentence or traceback if not well."""
        if version != __version__:
            return "input", f"--on: the nodes have marl_supply {__version__}, and this is {version}; install the same"
        with tempfile.TemporaryDirectory(prefix="marl_supply_") as place:
            write_files(Path(place), files)
            os.chdir(place)
            self._changed(Path(kept))
            try:
                work(lambda share, words: self._tell(share, words, Path(kept)))
                ending = "done", ""
            except InputError as error:
                ending = "input", str(error)
            except Exception:  # whatever it is, it is told where the run was started
                import traceback

                ending = "error", traceback.format_exc()
            self._tell(self._news.share, self._news.words, Path(kept))
            os.chdir("/")
        return ending

    def _tell(self, share: float, words: str, kept: Path) -> None:
        """Called between two steps of the work, when its files are whole."""
        changed = self._changed(kept)
        with self._lock:
            self._news = News(share, words, self._news.files | changed)

    def _changed(self, kept: Path) -> Files:
        """Files that are new or different since the last call."""
        found: Files = {}
        for path in sorted(kept.rglob("*")):
            if not path.is_file() or path.name.endswith(NOT_SENT):
                continue
            stat = path.stat()
            if self._seen.get(str(path)) != (stat.st_mtime_ns, stat.st_size):
                self._seen[str(path)] = stat.st_mtime_ns, stat.st_size
                found[path.as_posix()] = path.read_bytes()
        return found

    def news(self) -> News:
        """What has not been told yet."""
        with self._lock:
            told, self._news = self._news, News(self._news.share, self._news.words)
        return told


def write_files(place: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(content)
        partial.replace(path)


def _why(error: RayActorError) -> str:
    """Why an actor is gone, in a line; what no further attempt would change is the user's to put right.

    Raises
    ------
    InputError
        If its node cannot import what it needs.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    missing = [line for line in lines if "No module named" in line]
    if missing:
        raise InputError(f"--on: a node cannot import a package ({missing[-1]}); install marl-supply on every node")
    return next((line for line in lines if line.startswith("The actor")), first_line(error))
