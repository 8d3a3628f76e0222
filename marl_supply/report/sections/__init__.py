"""What the analyses of an experiment found, each shown by the file here that has its name.

A module has ``section(found, results)``, the parts of the page (markdown) made from what `analyses/NAME.json` says.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from marl_supply.report.results import Results, read_json
from marl_supply.report.tables import number


def analysed(results: Results, name: str) -> dict[str, Any] | None:
    """What an analysis found; None where it was not asked for or is not done."""
    path = results.path / "analyses" / f"{name}.json"
    asked = name in results.experiment.get("analyse", {})
    return dict(read_json(path)["found"]) if asked and path.is_file() else None


def sections(results: Results) -> list[str]:
    """The parts of the page on all analyses, in the order of the experiment file."""
    parts: list[str] = []
    shown = {info.name for info in pkgutil.iter_modules(__path__)}
    for name in results.experiment.get("analyse", {}):
        found = analysed(results, name)
        if found is not None and name in shown:
            parts += importlib.import_module(f"{__name__}.{name}").section(found, results)
    return parts


def ends(found: dict[str, Any]) -> str:
    """A mean and its half-width."""
    low, high = found["low"], found["high"]
    half = 0.0 if low is None or high is None else (high - low) / 2
    return f"{number(found['mean'])} ± {number(half)}" if half else number(found["mean"])
