"""A results folder: what lies where, written whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from marl_supply.errors import InputError

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Folder:
    """The folder ``results/<name>/<hash>``.

    experiment.json: the resolved experiment; provenance.json; episodes.parquet: of all rows; for each row a folder
    ``rows/<row>`` with row.json (written last: a row that has it is finished), episodes.parquet, orders.parquet, for
    recorded demand path.parquet, where the report draws stock inventory.parquet, and for a trained row curve.parquet
    and ``training/``, checkpoints and policies;
    ``analyses/<name>.json`` for each analysis.
    """

    path: Path

    @property
    def rows(self) -> Path:
        """Where the rows' folders are."""
        return self.path / "rows"

    def row(self, name: str) -> Path:
        """A row's folder."""
        return self.rows / name

    def analysis(self, name: str) -> Path:
        """What an analysis found."""
        return self.path / "analyses" / f"{name}.json"

    def finished(self, name: str) -> bool:
        """Whether a row is done."""
        return (self.row(name) / "row.json").is_file()

    def record(self, name: str) -> dict[str, Any]:
        """What row.json says."""
        return read_json(self.row(name) / "row.json")

    def resume_step(self, name: str) -> int | None:
        """Environment steps after which a row's training left its last checkpoint; None without one."""
        training = self.row(name) / "training"
        if not (training / "checkpoint.pt").is_file():
            return None
        try:
            lines = (training / "curve.jsonl").read_text(encoding="utf-8").splitlines()
            return max(int(json.loads(line)["env_steps"]) for line in lines)
        except (OSError, ValueError, KeyError):
            return 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder alone; the hold ends with the process, however that ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(f"{self.path}: another run is writing it; wait for it, or stop it") from None
            yield

    def remove(self) -> None:
        """Delete the folder, and those above it that only held it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.path.parent.rmdir()
            self.path.parent.parent.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write a file whole: under another name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON; numbers that are not finite are refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a results folder.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; is this a results folder?") from None
    except (OSError, ValueError):
        raise InputError(f"{path}: not a whole JSON file; delete it and run the experiment again") from None
    return value


def write_table(path: Path, columns: Columns) -> None:
    """Write columns of equal length as parquet."""
    write_parquet(path, pa.table(dict(columns)))


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as parquet, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)


def join_tables(path: Path, parts: Sequence[Path]) -> None:
    """Write the tables of several files as one."""
    write_parquet(path, pa.concat_tables([pq.read_table(part) for part in parts]))
