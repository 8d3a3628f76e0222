"""The value of information: which rows belong together, and what seeing more saves them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from stub_learner import StubLearner

from marl_supply.game.quantities import LEVELS as LEVELS_OF_GAMES
from marl_supply.report.anarchy import anarchy
from marl_supply.report.figures import information_value
from marl_supply.report.information import LEVELS, Family, families, information_section
from marl_supply.report.results import Results, read
from marl_supply.report.write import write
from marl_supply.study.load import load
from marl_supply.study.run import run

FULL, SHARED = {"observe": "full"}, {"observe": "shared_demand"}
TEAM = {"learner": "happo", "reward": "shared"}
SELFISH = {"learner": "ppo", "reward": "individual"}
COMPARE: dict[str, Any] = {
    "rule": {"policy": "base_stock"},
    "rule_full": {"policy": "base_stock", "game": FULL},
    "other_levels": {"policy": "base_stock", "game": SHARED, "parameters": {"retailer": 12}},
    "other_rule": {"policy": "echelon_base_stock", "game": SHARED, "parameters": {"retailer": 12}},
    "team_full": {**TEAM, "game": FULL, "hidden": [8]},
    "team": TEAM,
    "team_demand": {**TEAM, "game": SHARED, "seeds": [0, 3, 4]},
    "selfish": {**SELFISH, "hidden": [8]},
    "selfish_wide": {**SELFISH, "hidden": [16]},
    "selfish_full": {**SELFISH, "hidden": [8], "game": FULL},
}
SMALL: dict[str, Any] = {
    "name": "small",
    "topology": "beer_game_uniform",
    "game": {"horizon": 20, "warm_up": 5},
    "train": {"env_steps": 10_000, "seeds": 3},
    "evaluate": {"replications": 40},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marl_supply.learning.train.train", StubLearner())
        return run(load({**SMALL, "compare": COMPARE}), tmp_path_factory.mktemp("results")).path


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return read(folder)


def named(results: Results) -> dict[str, Family]:
    return {family.name: family for family in families(results)}


def without(results: Results, *names: str) -> Results:
    return replace(results, rows=tuple(row for row in results if row.name not in names))


def test_levels_are_those_of_games() -> None:
    assert tuple(LEVELS_OF_GAMES) == LEVELS


def test_rows_alike_but_for_what_they_see_belong_together(results: Results) -> None:
    members = {name: [row.name for row in family.rows.values()] for name, family in named(results).items()}
    assert members == {
        "base_stock": ["rule", "rule_full"],
        "happo, shared reward": ["team", "team_demand", "team_full"],
        "ppo, individual reward": ["selfish", "selfish_full"],
    }
    assert list(named(results)["happo, shared reward"].rows) == ["local", "shared_demand", "full"]


def test_settings_that_differ_are_told(results: Results) -> None:
    assert named(results)["happo, shared reward"].differing == ["seeds", "hidden"]
    assert named(results)["ppo, individual reward"].differing == []
    assert "The rows of happo, shared reward also differ in `seeds`, `hidden`." in information_section(results)[2]


def test_of_two_rows_that_see_the_same_none_is_chosen_without_reason(results: Results) -> None:
    """Without the narrow local row, the wide one belongs with the full one; with it, it does not."""
    assert list(named(without(results, "selfish"))["ppo, individual reward"].rows.values())[0].name == "selfish_wide"
    wide = {**results.experiment["compare"]["selfish_full"], "hidden": [32]}
    changed = {**results.experiment, "compare": {**results.experiment["compare"], "selfish_full": wide}}
    assert "ppo, individual reward" not in named(replace(results, experiment=changed))


def test_two_families_of_one_learner_are_told_apart(results: Results) -> None:
    row = next(row for row in results if row.name == "selfish_full")
    twin = replace(row, record={**row.record, "row": "selfish_wide_full"})
    stated = {**results.experiment["compare"]["selfish_wide"], "game": FULL}
    changed = {**results.experiment, "compare": {**results.experiment["compare"], "selfish_wide_full": stated}}
    found = named(replace(results, rows=(*results.rows, twin), experiment=changed))
    assert {"ppo, individual reward (selfish)", "ppo, individual reward (selfish_wide)"} < set(found)


def test_other_rewards_and_other_actions_are_other_families(results: Results) -> None:
    compare = results.experiment["compare"]
    stated = {**compare["team_full"], "game": {**FULL, "actions": "order_up_to"}}
    changed = {**results.experiment, "compare": {**compare, "team_full": stated}}
    assert list(named(replace(results, experiment=changed))["happo, shared reward"].rows) == ["local", "shared_demand"]
    rows = [
        row if row.name != "team" else replace(row, record={**row.record, "reward": {"blend": 0.5}}) for row in results
    ]
    assert list(named(replace(results, rows=tuple(rows)))["happo, shared reward"].rows) == ["shared_demand", "full"]


def test_what_is_saved_is_worked_out_from_the_episodes(folder: Path, results: Results) -> None:
    table = pq.read_table(folder / "episodes.parquet").to_pydict()
    costs: dict[str, dict[int, float]] = {"team": {}, "team_demand": {}}
    for row, seed, cost in zip(table["row"], table["training_seed"], table["cost"], strict=True):
        if row in costs:
            costs[row][seed] = costs[row].get(seed, 0.0) + cost / 40
    local, demand = (np.array(list(by_seed.values())) for by_seed in costs.values())
    divisor = results.rows[0].divisor
    saved = named(results)["happo, shared reward"].saved["shared_demand"]
    assert saved.mean == pytest.approx((local.mean() - demand.mean()) / divisor) and saved.mean != 0
    welch = stats.ttest_ind(local / divisor, demand / divisor, equal_var=False).confidence_interval(0.95)
    assert (saved.intervals[0].low, saved.intervals[0].high) == pytest.approx((welch.low, welch.high))


def test_rules_are_paired_and_a_rule_that_looks_at_nothing_more_saves_nothing(results: Results) -> None:
    saved = named(results)["base_stock"].saved["full"]
    assert saved.mean == 0 and not saved.significant
    assert saved.intervals[0].method.startswith("paired") and saved.intervals[0].half_width == 0


def test_the_report_has_a_table_a_figure_and_numbers(folder: Path) -> None:
    text = write(folder).path.read_text()
    section = text.split("## Value of information")[1].split("## ")[0]
    assert text.index("## Comparisons") < text.index("## Value of information") < text.index("## Figures")
    assert section.count("\n| happo, shared reward |") == 3 and section.count("\n| base_stock |") == 2
    assert "| base_stock | full | rule_full |" in section and "| no |" in section
    assert (folder / "figures" / "information_value.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((folder / "summary.json").read_text())["information"]
    team = next(family for family in numbers if family["family"] == "happo, shared reward")
    cost = {level["observe"]: level["cost"]["mean"] for level in team["levels"]}
    saved = {level["observe"]: level["saved"] and level["saved"]["mean"] for level in team["levels"]}
    expected = {"local": None, **{level: cost["local"] - cost[level] for level in ("shared_demand", "full")}}
    assert saved == pytest.approx(expected)


def test_lines_go_from_the_least_information_to_the_most(results: Results) -> None:
    figure = information_value.draw(results)
    assert figure is not None
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_xticklabels()] == ["local", "shared demand", "full"]
    drawn = {container.get_label(): container.lines[0] for container in panel.containers}
    team = named(results)["happo, shared reward"]
    heights = np.asarray(drawn[team.name].get_ydata(), dtype=float)
    np.testing.assert_allclose(heights, [row.figures.mean() for row in team.rows.values()])


def test_neither_neighbours_nor_shared_demand_is_called_the_richer(results: Results) -> None:
    changed = dict(results.experiment["compare"])
    changed["team"] = {**changed["team"], "game": {"observe": "neighbours"}}
    told = information_section(replace(results, experiment={**results.experiment, "compare": changed}))[2]
    assert "neither holds the other" in told and "neither holds the other" not in information_section(results)[2]


def test_without_a_family_there_is_neither_section_nor_figure(results: Results) -> None:
    alone = without(results, "rule_full", "team_full", "team_demand", "selfish_full")
    assert families(alone) == [] and information_section(alone) == [] and information_value.draw(alone) is None


def test_selfish_play_is_held_against_cooperation_that_sees_as_much(results: Results) -> None:
    found = anarchy(results)
    assert found is not None
    for selfish, cooperative in ((found.selfish, found.cooperative), *((row, other) for row, other, _ in found.others)):
        seen = [results.experiment["compare"][row.name].get("game", {}) for row in (selfish, cooperative)]
        assert selfish.reward == "individual" and cooperative.reward != "individual" and seen[0] == seen[1]
