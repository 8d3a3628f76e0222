"""Load an experiment: a shipped name or a file becomes an `Experiment`, checked key by key before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marl_supply.errors import InputError, nearest
from marl_supply.plugins import find
from marl_supply.study.analysis import HOME as ANALYSES
from marl_supply.study.analysis import Analysis
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import KEYS, Evaluate, LearnerRow, ModelRow, PolicyRow, Report, SeatsRow, Train
from marl_supply.study.players import is_path
from marl_supply.study.seats_of import check_sources
from marl_supply.study.settings import resolved, settings_of
from marl_supply.topology import load as load_topology
from marl_supply.topology import shipped, strict_yaml
from marl_supply.topology.file import GameDefaults, Section, Topology
from marl_supply.topology.keys import Name
from marl_supply.topology.overrides import parse
from marl_supply.topology.validate import keys_of, mapping, shown, validate

if TYPE_CHECKING:
    from marl_supply.study.model_file import ModelFile

Source = str | Path | Mapping[str, Any]
MODEL_KEYS = ("name", "record", "pretrain")
"""The keys of a model file, which lies beside experiments (see `model_file`)."""
_WHOLE = ("name", "topology", "report")
_OF_CHAIN = ("extends", "nodes", "edges", "markets", "timing", "units", "game", "contract", "policies", "defaults")


class _Named(Section):
    """A name that becomes a folder's."""

    name: Name


def load(source: Source, overrides: Sequence[str] = ()) -> Experiment:
    """Return the resolved experiment of a file.

    Parameters
    ----------
    source : str, Path or mapping
        The name of a shipped experiment, the path of a YAML (or JSON) file, or the keys of a file.
    overrides : sequence of str
        ``"train.env_steps=1000"``, ``"compare.team.reward=shared"``, ``"evaluate.seed=8"``, and the paths of
        topology files: ``"nodes.store.holding_cost=2"``, ``"game.horizon=50"``.

    Raises
    ------
    InputError
        For the first thing that is wrong: place, what is wrong, nearest name.
    """
    document = opened(source, overrides)
    with document.named():
        if "sweep" in document.keys:
            raise InputError("sweep: this file is a search, not one experiment; marl_supply.study.sweep.load reads it")
        if "vary" in document.keys:
            raise InputError("vary: this file is a series, not one experiment; marl_supply.study.vary.load reads it")
        return document.experiment()


@dataclass(frozen=True)
class Document:
    """An experiment file as it was read: its keys, where it lies, and what `--set` changes of the chain."""

    keys: dict[str, Any]
    place: str
    folder: Path
    of_chain: dict[str, Any]

    def experiment(self, **changes: Any) -> Experiment:
        """The resolved experiment, with some of its keys changed."""
        kept = {key: value for key, value in self.keys.items() if key not in ("sweep", "vary")}
        return _resolve({**kept, **changes}, self.folder, self.of_chain)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Put the name of the file before the errors of the user's input."""
        try:
            yield
        except InputError as error:
            known = str(error).startswith("--set ")
            raise InputError(str(error) if known else f"{self.place}: {error}") from None


def opened(source: Source, overrides: Sequence[str] = ()) -> Document:
    """Read a file and put the overrides over it; nothing else is checked but that its keys are known."""
    keys, place, folder = read_source(source)
    if {"record", "pretrain"} & set(keys):
        raise InputError(f"{place}: this file is a model, no experiment; marl_supply.study.model_file.load reads it")
    keys, of_chain = _apply(keys, overrides)
    document = Document({"name": place.rpartition(".")[0] or place, **keys}, place, folder, of_chain)
    with document.named():
        for name in document.keys:
            if name not in KEYS:
                hint = nearest(name, KEYS) or f"; the keys are {', '.join(KEYS)}"
                raise InputError(f"unknown key '{name}'{hint}")
    return document


def learners_of(keys: Mapping[str, Any]) -> list[str]:
    """The learners that the rows of a file name."""
    rows = mapping(keys.get("compare"), "compare").values()
    return [str(row["learner"]) for row in rows if isinstance(row, Mapping) and "learner" in row]


def names() -> list[str]:
    """Return the names of the shipped experiments, in alphabetical order."""
    return sorted(path.stem for path in shipped_folder().glob("*.yaml"))


def source_of(name: str) -> str:
    """Return what a shipped experiment compares on which topology, or a model learns from; the rest is not checked."""
    document = strict_yaml.read(shipped_folder() / f"{name}.yaml")
    if "record" in document:
        return f"a model of {', '.join(document['record'])}"
    return f"{document.get('topology')}: {', '.join(document.get('compare') or {})}"


def shipped_folder() -> Path:
    """Return their folder: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "experiments"
    return inside if inside.is_dir() else package.parent / "experiments"


def read_source(source: Source, beside: Path = Path()) -> tuple[dict[str, Any], str, Path]:
    """The keys of a file, the name that begins errors, and the folder that its paths start from.

    Parameters
    ----------
    beside : Path
        Where a relative path is looked for first.

    Raises
    ------
    InputError
        If there is no such file, or it is no mapping.
    """
    if isinstance(source, Mapping):
        return dict(source), str(source.get("name", "experiment")), Path()
    path = Path(source)
    if path.suffix not in (".yaml", ".yml", ".json"):
        if str(source) not in names():
            hint = nearest(str(source), names()) or f"; there are {', '.join(names())}"
            raise InputError(f"no experiment '{source}'{hint}; the name of your own file ends in .yaml")
        path = shipped_folder() / f"{source}.yaml"
    elif (beside / path).is_file():
        path = beside / path
    if not path.is_file():
        raise InputError(f"{source}: no such file; give the path of an experiment file, or a shipped name")
    return strict_yaml.read(path), path.name, path.resolve().parent


def _apply(document: dict[str, Any], overrides: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The file with its own values changed, and the changes that are for the chain."""
    of_chain: dict[str, Any] = {}
    known = [*KEYS, *_OF_CHAIN]
    for path, value in parse(overrides):
        first, *rest = path.split(".")
        if first not in known:
            hint = nearest(first, known) or f"; a path begins with one of {', '.join(known)}"
            raise InputError(f"--set {path}: unknown key '{first}'{hint}")
        if not rest and first not in _WHOLE:
            raise InputError(f"--set {path}: set its keys one by one, such as {path}.KEY=VALUE")
        if first in _OF_CHAIN:
            of_chain[path] = value
        else:
            if first == "compare" and len(rest) > 2 and rest[1] == "trained_on":
                rest = [*rest[:2], ".".join(rest[2:])]
            document = _put(document, [first, *rest], value, path)
    return document, of_chain


def _put(inside: Any, parts: list[str], value: Any, path: str) -> dict[str, Any]:
    """A copy of nested mappings with one value changed."""
    if inside is not None and not isinstance(inside, Mapping):
        raise InputError(f"--set {path}: there are no keys in {shown(inside)}; set it as a whole")
    first, *rest = parts
    under = dict(inside or {})
    if path == f"compare.{'.'.join(parts)}" and first not in under:
        raise InputError(f"--set {path}: no row '{first}'{nearest(first, under)}")
    return {**under, first: _put(under.get(first), rest, value, path) if rest else value}


def _resolve(document: dict[str, Any], folder: Path, of_chain: Mapping[str, Any]) -> Experiment:
    name = validate(_Named, {"name": document["name"]}, "").name
    topology = _topology(document, folder, of_chain)
    rows = mapping(document.get("compare"), "compare")
    train, settings = _train(mapping(document.get("train"), "train"), settings_of(learners_of(document)))
    if not rows:
        raise InputError("compare: there is nothing to compare; give at least one row")
    models = _Models(folder)
    compare = {row: _row(row, stated, train, settings, models) for row, stated in rows.items()}
    check_sources(compare)
    analyse = mapping(document.get("analyse"), "analyse")
    report = document.get("report")
    stated = {"show": report} if isinstance(report, list) else mapping(report, "report")
    experiment = Experiment(
        name=name,
        topology=topology,
        compare=compare,
        train=train,
        evaluate=validate(Evaluate, mapping(document.get("evaluate"), "evaluate"), "evaluate"),
        analyse={name: _analysis(name, own) for name, own in analyse.items()},
        report=validate(Report, stated, "report"),
    )
    named = {"baseline": experiment.report.baseline, "inventory": experiment.report.inventory}
    named |= {f"groups.{group}": rows for group, rows in experiment.report.groups.items()}
    places = [(place, row) for place, rows in named.items() for row in rows]
    for number, claim in enumerate(experiment.report.claims):
        places += [(f"claims[{number}].{where}", row) for where, row in [("row", claim.row), *claim.others]]
    for place, row in places:
        if row not in compare:
            hint = nearest(row, compare) or f"; the rows are {', '.join(compare)}"
            raise InputError(f"report.{place}: no row '{row}'{hint}")
    return experiment


def _topology(document: Mapping[str, Any], folder: Path, of_chain: Mapping[str, Any]) -> Topology:
    source = document.get("topology")
    if source is None:
        raise InputError("no 'topology'; name a shipped one or the path of a topology file")
    game = mapping(document.get("game"), "game")
    for key in game:
        if key not in keys_of(GameDefaults):
            hint = nearest(key, keys_of(GameDefaults)) or f"; the keys are {', '.join(keys_of(GameDefaults))}"
            raise InputError(f"game: unknown key '{key}'{hint}")
    return topology_named(source, folder, {**{f"game.{key}": value for key, value in game.items()}, **of_chain})


def topology_named(source: Any, folder: Path, changes: Mapping[str, Any]) -> Topology:
    """The topology that a file names, or has by value, with values changed; paths start from the file's folder."""
    if isinstance(source, str) and source.endswith((".yaml", ".yml")):
        source = shipped.find(source, folder)
    return load_topology(source, changes)


def _train(stated: Mapping[str, Any], learners: Mapping[str, Sequence[str]]) -> tuple[Train, dict[str, dict[str, Any]]]:
    """The section, and for each learner those of its settings that stand in it."""
    own = {key: value for key, value in stated.items() if key in keys_of(Train)}
    settings = {key: value for key, value in stated.items() if key not in own}
    known = list(dict.fromkeys([*keys_of(Train), *(key for keys in learners.values() for key in keys)]))
    for key in settings if learners else ():
        if key not in known:
            raise InputError(f"train: unknown key '{key}'{nearest(key, known) or '; the keys are ' + ', '.join(known)}")
    mine = {name: {key: value for key, value in settings.items() if key in keys} for name, keys in learners.items()}
    return validate(Train, own, "train"), mine


def _tuned(name: Any, learner: str, path: str) -> dict[str, Any]:
    """The settings that a search found and wrote: a shipped file of `experiments/tuned`, or the path of one."""
    folder = shipped_folder() / "tuned"
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    file = Path(str(name)) if str(name).endswith(".yaml") else folder / f"{name}.yaml"
    if not file.is_file():
        hint = nearest(str(name), known) or "; give the path of a file that a sweep wrote"
        raise InputError(f"{path}: no settings '{name}'{hint}")
    found = strict_yaml.read(file)
    if found.get("learner") != learner:
        raise InputError(f"{path}: {file.name} has settings of {found.get('learner')}, and the row trains {learner}")
    return dict(mapping(found.get("settings"), f"{path}.settings"))


@dataclass
class _Models:
    """The model files that the rows of an experiment name, each read once; paths start from the experiment's folder."""

    folder: Path

    def __post_init__(self) -> None:
        self._read: dict[str, ModelFile] = {}

    def resolved(self, row: ModelRow, path: str) -> ModelRow:
        """The row with its model file by value, unless it names a file of policies, and every setting stated."""
        row = _fine_tuned(row, f"{path}.fine_tune")
        if isinstance(row.model, str) and not row.model.endswith((".yaml", ".yml", ".json")) and is_path(row.model):
            if row.pretrain:
                raise InputError(f"{path}.pretrain: {row.model} is pretrained; name a model file, or leave it out")
            return row
        changed = self._file(row.model, path).pretrained(row.pretrain, f"{path}.pretrain")
        return row.model_copy(update={"model": changed.to_dict(), "pretrain": {}})

    def _file(self, source: str | dict[str, Any], path: str) -> ModelFile:
        from marl_supply.study import model_file

        text = json.dumps(source)
        if text not in self._read:
            try:
                found = model_file.load(source, beside=self.folder)
            except InputError as error:
                raise InputError(f"{path}.model: {error}") from None
            if found is None:
                missing = "is no model file; name one with record and pretrain, or a .npz"
                raise InputError(f"{path}.model: {source} {missing}")
            self._read[text] = found
        return self._read[text]


def _row(name: str, stated: Any, train: Train, settings: Mapping[str, Mapping[str, Any]], models: _Models) -> Row:
    path = f"compare.{name}"
    try:
        validate(_Named, {"name": name}, "")
    except InputError as error:
        raise InputError(f"compare: {str(error).removeprefix('name: ')}") from None
    row = mapping(stated, path)
    kinds = [kind for kind in ("policy", "learner", "model", "seats_of") if kind in row]
    if len(kinds) > 1:
        raise InputError(f"{path}: both '{kinds[0]}' and '{kinds[1]}' stand in it; keep one")
    if "learner" in row:
        return _learner(row, path, train, settings)
    if "model" in row:
        return models.resolved(validate(ModelRow, row, path), path)
    if "seats_of" in row:
        return validate(SeatsRow, row, path)
    if "policy" not in row and "seats" not in row:
        ways = "policy: NAME, learner: NAME, model: NAME, seats: {AGENT: NAME} or seats_of: {AGENT: ROW}"
        raise InputError(f"{path}: nobody plays; write {ways}")
    return validate(PolicyRow, row, path)


def _fine_tuned(row: ModelRow, path: str) -> ModelRow:
    from marl_supply.study.model_file import fine_tuning

    if row.fine_tune is None:
        return row
    settings = fine_tuning(row.fine_tune.settings, path)
    return row.model_copy(update={"fine_tune": row.fine_tune.model_copy(update={"settings": settings})})


def _analysis(name: str, stated: Any) -> Analysis:
    try:
        kind = find(ANALYSES, Analysis, name)
    except InputError as error:
        raise InputError(f"analyse: {error}") from None
    found: Analysis = validate(kind, mapping({} if stated is True else stated, f"analyse.{name}"), f"analyse.{name}")
    return found


def _learner(row: Mapping[str, Any], path: str, train: Train, settings: Mapping[str, Mapping[str, Any]]) -> LearnerRow:
    own = {key: value for key, value in row.items() if key in keys_of(LearnerRow) and key != "settings"}
    stated = {key: value for key, value in row.items() if key not in (*own, "tuned")}
    tuned = _tuned(row["tuned"], str(row["learner"]), f"{path}.tuned") if "tuned" in row else {}
    changed = {**settings.get(str(row["learner"]), {}), **tuned, **stated}
    own = {"seeds": train.seeds, **own}
    if train.env_steps is not None:
        own = {"env_steps": train.env_steps, **own}
    if "env_steps" not in own:
        raise InputError(f"{path}.env_steps: no default; write train: {{env_steps: NUMBER}}")
    checked = validate(LearnerRow, own, path)
    return checked.model_copy(update={"settings": resolved(checked.learner, changed, path)})
