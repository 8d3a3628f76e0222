"""A search for settings: the rows of an experiment times the values that the section `sweep` names."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import LearnerRow, SeatsRow, Sweep
from marl_supply.study.folder import Folder
from marl_supply.study.load import Source, learners_of, opened
from marl_supply.study.settings import resolved, settings_of
from marl_supply.topology.validate import mapping, validate

PERTURBED = ("learning_rate", "entropy", "clip", "discount", "trace", "gradient_clip", "epochs", "minibatches")
"""Settings that may change in the middle of a training."""
DRAWS = {"uniform": 2, "loguniform": 2, "integer": 2, "choice": None}


@dataclass(frozen=True)
class Cells:
    """The search on one topology: an experiment whose learners' rows are its cells.

    Attributes
    ----------
    experiment : Experiment
    swept : dict
        For each row that is trained, the values tried in it.
    section : Sweep
    """

    experiment: Experiment
    swept: dict[str, dict[str, Any]]
    section: Sweep

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of what is searched, and how."""
        text = json.dumps([self.experiment.hash, self.section.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def folder(self, results: str | Path) -> Folder:
        """Where its results are."""
        return Folder(Path(results) / self.experiment.name / self.hash)

    @property
    def drawn(self) -> dict[str, Any]:
        """How settings are drawn: a list of values, or (kind, low, high)."""
        drawn = {name: how for name, how in self.section.over.items() if isinstance(how, Mapping)}
        return {name: _how(how) for name, how in drawn.items()}

    def with_settings(self, row: str, settings: Mapping[str, Any]) -> Experiment:
        """The experiment with a row's swept settings changed."""
        own = self.experiment.compare[row]
        assert isinstance(own, LearnerRow)
        changed = resolved(own.learner, {**own.settings, **settings}, f"compare.{row}")
        compare = {**self.experiment.compare, row: own.model_copy(update={"settings": changed})}
        return replace(self.experiment, compare=compare)


def load(source: Source, overrides: Sequence[str] = ()) -> list[Cells] | None:
    """The searches of a file, one for each topology; None for a file without `sweep`.

    Raises
    ------
    InputError
        For the first thing that is wrong.
    """
    document = opened(source, overrides)
    if "sweep" not in document.keys:
        return None
    with document.named():
        if "analyse" in document.keys:
            raise InputError("analyse: a search has no rows to analyse; leave sweep or analyse out")
        section = validate(Sweep, mapping(document.keys["sweep"], "sweep"), "sweep")
        topologies = section.over.get("topology", [document.keys.get("topology")])
        if not isinstance(topologies, list) or not topologies:
            raise InputError("sweep.over.topology: give a list of topologies")
        over = {name: values for name, values in section.over.items() if name != "topology"}
        _check(section, over, learners_of(document.keys))
        found = []
        for topology in topologies:
            several = {"name": f"{document.keys['name']}_{Path(str(topology)).stem}"} if len(topologies) > 1 else {}
            found.append(_cells(document.experiment(topology=topology, **several), section, over))
        return found


def _cells(experiment: Experiment, section: Sweep, over: Mapping[str, Any]) -> Cells:
    if not experiment.learners:
        raise InputError("sweep: no row of compare has a learner; there is nothing to train")
    agents = Game(experiment.topology).agents
    if section.metric != "cost" and section.metric not in agents:
        known = ["cost", *agents]
        hint = nearest(section.metric, known) or f"; there are {', '.join(known)}"
        raise InputError(f"sweep.metric: no '{section.metric}'{hint}")
    compare: dict[str, Row] = {}
    swept: dict[str, dict[str, Any]] = {}
    for name, row in experiment.compare.items():
        if isinstance(row, SeatsRow):
            raise InputError(f"compare.{name}.seats_of: a search makes many rows of each that it trains; leave it out")
        if not isinstance(row, LearnerRow):
            compare[name] = row
            continue
        for number, values in enumerate(combinations(over, section.samples, section.seed)):
            cell = f"{name}_{number:03d}"
            compare[cell], swept[cell] = _cell(row, values, f"sweep.over ({cell})"), values
    return Cells(replace(experiment, compare=compare), swept, section)


def _cell(row: LearnerRow, values: Mapping[str, Any], path: str) -> LearnerRow:
    """A row with some of its settings, and maybe its reward, as tried."""
    settings = {name: value for name, value in values.items() if name != "reward"}
    changed: dict[str, Any] = {"settings": resolved(row.learner, {**row.settings, **settings}, path)}
    if "reward" in values:
        stated = {"learner": row.learner, "env_steps": row.env_steps, "reward": values["reward"]}
        changed["reward"] = validate(LearnerRow, stated, path).reward
    return row.model_copy(update=changed)


def combinations(over: Mapping[str, Any], samples: int, seed: int) -> Iterator[dict[str, Any]]:
    """Every combination of the listed values, each with the same draws of the drawn ones.

    Examples
    --------
    >>> [values["clip"] for values in combinations({"clip": [0.1, 0.2]}, 1, 0)]
    [0.1, 0.2]
    """
    listed = {name: values for name, values in over.items() if isinstance(values, list)}
    drawn = {name: _draws(name, how, samples, seed) for name, how in over.items() if name not in listed}
    for chosen in itertools.product(*listed.values()):
        for number in range(samples):
            yield {**dict(zip(listed, chosen, strict=True)), **{name: draws[number] for name, draws in drawn.items()}}


def _draws(name: str, how: Mapping[str, Any], samples: int, seed: int) -> list[Any]:
    """Draws of one setting; they depend on its name and the seed alone."""
    generator = np.random.default_rng([seed, crc32(name.encode())])
    found = _how(how)
    if isinstance(found, list):
        return [found[i] for i in generator.integers(len(found), size=samples)]
    kind, low, high = found
    if kind == "integer":
        return [int(value) for value in generator.integers(low, high, size=samples)]
    if kind == "uniform":
        return [float(value) for value in generator.uniform(low, high, samples)]
    return [float(value) for value in np.exp(generator.uniform(np.log(low), np.log(high), samples))]


def _how(how: Mapping[str, Any]) -> Any:
    """A list to choose from, or (kind, low, high); the high end of integers is left out."""
    (kind, given) = next(iter(how.items()))
    if kind == "choice":
        return list(given)
    low, high = given
    return (kind, int(low), int(high) + 1) if kind == "integer" else (kind, float(low), float(high))


def _check(section: Sweep, over: Mapping[str, Any], learners: Sequence[str]) -> None:
    settings = dict.fromkeys(setting for own in settings_of(learners).values() for setting in own)
    known = ["topology", "reward", *settings]
    for name, how in over.items():
        path = f"sweep.over.{name}"
        if name == "learner":
            raise InputError(f"{path}: write a row of compare for each learner; all of them are swept")
        if not isinstance(how, list | Mapping) or not how:
            raise InputError(f"{path}: give a list of values, or such as {{loguniform: [1e-4, 1e-2]}}")
        if name not in known and nearest(name, known):
            raise InputError(f"{path}: no setting '{name}'{nearest(name, known)}")
        if isinstance(how, Mapping):
            _check_draw(path, how)
    drawn = [name for name, how in over.items() if isinstance(how, Mapping)]
    if section.samples > 1 and not drawn:
        raise InputError("sweep.samples: nothing is drawn, so every row would be trained several times; leave it out")
    if section.scheduler == "pbt":
        for name in over:
            if name not in drawn or name not in PERTURBED:
                raise InputError(
                    f"sweep.over.{name}: pbt changes what is drawn while it trains, and only {', '.join(PERTURBED)}; "
                    "draw one of these, or sweep the rest without pbt"
                )
        if section.samples < 2:
            raise InputError("sweep.samples: pbt needs several rows to choose from; give 4 or more")


def _check_draw(path: str, how: Mapping[str, Any]) -> None:
    if len(how) != 1 or next(iter(how)) not in DRAWS:
        raise InputError(f"{path}: no draw {dict(how)}; use one of {', '.join(DRAWS)}")
    kind, given = next(iter(how.items()))
    if not isinstance(given, list) or not given or len(given) != (DRAWS[kind] or len(given)):
        raise InputError(f"{path}.{kind}: {given} is no {'list of values' if kind == 'choice' else 'pair [low, high]'}")
    if kind == "choice":
        return
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in given):
        raise InputError(f"{path}.{kind}: {given} are not two numbers")
    if given[0] >= given[1] or (kind == "loguniform" and given[0] <= 0):
        raise InputError(
            f"{path}.{kind}: {given} is no range; give [low, high] with low < high, for loguniform above 0"
        )
