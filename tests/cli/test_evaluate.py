"""`marl-supply evaluate`: the figures, exact where theory or the literature gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marl_supply.cli import main

KEYS = {"topology", "criterion", "cost", "cost_per_period", "fill_rate", "bullwhip", "replications", "horizon"}
KEYS |= {"warm_up", "seed", "held_out", "policies", "parameters"}


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["evaluate", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(("policy", "total"), [("base_stock", 180.0), ("sterman", 5997.5)])
def test_totals_of_the_classic_beer_game(capsys: pytest.CaptureFixture[str], policy: str, total: float) -> None:
    """Oroojlooyjadid et al. (2022), case C(4,8), over 101 periods."""
    found = evaluated(capsys, "beer_game", "--policy", policy, "--replications", "3", "--set", "game.horizon=101")
    assert found["cost"]["mean"] == total and found["cost"]["standard_error"] == 0
    assert sum(found["cost"]["by_agent"].values()) == total
    assert found["cost_per_period"] == total / 101


def test_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, "beer_game_uniform", "--policy", "sterman", "--replications", "20", "--seed", "3")
    assert set(found) == KEYS
    assert set(found["cost"]) == {"mean", "standard_error", "by_agent"}
    assert (found["replications"], found["horizon"], found["warm_up"], found["seed"]) == (20, 101, 0, 3)
    agents = {"manufacturer", "distributor", "wholesaler", "retailer"}
    assert set(found["cost"]["by_agent"]) == set(found["bullwhip"]) == agents
    assert found["policies"] == dict.fromkeys(agents, "sterman")
    assert found["parameters"]["retailer"]["stock_anchor"] == 4.5


def test_seats_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["beer_game_basic", "--policy", "sterman", "--seat", "retailer=base_stock", "--replications", "20"]
    found = evaluated(capsys, *arguments, "--param", "retailer.base_stock_level=9")
    assert found["policies"]["retailer"] == "base_stock" and found["policies"]["wholesaler"] == "sterman"
    assert found["parameters"]["retailer"] == {"base_stock_level": 9}


def test_held_out_demand_is_played_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, "cd_retail_chain", "--policy", "base_stock", "--held-out")
    assert (found["held_out"], found["replications"], found["horizon"]) == (True, 1, 150)
    trained_on = evaluated(capsys, "cd_retail_chain", "--policy", "base_stock", "--replications", "10")
    assert (trained_on["held_out"], trained_on["horizon"]) == (False, 60)


def test_text_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "beer_game", "--policy", "base_stock", "--replications", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["agent", "policy", "cost", "a"]
    assert lines[6].split()[:2] == ["all", "180.0"]
