"""A model file: the tasks that are recorded, and how one model is pretrained on all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from marl_supply.errors import InputError, nearest
from marl_supply.study.load import MODEL_KEYS, Source, read_source, topology_named
from marl_supply.topology import shipped
from marl_supply.topology.file import Section
from marl_supply.topology.keys import Count, Name, Periods, key
from marl_supply.topology.load import GENERATED, unsized
from marl_supply.topology.overrides import parse
from marl_supply.topology.validate import keys_of, mapping, validate

if TYPE_CHECKING:
    from marl_supply.learning.foundation.settings import Settings

PATHS = ("set", "vary")
"""The keys of a task under which paths of a topology file stand, dots and all."""
OF_THE_MACHINE = ("device",)
"""Settings of a pretraining that say where it runs and not what it computes."""


class RecordedTask(Section):
    """A task: a family of instances, and the policies whose play is recorded on each of them on common seeds."""

    topology: str | dict[str, Any] = key(..., "", "a shipped name, or the path of a topology file")
    set: dict[str, Any] = key({}, "", "`{PATH: VALUE}`: what all instances have instead, as in `--set`")
    vary: dict[str, str | tuple[Any, ...]] = key(
        {}, "", "`{PATH: [VALUE, ...]}` or `{PATH: LOW..HIGH}`: drawn for each"
    )
    cases: tuple[dict[str, Any], ...] = key((), "", "`[{PATH: VALUE, ...}, ...]`: paths that move together, one drawn")
    instances: Count = key(1, "", "how many are drawn")
    seed: Periods = key(0, "", "of what is drawn")
    episodes: Count = key(..., "", "of each policy on each instance")
    first_episode_seed: Periods = key(1_000_000, "", "of the first episode; far from the seeds that rows are scored on")
    exploring_starts: Periods = key(
        0, "", "episodes begin with up to so many periods of random actions, the same for all policies, not learned"
    )
    jobs: Count = key(1, "", "instances recorded at once, each in a process; it changes no number")
    policies: tuple[str, ...] = Field(
        min_length=1, description="as `--policy` of `marl-supply dataset`; the first is the baseline of returns"
    )

    @field_validator("vary")
    @classmethod
    def _several(cls, vary: dict[str, Any]) -> dict[str, Any]:
        for path, values in vary.items():
            if isinstance(values, str) and ".." not in values:
                raise ValueError(f"{path}: '{values}' is no range; write [VALUE, ...] or LOW..HIGH")
            if not values:
                raise ValueError(f"{path}: an empty list leaves nothing to draw; give values, or leave it out")
        return vary

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state, all of them."""
        return self.model_dump(mode="json")

    @property
    def sized(self) -> bool:
        """Whether parameters of the generator that its file begins with are drawn, so that chains differ in size."""
        return any(path.startswith(GENERATED) for own in (self.vary, *self.cases) for path in own)

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of what is recorded."""
        return _digits({name: value for name, value in self.to_dict().items() if name != "jobs"})

    @property
    def ranges(self) -> list[str]:
        """What is drawn, as `Range.parse` takes it."""
        return [f"{path}={v if isinstance(v, str) else json.dumps(v)}" for path, v in self.vary.items()]


@dataclass(frozen=True)
class ModelFile:
    """A resolved model file: topologies by value, every setting stated.

    Attributes
    ----------
    record : dict of str to RecordedTask
        By name of the task, in the order of the file.
    pretrain : dict
        Settings of `marl_supply.learning.foundation.settings.Pretraining`.
    """

    name: str
    record: dict[str, RecordedTask]
    pretrain: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The resolved file, JSON-able; `load` reads it back, and it has the same hash."""
        record = {name: task.to_dict() for name, task in self.record.items()}
        return {"name": self.name, "record": record, "pretrain": self.pretrain}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of what the model depends on: not its name, nor the device."""
        pretrain = {name: value for name, value in self.pretrain.items() if name not in OF_THE_MACHINE}
        return _digits([[[name, task.hash] for name, task in self.record.items()], pretrain])

    def dataset(self, task: str) -> str:
        """The folder of a task's dataset, under the folder of all datasets."""
        return f"{task}-{self.record[task].hash}"

    def pretrained(self, changes: Mapping[str, Any], path: str) -> ModelFile:
        """The same with some settings of its pretraining changed; `path` begins errors."""
        return replace(self, pretrain=_settings({**self.pretrain, **changes}, path)) if changes else self


def load(source: Source, overrides: Sequence[str] = (), beside: Path = Path()) -> ModelFile | None:
    """The model of a file; None for the file of an experiment.

    Parameters
    ----------
    source : str, Path or mapping
        The name of a shipped file, the path of a YAML (or JSON) file, or the keys of a file.
    overrides : sequence of str
        ``"pretrain.tokens=1e6"``, ``"record.lost_sales.instances=4"``, ``"record.lost_sales.set.game.horizon=50"``.
    beside : Path
        Where a relative path is looked for first.

    Raises
    ------
    InputError
        For the first thing that is wrong: place, what is wrong, nearest name.
    """
    keys, place, folder = read_source(source, beside)
    if not {"record", "pretrain"} & set(keys):
        return None
    keys = _put_all({"name": place.rpartition(".")[0] or place, **keys}, overrides)
    try:
        return _resolve(keys, folder)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _resolve(keys: Mapping[str, Any], folder: Path) -> ModelFile:
    for name in keys:
        if name not in MODEL_KEYS:
            raise InputError(f"unknown key '{name}'{nearest(name, MODEL_KEYS) or _known(MODEL_KEYS)}")
    tasks = mapping(keys.get("record"), "record")
    if not tasks:
        raise InputError("record: there is nothing to learn from; give at least one task")
    name = validate(_Named, {"name": keys["name"]}, "").name
    record = {name: _task(name, stated, folder) for name, stated in tasks.items()}
    return ModelFile(name, record, _settings(mapping(keys.get("pretrain"), "pretrain"), "pretrain"))


class _Named(Section):
    """A name that becomes a folder's."""

    name: Name


def _task(name: str, stated: Any, folder: Path) -> RecordedTask:
    from marl_supply.study.recorded import check_task

    path = f"record.{name}"
    if ":" in validate(_Named, {"name": name}, "record").name:
        raise InputError(f"record: '{name}' becomes a folder; leave ':' out of it")
    task = validate(RecordedTask, mapping(stated, path), path)
    try:
        if task.sized:
            source = task.topology if isinstance(task.topology, dict) else shipped.find(task.topology, folder)
            own = {"topology": unsized(source)}
        else:
            own = {"topology": topology_named(task.topology, folder, task.set).to_dict(), "set": {}}
        resolved = task.model_copy(update=own)
        check_task(resolved)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return resolved


def _settings(stated: Mapping[str, Any], path: str) -> dict[str, Any]:
    from marl_supply.learning.foundation.settings import Pretraining

    return _all(Pretraining(), stated, path)


def fine_tuning(stated: Mapping[str, Any], path: str) -> dict[str, Any]:
    """All settings of a further training, those stated and the defaults; `path` begins errors.

    Raises
    ------
    InputError
        For a setting that does not exist or makes no sense.
    """
    from marl_supply.learning.foundation.settings import FineTuning

    return _all(FineTuning(), stated, path)


def _all(plain: Settings, stated: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Settings with some changed, JSON-able; whole numbers may be written as 1e6."""
    counts = {name for name, value in plain.to_dict().items() if type(value) is int}
    read = {name: int(v) if name in counts and _whole(v) else v for name, v in stated.items()}
    try:
        return dict(json.loads(json.dumps(plain.changed(read).to_dict())))
    except InputError as error:
        raise InputError(f"{path}{str(error).removeprefix(plain.place)}") from None


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _put_all(keys: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    for path, value in parse(overrides):
        parts = path.split(".")
        if parts[0] not in MODEL_KEYS:
            raise InputError(f"--set {path}: unknown key '{parts[0]}'{nearest(parts[0], MODEL_KEYS)}")
        if parts[0] == "record" and len(parts) > 2:
            known = mapping(keys.get("record"), "record")
            if parts[1] not in known:
                raise InputError(f"--set {path}: no task '{parts[1]}'{nearest(parts[1], known) or _known(known)}")
            if parts[2] not in keys_of(RecordedTask):
                hint = nearest(parts[2], keys_of(RecordedTask))
                raise InputError(f"--set {path}: unknown key '{parts[2]}'{hint}")
        if len(parts) == 1 and parts != ["name"]:
            raise InputError(f"--set {path}: set its keys one by one, such as {path}.KEY=VALUE")
        if len(parts) > 3 and parts[2] in PATHS:
            parts = [*parts[:3], ".".join(parts[3:])]
        keys = _put(keys, parts, value, path)
    return keys


def _put(inside: Any, parts: Sequence[str], value: Any, path: str) -> dict[str, Any]:
    """A copy of nested mappings with one value changed."""
    if inside is not None and not isinstance(inside, Mapping):
        raise InputError(f"--set {path}: there is no key '{parts[0]}' there; set the value as a whole")
    first, *rest = parts
    under = dict(inside or {})
    return {**under, first: _put(under.get(first), rest, value, path) if rest else value}


def _known(names: Any) -> str:
    return f"; there are {', '.join(names)}"


def _digits(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
