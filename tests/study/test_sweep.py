"""Sweeps: what a file stands for, what is refused, and that a search is resumed, stopped early and changed for good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from three_nodes import finish, start, until

from marl_supply.errors import InputError
from marl_supply.study.sweep import Cells, combinations, load

TINY: dict[str, Any] = {
    "name": "tiny",
    "topology": "beer_game_uniform",
    "game": {"horizon": 20},
    "compare": {"base_stock": {"policy": "base_stock"}, "team": {"learner": "happo", "reward": "shared"}},
    "train": {
        "env_steps": 6_400,
        "seeds": 1,
        "jobs": 2,
        "replications": 32,
        "periods": 10,
        "hidden": [8],
        "critic_hidden": [8],
        "evaluations": 5,
        "evaluation_replications": 16,
        "critic_only_updates": 0,
    },
    "evaluate": {"replications": 30},
}
DRAWN = {"over": {"learning_rate": {"loguniform": [1e-5, 1e-1]}}, "samples": 4}


def cells(**sweep: Any) -> list[Cells]:
    found = load({**TINY, "sweep": sweep})
    assert found is not None
    return found


def test_a_file_without_a_sweep_is_none() -> None:
    assert load(TINY) is None


def test_cells_are_rows_of_an_experiment_for_each_topology() -> None:
    over = {
        "topology": ["beer_game_uniform", "beer_game_basic"],
        "reward": ["shared", "individual"],
        "clip": [0.1, 0.2],
    }
    found = cells(over=over)
    assert [one.experiment.topology.name for one in found] == over["topology"]
    assert [one.experiment.name for one in found] == ["tiny_beer_game_uniform", "tiny_beer_game_basic"]
    rows = found[0].experiment.learners
    assert list(rows) == ["team_000", "team_001", "team_002", "team_003"]
    assert [(row.reward, row.settings["clip"]) for row in rows.values()] == [
        ("shared", 0.1),
        ("shared", 0.2),
        ("individual", 0.1),
        ("individual", 0.2),
    ]
    assert "base_stock" in found[0].experiment.compare
    assert len({one.hash for one in found}) == 2


def test_draws_depend_on_the_seed_alone() -> None:
    over = {"clip": [0.1, 0.2], "learning_rate": {"loguniform": [1e-4, 1e-2]}, "epochs": {"integer": [2, 3]}}
    one, again, other = (list(combinations(over, 40, seed)) for seed in (0, 0, 1))
    assert one == again != other
    rates = [values["learning_rate"] for values in one]
    assert min(rates) >= 1e-4 and max(rates) <= 1e-2 and rates[:40] == rates[40:]
    assert {values["epochs"] for values in one} == {2, 3}


@pytest.mark.parametrize(
    ("sweep", "sentence"),
    [
        ({"over": {"learning_rat": [1]}}, "no setting 'learning_rat' (did you mean 'learning_rate'?)"),
        ({"over": {"clip": 0.1}}, "sweep.over.clip: give a list of values"),
        ({"over": {"clip": {"normal": [0, 1]}}}, "sweep.over.clip: no draw"),
        ({"over": {"clip": {"loguniform": [0, 1]}}}, "is no range"),
        ({"over": {"clip": ["high"]}}, "sweep.over (team_000).clip"),
        ({"over": {"clip": [0.1]}, "samples": 2}, "sweep.samples: nothing is drawn"),
        ({"over": {"learner": ["ppo"]}}, "write a row of compare for each learner"),
        ({"over": {"clip": [0.1]}, "scheduler": "pbt"}, "pbt changes what is drawn"),
        ({"over": {"hidden": {"choice": [[8]]}}, "scheduler": "pbt", "samples": 2}, "pbt changes what is drawn"),
        ({"over": {"clip": [0.1]}, "metric": "retailr"}, "sweep.metric: no 'retailr' (did you mean 'retailer'?)"),
        ({"over": {"clip": [0.1]}, "sheduler": "asha"}, "sheduler"),
    ],
)
def test_what_is_refused(sweep: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        cells(**sweep)
    assert sentence in str(caught.value)


@pytest.mark.slow
def test_a_row_that_takes_over_another_trains_on_with_its_own_settings(tmp_path: Path) -> None:
    """From one checkpoint, three learning rates: the same one gives the same weights, another gives others."""
    pytest.importorskip("ray")
    from marl_supply.learning.rllib.tuner import Start
    from marl_supply.study.search import train_cell

    class Enough(Exception):
        """Stands for Tune, which stops a trial."""

    searched = cells(**DRAWN)[0]
    told: list[tuple[float, int]] = []

    def tell(metric: float, steps: int, folder: Path | None) -> None:
        told.append((metric, steps))
        if len(told) == 2:
            raise Enough

    with pytest.raises(Enough):
        train_cell(
            Start("team_000", {"learning_rate": 0.01}, None, "team_000", True), tell, folder=tmp_path, cells=searched
        )
    donor = tmp_path / "rows" / "team_000" / "training"
    weights = []
    for row, rate in (("team_001", 0.01), ("team_002", 0.01), ("team_003", 0.0001)):
        went_on: list[int] = []
        start = Start(row, {"learning_rate": rate}, donor, "team_000", False)
        train_cell(start, lambda m, s, f, steps=went_on: steps.append(s), folder=tmp_path, cells=searched)  # type: ignore[misc]
        assert went_on == [3840, 5120, 6400]
        place = tmp_path / "rows" / row
        changes = json.loads((place / "settings.json").read_text())["changes"]
        assert changes == [{"from": "team_000", "env_steps": 2560, "settings": {"learning_rate": rate}}]
        assert json.loads((place / "row.json").read_text())["settings"]["learning_rate"] == rate
        weights.append(np.load(place / "training" / "seed_0.npz"))
    names = [name for name in weights[0].files if weights[0][name].dtype.kind == "f"]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in names)
    assert any(not np.array_equal(weights[0][name], weights[2][name]) for name in names)
    again: list[int] = []
    train_cell(
        Start("team_001", {"learning_rate": 0.01}, None, "team_001", True),
        lambda m, s, f: again.append(s),
        folder=tmp_path,
        cells=searched,
    )
    assert again == [1280, 2560, 3840, 5120, 6400]  # told once more, not computed once more


def write(place: Path, sweep: dict[str, Any]) -> None:
    (place / "tiny.json").write_text(json.dumps({**TINY, "sweep": sweep}))


@pytest.mark.slow
def test_bad_rows_are_stopped_and_a_killed_search_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    write(tmp_path, {**DRAWN, "scheduler": "asha", "grace": 1})
    process = start(["run", "tiny.json"], tmp_path)
    over = until(lambda: list(tmp_path.rglob("row.json"))[1:] or list(tmp_path.rglob("stopped.json")))
    process.kill()
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in over[0].parent.rglob("*") if path.is_file()}
    folder, said = finish(start(["run", "tiny.json"], tmp_path))
    assert "done before and kept: base_stock" in said
    assert before == {path: path.stat().st_mtime_ns for path in before}
    table = pq.read_table(tmp_path / folder / "trials.parquet").to_pydict()
    assert set(table["state"]) == {"finished", "stopped early"}
    assert table["held_out"] == sorted(table["held_out"])
    for steps, state in zip(table["env_steps"], table["state"], strict=True):
        assert (steps == 6400) == (state == "finished")
    best = (tmp_path / folder / "tuned" / "beer_game_uniform_team.yaml").read_text()
    assert "scheduler: asha" in best and "learning_rate" in best


@pytest.mark.slow
def test_pbt_changes_settings_while_it_trains(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    write(tmp_path, {**DRAWN, "samples": 3, "scheduler": "pbt", "grace": 1})
    folder, _ = finish(start(["run", "tiny.json"], tmp_path))
    table = pq.read_table(tmp_path / folder / "trials.parquet").to_pydict()
    assert table["state"] == ["finished"] * 3 and set(table["env_steps"]) == {6400}
    assert sum(table["changes"]) > 0
    for name, rate in zip(table["trial"], table["learning_rate"], strict=True):
        record = json.loads((tmp_path / folder / "rows" / name / "row.json").read_text())
        assert record["settings"]["learning_rate"] == rate


def test_planning_a_search_loads_neither_ray_nor_torch(tmp_path: Path) -> None:
    write(tmp_path, DRAWN)
    code = "import sys; from marl_supply.cli import main; main(['run', 'tiny.json', '--dry-run']); "
    code += "assert not {'ray', 'torch'} & set(sys.modules)"
    seen = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert not seen.returncode, seen.stderr
    assert "4 trials on beer_game_uniform" in seen.stdout
