"""Write a report: report.md, summary.json and the figures, from a results folder alone."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.report import figures
from marl_supply.report.anarchy import anarchy
from marl_supply.report.claims import verdicts
from marl_supply.report.exploits import exploit_section
from marl_supply.report.gains import gains_section
from marl_supply.report.information import information_section, information_summary
from marl_supply.report.paired import paired_section
from marl_supply.report.requests import requests_section
from marl_supply.report.results import Results, read
from marl_supply.report.scaling import scaling_section
from marl_supply.report.sections import sections
from marl_supply.report.sentences import against_references, anarchy_sentences, comparisons, resting_sentences
from marl_supply.report.summary import main_table, parameter_table, summary
from marl_supply.report.tables import aligned, markdown


@dataclass(frozen=True)
class Report:
    """A written report.

    path: of report.md; text: the table and the sentences for a terminal; summary: the numbers, JSON-able.
    """

    path: Path
    text: str
    summary: dict[str, Any]


def write(folder: str | Path) -> Report:
    """Write the report of a results folder into it.

    Raises
    ------
    InputError
        If it is no results folder, or holds no finished row.
    """
    results = read(folder)
    show = list(results.report["show"])
    table, sentences, judged = main_table(results, show), _sentences(results, show), verdicts(results)
    numbers = {
        "experiment": results.experiment["name"],
        "measure": results.measure,
        "one_realised_path": results.rows[0].one_path,
        "rows": summary(results),
        "comparisons": sentences,
        "information": information_summary(results),
        "claims": [verdict.to_dict() for verdict in judged],
    }
    drawn = _draw(results)
    path = results.path / "report.md"
    _write(results.path / "summary.json", json.dumps(numbers, indent=1) + "\n")
    claims = [verdict.sentence for verdict in judged]
    _write(path, _markdown(results, table, sentences, drawn, show) + claims_section(claims))
    told = [aligned(_narrow(table)), _foot(results), "\n".join(sentences), *(["\n".join(claims)] if claims else [])]
    return Report(path, "\n\n".join(told), numbers)


def claims_section(sentences: Sequence[str]) -> str:
    """The end of a page; nothing where nothing is claimed."""
    return "\n".join(["\n## Claims\n", *(f"- {sentence}" for sentence in sentences), ""]) if sentences else ""


def _sentences(results: Results, show: list[str]) -> list[str]:
    told = comparisons(results) + against_references(results)
    found = anarchy(results) if "price_of_anarchy" in show else None
    return told + (anarchy_sentences(found) if found else []) + resting_sentences(results) + _blends(results)


def _blends(results: Results) -> list[str]:
    """What a blended reward means for a learner that updates agents one after another (Liu et al. do the same)."""
    return [
        f"{row.name} was trained on a blend of own and mean reward: where agents are updated in turn, each climbs "
        "its own advantage, without the guarantee that a common reward has."
        for row in results
        if row.reward == "blend"
    ]


def _draw(results: Results) -> list[tuple[str, str]]:
    """Draw every figure there is; their files and captions."""
    from marl_supply.report.drawing import save

    drawn = []
    for info in sorted(pkgutil.iter_modules(figures.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{figures.__name__}.{info.name}")
        figure = module.draw(results)
        if figure is not None:
            save(figure, results.path / "figures" / f"{info.name}.png")
            drawn.append((f"figures/{info.name}.png", module.CAPTION))
    return drawn


def _markdown(
    results: Results, table: list[list[Any]], sentences: list[str], drawn: list[tuple[str, str]], show: list[str]
) -> str:
    parts = [f"# {results.experiment['name']}", _about(results), markdown(table), _foot(results)]
    if results.missing:
        parts.append(f"Not finished, so not in the table: {', '.join(results.missing)}.")
    parts += ["## Comparisons", "\n".join(f"- {sentence}" for sentence in sentences) or "One row: nothing to compare."]
    parts += paired_section(results)
    found = anarchy(results) if "price_of_anarchy" in show else None
    parts += gains_section(found) if found is not None else []
    parts += requests_section(results) + scaling_section(results)
    parts += _references(results) + information_section(results) + exploit_section(results) + sections(results)
    if "parameters" in show:
        parts += ["## Policies", markdown(parameter_table(results))]
    parts.append("## Figures")
    parts += [f"![{caption}]({name})\n\n{caption}" for name, caption in drawn]
    parts += ["## Where this comes from", _provenance(results)]
    return "\n\n".join(parts) + "\n"


def _about(results: Results) -> str:
    """What was scored, in a paragraph."""
    record = results.rows[0].record
    source = results.experiment["topology"].get("source", "")
    counted = record["horizon"] - record["warm_up"]
    warm_up = f" after a warm-up of {record['warm_up']}" if record["warm_up"] else ""
    if record["one_path"]:
        how = f"one realised path of {counted} {record['period']}s{warm_up}"
        how += f", held out: no row was tuned or trained on it{_spans(results)}" if record["held_out"] else ""
    else:
        how = f"{record['replications']:,} common replications of {counted:,} {record['period']}s{warm_up}"
        how += f" (seed {record['seed']})"
    discount = "" if record["discount"] == 1 else f", discounted by {record['discount']:g} a {record['period']}"
    return f"Topology `{record['topology']}`: {source}. Rows are scored on {how}{discount}."


def _spans(results: Results) -> str:
    """Mean and standard deviation of recorded demand, held out and in training."""
    told = ""
    for name, market in results.experiment["topology"]["markets"].items():
        if market.get("held_out_values"):
            out, inside = (np.array(market[key], dtype=float) for key in ("held_out_values", "values"))
            told += f" ({name}: mean {out.mean():.1f} and standard deviation {out.std():.1f} units a {results.period}, "
            told += f"against {inside.mean():.1f} and {inside.std():.1f} in training)"
    return told


def _foot(results: Results) -> str:
    """How to read the intervals."""
    trained = any(row.trained for row in results)
    if results.rows[0].one_path:
        block = results.rows[0].record["block"]
        text = f"One realised path: intervals over the path are a moving-block bootstrap of its {results.period}s"
        text += f" in blocks of {block}" if block else ", left out here because the path is too short"
        over = "; those over seeds are t intervals. A difference counts as significant if both leave zero out"
        return f"{text}{over if trained else ''}."
    over = "Intervals of trained rows are over training seeds (t, n - 1 degrees of freedom), of rules over replications"
    return (
        f"{over}." if trained else "Intervals are over replications (t); differences are paired on common replications."
    )


def _references(results: Results) -> list[str]:
    references = results.report["references"]
    if not references:
        return []
    agents = results.rows[0].record["agents"]
    cells: list[list[Any]] = [["reference", "cost", *agents, "source"]]
    for name, known in references.items():
        by_agent = known.get("by_agent", {})
        cells.append([name, known["cost"], *(by_agent.get(agent) for agent in agents), known["source"]])
    return ["## References", markdown(cells)]


def _narrow(table: list[list[Any]]) -> list[list[Any]]:
    """The columns that fit a terminal: up to the fill rate."""
    head = table[0]
    wide = [number for number, name in enumerate(head) if not str(name).startswith("bullwhip")]
    return [[row[number] for number in wide] for row in table]


def _provenance(results: Results) -> str:
    found = results.provenance
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items() if version)
    seconds = sum(row.record["seconds"] for row in results)
    host = found["host"]
    lines = [
        f"- commit {found['commit'] or 'unknown (not run from a checkout)'}; configuration {found['hash']}",
        f"- {versions}",
        f"- {host['system']}, {host['cores']} cores; {seconds:.0f} s of work on the rows, "
        f"in {len(found['sessions'])} session{'s' if len(found['sessions']) > 1 else ''}",
        "- again: `marl-supply run` with the experiment.json of this folder; `marl-supply report` for this page alone",
    ]
    resumed = [row for row in results if row.record.get("resumed_from")]
    lines += [f"- {row.name}: resumed from step {row.record['resumed_from']:,}" for row in resumed]
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
