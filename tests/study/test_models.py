"""Model files and rows that a pretrained model plays: by value, made once, in any seat, scored like the rest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from stub_foundation import LEVEL, StandIn, StubFoundation, stub_foundation

from marl_supply.cli import main
from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.game.rollout import rollout
from marl_supply.learning.trained import save_policies
from marl_supply.policies import seat_everybody
from marl_supply.report.figures.scaling import draw_points
from marl_supply.report.results import read
from marl_supply.report.scaling import Point, mean_points, mean_scaling_section, points
from marl_supply.report.summary import plays
from marl_supply.report.write import write
from marl_supply.study import model_file, vary
from marl_supply.study.experiment import Experiment
from marl_supply.study.exploit import exploit
from marl_supply.study.finished import players_of
from marl_supply.study.load import load, names, source_of
from marl_supply.study.model import make_model, model_folder
from marl_supply.study.model_file import ModelFile
from marl_supply.study.plan import check, describe
from marl_supply.study.run import run

TASK: dict[str, Any] = {
    "topology": "lost_sales",
    "set": {"game.horizon": 6, "game.warm_up": 0, "game.observe": "full"},
    "vary": {"edges.0.lead_time": [1, 2], "nodes.store.lost_sale_cost": "4.0..19.0"},
    "instances": 2,
    "episodes": 2,
    "policies": ["base_stock", "base_stock random=0.5"],
}
OTHER: dict[str, Any] = {
    "topology": "newsvendor",
    "cases": [{"game.horizon": 6, "nodes.kiosk.holding_cost": 2}, {"game.horizon": 6, "nodes.kiosk.holding_cost": 3}],
    "episodes": 2,
    "policies": ["base_stock"],
}
MODEL: dict[str, Any] = {"name": "tiny", "record": {"lost": TASK}, "pretrain": {"width": 8, "layers": 1}}
ROWS: dict[str, Any] = {
    "base_stock": {"policy": "base_stock"},
    "usual": {"model": MODEL, "request": 0.0},
    "more": {"model": MODEL, "request": 0.25},
    "deeper": {"model": MODEL, "pretrain": {"layers": 2}, "request": 0.0},
    "further": {"model": MODEL, "fine_tune": {"env_steps": 50, "seeds": [3, 5, 6], "learning_rate": 1e-3}},
}
GAME: dict[str, Any] = {
    "name": "played",
    "topology": "beer_game_uniform",
    "game": {"horizon": 12},
    "compare": ROWS,
    "evaluate": {"replications": 30},
    "report": {"show": ["cost", "requests", "inventory", "scaling"], "inventory": ["usual", "base_stock"]},
}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubFoundation:
    return stub_foundation(monkeypatch)


def model(**changes: Any) -> ModelFile:
    found = model_file.load({**MODEL, **changes})
    assert found is not None
    return found


def test_the_resolved_file_reads_back_with_the_same_hash() -> None:
    own = model(record={"lost": TASK, "other": OTHER})
    again = model_file.load(own.to_dict())
    assert again == own and again is not None and again.hash == own.hash
    assert own.to_dict()["record"]["lost"]["topology"]["game"]["horizon"] == 6
    assert own.pretrain["heads"] == 4, "every setting is stated"


def test_what_changes_no_number_changes_no_hash() -> None:
    same = [model(name="other"), model(pretrain={**MODEL["pretrain"], "device": "cuda"})]
    same.append(model(record={"lost": {**TASK, "jobs": 2}}))
    assert {own.hash for own in same} == {model().hash}
    assert model(pretrain={"width": 8, "layers": 2}).hash != model().hash


def test_a_change_of_one_task_changes_its_dataset_alone() -> None:
    tasks = {"lost": TASK, "other": OTHER}
    before, after = (model(record={**tasks, "other": {**OTHER, "episodes": count}}) for count in (2, 3))
    assert before.dataset("lost") == after.dataset("lost")
    assert before.dataset("other") != after.dataset("other") and before.hash != after.hash


def test_a_task_whose_size_is_drawn_keeps_its_generator() -> None:
    """What it is set to have is set on each chain, after it is made."""
    sized = {
        "topology": {"name": "sized", "extends": {"generator": "one_warehouse"}},
        "set": {"game.horizon": 6},
        "vary": {"extends.stores": [2, 4]},
        "instances": 3,
        "episodes": 2,
        "policies": ["base_stock"],
    }
    own = model(record={"sized": sized})
    again = model_file.load(own.to_dict())
    assert again == own and again is not None and again.hash == own.hash
    task = own.record["sized"].to_dict()
    assert task["topology"] == sized["topology"] and task["set"] == {"game.horizon": 6}
    with pytest.raises(InputError, match=r"record.sized: lost_sales.yaml begins with no generator; write extends"):
        model(record={"sized": {**sized, "topology": "lost_sales"}})


def test_settings_of_the_command_line() -> None:
    stated = ["pretrain.tokens=1e6", "record.lost.instances=5", "record.lost.set.game.horizon=9", "name=another"]
    found = model_file.load(MODEL, [*stated, "record.lost.vary.edges.0.lead_time=[3, 4]"])
    assert found is not None
    lost = found.record["lost"].to_dict()
    assert (found.name, found.pretrain["tokens"], lost["instances"]) == ("another", 1_000_000, 5)
    assert lost["topology"]["game"]["horizon"] == 9 and lost["vary"]["edges.0.lead_time"] == [3, 4]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "key": ({"pretrian": {}}, "unknown key 'pretrian' (did you mean 'pretrain'?)"),
    "nothing": ({"record": {}}, "record: there is nothing to learn from"),
    "setting": ({"pretrain": {"widht": 8}}, "pretrain: no setting 'widht' (did you mean 'width'?)"),
    "value": ({"pretrain": {"width": 0}}, "tiny: pretrain.width: 0"),
    "task key": ({"record": {"lost": {**TASK, "episode": 3}}}, "record.lost: unknown key 'episode'"),
    "topology": ({"record": {"lost": {**TASK, "topology": "lost_sale"}}}, "record.lost: no topology 'lost_sale'"),
    "path": ({"record": {"lost": {**TASK, "set": {"game.horizn": 3}}}}, "did you mean 'horizon'"),
    "range": ({"record": {"lost": {**TASK, "vary": {"game.horizon": "7"}}}}, "record.lost.vary: game.horizon: '7'"),
    "no values": ({"record": {"lost": {**TASK, "vary": {"game.horizon": []}}}}, "an empty list leaves nothing"),
    "drawn path": ({"record": {"lost": {**TASK, "vary": {"edges.1.lead_time": [1]}}}}, "record.lost: "),
    "nobody": ({"record": {"lost": {**TASK, "policies": []}}}, "record.lost.policies"),
    "twice": ({"record": {"lost": {**TASK, "policies": ["base_stock"] * 2}}}, "'base_stock' stands twice"),
    "misfit": ({"record": {"lost": {**TASK, "policies": ["dual_indx"]}}}, "no rule 'dual_indx' (did you mean"),
    "words": ({"record": {"lost": {**TASK, "policies": ["base_stock often"]}}}, "'often' states no number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_model_file_is_one_sentence(case: str) -> None:
    changes, said = WRONG[case]
    with pytest.raises(InputError) as error:
        model(**changes)
    assert said in str(error.value) and "\n" not in str(error.value) and str(error.value).startswith("tiny: ")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("record.last.instances=2", "no task 'last' (did you mean 'lost'?)"),
        ("record.lost.instance=2", "unknown key 'instance' (did you mean 'instances'?)"),
        ("train.seeds=2", "unknown key 'train'"),
        ("pretrain=3", "one by one"),
    ],
)
def test_a_wrong_override_is_one_sentence(override: str, said: str) -> None:
    with pytest.raises(InputError, match="--set ") as error:
        model_file.load(MODEL, [override])
    assert said in str(error.value)


def test_a_model_file_is_no_experiment() -> None:
    assert model_file.load({"name": "x", "topology": "newsvendor", "compare": {}}) is None
    for read_as in (load, vary.load):
        with pytest.raises(InputError, match="this file is a model, no experiment"):
            read_as(MODEL)


@pytest.mark.parametrize("name", [name for name in names() if source_of(name).startswith("a model of")])
def test_shipped_model_files_load(name: str) -> None:
    found = model_file.load(name)
    assert found is not None and found.name == name


def test_datasets_are_recorded_once_on_common_seeds(stub: StubFoundation, tmp_path: Path) -> None:
    pytest.importorskip("minari")
    said: list[str] = []
    own = model(record={"lost": TASK, "other": OTHER})
    path = make_model(own, tmp_path, lambda share, words: said.append(words))
    assert path == model_folder(own, tmp_path) / "model.npz" and path.is_file()
    assert {"recording lost", "recording other", "half-way"} <= set(said)
    card = stub.pretrained[0]["lost"].card
    assert card["recorded"]["common_seeds"] and card["recorded"]["first_episode_seed"] == 1_000_000
    assert [policy["name"] for policy in card["policies"]] == TASK["policies"]
    assert len(stub.pretrained[0]["lost"].instances) == 2
    make_model(own, tmp_path)
    assert len(stub.pretrained) == 1, "it is there"
    kept = {folder.name: folder.stat().st_mtime_ns for folder in (tmp_path / "datasets").iterdir() if folder.is_dir()}
    changed = model(record={"lost": TASK, "other": {**OTHER, "episodes": 3}})
    make_model(changed, tmp_path)
    now = {folder.name: folder.stat().st_mtime_ns for folder in (tmp_path / "datasets").iterdir() if folder.is_dir()}
    assert len(kept) == 2 and len(now) == 3 and kept.items() <= now.items(), "one task is recorded anew"
    make_model(changed, tmp_path, fresh=True)
    assert len(stub.pretrained) == 3


def test_a_damaged_dataset_is_refused(stub: StubFoundation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("minari")
    monkeypatch.chdir(tmp_path)
    make_model(model(), Path())
    (file,) = (tmp_path / "datasets").glob("lost-*/instance_000-v0/data/main_data.hdf5")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError, match="not what was recorded"):
        make_model(model(pretrain={"layers": 3}), tmp_path)


def test_two_at_once_make_one_model(stub: StubFoundation, tmp_path: Path) -> None:
    pytest.importorskip("minari")
    own, said = model(), list[str]()
    begun, go_on = threading.Event(), threading.Event()

    def first(share: float, words: str) -> None:
        begun.set()
        go_on.wait(20)

    def second(share: float, words: str) -> None:
        said.append(words)
        go_on.set()

    one = threading.Thread(target=make_model, args=(own, tmp_path, first))
    one.start()
    assert begun.wait(20)
    make_model(own, tmp_path, second)
    one.join()
    assert said == ["waiting for another process that does the same"] and len(stub.pretrained) == 1


def test_the_command_line_makes_a_model_that_plays_every_seat(
    stub: StubFoundation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("minari")
    file = tmp_path / "tiny.yaml"
    file.write_text(
        "record:\n  lost:\n    topology: newsvendor\n    set: {game.horizon: 5}\n    episodes: 1\n"
        "    vary: {nodes.kiosk.holding_cost: 1.0..2.0}\n    policies: [base_stock]\npretrain: {layers: 3}\n"
    )
    out = ["--out", str(tmp_path / "results")]
    assert main(["run", str(file), *out, "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert "1 episodes on 1 instances by 1 policies, to be recorded" in plan and not stub.pretrained
    assert main(["run", str(file), *out]) == 0
    path = capsys.readouterr().out.splitlines()[-1]
    assert Path(path).is_file() and Path(path).parent.parent == tmp_path / "results"
    arguments = ["--policy", path, "--set", "game.horizon=12", "--replications", "30", "--seed", "0", "--json"]
    assert main(["evaluate", "beer_game_uniform", *arguments]) == 0
    found = capsys.readouterr().out
    game = Game("beer_game_uniform", horizon=12)
    level = dict.fromkeys(game.network.rows, LEVEL + 3)
    known = evaluate(game, seat_everybody(game, "base_stock", level), 30, 0)
    assert f'"mean": {known.mean}' in found


def played(**changes: Any) -> Experiment:
    return load({**GAME, **changes})


def test_the_model_file_is_part_of_the_experiment_by_value(tmp_path: Path) -> None:
    own = played()
    assert load(own.to_dict()).hash == own.hash
    other = {**MODEL, "record": {"lost": {**TASK, "seed": 1}}}
    assert played(compare={**ROWS, "usual": {"model": other}}).hash != own.hash
    assert "model tiny, return +25.0% requested" in "\n".join(describe(own, check(own)))
    (tmp_path / "small.yaml").write_text("record: {a: {topology: newsvendor, episodes: 1, policies: [base_stock]}}\n")
    (tmp_path / "claim.yaml").write_text("topology: newsvendor\ncompare: {m: {model: small.yaml}}\n")
    row = load(tmp_path / "claim.yaml").to_dict()["compare"]["m"]
    assert row["model"]["name"] == "small" and row["model"]["record"]["a"]["topology"]["name"] == "newsvendor"


WRONG_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({"model": "lost.npz"}, "compare.x: lost.npz: there is no such file"),
    "no name": ({"model": "fundation"}, "compare.x.model: no experiment 'fundation'"),
    "an experiment": ({"model": "beer_game_basic"}, "compare.x.model: beer_game_basic is no model file"),
    "two": ({"model": MODEL, "policy": "base_stock"}, "both 'policy' and 'model' stand in it"),
    "setting": ({"model": MODEL, "pretrain": {"layer": 2}}, "compare.x.pretrain: no setting 'layer'"),
    "of a file": ({"model": "lost.npz", "pretrain": {"layers": 2}}, "compare.x.pretrain: lost.npz is pretrained"),
    "seat": ({"model": MODEL, "seats": {"retailr": "base_stock"}}, "no agent 'retailr' in beer_game"),
    "seeds": ({"model": MODEL, "fine_tune": {"env_steps": 9, "seeds": 0}}, "compare.x.fine_tune.seeds: 0 seeds"),
    "of the tuning": ({"model": MODEL, "fine_tune": {"env_steps": 9, "clop": 1}}, "fine_tune: no setting 'clop'"),
    "steps": ({"model": MODEL, "fine_tune": {"seeds": 2}}, "compare.x.fine_tune: no 'env_steps'"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_a_wrong_row_is_one_sentence(case: str) -> None:
    row, said = WRONG_ROWS[case]
    with pytest.raises(InputError) as error:
        check(played(compare={"x": row}, report=["cost"]))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_rows_of_a_model(stub: StubFoundation, tmp_path: Path) -> None:
    """Who plays, what it costs, what further training gives, and what the report says of it, all worked out again."""
    pytest.importorskip("minari")
    folder = run(played(), tmp_path)
    assert len(stub.pretrained) == 2, "rows that differ in pretraining have models of their own, the others share one"
    assert len(list((tmp_path / "datasets").glob("lost-*"))) == 1 and stub.tuned == [3, 5, 6]
    game = Game("beer_game_uniform", horizon=12)

    def cost(level: float) -> Any:
        rule = seat_everybody(game, "base_stock", dict.fromkeys(game.network.rows, level))
        return evaluate(game, rule, 30, 7).cost.sum(0)

    own = LEVEL + 1
    levels = {"usual": [own], "more": [round(own * 0.75)], "deeper": [own + 1], "further": [own + 3, own + 5, own + 6]}
    for name, found in levels.items():
        means = [result["cost"]["mean"] for result in folder.record(name)["results"]]
        assert means == pytest.approx([cost(level).mean() for level in found], rel=1e-12)
    _, by_seed = players_of(folder, played(), "further")
    assert list(by_seed) == [3, 5, 6] and isinstance(by_seed[5]["retailer"], StandIn)
    told = write(folder.path)
    page = told.path.read_text()
    results = read(folder.path)
    assert [plays(row) for row in results][1:3] == ["tiny, return +0.0% requested", "tiny, return +25.0% requested"]
    assert plays(results.rows[-1]) == "tiny, 3 seeds of 50 steps more"
    base = results.rows[0].sample.mean()
    assert "| deeper | tiny" not in page, "of another model one return alone is requested"
    for name, asked in (("usual", "+0.0%"), ("more", "+25.0%")):
        achieved = (base - cost(levels[name][0]).mean()) / base
        assert f"| {name} | tiny | {asked} | {achieved:+.1%} |" in page
    sized = points(results)
    assert (sized["usual"].weights, sized["deeper"].weights) == (100, 200)
    assert sized["deeper"].gap == pytest.approx(cost(own + 1).mean() / base - 1)
    mean = mean_points([results] * 3)["deeper"]
    assert (mean.gap, mean.low, mean.high) == pytest.approx([sized["deeper"].gap] * 3)
    assert "Means over 3 instances" in mean_scaling_section([results] * 3)[-1]
    for figure in ("requests", "inventory", "scaling"):
        assert (folder.path / "figures" / f"{figure}.png").is_file()
    _check_stock(game, folder.row("usual") / "inventory.parquet", own)
    assert not (folder.row("more") / "inventory.parquet").exists()


@pytest.mark.parametrize(
    ("sizes", "axis", "lines"),
    [
        ([(10, 100, 1.0), (10, 1000, 1.0), (20, 100, 1.0)], "tokens of the pretraining", ["10 weights", "20 weights"]),
        ([(10, 100, 0.1), (10, 100, 1.0)], "share of the recorded instances, %", ["10 weights"]),
        ([(10, 100, 1.0), (20, 100, 1.0)], "weights", ["models"]),
    ],
)
def test_gaps_are_drawn_over_what_differs(sizes: list[tuple[int, int, float]], axis: str, lines: list[str]) -> None:
    figure = draw_points([Point(*size, 0.1, 0.05, None) for size in sizes])
    (panel,) = figure.axes
    assert panel.get_xlabel() == axis and panel.get_legend_handles_labels()[1] == lines


def _check_stock(game: Game, path: Path, level: float) -> None:
    """Against a play of the rule that the stand-in plays."""
    table = pq.read_table(path)
    rule = seat_everybody(game, "base_stock", dict.fromkeys(game.network.rows, level))
    count = len(game.network.rows)
    stock = np.stack([np.asarray(outcome.flows.on_hand)[:count] for outcome in rollout(game, rule, 30, 7)])
    assert table["mean"].to_numpy() == pytest.approx(stock.mean(2).ravel())
    assert table["high"].to_numpy() == pytest.approx(np.percentile(stock, 90, axis=2).ravel())
    assert table["node"].to_pylist()[:count] == list(game.network.rows)


def test_stock_is_kept_of_rows_that_were_finished_before(tmp_path: Path) -> None:
    rows = {"base_stock": ROWS["base_stock"]}
    plain = run(played(compare=rows, report=["cost"]), tmp_path)
    assert not (plain.row("base_stock") / "inventory.parquet").exists()
    again = run(played(compare=rows, report=["inventory"]), tmp_path)
    assert again.path == plain.path and (plain.row("base_stock") / "inventory.parquet").is_file()


def test_models_meet_others_and_are_exploited(stub: StubFoundation, tmp_path: Path) -> None:
    file = tmp_path / "model.npz"
    save_policies(file, {"anybody": StandIn(LEVEL)})
    rows = {
        "mixed": {"model": str(file), "seats": {"retailer": "sterman"}, "request": 0.25},
        "met": {
            "seats_of": {"manufacturer": "mixed", "distributor": "mixed", "wholesaler": "mixed", "retailer": "mixed"}
        },
    }
    folder = run(played(compare=rows, report=["cost"]), tmp_path / "results")
    costs = [folder.record(name)["results"][0]["cost"]["mean"] for name in rows]
    assert costs[0] == costs[1] and folder.record("mixed")["policies"]["retailer"] == "sterman"
    (found,) = exploit(folder.path, ["mixed"], ["wholesaler"], ["base_stock"], replications=20)
    assert found.agents == ("wholesaler",)
