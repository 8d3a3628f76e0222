"""The gate of the learning stack: where the answers are known exactly, learners find them (about six minutes)."""

from __future__ import annotations

from pathlib import Path

import pytest

from marl_supply.report.anarchy import anarchy
from marl_supply.report.results import read
from marl_supply.study.load import load
from marl_supply.study.run import run

OPTIMUM, EQUILIBRIUM = 7.312546, 8.746427
FIRMS = {"supplier": 5.923, "retailer": 2.823}
"""Cachon & Zipkin (1999), Poisson(4), h1 = h2 = .5, p = 5, lead times 1, backorder share .3: computed exactly."""


@pytest.mark.slow
def test_teams_find_the_optimum_and_selfish_learners_the_equilibrium(tmp_path: Path) -> None:
    """Five seeds: teams within 1% of the optimum, selfish play within 3% of the equilibrium and 5% for each firm."""
    pytest.importorskip("ray")
    results = read(run(load("cachon_zipkin"), tmp_path).path)
    rows = {row.name: row for row in results}
    assert rows["optimal_levels"].figures[0] == pytest.approx(OPTIMUM, abs=3 * 0.0064)
    for team in ("happo_shared", "ppo_shared"):
        assert len(rows[team].figures) == 5
        assert rows[team].figures.mean() == pytest.approx(OPTIMUM, rel=0.01)
    selfish = rows["ppo_individual"]
    assert selfish.figures.mean() == pytest.approx(EQUILIBRIUM, rel=0.03)
    for firm, cost in selfish.mean_of("cost", "by_agent").items():
        assert cost / selfish.divisor == pytest.approx(FIRMS[firm], rel=0.05)
    told = anarchy(results)
    assert told is not None and told.learned is not None
    assert told.learned.mean == pytest.approx(EQUILIBRIUM / OPTIMUM, rel=0.02)
