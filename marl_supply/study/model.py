"""Make the model of a model file: record what is not recorded, pretrain, export; whatever is there is kept."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from marl_supply.study import provenance
from marl_supply.study.folder import write_json, write_text
from marl_supply.study.model_file import ModelFile
from marl_supply.study.recorded import DATASETS, recorded

MODEL = "model.npz"
RECORDED_SHARE = 0.3
"""Share of the work on a model that is taken to be recording; the rest is pretraining."""

Report = Callable[[float, str], None]
"""Called with the share of the work that is done, and a few words."""


def model_folder(model: ModelFile, results: str | Path = "results") -> Path:
    """Where a model lies: ``<results>/<name>-<hash>`` with model.yaml, model.npz, curve.jsonl and provenance.json."""
    return Path(results) / f"{model.name}-{model.hash}"


def is_made(model: ModelFile, results: str | Path = "results") -> bool:
    """Whether it is pretrained."""
    return (model_folder(model, results) / MODEL).is_file()


def make_model(
    model: ModelFile,
    results: str | Path = "results",
    report: Report = lambda share, words: None,
    *,
    fresh: bool = False,
    command: Sequence[str] = (),
) -> Path:
    """Record, pretrain and export what is not there yet, and return the path of ``model.npz``.

    One process at a time makes a model, and one at a time records: others wait and take what they find.

    Parameters
    ----------
    results
        Folder of all results; the datasets, which several models may share, are in ``datasets`` in it.
    fresh : bool
        Delete the model and its datasets first.
    command
        For the record.

    Raises
    ------
    InputError
        If a task cannot be recorded, a dataset is damaged, or the model cannot be pretrained.
    """
    results, folder = Path(results), model_folder(model, results)
    with _alone(folder / ".lock", report):
        if fresh:
            _delete(model, results)
        if not is_made(model, results):
            write_text(folder / "model.yaml", json.dumps(model.to_dict(), indent=1, allow_nan=False) + "\n")
            _make(model, results, report, command)
    return folder / MODEL


def describe_model(model: ModelFile, results: str | Path = "results") -> list[str]:
    """The plan in lines: what is recorded, and how the model is pretrained."""
    folder = model_folder(model, results)
    width = max(map(len, model.record))
    lines = [f"{model.name}: one model of {len(model.record)} task{'s' if len(model.record) > 1 else ''}"]
    for name, task in model.record.items():
        there = (Path(results) / DATASETS / model.dataset(name)).is_dir()
        count = task.instances * task.episodes * len(task.policies)
        counted = f"{count:,} episodes on {task.instances:,} instances by {len(task.policies)} policies"
        lines.append(f"  {name:{width}}  {counted}, {'recorded before' if there else 'to be recorded'}")
    lines.append(f"pretrained with {', '.join(f'{name} {value}' for name, value in model.pretrain.items())}")
    done = "it is there already:" if is_made(model, results) else "would write"
    return [*lines, f"{done} {folder / MODEL}"]


def _make(model: ModelFile, results: Path, report: Report, command: Sequence[str]) -> None:
    from marl_supply.learning.foundation.pretrain import pretrain
    from marl_supply.learning.foundation.settings import Pretraining

    folder, started = model_folder(model, results), time.monotonic()
    datasets = {}
    for number, (name, task) in enumerate(model.record.items()):
        begun = RECORDED_SHARE * number / len(model.record)
        report(begun, f"recording {name}")
        with _alone(results / DATASETS / f".{model.dataset(name)}.lock", report):
            told = _telling(report, begun, name)
            datasets[name] = recorded(task, model.dataset(name), results, told)
    rest = 1 - RECORDED_SHARE
    settings = Pretraining().changed(model.pretrain)
    pretrain(datasets, settings, folder, lambda share, words: report(RECORDED_SHARE + rest * share, words))
    record = {
        "model": model.name,
        "hash": model.hash,
        "datasets": {name: model.dataset(name) for name in model.record},
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "host": provenance.host(),
        "command": list(command),
        "seconds": round(time.monotonic() - started, 1),
        "ended": provenance.now(),
    }
    write_json(folder / "provenance.json", record)


def _telling(report: Report, share: float, name: str) -> Callable[[str], None]:
    return lambda line: report(share, f"recording {name}, {line}")


def _delete(model: ModelFile, results: Path) -> None:
    """Delete all of a model but the lock that is held, and its datasets."""
    for name in model.record:
        shutil.rmtree(results / DATASETS / model.dataset(name), ignore_errors=True)
    for entry in model_folder(model, results).iterdir():
        if entry.name != ".lock":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@contextmanager
def _alone(lock: Path, report: Report) -> Iterator[None]:
    """Wait until no other process is at the same; the hold ends with the process, however that ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            report(0.0, "waiting for another process that does the same")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
