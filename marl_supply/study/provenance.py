"""Where results come from: code, versions, machine, seeds and times."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import marl_supply.errors
from marl_supply.study.experiment import Experiment

PACKAGES = ("numpy", "scipy", "networkx", "pydantic", "pyarrow", "gymnasium", "pettingzoo", "ray", "torch")


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit() -> str | None:
    """The commit of the checkout that this package runs from, "+changes" if files differ; None for a wheel."""
    package = Path(marl_supply.errors.__file__).resolve().parent
    top = _git(package, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != package.parent:
        return None
    head = _git(package, "rev-parse", "HEAD")
    changes = _git(package, "status", "--porcelain", "--", ".")
    return f"{head}+changes" if head and changes else head


def session(command: Sequence[str]) -> dict[str, Any]:
    """One start of a run."""
    return {"started": now(), "ended": None, "command": list(command), "commit": commit()}


def describe(experiment: Experiment, sessions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What provenance.json says."""
    return {
        "experiment": experiment.name,
        "hash": experiment.hash,
        "commit": sessions[-1]["commit"] if sessions else None,
        "versions": versions(),
        "seeds": {
            "training": {name: list(seeds) for name, row in experiment.compare.items() if (seeds := row.trained_seeds)},
            "evaluation": experiment.evaluate.seed,
        },
        "host": host(),
        "sessions": list(sessions),
    }


def versions() -> dict[str, str | None]:
    """Of Python, this package and those that it computes with; None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version(), "marl_supply": _own_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def host() -> dict[str, Any]:
    """The machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "byteorder": sys.byteorder,
    }


def _own_version() -> str:
    from marl_supply import __version__

    return __version__


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        seen = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return seen.stdout.strip() if seen.returncode == 0 else None
