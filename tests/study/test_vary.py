"""A series of experiments: one for each value, exact references for each, and a report over all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stub_learner import StubLearner

from marl_supply.cli import main
from marl_supply.errors import InputError
from marl_supply.report.series import read_series, table, write_series
from marl_supply.study.load import load as load_one
from marl_supply.study.vary import load, run_series

SHARES = [0.3, 0.7]
FILE: dict[str, Any] = {
    "name": "shares",
    "topology": "cachon_zipkin",
    "game": {"horizon": 60, "warm_up": 10},
    "vary": {"path": "contract.backorder_share", "values": SHARES, "label": "share"},
    "compare": {
        "levels": {"policy": "base_stock", "parameters": {"retailer": 9, "supplier": 6}},
        "team": {"learner": "happo", "reward": "shared"},
        "selfish": {"learner": "ppo", "reward": "individual"},
    },
    "train": {"env_steps": 100, "seeds": 3},
    "evaluate": {"replications": 20},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("marl_supply.learning.train.train", StubLearner())
    series = load(FILE)
    assert series is not None
    assert len(list(run_series(series, tmp_path))) == 2
    return series.folder(tmp_path).path


def test_every_value_has_its_exact_optimum_and_equilibria() -> None:
    series = load(FILE)
    assert series is not None
    known = [{name: round(r.cost, 6) for name, r in e.report.references.items()} for e in series.experiments]
    assert known[0] == {"optimum": 7.312546, "equilibrium": 8.746427, "echelon_equilibrium": 8.746427}
    assert known[1]["optimum"] == 7.312546
    assert (known[1]["equilibrium"], known[1]["equilibrium_2"]) == (7.423823, 7.349463)
    shares = [experiment.topology.contract.backorder_share for experiment in series.experiments]
    assert shares == SHARES and len({experiment.hash for experiment in series.experiments}) == 2


def test_the_report_sets_rows_beside_what_is_exact(folder: Path) -> None:
    report = write_series(folder)
    head, *cells = table(read_series(folder))
    assert head[:2] == ["share", "optimum"] and head[-2:] == ["price of anarchy", "exact"]
    assert [line[0] for line in cells] == ["0.3", "0.7"]
    assert cells[0][head.index("equilibrium")] == "8.746" and cells[0][head.index("equilibrium_2")] == "-"
    assert cells[0][-1] == "1.196" and cells[1][-1] == "1.005 to 1.015"
    assert "±" in cells[0][head.index("team")]
    assert (folder / "figures" / "series.png").read_bytes()[:4] == b"\x89PNG"
    assert "| share |" in report.path.read_text()
    points = json.loads((folder / "summary.json").read_text())["points"]
    assert [point["value"] for point in points] == SHARES
    assert points[0]["rows"]["team"]["low"] < points[0]["rows"]["team"]["mean"]


def test_a_series_goes_on_where_it_stopped(folder: Path) -> None:
    series = load(FILE)
    assert series is not None
    told: list[str] = []
    list(run_series(series, folder.parents[1], say=told.append))
    assert sum("nothing is left to do" in line for line in told) == 2


def test_the_verbs_run_and_report_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shares.yaml"
    rules = {key: value for key, value in FILE.items() if key != "train"}
    file.write_text(json.dumps({**rules, "compare": {"levels": FILE["compare"]["levels"]}}))
    assert main(["run", str(file), "--results", str(tmp_path / "results"), "--dry-run"]) == 0
    assert "contract.backorder_share = 0.7" in capsys.readouterr().out
    assert main(["run", str(file), "--results", str(tmp_path / "results")]) == 0
    path = Path(capsys.readouterr().out.strip().splitlines()[-1])
    assert path.parent.name.startswith("series_")
    assert main(["report", str(path.parent)]) == 0
    assert str(path) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"vary": {"path": "contract.backorder_share", "values": [0.3]}}, "give two at least"),
        ({"vary": {"path": "contract.backordershare", "values": [0.3, 0.4]}}, "backorder_share"),
        ({"vary": {"path": "report.show", "values": [["cost"], ["by_agent"]]}}, "changes nothing"),
        ({"sweep": {"over": {"entropy": [0.1]}}}, "leave sweep or vary out"),
    ],
)
def test_what_cannot_be_varied_is_one_sentence(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        load({**FILE, **changes})
    assert "\n" not in str(error.value)


def test_a_series_is_no_single_experiment() -> None:
    with pytest.raises(InputError, match="this file is a series"):
        load_one(FILE)
    assert load({key: value for key, value in FILE.items() if key != "vary"}) is None
