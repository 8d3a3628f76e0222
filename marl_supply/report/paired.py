"""Differences on common replications: each row against each baseline, and how often it costs less."""

from __future__ import annotations

from typing import Any

from marl_supply.report.results import Results, Row
from marl_supply.report.sentences import against_baselines, signed, spans
from marl_supply.report.statistics import difference, share_below, times
from marl_supply.report.tables import markdown

FOOT = (
    "A difference below zero means that the row costs less. The last column is the share of common replications in "
    "which it does, of trained rows over the replications of all seeds; a tie is not less."
)


def paired_table(results: Results) -> list[list[Any]]:
    """The cells: row, baseline, mean difference a period (money), its 95% intervals, share of replications below."""
    head = ["row", "against", f"difference a {results.period}", "95% interval", "costs less in"]
    return [head, *(_line(row, base) for row, base in against_baselines(results) if row.name != base.name)]


def paired_section(results: Results) -> list[str]:
    """The parts of the page; nothing unless it is to be shown and there are two rows."""
    cells = paired_table(results) if "paired" in results.report["show"] else []
    return ["## Paired differences", markdown(cells), FOOT] if len(cells) > 1 else []


def _line(row: Row, base: Row) -> list[Any]:
    found = times(difference(row, base), row.divisor / row.periods)
    share = share_below(row, base)
    return [row.name, base.name, signed(found.mean), spans(found), "-" if share is None else f"{share:.1%}"]
