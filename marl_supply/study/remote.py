"""Rows on a ray cluster: each on some node, its files brought back after every evaluation, begun again if it dies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marl_supply.errors import InputError
from marl_supply.learning.extras import check_installed
from marl_supply.study.attempts import Attempts, RowFailed
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import LearnerRow, ModelRow, SeatsRow, Train
from marl_supply.study.folder import Folder
from marl_supply.study.load import load
from marl_supply.study.model import make_model
from marl_supply.study.model_row import model_of, results_of
from marl_supply.study.players import is_path, policy_file
from marl_supply.study.progress import Progress
from marl_supply.study.seats_of import all_sources
from marl_supply.study.work import work

if TYPE_CHECKING:
    from marl_supply.learning.rllib.cluster import Errand, Files, News
    from marl_supply.learning.rllib.session import Resources

PAUSE = 0.3
"""Seconds between two looks at the cluster."""
WAIT = 60.0
"""Seconds after which rows that wait for a place are named."""
HERE = "work"
"""The part of an errand's folder that comes back: a results folder with one row in it."""
_DOTTED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_STAY = ("tensorboard",)  # a row that is begun again opens new event files

Finished = Callable[[str], None]


def do_rows_on(
    address: str, folder: Folder, experiment: Experiment, rows: Sequence[str], progress: Progress, done: Finished
) -> None:
    """Work on rows on the cluster at `address`; `done` is called with the name of each that is finished.

    Nothing needs to be on the nodes but this package: topology and data travel inside the experiment, plug-in modules
    that it names by dotted path by ray's runtime environment, trained policies as files.

    Raises
    ------
    InputError, RowFailed
        If the cluster cannot be reached, or a row cannot be done; the others are stopped.
    """
    check_installed()
    from marl_supply.learning.rllib.connection import connect, disconnect, plug_in_modules

    connect(address, plug_in_modules(dotted_paths(experiment.to_dict())))
    try:
        _Rows(folder, experiment, progress, done).run(list(rows))
    finally:
        disconnect()


def dotted_paths(value: Any) -> Iterator[str]:
    """All texts ``my_pkg.my_mod:Thing`` in nested mappings and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from dotted_paths(part)
    elif isinstance(value, str) and _DOTTED.fullmatch(value):
        yield value


def do_row(document: dict[str, Any], name: str, report: Callable[[float, str], None]) -> None:
    """What a node does: the row of a resolved experiment, in the folder it finds itself in."""
    work(Folder(Path(HERE)), load(document), name, report)


@dataclass
class _Rows:
    """All rows at once, but for those that wait for others; the cluster gives each a place when it has one."""

    folder: Folder
    experiment: Experiment
    progress: Progress
    done: Finished

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.folder, self.experiment.train.failures, self.progress)

    def run(self, names: list[str]) -> None:
        """Work until no row is left."""
        errands: dict[str, Errand] = {}
        begun, told, waiting = time.monotonic(), False, list(names)
        try:
            while waiting or errands:
                for name in [name for name in waiting if self._ready(name)]:
                    waiting.remove(name)
                    errands[name] = self._start(name)
                time.sleep(PAUSE)
                for name, errand in list(errands.items()):
                    self._look(name, errand, errands)
                if time.monotonic() - begun > WAIT and not told and errands:
                    told = True
                    self._tell_who_waits(errands)
                self.progress.draw()
        finally:
            for errand in errands.values():
                errand.stop()

    def _tell_who_waits(self, errands: dict[str, Errand]) -> None:
        """Say which rows have found no place yet, and what they ask for."""
        for name in [name for name, errand in errands.items() if not errand.begun]:
            asked = resources(self.experiment.train, self.experiment.compare[name])
            gpus = f" and {asked.gpus:g} accelerators" if asked.gpus else ""
            runners = f", and one for each of {asked.runners} runners" if asked.runners else ""
            self.progress.say(f"{name}: waits for a node with {asked.cpus:g} free processors{gpus}{runners}")

    def _start(self, name: str) -> Errand:
        from marl_supply.learning.rllib.cluster import Errand

        row = self.experiment.compare[name]
        task = partial(do_row, self.experiment.to_dict(), name)
        files = {**_policy_files(name, row), **self._models(name), **self._of_sources(name), **self._kept(name)}
        return Errand(task, files, HERE, resources(self.experiment.train, row))

    def _ready(self, name: str) -> bool:
        return all(map(self.folder.finished, all_sources(self.experiment.compare, name)))

    def _models(self, name: str) -> Files:
        """The pretrained models that a row and its sources play, made here unless they are there."""
        files: Files = {}
        for each in (name, *all_sources(self.experiment.compare, name)):
            row = self.experiment.compare[each]
            model = model_of(row) if isinstance(row, ModelRow) else None
            if model is not None:
                told = partial(self.progress.update, name)
                path = make_model(model, results_of(self.folder), told)
                files[(Path(HERE).parent.parent / path.parent.name / path.name).as_posix()] = path.read_bytes()
        return files

    def _of_sources(self, name: str) -> Files:
        """The records and the trained policies of the rows whose policies a row plays."""
        files: Files = {}
        for source in all_sources(self.experiment.compare, name):
            place = self.folder.row(source)
            for path in (place / "row.json", *(place / "training").glob("*.npz")):
                files[f"{HERE}/{path.relative_to(self.folder.path).as_posix()}"] = path.read_bytes()
        return files

    def _kept(self, name: str) -> Files:
        """What an earlier attempt left of a row."""
        place = self.folder.row(name)
        paths = [path for path in place.rglob("*") if path.is_file() and not path.name.endswith(".partial")]
        inside = {path.relative_to(self.folder.path): path for path in paths}
        return {f"{HERE}/{p.as_posix()}": path.read_bytes() for p, path in inside.items() if not {*p.parts} & {*_STAY}}

    def _look(self, name: str, errand: Errand, errands: dict[str, Errand]) -> None:
        from marl_supply.learning.rllib.cluster import Failed, Lost

        try:
            over = errand.ended()
            for news in errand.rest() if over else filter(None, [errand.news()]):
                self._take(name, news)
            if over and not self.folder.finished(name):
                raise Lost("its last files did not come")
        except Lost as error:
            errand.stop()
            self.attempts.count(name, str(error))
            errands[name] = self._start(name)
            return
        except Failed as error:
            text = str(error).strip()
            self.folder.row(name).mkdir(parents=True, exist_ok=True)
            log = self.folder.row(name) / "log.txt"
            log.write_text(text + "\n", encoding="utf-8")
            raise RowFailed(f"{name}: {text.splitlines()[-1]} (all of it: {log})") from None
        if over:
            errands.pop(name).stop()
            self.progress.finish(name)
            self.done(name)

    def _take(self, name: str, news: News) -> None:
        """Write what came back; the record of a finished row, which makes it finished, last."""
        from marl_supply.learning.rllib.cluster import write_files

        files = {path.removeprefix(f"{HERE}/"): content for path, content in news.files.items()}
        write_files(self.folder.path, dict(sorted(files.items(), key=lambda item: item[0].endswith("/row.json"))))
        if news.words:
            self.progress.update(name, news.share, news.words)


def resources(train: Train, row: Row) -> Resources:
    """What a row asks of the cluster: a rule needs a processor, a training what `train.resources` says."""
    from marl_supply.learning.rllib.session import Resources

    if not isinstance(row, LearnerRow):
        return Resources()
    return Resources(train.resources.cpus, train.resources.gpus, train.env_runners)


def _policy_files(name: str, row: Row) -> Files:
    """Files of trained policies that a row plays, under the names by which it calls them.

    Raises
    ------
    InputError
        If a name makes no sense on another machine.
    """
    if isinstance(row, SeatsRow):
        return {}
    named = row.model if isinstance(row, ModelRow) else None if isinstance(row, LearnerRow) else row.policy
    policy = [named] if isinstance(named, str) else []
    files: Files = {}
    for path in [Path(text) for text in [*policy, *row.seats.values()] if is_path(text)]:
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"compare.{name}: {path}: on a cluster a trained policy's file lies under the folder that the command "
                "runs in and is named from there"
            )
        file = policy_file(path)
        files[file.as_posix()] = file.read_bytes()
    return files
