"""Running: what a results folder holds, what a second run keeps, and what bad input leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stub_learner import StubLearner

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.policies import seat_everybody
from marl_supply.study import jobs, work
from marl_supply.study.experiment import Experiment
from marl_supply.study.folder import Folder
from marl_supply.study.run import folder_of, resumption, run
from marl_supply.study.work import game_of

Make = Callable[..., Experiment]
RULES = {"base_stock": {"policy": "base_stock"}, "people": {"policy": "sterman"}}


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> StubLearner:
    stub = StubLearner()
    monkeypatch.setattr("marl_supply.learning.train.train", stub)
    return stub


def test_a_run_leaves_every_row_and_where_it_comes_from(make: Make, results: Path, learner: StubLearner) -> None:
    experiment = make()
    folder = run(experiment, results)
    assert folder.path == results / "small" / experiment.hash
    episodes = pq.read_table(folder.path / "episodes.parquet").to_pydict()
    by_row = {name: episodes["row"].count(name) for name in experiment.compare}
    assert by_row == {"base_stock": 160, "people": 160, "mixed": 160, "team": 480, "selfish": 480}  # seeds x 40 x 4
    assert {seed for seed, row in zip(episodes["training_seed"], episodes["row"], strict=True) if row == "team"} == {
        0,
        1,
        2,
    }
    provenance = json.loads((folder.path / "provenance.json").read_text())
    assert provenance["hash"] == experiment.hash
    assert provenance["seeds"] == {"training": {"team": [0, 1, 2], "selfish": [0, 1, 2]}, "evaluation": 7}
    assert provenance["versions"]["numpy"] and provenance["host"]["cores"]
    assert provenance["sessions"][0]["ended"] and list(provenance["sessions"][0]["finished_rows"]) == list(
        experiment.compare
    )
    assert not list(folder.path.rglob("*.partial"))


def test_rows_are_scored_as_evaluate_scores_them(make: Make, results: Path) -> None:
    experiment = make(compare=RULES)
    folder = run(experiment, results)
    game = game_of(experiment, experiment.compare["people"])
    expected = evaluate(game, seat_everybody(game, "sterman"), 40, 7)
    found = folder.record("people")["results"][0]
    assert found["cost"]["mean"] == expected.mean
    assert found["bullwhip"] == expected.bullwhip and found["fill_rate"] == expected.fill_rate


def test_a_row_that_is_trained_on_another_instance_is_scored_on_this_one(make: Make, results: Path) -> None:
    """It is as if its parameters had been found there and stated here."""
    rows = {
        "here": {"policy": "base_stock", "tune": {"replications": 32}},
        "there": {
            "policy": "base_stock",
            "tune": {"replications": 32},
            "trained_on": {"nodes.retailer.backorder_cost": 30},
        },
    }
    folder = run(make(compare=rows), results)
    here, there = (folder.record(name) for name in rows)
    assert here["parameters"] != there["parameters"]
    again = run(make(compare={"x": {"policy": "base_stock", "parameters": there["parameters"]}}), results)
    assert again.record("x")["results"] == there["results"] != here["results"]


def test_a_finished_run_does_nothing_again(make: Make, results: Path, learner: StubLearner) -> None:
    folder = run(make(), results)
    before = {path: path.stat().st_mtime_ns for path in folder.rows.rglob("*") if path.is_file()}
    said: list[str] = []
    run(make(), results, say=said.append)
    assert learner.calls == ["team", "selfish"]
    assert before == {path: path.stat().st_mtime_ns for path in folder.rows.rglob("*") if path.is_file()}
    assert "nothing is left to do" in said[-1]


def test_an_interrupted_training_goes_on_from_its_checkpoint(make: Make, results: Path, learner: StubLearner) -> None:
    learner.interruptions = 1
    experiment = make()
    with pytest.raises(KeyboardInterrupt):
        run(experiment, results)
    folder = folder_of(experiment, results)
    assert [name for name in experiment.compare if folder.finished(name)] == ["base_stock", "people", "mixed"]
    said: list[str] = []
    run(experiment, results, say=said.append)
    assert said == [
        f"resuming {folder.path}",
        "  finished before and kept: base_stock, people, mixed",
        "  team: training goes on from its checkpoint at step 5,000 of 10,000",
        "  still to do: selfish",
    ]
    assert folder.record("team")["resumed_from"] == 5000
    assert len(json.loads((folder.path / "provenance.json").read_text())["sessions"]) == 2


def test_a_run_that_is_resumed_gives_what_a_whole_one_gives(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make(compare=RULES)
    whole = run(experiment, tmp_path / "whole")
    real = work.work

    def stopped(folder: Folder, experiment: Experiment, name: str, report: work.Report) -> None:
        if name == "people":
            raise KeyboardInterrupt
        real(folder, experiment, name, report)

    monkeypatch.setattr(jobs, "work", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(experiment, tmp_path / "parts")
    assert not (folder_of(experiment, tmp_path / "parts").path / "episodes.parquet").exists()
    monkeypatch.setattr(jobs, "work", real)
    parts = run(experiment, tmp_path / "parts")
    tables = [pq.read_table(folder.path / "episodes.parquet") for folder in (whole, parts)]
    assert tables[0].equals(tables[1])


def test_fresh_begins_again(make: Make, results: Path) -> None:
    experiment = make(compare=RULES)
    folder = run(experiment, results)
    (folder.row("people") / "row.json").write_text("damaged")
    with pytest.raises(InputError, match="damaged|whole"):
        run(experiment, results)
    run(experiment, results, fresh=True)
    assert folder.record("people")["row"] == "people" and not resumption(Folder(results / "x"), experiment)


def test_bad_input_leaves_no_folder(make: Make, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError):
        run(make(compare={"x": {"policy": "base_stok"}}), results)
    assert not results.exists()

    def refuses(*_: object) -> None:
        raise InputError("found out late")

    monkeypatch.setattr(jobs, "work", refuses)
    with pytest.raises(InputError, match="found out late"):
        run(make(compare=RULES), results)
    assert not results.exists()


def test_a_truncated_file_of_policies_is_refused(make: Make, results: Path, tmp_path: Path) -> None:
    path = tmp_path / "seed_0.npz"
    path.write_bytes(b"PK\x03\x04 cut off here")
    with pytest.raises(InputError, match="not a whole file"):
        run(make(compare={"x": {"policy": str(path)}}), results)
    assert not results.exists()


def test_one_run_at_a_time(make: Make, results: Path) -> None:
    experiment = make(compare=RULES)
    folder = run(experiment, results)
    with folder.held(), pytest.raises(InputError, match="another run"):
        run(experiment, results)


def test_two_rows_at_once_give_the_same(make: Make, tmp_path: Path) -> None:
    tables = []
    for count in (1, 2):
        folder = run(make(f"train.jobs={count}", compare=RULES), tmp_path / str(count))
        tables.append(pq.read_table(folder.path / "episodes.parquet"))
        assert not list(folder.rows.rglob("log.txt"))
    assert tables[0].equals(tables[1])


def test_held_out_demand_is_scored_as_one_realised_path(results: Path) -> None:
    from marl_supply.study.load import load

    rows = {"base_stock": {"policy": "base_stock"}, "people": {"policy": "sterman"}}
    experiment = load({"name": "recorded", "topology": "cd_retail_chain", "compare": rows})
    record = run(experiment, results).record("people")
    assert (record["one_path"], record["held_out"], record["block"]) == (True, True, 28)
    assert (record["horizon"], record["replications"]) == (150, 1)  # 1998-02-01 to 1998-06-30
    path = pq.read_table(results / "recorded" / experiment.hash / "rows" / "people" / "path.parquet")
    assert path.num_rows == 150 * 3
    assert sum(path["cost"].to_pylist()) == pytest.approx(record["results"][0]["cost"]["mean"])
