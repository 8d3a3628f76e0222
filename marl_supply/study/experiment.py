"""A resolved experiment: the chain and its data by value, every setting stated, and the hash of what it computes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from marl_supply.errors import InputError
from marl_supply.study.analysis import Analysis
from marl_supply.study.file import Evaluate, LearnerRow, ModelRow, PolicyRow, Report, SeatsRow, Train
from marl_supply.topology import load as load_topology
from marl_supply.topology.file import Topology

Row = PolicyRow | LearnerRow | ModelRow | SeatsRow


@dataclass(frozen=True)
class Experiment:
    """One claim: rows of policies and trainings on one game, scored on the same demand.

    Attributes
    ----------
    topology : Topology
        With the section `game` of the experiment put over its own.
    compare : dict of str to PolicyRow, LearnerRow, ModelRow or SeatsRow
        In the order of the file.
    analyse : dict of str to Analysis
        What is worked out about the finished rows.
    """

    name: str
    topology: Topology
    compare: dict[str, Row]
    train: Train
    evaluate: Evaluate
    analyse: dict[str, Analysis]
    report: Report

    @property
    def learners(self) -> dict[str, LearnerRow]:
        """The rows that are trained."""
        return {name: row for name, row in self.compare.items() if isinstance(row, LearnerRow)}

    def topology_of(self, row: Row) -> Topology:
        """The topology with what a row states for itself in the section `game`."""
        return load_topology(self.topology, {f"game.{name}": value for name, value in row.game.items()})

    def training_topology_of(self, row: Row) -> Topology:
        """The topology that a row is tuned or trained on, where it states values of its own for that."""
        topology = self.topology_of(row)
        if not isinstance(row, PolicyRow | LearnerRow) or not row.trained_on:
            return topology
        try:
            return load_topology(topology, row.trained_on)
        except InputError as error:
            raise InputError(f"trained_on: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The resolved file, JSON-able; `load` reads it back, and it has the same hash."""
        return {
            "name": self.name,
            "topology": self.topology.to_dict(),
            "compare": {name: row.to_dict() for name, row in self.compare.items()},
            "train": _plain(self.train),
            "evaluate": _plain(self.evaluate),
            "analyse": {name: analysis.to_dict() for name, analysis in self.analyse.items()},
            "report": _plain(self.report),
        }

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of what rows depend on: not the name, the analyses, the report or the jobs."""
        document = self.to_dict()
        for section in ("name", "train", "analyse", "report"):  # the rows say all that trainings depend on
            document.pop(section)
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(section: Train | Evaluate | Report) -> dict[str, Any]:
    return section.model_dump(mode="json", exclude_none=True)
