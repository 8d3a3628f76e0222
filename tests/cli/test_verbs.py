"""The other verbs, and what help costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shipped_chains import NAMES

from marl_supply.cli import main
from marl_supply.topology import names

RULES = """
name: rules
topology: beer_game_uniform
game: {horizon: 12}
compare:
  base_stock: {policy: base_stock}
  people: {policy: sterman}
evaluate: {replications: 8}
"""


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from marl_supply.cli import main; main(['--help']); main(['run', '--help']);"
        "heavy = {'ray', 'torch', 'pandas', 'matplotlib', 'numpy', 'pydantic', 'pyarrow', 'scipy', 'networkx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.splitlines()[-1] == "[]"
    for verb in ("check", "evaluate", "list", "report", "run", "show"):
        assert f"    {verb} " in seen.stdout


def test_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["topologies"]) == names()
    assert {"base_stock", "sterman", "forecast_base_stock"} <= set(found["policies"])
    assert {"happo", "ppo"} <= set(found["learners"])
    assert main(["list", "learners"]) == 0
    assert "happo" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_every_topology_is_shown_and_sound(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert "numbers seen" in text and "order bound" in text and "not playable" not in text
    assert main(["check", name]) == 0
    assert f"{name}: sound" in capsys.readouterr().out


def test_show_gives_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "serial_liu", "--json", "--set", "edges.0.order_limit=7"]) == 0
    found = json.loads(capsys.readouterr().out)
    seat = found["seats"][0]
    assert (seat["agent"], seat["action_size"], seat["choices"]) == ("manufacturer", 1, [8])
    assert seat["order_bound"] == {"factory-manufacturer": 7}


def test_show_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chain.png"
    assert main(["show", "cachon_zipkin", "--png", str(file)]) == 0
    assert file.read_bytes().startswith(b"\x89PNG") and "[supplier]" in capsys.readouterr().out
    assert main(["show", "cachon_zipkin", "--json", "--png", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["topology"]["name"] == "cachon_zipkin"
    assert main(["show", "cachon_zipkin", "--png", str(tmp_path / "chain.pdf")]) == 2
    assert "let the name end in .png" in capsys.readouterr().err
    assert main(["show", "cachon_zipkin", "--png", str(tmp_path / "nowhere" / "chain.png")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_check_gives_its_warnings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "single_echelon", "--json", "--set", "nodes.store.storage=6"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert warning["place"] == "nodes.store.storage" and "6 is less than 15" in warning["text"]


def test_warnings_fail_a_strict_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chain.yaml"
    path.write_text("extends: beer_game\ngame: {horizon: 3}\n")
    assert main(["check", str(path)]) == 0
    assert main(["check", str(path), "--strict"]) == 1
    assert "game.horizon" in capsys.readouterr().out


def test_run_report_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    assert main(["check", "rules.yaml"]) == 0
    assert main(["run", "rules.yaml", "--dry-run"]) == 0
    assert "would write results/rules/" in capsys.readouterr().out and not Path("results").exists()
    assert main(["run", "rules.yaml", "--results", "there", "--set", "evaluate.replications=6"]) == 0
    report = Path(capsys.readouterr().out.splitlines()[-1])
    assert report.is_file() and report.parts[:2] == ("there", "rules")
    assert main(["run", "rules.yaml", "--results", "there", "--set", "evaluate.replications=6"]) == 0
    seen = capsys.readouterr()
    assert "resuming there/rules/" in seen.err and "finished before and kept: base_stock, people" in seen.err
    assert main(["report", str(report.parent), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["row"] for row in found["rows"]] == ["base_stock", "people"]
    assert main(["run", str(report.parent / "experiment.json"), "--results", "there"]) == 0
    assert Path(capsys.readouterr().out.splitlines()[-1]) == report


def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("marl_supply.study.jobs.work", interrupted)
    assert main(["run", "rules.yaml"]) == 130
    assert "marl-supply run rules.yaml" in capsys.readouterr().err.splitlines()[-1]
