"""A results folder as numbers: each row's figure by training seed, by replication, and by period of a realised path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from marl_supply.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One row of the comparison, as it was found.

    Its *figure* is what rows are compared by: the total cost of the counted periods or their average, as the game's
    criterion says; on one realised path always the cost a period. Money.
    """

    folder: Path
    record: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name in the experiment."""
        return str(self.record["row"])

    @property
    def trained(self) -> bool:
        """Whether it was learned, or plays what was, so that it varies over training seeds."""
        return self.record["results"][0]["training_seed"] is not None

    @property
    def one_path(self) -> bool:
        """Whether it was scored on one recorded series."""
        return bool(self.record["one_path"])

    @property
    def periods(self) -> int:
        """Periods that count."""
        return int(self.record["horizon"] - self.record["warm_up"])

    @property
    def divisor(self) -> int:
        """What a total over the counted periods is divided by for the figure."""
        return 1 if self.record["criterion"] == "total" and not self.one_path else self.periods

    @cached_property
    def figures(self) -> Array:
        """(S,) the figure of each training seed; of a rule the only one."""
        return np.array([result["cost"]["mean"] / self.divisor for result in self.record["results"]])

    @cached_property
    def training_figures(self) -> Array | None:
        """(S,) the cost a period on the demand it was tuned or trained on; None where it was scored on no other."""
        known = self.record.get("training_demand")
        return np.array(known["by_seed"]) if known and self.record["held_out"] else None

    @cached_property
    def by_seed(self) -> Array:
        """(S, R) the figure of each replication of each training seed; of a rule (1, R)."""
        table = self._lines("episodes")
        number = {result["training_seed"]: place for place, result in enumerate(self.record["results"])}
        seed = np.array([number[seed] for seed in table["training_seed"].to_pylist()])
        replication = table["replication"].to_numpy()
        count = int(replication.max()) + 1
        total = np.bincount(seed * count + replication, table["cost"].to_numpy(), len(number) * count)
        return total.reshape(len(number), count) / self.divisor

    @cached_property
    def sample(self) -> Array:
        """(R,) the figure of each replication, averaged over training seeds."""
        return np.asarray(self.by_seed.mean(0))

    @cached_property
    def path(self) -> Array:
        """(T,) the cost of each counted period of the realised path, averaged over training seeds."""
        table = self._lines("path")
        period = table["period"].to_numpy() - self.record["warm_up"]
        return np.bincount(period, weights=table["cost"].to_numpy()) / len(self.figures)

    def _lines(self, name: str) -> pa.Table:
        """One of its tables, as far as it is about what this row is."""
        return read_table(self.folder / f"{name}.parquet")

    @property
    def reward(self) -> str | None:
        """What it was trained on: individual, shared or blend; of rules in equilibrium individual, of others None."""
        reward = self.record.get("reward")
        return "blend" if isinstance(reward, dict) else reward

    def part(self, agent: str) -> PartOfRow:
        """What one agent pays in it."""
        return PartOfRow(self.folder, self.record, agent)

    @property
    def tuned(self) -> bool:
        """Whether its parameters were searched."""
        return bool(self.record.get("tuned"))

    def mean_of(self, *keys: str) -> Any:
        """A figure of the results averaged over training seeds; mappings are averaged entry by entry."""
        values = []
        for result in self.record["results"]:
            for key in keys:
                result = result[key]
            values.append(result)
        return _mean(values)

    def table(self, name: str) -> pa.Table | None:
        """One of its tables, such as "orders" or "curve"; None where it has none."""
        path = self.folder / f"{name}.parquet"
        return read_table(path) if path.is_file() else None


@dataclass(frozen=True)
class PartOfRow(Row):
    """What one agent pays in a row, otherwise as the row."""

    agent: str

    @cached_property
    def figures(self) -> Array:
        """(S,) the agent's part of the figure of each training seed."""
        return np.array([result["cost"]["by_agent"][self.agent] for result in self.record["results"]]) / self.divisor

    def _lines(self, name: str) -> pa.Table:
        table = super()._lines(name)
        return table.filter(pa.compute.equal(table["agent"], self.agent))


@dataclass(frozen=True)
class Results:
    """A results folder.

    experiment: the resolved file; provenance: where it comes from; rows: in the order of the file, those that are
    finished; missing: the others.
    """

    path: Path
    experiment: dict[str, Any]
    provenance: dict[str, Any]
    rows: tuple[Row, ...]
    missing: tuple[str, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def report(self) -> dict[str, Any]:
        """The section `report` of the experiment."""
        return dict(self.experiment["report"])

    @property
    def period(self) -> str:
        """What a period is: day, week."""
        return str(self.rows[0].record["period"])

    @property
    def measure(self) -> str:
        """What the rows' figure is, in words."""
        row = self.rows[0]
        return "cost of an episode" if row.divisor == 1 else f"cost a {self.period}"


def read(path: str | Path) -> Results:
    """Read a results folder.

    Raises
    ------
    InputError
        If there is no such folder, it is none of results, or no row of it is finished.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; give one that `marl-supply run` wrote, results/NAME/HASH")
    if not (path / "experiment.json").is_file():
        below = sorted(str(found.parent) for found in path.glob("**/experiment.json"))[:3]
        hint = f"; there is {', '.join(below)}" if below else "; give one that `marl-supply run` wrote"
        raise InputError(f"{path}: not a results folder{hint}")
    experiment, provenance = read_json(path / "experiment.json"), read_json(path / "provenance.json")
    names = list(experiment["compare"])
    done = [name for name in names if (path / "rows" / name / "row.json").is_file()]
    if not done:
        raise InputError(f"{path}: no row is finished yet; run the experiment to its end")
    rows = tuple(Row(path / "rows" / name, read_json(path / "rows" / name / "row.json")) for name in done)
    return Results(path, experiment, provenance, rows, tuple(name for name in names if name not in done))


def read_json(path: Path) -> dict[str, Any]:
    """Read one of the folder's JSON files."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path}: missing or damaged; run the experiment again") from None
    return value


def read_table(path: Path) -> pa.Table:
    """Read one of the folder's parquet files."""
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException):
        raise InputError(f"{path}: missing or damaged; delete its folder and run the experiment again") from None


def _mean(values: list[Any]) -> Any:
    if isinstance(values[0], dict):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
