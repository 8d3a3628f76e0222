"""A series of named cases, each with settings of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marl_supply.cli import main
from marl_supply.errors import InputError
from marl_supply.report.series import case_table, read_series, write_series
from marl_supply.report.tables import number
from marl_supply.study.load import load as load_one
from marl_supply.study.vary import load, run_series

CASES: dict[str, dict[str, Any]] = {
    "waiting": {},
    "lost, fixed cost": {"markets.seller.unmet": "lost", "edges.0.fixed_order_cost": 20},
}
FILE: dict[str, Any] = {
    "name": "scenarios",
    "topology": "pricing_replenishment",
    "game": {"horizon": 30, "warm_up": 5},
    "vary": {"cases": CASES, "label": "scenario"},
    "compare": {"list_price": {"policy": "base_stock_list_price"}, "myopic": {"policy": "myopic_price"}},
    "evaluate": {"replications": 30},
    "report": {
        "show": ["cost", "paired", "density"],
        "baseline": "list_price",
        "claims": [{"text": "myopic earns more", "row": "myopic", "below": ["list_price"]}],
    },
}


def test_each_case_is_the_experiment_with_its_settings() -> None:
    series = load(FILE)
    assert series is not None and series.section.points == list(CASES)
    alone = {key: value for key, value in FILE.items() if key != "vary"}
    for experiment, settings in zip(series.experiments, CASES.values(), strict=True):
        assert experiment.hash == load_one(alone, [f"{path}={value}" for path, value in settings.items()]).hash
    assert [e.topology.edges[0].fixed_order_cost for e in series.experiments] == [0, 20]
    assert [e.topology.markets["seller"].unmet for e in series.experiments] == ["backorder", "lost"]


def test_the_report_has_a_column_for_each_case(tmp_path: Path) -> None:
    series = load(FILE)
    assert series is not None
    folders = list(run_series(series, tmp_path))
    path = series.folder(tmp_path).path
    cells = case_table(read_series(path))
    assert cells[0] == ["row", *CASES] and [line[0] for line in cells[1:]] == ["list_price", "myopic"]
    for column, folder in enumerate(folders, start=1):
        for line, row in zip(cells[1:], ("list_price", "myopic"), strict=True):
            record = json.loads((folder.row(row) / "row.json").read_text())
            assert line[column].split(" ± ")[0] == number(record["results"][0]["cost"]["mean"] / 25)
    report = write_series(path)
    text = report.path.read_text()
    assert "| row | waiting | lost, fixed cost |" in text
    assert "- lost, fixed cost: `markets.seller.unmet` lost, `edges.0.fixed_order_cost` 20" in text
    assert text.rstrip().splitlines()[-1].startswith('- "myopic earns more" holds in ')
    assert report.summary["claims"][0] in report.text
    assert [point["value"] for point in report.summary["points"]] == list(CASES)
    assert sorted(each.name for each in (path / "figures").iterdir()) == ["episode_density.png"]
    told: list[str] = []
    list(run_series(series, tmp_path, say=told.append))
    assert sum("nothing is left to do" in line for line in told) == len(CASES)


def test_a_dry_run_says_what_each_case_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text(json.dumps(FILE))
    assert main(["run", str(file), "--results", str(tmp_path), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert all(f"scenario = {name}\n" in told for name in CASES) and told.count("would write") == len(CASES)


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        ({"cases": {}}, "vary.cases: no case varies nothing; give two at least"),
        ({"cases": {"only": {}}}, "vary.cases: one case"),
        ({"cases": CASES, "path": "edges.0.lead_time", "values": [1, 2]}, "vary: cases and path with values"),
        ({"path": "edges.0.lead_time"}, "vary: it does not say what varies"),
        ({}, "vary: it does not say what varies"),
        ({"cases": {"a": {}, "b": {"edges.0.fixed_cost": 2}}}, "vary.cases.b: edges.0.fixed_cost: unknown key"),
        ({"cases": {"a": {}, "b": {"edges.0.lead_time": -1}}}, r"vary.cases.b: .*lead_time: must be at least 0"),
        ({"cases": {"a": {}, "b": {"edges.0.lead_time": 1}}}, "vary.cases.b: the same experiment as case 'a'"),
        ({"cases": {"a": {}, "b": None}}, "vary.cases.b: nothing is not a mapping"),
    ],
)
def test_what_is_no_case_is_one_sentence(vary: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        load({**FILE, "vary": vary})
    assert str(error.value).startswith("scenarios: ") and "\n" not in str(error.value)


def test_options_of_the_command_line_are_not_put_on_a_case() -> None:
    with pytest.raises(InputError, match="^--set nodes.seler.on_hand: no node 'seler'"):
        load(FILE, ["nodes.seler.on_hand=1"])
