"""A run with real trainings, two at once, from the file to policies that the command line plays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marl_supply.cli import main

EXPERIMENT = """
name: tiny
topology: beer_game_uniform
game: {horizon: 20}
compare:
  base_stock: {policy: base_stock}
  team:       {learner: happo, reward: shared}
  selfish:    {learner: ppo, reward: individual, seats: {manufacturer: base_stock}}
train:
  {env_steps: 2_000, seeds: 3, jobs: 2, replications: 32, periods: 10, hidden: [8], evaluations: 2,
   evaluation_replications: 16}
evaluate: {replications: 30}
"""


@pytest.mark.slow
def test_trained_policies_are_scored_as_the_command_line_scores_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(EXPERIMENT)
    assert main(["run", "tiny.yaml"]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1]).parent
    record = json.loads((folder / "rows" / "team" / "row.json").read_text())
    policies = folder / "rows" / "team" / "training" / "seed_1.npz"
    arguments = ["--set", "game.horizon=20", "--replications", "30", "--json"]
    assert main(["evaluate", "beer_game_uniform", "--policy", str(policies), *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cost"]["mean"] == record["results"][1]["cost"]["mean"]
    selfish = json.loads((folder / "rows" / "selfish" / "row.json").read_text())
    assert selfish["policies"]["manufacturer"] == "base_stock" and "manufacturer" in selfish["parameters"]
