"""A series: an experiment for each of several values or named cases, each in its own folder, and a report over all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.solvers.method import Solution, methods
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import Reference, Vary
from marl_supply.study.folder import Folder, write_json
from marl_supply.study.load import Document, Source, opened
from marl_supply.study.run import folder_of, run
from marl_supply.topology.validate import mapping, validate

KNOWN = {
    "cooperative_base_stock": "optimum",
    "local_equilibrium": "equilibrium",
    "echelon_equilibrium": "echelon_equilibrium",
}
"""Methods whose solutions are references of a series, and what they are called there."""


@dataclass(frozen=True)
class Series:
    """The experiments of a file with `vary`, by value or case."""

    name: str
    section: Vary
    experiments: tuple[Experiment, ...]

    @property
    def hash(self) -> str:
        """Of the experiments and their order."""
        text = json.dumps([experiment.hash for experiment in self.experiments])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def folder(self, results: str | Path) -> Folder:
        """Where the report over all lies: ``<results>/<name>/series_<hash>``."""
        return Folder(Path(results) / self.name / f"series_{self.hash}")


def load(source: Source, overrides: Sequence[str] = ()) -> Series | None:
    """The series of a file; None for a file without `vary`.

    Raises
    ------
    InputError
        For the first thing that is wrong.
    """
    document = opened(source, overrides)
    if "vary" not in document.keys:
        return None
    with document.named():
        if "sweep" in document.keys:
            raise InputError("vary: a search cannot vary as well; leave sweep or vary out")
        section = validate(Vary, mapping(document.keys["vary"], "vary"), "vary")
    experiments: list[Experiment] = []
    for place, settings in section.settings:
        with _at(document, place, settings):
            experiments.append(_experiment(source, overrides, section, settings))
        if experiments[-1].hash in (other.hash for other in experiments[:-1]):
            twin = section.points[[other.hash for other in experiments].index(experiments[-1].hash)]
            with document.named():
                raise InputError(_twins(section, place, twin))
    return Series(str(document.keys["name"]), section, tuple(experiments))


def _experiment(source: Source, overrides: Sequence[str], section: Vary, settings: Mapping[str, Any]) -> Experiment:
    varied = opened(source, [*overrides, *(f"{path}={json.dumps(value)}" for path, value in settings.items())])
    return _with_references(varied.experiment()) if section.exact else varied.experiment()


@contextmanager
def _at(document: Document, place: str, settings: Mapping[str, Any]) -> Iterator[None]:
    """Say where the settings stand that an experiment stumbles over; options of the command line say so themselves."""
    try:
        yield
    except InputError as error:
        told = str(error)
        stated = any(told.startswith(f"--set {path}: ") for path in settings)
        if told.startswith("--set ") and not stated:
            raise
        with document.named():
            raise InputError(f"{place}: {told.removeprefix('--set ')}") from None


def _twins(section: Vary, place: str, twin: Any) -> str:
    if section.cases:
        return f"{place}: the same experiment as case '{twin}'; let it set something else"
    return f"vary.path: {section.path} changes nothing between two of the values"


def run_series(series: Series, results: str | Path = "results", **settings: Any) -> Iterator[Folder]:
    """Run each experiment, and give its folder; then write what the report over all is made from.

    Parameters
    ----------
    settings
        Of `run`.
    """
    folders = []
    for experiment in series.experiments:
        folders.append(run(experiment, results, **settings))
        yield folders[-1]
    section = series.section
    record = {
        "name": series.name,
        **({"cases": section.cases} if section.cases else {"path": section.path}),
        "label": section.title,
        "values": section.points,
        "folders": [folder_of(experiment, "..").path.name for experiment in series.experiments],
    }
    write_json(series.folder(results).path / "series.json", record)


def _with_references(experiment: Experiment) -> Experiment:
    """The experiment with the exact optimum and equilibria of its chain among the references."""
    known = _references(Game(experiment.topology))
    stated = {name: own for name, own in experiment.report.references.items() if name not in known}
    report = experiment.report.model_copy(update={"references": {**stated, **known}})
    return replace(experiment, report=report)


def _references(game: Game) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    for name, called in KNOWN.items():
        method = methods()[name]
        if method.misfit(game) is None:
            dearest_first = sorted(method.solve(game), key=lambda solution: -solution.cost)
            for number, solution in enumerate(dearest_first, start=1):
                found[called if number == 1 else f"{called}_{number}"] = _reference(name, solution)
    return found


def _reference(method: str, solution: Solution) -> Reference:
    levels = ", ".join(f"{level:g}" for level in solution.parameters.get("levels", ()))
    return Reference(
        cost=solution.cost,
        by_agent=dict(solution.details.get("by_agent", {})),
        source=f"{method}, levels ({levels}), computed exactly",
    )
