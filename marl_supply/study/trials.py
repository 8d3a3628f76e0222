"""What a search found: a table of its trials, and the best settings as a file for ``experiments/tuned/``."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ruamel.yaml import YAML

from marl_supply.metrics.intervals import over_seeds
from marl_supply.study import provenance
from marl_supply.study.folder import Folder, read_json, write_parquet, write_text
from marl_supply.study.sweep import Cells

FEWEST = 3
"""Seeds that an interval needs."""


def write(folder: Folder, cells: Cells) -> None:
    """Write trials.parquet, trials.md and, for each row of the file, tuned/<topology>_<row>.yaml."""
    found = [trial(folder, cells, name) for name in cells.swept]
    found.sort(key=lambda record: record["held_out"])
    columns = {key: [_plain(record[key]) for record in found] for key in found[0]}
    write_parquet(folder.path / "trials.parquet", pa.table(columns))
    tuned = [best(folder, cells, [r for r in found if r["searched"] == name]) for name in _searched(cells)]
    for name, text in zip(_searched(cells), tuned, strict=True):
        write_text(folder.path / "tuned" / f"{cells.experiment.topology.name}_{name}.yaml", text)
    write_text(folder.path / "trials.md", _page(folder, cells, found))


def describe(cells: Cells, results: str | Path) -> list[str]:
    """The plan of a search in lines."""
    experiment, section = cells.experiment, cells.section
    rules = [name for name in experiment.compare if name not in cells.swept]
    lines = [
        f"{experiment.name}: {len(cells.swept)} trials on {experiment.topology.name}, scheduler {section.scheduler}"
    ]
    lines += [f"  {name}  {_words(values)}" for name, values in cells.swept.items()]
    lines += [f"  beside them, as they are: {', '.join(rules)}"] if rules else []
    return [*lines, f"would write {cells.folder(results).path}"]


def trial(folder: Folder, cells: Cells, name: str) -> dict[str, Any]:
    """One trial as a record; money by the game's criterion.

    held_out: the metric at its last evaluation, mean over seeds, on streams that all trials share, by which the best is
    chosen; cost, low, high: the same players scored as the file says, with the interval over seeds, where it finished.
    """
    row = cells.experiment.learners[name]
    steps, held_out = _last(folder, cells, name)
    record: dict[str, Any] = {
        "trial": name,
        "searched": name.rpartition("_")[0],
        "learner": row.learner,
        "reward": json.dumps(row.reward) if isinstance(row.reward, dict) else row.reward or "the game's",
        **{key: value for key, value in settings_of(folder, cells, name).items() if key != "reward"},
        "changes": len(_changes(folder, name)),
        "seeds": len(row.seeds),
        "env_steps": steps,
        "state": "finished" if folder.finished(name) else "stopped early",
        "held_out": held_out,
        "cost": None,
        "low": None,
        "high": None,
    }
    if folder.finished(name):
        record |= _scored(folder, cells, name)
    return record


def settings_of(folder: Folder, cells: Cells, name: str) -> dict[str, Any]:
    """The swept settings that a trial ended with."""
    path = folder.row(name) / "settings.json"
    return {**cells.swept[name], **(read_json(path)["settings"] if path.is_file() else {})}


def best(folder: Folder, cells: Cells, found: list[dict[str, Any]]) -> str:
    """The best trial as YAML: what it is, its settings, and how they were found."""
    finished = [record for record in found if record["state"] == "finished"]
    if not finished:
        return "# No trial was finished.\n"
    chosen = finished[0]
    row = cells.experiment.learners[chosen["trial"]]
    interval = None if chosen["low"] is None else [chosen["low"], chosen["high"]]
    document = {
        "topology": cells.experiment.topology.name,
        "learner": row.learner,
        "reward": row.reward or "the game's",
        "env_steps": row.env_steps,
        "settings": {k: v for k, v in settings_of(folder, cells, chosen["trial"]).items() if k != "reward"},
        "changed_on_the_way": _changes(folder, chosen["trial"]),
        "found": {
            "cost": chosen["cost"],
            "interval": interval,
            "seeds": list(row.seeds),
            "trials": len(found),
            "stopped_early": len(found) - len(finished),
            "over": {name: how for name, how in cells.section.over.items() if name != "topology"},
            "scheduler": cells.section.scheduler,
            "search": cells.hash,
            "commit": provenance.commit(),
        },
    }
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.dump(json.loads(json.dumps(document)), text)
    head = f"# Found by `marl-supply run` on a file with a sweep: the best of {len(found)} trials by held-out cost.\n"
    return head + text.getvalue()


def _searched(cells: Cells) -> list[str]:
    """The rows of the file that became trials."""
    return list(dict.fromkeys(name.rpartition("_")[0] for name in cells.swept))


def _scored(folder: Folder, cells: Cells, name: str) -> dict[str, Any]:
    costs = [result["cost"] for result in folder.record(name)["results"]]
    metric = cells.section.metric
    values = [cost["mean"] if metric == "cost" else cost["by_agent"][metric] for cost in costs]
    if folder.record(name)["criterion"] == "average":
        periods = folder.record(name)["horizon"] - folder.record(name)["warm_up"]
        values = [value / periods for value in values]
    if len(values) < FEWEST:
        return {"cost": float(np.mean(values))}
    interval = over_seeds(values)
    return {"cost": float(np.mean(values)), "low": interval.low, "high": interval.high}


def _last(folder: Folder, cells: Cells, name: str) -> tuple[int, float]:
    lines = (folder.row(name) / "training" / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    points = [json.loads(line) for line in lines]
    steps = max(point["env_steps"] for point in points)
    metric = cells.section.metric
    costs = [p["cost"] if metric == "cost" else p["by_agent"][metric] for p in points if p["env_steps"] == steps]
    return steps, float(np.mean(costs))


def _changes(folder: Folder, name: str) -> list[dict[str, Any]]:
    path = folder.row(name) / "settings.json"
    return list(read_json(path)["changes"]) if path.is_file() else []


def _page(folder: Folder, cells: Cells, found: list[dict[str, Any]]) -> str:
    experiment, section = cells.experiment, cells.section
    keys = [key for key in found[0] if key != "searched" and any(record[key] is not None for record in found)]
    lines = [f"# {experiment.name}: {len(found)} trials on {experiment.topology.name}", ""]
    lines += [
        f"Scheduler {section.scheduler}; the best is chosen by `held_out` ({section.metric} of the last evaluation,"
    ]
    lines += ["mean over seeds, on streams that all trials share); `cost` is that of the players that came out, on the"]
    lines += [
        f"{experiment.evaluate.replications:,} replications that nothing was chosen by, with its interval over seeds."
    ]
    lines += ["", f"| {' | '.join(keys)} |", f"|{'---|' * len(keys)}"]
    lines += [f"| {' | '.join(_shown(record[key]) for key in keys)} |" for record in found]
    rules = [name for name in experiment.compare if name not in cells.swept]
    for name in rules:
        lines += ["", f"Beside them: {name} costs {_shown(_scored(folder, cells, name)['cost'])}."]
    for record in found:
        for change in _changes(folder, record["trial"]):
            change_text = f"at step {change['env_steps']:,} from {change['from']}: {_words(change['settings'])}"
            lines += ["", f"{record['trial']} went on {change_text}."]
    return "\n".join([*lines, ""])


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in settings.items())
