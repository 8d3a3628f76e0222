"""``marl-supply solve``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marl_supply.cli import main

KEYS = ["method", "parameters", "cost", "exact", "standard_error", "seconds"]


def solved(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["solve", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_is_a_list_with_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    (optimum,) = solved(capsys, "lost_sales", "--policy", "optimal", "--set", "nodes.store.lost_sale_cost=9")
    assert list(optimum)[:6] == KEYS and optimum["method"] == "optimal" and optimum["exact"] is True
    assert optimum["standard_error"] == 0 and optimum["lower"] <= optimum["cost"] <= optimum["upper"]
    both = solved(capsys, "cachon_zipkin", "--policy", "local_equilibrium", "--set", "contract.backorder_share=.7")
    assert [row["parameters"]["levels"] for row in both] == [[11, 4], [12, 3]]


def test_a_profit_is_a_negative_cost(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = solved(capsys, "newsvendor", "--policy", "base_stock")
    assert found["cost"] < 0


def test_the_table_shows_gaps_and_how_costs_were_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "uneven_review", "--policy", "interval_base_stock"]) == 0
    told = capsys.readouterr().out
    assert (
        told.startswith("uneven_review\n")
        and "level_1 28, level_2 32" in told
        and "12.474631" in told
        and "exact" in told
    )


def test_what_takes_time_says_so_before_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "lost_sales", "--policy", "optimal", "--set", "edges.0.lead_time=3"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("lost_sales edges.0.lead_time=3\n")
    assert "optimal: about" in told.err and "GB and" in told.err and "seconds" in told.err


def test_edges_by_name_or_number(capsys: pytest.CaptureFixture[str]) -> None:
    by_name = solved(capsys, "dual_sourcing", "--policy", "optimal", "--set", "edges.express.purchase_cost=105")
    by_number = solved(capsys, "dual_sourcing", "--policy", "optimal", "--set", "edges.1.purchase_cost=105")
    assert by_name[0]["cost"] == by_number[0]["cost"] == pytest.approx(216.769802, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lost_sales", "--policy", "optimul"], "did you mean 'optimal'?"),
        (["lost_sales", "--set", "nodes.store.lost_sale_cost=-1"], "must be at least 0"),
        (["cachon_zipkin", "--policy", "local_equilibrium", "--set", "contract.backorder_share=1"], "strictly between"),
        (
            ["cachon_zipkin", "--policy", "local_equilibrium", "--set", "nodes.retailer.backorder_cost=0"],
            "who is not served costs nothing; give a backorder_cost above 0",
        ),
        (
            ["single_echelon", "--policy", "s_S", "--set", "nodes.store.backorder_cost=0"],
            "give a backorder_cost above 0",
        ),
        (["lost_sales", "--set", "nodes.store.lost_sale_cost=0"], "give a lost_sale_cost above 0"),
        (["lost_sales", "--policy", "optimal", "--set", "edges.0.lead_time=9"], "tune a rule by simulation instead"),
        (["lost_sales", "--policy", "optimal", "--set", "nodes.store.demand.mean=-5"], "must be above 0"),
    ],
)
def test_bad_input_gets_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", *arguments]) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
