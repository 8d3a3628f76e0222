"""The committed pages of rules, methods and baselines are what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marl_supply.solvers.baselines_page import INSTANCES, PAGE, Instance, rows
from marl_supply.solvers.reference_page import pages

DOCS = Path(__file__).resolve().parents[2] / "docs"
BASELINES = (DOCS / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", pages())
def test_the_page_is_current(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == pages()[path], (
        "run python -m marl_supply.solvers.reference_page"
    )


def test_no_page_is_left_of_what_is_gone() -> None:
    there = {
        path.relative_to(DOCS).as_posix() for room in ("policies", "solvers") for path in (DOCS / room).glob("*.md")
    }
    assert there == set(pages())


def test_at_least_thirty_instances_agree() -> None:
    """On the committed page, which the command wrote: every simulated cost within three standard errors."""
    table = [line.split("|")[1:-1] for line in BASELINES.splitlines() if line.startswith("| `")]
    assert len(table) >= len(INSTANCES) >= 30
    for *_, exact, simulated, error, distance in table:
        apart = (float(simulated) - float(exact)) / float(error)
        assert abs(float(distance)) <= 3 and abs(apart - float(distance)) < 0.3


FAST = [one for one in INSTANCES if one.method in ("optimal", "echelon_equilibrium", "interval_base_stock")][:6]


@pytest.mark.parametrize("instance", FAST, ids=lambda one: f"{one.topology}-{one.method}-{len(one.changes)}")
def test_the_committed_exact_cost_is_found_again(instance: Instance) -> None:
    for row in rows(instance, episodes=4, seed=1):
        assert re.search(rf"\| `{instance.topology}` \|[^\n]*\| {row.exact:.6f} \|", BASELINES)
