"""Reports from a results folder alone: the table, sentences that say what is significant, and figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from stub_learner import StubLearner

from marl_supply.errors import InputError
from marl_supply.report.anarchy import anarchy
from marl_supply.report.results import Results, Row, read
from marl_supply.report.sentences import pairs, sentence
from marl_supply.report.statistics import difference, estimate, ratio
from marl_supply.report.summary import main_table
from marl_supply.report.tables import aligned, markdown, number
from marl_supply.report.write import write
from marl_supply.study.load import load
from marl_supply.study.run import run

SMALL: dict[str, Any] = {
    "name": "small",
    "topology": "beer_game_uniform",
    "game": {"horizon": 20, "warm_up": 5, "criterion": "average"},
    "compare": {
        "base_stock": {"policy": "base_stock"},
        "people": {"policy": "sterman"},
        "team": {"learner": "happo", "reward": "shared"},
        "selfish": {"learner": "ppo", "reward": "individual"},
    },
    "train": {"env_steps": 10_000, "seeds": 3},
    "evaluate": {"replications": 40},
    "report": {
        "references": {
            "optimum": {"cost": 5.0, "source": "made up"},
            "equilibrium": {"cost": 6.0, "source": "made up"},
        },
        "constant": {"cost": 1.0, "source": "made up"},
    },
}
Folder = Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marl_supply.learning.train.train", StubLearner())
        return run(load(SMALL), tmp_path_factory.mktemp("results")).path


@pytest.fixture(scope="module")
def results(folder: Folder) -> Results:
    return read(folder)


@pytest.fixture(scope="module")
def row(results: Results) -> Callable[[str], Row]:
    return {row.name: row for row in results}.__getitem__


def test_figures_are_those_of_the_episodes(folder: Folder, row: Callable[[str], Row]) -> None:
    table = pq.read_table(folder / "episodes.parquet").to_pydict()
    for name in ("people", "team"):
        total = sum(cost for cost, whose in zip(table["cost"], table["row"], strict=True) if whose == name)
        seeds = len(row(name).figures)
        assert row(name).figures.mean() == pytest.approx(total / (40 * 15 * seeds))  # replications x periods x seeds
        assert row(name).sample.mean() == pytest.approx(row(name).figures.mean())


def test_a_trained_row_varies_over_seeds_and_a_rule_over_replications(row: Callable[[str], Row]) -> None:
    team, people = estimate(row("team")), estimate(row("people"))
    seeds = row("team").figures
    reach = stats.t.ppf(0.975, 2) * seeds.std(ddof=1) / np.sqrt(3)
    assert (team.intervals[0].low, team.intervals[0].high) == pytest.approx(
        (seeds.mean() - reach, seeds.mean() + reach)
    )
    assert team.intervals[0].count == 3 and people.intervals[0].count == 40


def test_rules_are_paired_on_common_replications(row: Callable[[str], Row]) -> None:
    found = difference(row("people"), row("base_stock"))
    paired = stats.ttest_rel(row("people").sample, row("base_stock").sample).confidence_interval(0.95)
    assert (found.intervals[0].low, found.intervals[0].high) == pytest.approx((paired.low, paired.high))


def test_a_difference_that_tells_nothing_is_called_so(row: Callable[[str], Row], results: Results) -> None:
    told = {(a.name, b.name): sentence(a, b, results) for a, b in pairs(results)}
    assert set(told) == {
        ("people", "base_stock"),
        ("team", "base_stock"),
        ("selfish", "base_stock"),
        ("team", "selfish"),
    }
    for (first, second), text in told.items():
        significant = difference(row(first), row(second)).significant
        assert ("not significant" in text) == (not significant)
        assert text.startswith(f"{first} costs ") and "95% interval" in text


def test_rows_are_compared_within_their_groups_alone(results: Results) -> None:
    groups = {"teams": ["people", "team", "lost"], "alone": ["lost", "selfish"], "selfish": ["base_stock", "selfish"]}
    grouped = replace(results, experiment={**results.experiment, "report": {**results.report, "groups": groups}})
    assert [(a.name, b.name) for a, b in pairs(grouped)] == [("team", "people"), ("selfish", "base_stock")]


def test_the_price_of_anarchy_is_a_ratio_with_an_interval(row: Callable[[str], Row], results: Results) -> None:
    found = anarchy(results)
    assert found is not None and found.measured is not None and found.without_constant is not None
    costs = {row.name: row.figures.mean() for row in results}
    cheapest = min(costs, key=costs.__getitem__)
    assert (found.selfish.name, found.cooperative.name) == ("selfish", cheapest)
    assert found.measured.mean == pytest.approx(costs["selfish"] / costs[cheapest])
    assert found.without_constant.mean == pytest.approx((costs["selfish"] - 1) / (costs[cheapest] - 1))
    assert found.exact == 6 / 5 and found.exact_without_constant == 5 / 4


def test_a_ratio_has_the_interval_of_its_logarithm(row: Callable[[str], Row]) -> None:
    found = ratio(row("selfish"), row("team"))
    assert found is not None
    interval = found.intervals[0]
    selfish, team = row("selfish").figures, row("team").figures
    assert found.mean == pytest.approx(selfish.mean() / team.mean())
    welch = stats.ttest_ind(np.log(selfish), np.log(team), equal_var=False).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((np.exp(welch.low), np.exp(welch.high)))


def test_a_ratio_of_profits_is_not_given(row: Callable[[str], Row]) -> None:
    assert ratio(row("selfish"), row("team"), constant=1e6) is None


def test_a_report_has_its_parts_and_its_figures(folder: Folder) -> None:
    report = write(folder)
    text = report.path.read_text()
    for part in (
        "| row | cost a week |",
        "## Comparisons",
        "## References",
        "## Policies",
        "Price of anarchy",
        "made up",
    ):
        assert part in text
    for name in ("learning_curves", "cost_by_account", "orders_by_echelon"):
        assert (folder / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert f"figures/{name}.png" in text
    assert json.loads((folder / "summary.json").read_text()) == json.loads(json.dumps(report.summary))
    assert not list(folder.rglob("*.partial"))


def test_two_agents_have_a_plane_of_costs_and_four_have_none(tmp_path: Path, folder: Folder) -> None:
    write(folder)
    assert not (folder / "figures" / "cost_plane.png").exists()
    pair = {"name": "pair", "topology": "cachon_zipkin", "game": {"horizon": 60, "warm_up": 10}}
    rows = {str(level): {"policy": "base_stock", "parameters": {"retailer": level}} for level in (8, 12)}
    known = {"optimum": {"cost": 7.0, "by_agent": {"retailer": 3.9, "supplier": 3.1}, "source": "made up"}}
    document = {**pair, "compare": {f"level_{n}": row for n, row in rows.items()}, "report": {"references": known}}
    two = run(load({**document, "evaluate": {"replications": 20}}), tmp_path).path
    assert "cost_plane.png" in write(two).path.read_text()
    assert (two / "figures" / "cost_plane.png").read_bytes()[:4] == b"\x89PNG"


def test_two_seeds_give_points_and_no_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marl_supply.learning.train.train", StubLearner())
    rows = {"base_stock": {"policy": "base_stock"}, "team": {"learner": "happo", "reward": {"blend": 0.5}}}
    results = read(run(load({**SMALL, "compare": rows}, ["train.seeds=2"]), tmp_path).path)
    assert main_table(results, [])[2][2].startswith("seeds: ")
    assert "too little is known for an interval" in sentence(results.rows[1], results.rows[0], results)
    assert anarchy(results) is None


def test_a_report_needs_no_trained_row(tmp_path: Path) -> None:
    rules = {name: SMALL["compare"][name] for name in ("base_stock", "people")}
    folder = run(load({**SMALL, "compare": rules, "report": ["cost"]}), tmp_path).path
    report = write(folder)
    assert "learning_curves" not in report.path.read_text()
    assert "bullwhip" not in report.path.read_text().split("## Comparisons")[0]


def test_one_realised_path_is_said_to_be_one(tmp_path: Path) -> None:
    rules = {"base_stock": {"policy": "base_stock"}, "people": {"policy": "sterman"}}
    folder = run(load({"name": "recorded", "topology": "cd_retail_chain", "compare": rules}), tmp_path).path
    report = write(folder)
    assert "one realised path" in report.path.read_text().split("## Comparisons")[0]
    assert "blocks of 28" in report.text
    assert report.summary["measure"] == "cost a day"


def test_training_demand_is_told_beside_the_held_out_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one path seeds may be lucky: every row is scored on fresh windows of the training span as well."""
    monkeypatch.setattr("marl_supply.learning.train.train", StubLearner())
    rows = {name: SMALL["compare"][name] for name in ("base_stock", "team", "selfish")}
    recorded = {"name": "recorded", "topology": "cd_retail_chain", "compare": rows, "evaluate": {"replications": 30}}
    results = read(run(load({**recorded, "train": {"env_steps": 100, "seeds": 3}}), tmp_path).path)
    column = main_table(results, [])[0].index("cost a day on training demand")
    cells = [line[column] for line in main_table(results, [])[1:]]
    assert cells[0] == number(results.rows[0].record["training_demand"]["cost"] / 60)
    assert all(" ± " in cell for cell in cells[1:])
    told = anarchy(results)
    assert told is not None and told.in_training is not None
    upper, lower = results.rows[2].training_figures, results.rows[1].training_figures
    assert upper is not None and lower is not None
    assert told.in_training.mean == pytest.approx(upper.mean() / lower.mean())
    text = write(results.path).path.read_text()
    assert "Price of anarchy on the training demand, over many windows: " in text
    assert "On the held-out span, one realised path, the same ratio is " in text
    assert "mean 184.4 and standard deviation 57.2 units a day, against 227.9 and 82.7 in training" in text


def test_a_folder_that_is_none_of_results_is_refused(tmp_path: Path, folder: Folder) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read(tmp_path / "lost")
    with pytest.raises(InputError, match="not a results folder"):
        read(tmp_path)
    with pytest.raises(InputError, match=f"there is {folder}"):
        read(folder.parents[1])


def test_tables_align_text_left_and_numbers_right() -> None:
    cells = [["row", "cost", "plays"], ["a", 180.0, "x"], ["long", 7.25, "y"]]
    assert aligned(cells) == "row    cost  plays\na     180.0  x\nlong  7.250  y"
    assert markdown(cells).splitlines()[1] == "| --- | ---: | --- |"
