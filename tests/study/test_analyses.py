"""What is worked out about finished rows: equilibrium rows, analyses, how they are kept, shown and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_chain import CHANGES

from marl_supply.cli import main
from marl_supply.equilibria.gains import costs_of
from marl_supply.errors import InputError
from marl_supply.plugins import names
from marl_supply.policies.seating import seat_everybody
from marl_supply.report import sections as shown
from marl_supply.report.results import read
from marl_supply.report.statistics import difference, ratio
from marl_supply.report.write import write
from marl_supply.solvers.cachon_zipkin import competition
from marl_supply.solvers.two_stage_chain import two_stage_chain
from marl_supply.study.analysis import HOME, Analysis
from marl_supply.study.exploit import exploit
from marl_supply.study.finished import players_of
from marl_supply.study.folder import Folder
from marl_supply.study.load import load
from marl_supply.study.plan import check, describe
from marl_supply.study.run import run

CONTRACT = {
    "row": "team",
    "terms": [
        {"from": "supplier", "to": "retailer", "per": "on_hand", "at": "retailer", "low": -2, "high": 2},
        {"from": "supplier", "to": "retailer", "per": "backorder", "at": "outbound", "low": -5, "high": 5},
    ],
    "replications": 64,
}
CLAIM: dict[str, Any] = {
    "name": "analysed",
    "topology": {"extends": "cachon_zipkin", "name": "small"},
    "compare": {
        "team": {"policy": "base_stock", "tune": {"replications": 64}},
        "levels": {"policy": "base_stock", "equilibrium": {"replications": 64, "starts": 2}},
        "selfish": {"learner": "differentiable", "reward": "individual", "replications": 16, "periods": 20},
    },
    "train": {"env_steps": 2000, "seeds": 3, "evaluation_replications": 16, "evaluations": 1},
    "evaluate": {"replications": 40},
    "analyse": {
        "exploitability": {"rows": ["levels"], "responders": ["base_stock"], "replications": 40},
        "coalitions": {"outsiders": "levels", "replications": 40, "search_replications": 64},
        "contract": CONTRACT,
        "cross_play": {"rows": ["selfish"], "replications": 20},
        "empirical_game": {"rows": ["team", "levels"], "replications": 40, "starts": 10},
        "bullwhip_causes": {"replications": 20},
    },
    "report": ["cost", "bullwhip", "price_of_anarchy"],
}
SETS = [f"{path}={json.dumps(value)}" for path, value in CHANGES.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    pytest.importorskip("torch")
    return run(load(CLAIM, SETS), tmp_path_factory.mktemp("results"))


def found(folder: Folder, name: str) -> dict[str, Any]:
    return dict(json.loads(folder.analysis(name).read_text())["found"])


def test_a_rule_in_equilibrium_plays_where_answers_rest(folder: Folder) -> None:
    experiment = load(CLAIM, SETS)
    record = folder.record("levels")
    game, by_seed = players_of(folder, experiment, "levels")
    known = {each.local_levels for each in competition(two_stage_chain(game.network), "local").equilibria}
    levels = tuple(record["parameters"][node]["base_stock_level"] for node in ("retailer", "supplier"))
    assert levels in known and record["reward"] == "individual"
    assert sum(point["starts"] for point in record["equilibrium"]) == 2
    assert set(by_seed) == {None}
    assert any("base_stock, in equilibrium" in line for line in describe(experiment, check(experiment)))


def test_the_price_of_anarchy_of_rules_has_an_interval_over_replications(folder: Folder) -> None:
    rows = {row.name: row for row in read(folder.path)}
    told = ratio(rows["levels"], rows["team"])
    assert told is not None
    upper, lower = rows["levels"].sample, rows["team"].sample
    assert told.mean == pytest.approx(upper.mean() / lower.mean())
    draw = np.random.default_rng(0)
    picks = draw.integers(len(upper), size=(2000, len(upper)))
    bootstrapped = upper[picks].mean(1) / lower[picks].mean(1)
    interval = told.intervals[0]
    assert interval.low is not None and interval.high is not None
    assert [interval.low, interval.high] == pytest.approx(np.quantile(bootstrapped, [0.025, 0.975]), abs=0.004)
    above, below = ratio(rows["levels"], rows["selfish"]), ratio(rows["selfish"], rows["levels"])
    assert above is not None and below is not None and below.intervals[0].low is not None
    assert above.intervals[0].high == pytest.approx(1 / below.intervals[0].low)
    text = write(folder.path).path.read_text()
    assert "Price of anarchy, measured" in text and " over team: " in text


def test_who_gains_is_told_by_agent_paired_on_replications(folder: Folder) -> None:
    rows = {row.name: row for row in read(folder.path)}
    parts = [[rows[name].part(agent) for name in ("levels", "team")] for agent in ("supplier", "retailer")]
    for selfish, team in parts:
        saved = selfish.sample - team.sample
        told = difference(selfish, team).intervals[0]
        assert told.mean == pytest.approx(saved.mean()) and told.half_width is not None
        assert told.half_width == pytest.approx(2.02 * saved.std(ddof=1) / 40**0.5, rel=0.01)
    for column in (0, 1):
        total = parts[0][column].sample + parts[1][column].sample
        assert total == pytest.approx(rows[("levels", "team")[column]].sample)
    section = write(folder.path).path.read_text().split("## Who gains and who loses")[1].split("##")[0]
    assert "| levels | team | supplier |" in section and "| selfish | team | retailer |" in section


def test_coalitions_cost_what_their_members_pay_together(folder: Folder) -> None:
    told, experiment = found(folder, "coalitions"), load(CLAIM, SETS)
    game, by_seed = players_of(folder, experiment, "levels")
    now = costs_of(game, by_seed[None], 40, 7)
    alone = {each["members"][0]: each for each in told["coalitions"] if len(each["members"]) == 1}
    for number, agent in enumerate(game.agents):  # in equilibrium nobody alone finds anything better
        assert alone[agent]["cost"]["mean"] == pytest.approx(now[number].mean())
    both = told["coalitions"][-1]
    together = costs_of(game, seat_everybody(game, "base_stock", both["parameters"]), 40, 7).sum(0)
    assert both["cost"]["mean"] == pytest.approx(together.mean()) and together.mean() < now.sum(0).mean()
    saved = now.sum(0).mean() - together.mean()
    assert [share["mean"] for share in told["savings"].values()] == pytest.approx([saved / 2] * 2)
    assert told["objections"] == [] and told["convex"]


def test_the_contract_leaves_nothing_to_gain_and_moves_no_money_in_total(folder: Folder) -> None:
    told = found(folder, "contract")
    assert all(gain["mean"] == 0 for gain in told["left"]["base_stock"].values())
    assert sum(told["cost"].values()) == pytest.approx(sum(told["cost_before"].values()))
    paid = sum(term["payment"] for term in told["terms"])
    assert told["cost"]["supplier"] - told["cost_before"]["supplier"] == pytest.approx(paid, rel=0.2)


def test_cross_play_of_seeds_and_a_game_of_rows(folder: Folder) -> None:
    row = found(folder, "cross_play")["rows"][0]
    assert row["seeds"] == [0, 1, 2] and np.shape(row["costs"]) == (3, 3)
    game = found(folder, "empirical_game")
    plays = [each["plays"] for each in game["pure_equilibria"]]
    assert ["levels", "levels"] in plays and game["least_total"]["plays"] == ["team", "team"]
    assert game["replicator"]["ends"][0]["starts"] == 10


def test_the_report_shows_every_analysis(folder: Folder) -> None:
    text = write(folder.path).path.read_text()
    for title in ("Coalitions", "A contract", "Cross-play", "An empirical game", "Why orders vary more than demand"):
        assert text.count(f"## {title}") == 1
    assert "The Shapley shares are in the core" in text and "under the contract the team is an equilibrium" in text
    assert "| levels | base_stock | 0.000 | 0.000 | 0.000 |" in text
    assert "levels: 2 starts came to " in text
    for figure in ("individual_against_team", "cross_play", "coalitions", "deviation_gains"):
        assert (folder.path / "figures" / f"{figure}.png").read_bytes()[:4] == b"\x89PNG"
    kinds = set(names(HOME, Analysis)) - {"exploitability"}  # which has a section of its own, as the verb needs it
    assert kinds == {name for name in kinds if (Path(shown.__file__).parent / f"{name}.py").is_file()}


def test_what_was_found_is_kept_until_its_keys_change(folder: Folder) -> None:
    told: list[str] = []
    before = {path: path.stat().st_mtime_ns for path in (folder.path / "analyses").iterdir()}
    run(load(CLAIM, SETS), folder.path.parents[1], say=told.append)
    assert before == {path: path.stat().st_mtime_ns for path in (folder.path / "analyses").iterdir()}
    changed = [*SETS, "analyse.cross_play.replications=21"]
    assert run(load(CLAIM, changed), folder.path.parents[1], say=told.append).path == folder.path
    after = {path.name for path in before if path.stat().st_mtime_ns != before[path]}
    assert after == {"cross_play.json"} and any("cross_play: team 0" in line for line in told)


@pytest.mark.slow
def test_responses_looked_for_at_once_are_the_same(folder: Folder) -> None:
    once = exploit(folder.path, ["team"], [], ["base_stock"], 30)
    kept = sorted((folder.path / "exploit" / "team" / "rule").iterdir())
    texts = [path.read_text() for path in kept]
    for path in kept:
        path.unlink()
    told: list[str] = []
    again = exploit(folder.path, ["team"], [], ["base_stock"], 30, say=told.append, jobs=2)
    assert [path.read_text() for path in kept] == texts
    assert again[0].nash_conv("base_stock") == once[0].nash_conv("base_stock")
    assert sum("of 2 responses found" in line for line in told) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"analyse": {"coalition": {}}}, "did you mean 'coalitions'"),
        ({"analyse": {"coalitions": {}}}, "analyse.coalitions: no .outsiders."),
        ({"analyse": {"coalitions": {"outsiders": "levls"}}}, "did you mean 'levels'"),
        ({"analyse": {"coalitions": {"outsiders": "selfish"}}}, "is trained, once for each seed"),
        ({"analyse": {"contract": {**CONTRACT, "terms": []}}}, "give one at least"),
        ({"analyse": {"contract": {**CONTRACT, "row": "tem"}}}, "did you mean 'team'"),
        ({"analyse": {"cross_play": {"rows": ["team"]}}}, "is not trained with two seeds"),
        ({"analyse": {"empirical_game": {"rows": ["team"]}}}, "name two at least"),
        ({"analyse": {"exploitability": {"responders": ["pp"]}}}, "did you mean 'ppo'"),
        ({"analyse": {"bullwhip_causes": {"policy": "base_stok"}}}, "did you mean 'base_stock'"),
        ({"compare": {"x": {"policy": "base_stock", "equilibrium": True, "tune": True}}}, "leave tune"),
        ({"compare": {"x": {"policy": "random_order", "equilibrium": True}}}, "no parameters to tune"),
    ],
)
def test_what_cannot_be_worked_out_is_refused_before_anything_runs(changes: dict[str, Any], told: str) -> None:
    claim = {**CLAIM, **({"analyse": {}} if "compare" in changes else {}), **changes}
    with pytest.raises(InputError, match=told) as error:
        check(load(claim, SETS))
    assert "\n" not in str(error.value)


def test_a_chain_in_which_nobody_rests_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marl_supply.study.work.equilibria_within", lambda *_: ())
    claim = {**CLAIM, "compare": {"levels": CLAIM["compare"]["levels"]}, "analyse": {}}
    with pytest.raises(InputError, match="never come to rest"):
        run(load(claim, SETS), tmp_path)


def test_a_search_has_nothing_to_analyse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "search.yaml"
    file.write_text(json.dumps({**CLAIM, "sweep": {"over": {"learning_rate": [0.1, 0.2]}}}))
    assert main(["run", str(file), "--dry-run"]) == 2
    assert "leave sweep or analyse out" in capsys.readouterr().err
