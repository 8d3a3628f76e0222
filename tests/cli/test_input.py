"""Bad input: one clear sentence on stderr, exit code 2, and no results folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from marl_supply.cli import main

CHAIN = """
nodes:
  plant: {kind: source}
  shop: {on_hand: 3, holding_cost: 1, backorder_cost: 2, demand: {process: trace, file: demand.csv, column: units}}
edges:
  - {from: plant, to: shop, lead_time: 2}
game: {horizon: 2}
"""
COLUMNS = "date,units\n2020-01-01,3\n2020-01-02,4\n"
FILES = {
    "a name misspelt in an edge": (CHAIN.replace("to: shop", "to: shp"), COLUMNS, "did you mean 'shop'"),
    "a cycle": (CHAIN.replace("lead_time: 2}", "lead_time: 2}\n  - {from: shop, to: shop}"), COLUMNS, "shop"),
    "a duplicate key": (CHAIN + "game: {horizon: 3}\n", COLUMNS, "twice"),
    "a negative lead time": (CHAIN.replace("lead_time: 2", "lead_time: -2"), COLUMNS, "lead_time"),
    "a pipeline of the wrong length": (
        CHAIN.replace("2}\ngame", "2, pipeline: [1]}\ngame"),
        COLUMNS,
        "give a list of 2",
    ),
    "no demand file": (CHAIN.replace("demand.csv", "lost.csv"), COLUMNS, "lost.csv"),
    "no such column": (CHAIN.replace("column: units", "column: unit"), COLUMNS, "unit"),
    "a demand that is NaN": (CHAIN, COLUMNS.replace("4", "nan"), "nan"),
    "a demand that is negative": (CHAIN, COLUMNS.replace("4", "-4"), "0 or more"),
    "no YAML": ("nodes: [", COLUMNS, "YAML"),
}
COMMANDS = {
    ("evalute", "beer_game"): "no verb 'evalute' (did you mean 'evaluate'?)",
    ("evaluate", "beer_gme", "--policy", "sterman"): "did you mean 'beer_game'",
    ("evaluate", "beer_game"): "--policy NAME",
    ("evaluate", "beer_game", "--policy", "stermann"): "did you mean 'sterman'",
    ("evaluate", "beer_game", "--policy", "sterman", "--replication", "5"): "did you mean '--replications'",
    ("evaluate", "beer_game", "--policy", "sterman", "--replications", "0"): "at least 1",
    ("evaluate", "beer_game", "--policy", "sterman", "--set", "game.horizn=5"): "did you mean 'horizon'",
    ("evaluate", "beer_game", "--policy", "sterman", "--set", "game.horizon"): "PATH=VALUE",
    ("evaluate", "beer_game", "--policy", "sterman", "--seat", "retailr=sterman"): "did you mean 'retailer'",
    ("evaluate", "beer_game", "--policy", "sterman", "--seat", "retailer"): "NODE=NAME",
    ("evaluate", "beer_game", "--policy", "base_stock", "--param", "retailer.level=x"): "not a number",
    ("evaluate", "beer_game", "--policy", "base_stock", "--param", "retailer.level=3"): "no parameter 'level'",
    ("evaluate", "beer_game", "--policy", "base_stock", "--param", "retailer=3"): "NODE.KEY=VALUE",
    ("evaluate", "beer_game", "--policy", "base_stock", "--held-out"): "held-out",
    ("evaluate", "beer_game", "--policy", "lost.npz"): "no such file",
    ("show", "beer_gme"): "did you mean 'beer_game'",
    ("check", "lost.yaml"): "no such file",
    ("run", "lost.yaml"): "no such file",
    ("run", "cd_retail_chian"): "no experiment 'cd_retail_chian'",
    ("report", "lost"): "no such folder",
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence of a command that must fail."""
    assert main(list(arguments)) == 2
    seen = capsys.readouterr()
    assert not seen.out and seen.err.count("\n") == 1
    assert not Path("results").exists()
    return seen.err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_wrong_command_is_refused(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert COMMANDS[arguments] in refused(capsys, *arguments)


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_topology_file_is_refused_by_every_verb(capsys: pytest.CaptureFixture[str], case: str) -> None:
    text, numbers, said = FILES[case]
    Path("chain.yaml").write_text(text)
    Path("demand.csv").write_text(numbers)
    Path("claim.yaml").write_text("topology: chain.yaml\ncompare: {rule: {policy: base_stock}}\n")
    for arguments in (["check", "chain.yaml"], ["show", "chain.yaml"], ["run", "claim.yaml"]):
        assert said in refused(capsys, *arguments)
    assert said in refused(capsys, "evaluate", "chain.yaml", "--policy", "base_stock")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("policy: base_stok", "did you mean 'base_stock'"),
        ("learner: hapo", "did you mean 'happo'"),
        ("learner: happo, learning_rat: 1", "did you mean 'learning_rate'"),
        ("policy: cut.npz", "not a whole file"),
    ],
)
def test_a_wrong_row_leaves_no_folder(capsys: pytest.CaptureFixture[str], row: str, said: str) -> None:
    Path("cut.npz").write_bytes(b"PK\x03\x04 cut off here")
    Path("claim.yaml").write_text(
        f"topology: beer_game\ncompare: {{first: {{policy: sterman}}, x: {{{row}}}}}\ntrain: {{env_steps: 100}}\n"
    )
    assert said in refused(capsys, "run", "claim.yaml")


def test_a_wrong_set_leaves_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("claim.yaml").write_text("topology: beer_game\ncompare: {rule: {policy: base_stock}}\n")
    assert "did you mean 'evaluate'" in refused(capsys, "run", "claim.yaml", "--set", "evalute.seed=3")
    assert "did you mean 'replications'" in refused(capsys, "run", "claim.yaml", "--set", "evaluate.replication=3")
