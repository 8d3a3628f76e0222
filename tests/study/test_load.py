"""Experiment files: what is refused, in one sentence with the place and the nearest name, and what has which hash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marl_supply.errors import InputError
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import LearnerRow
from marl_supply.study.load import load, names, shipped_folder, source_of
from marl_supply.study.plan import check
from marl_supply.study.sweep import load as load_sweep
from marl_supply.study.vary import load as load_series

Make = Callable[..., Experiment]

WRONG_OVERRIDES = {
    "trian.env_steps=3": "did you mean 'train'",
    "train.env_step=3": "train: unknown key 'env_step' (did you mean 'env_steps'?)",
    "train=3": "one by one",
    "train.seeds=0": "0 seeds leave nothing to train",
    "train.seeds=[1,1]": "a seed stands twice",
    "compare.taem.reward=shared": "no row 'taem' (did you mean 'team'?)",
    "compare.team.learner=hapo": "compare.team.learner: no learner 'hapo' (did you mean 'happo'?)",
    "compare.team.reward=sharde": "did you mean 'shared'",
    "compare.team.learning_rat=1e-3": "unknown key 'learning_rat' (did you mean 'learning_rate'?)",
    "compare.team.learning_rate=fast": "compare.team.learning_rate: 'fast' is not a number",
    "compare.people.tun=true": "unknown key 'tun' (did you mean 'tune'?)",
    'compare.mixed={"seats": {"retailer": "sterman"}, "tune": true}': "nobody plays a rule to tune",
    "game.horizn=3": "unknown key 'horizn' (did you mean 'horizon'?)",
    "nodes.retailr.on_hand=3": "no node 'retailr' (did you mean 'retailer'?)",
    "evaluate.replications=0": "must be at least 1, not 0",
    "report=[bulwhip]": "no part 'bulwhip' (did you mean 'bullwhip'?)",
    "report.baseline=base_stok": "no row 'base_stok' (did you mean 'base_stock'?)",
    'report={"groups": {"all": ["team", "base_stok"]}}': "report.groups.all: no row 'base_stok'",
    'report={"groups": {"alone": ["team"]}}': "alone has nothing to compare",
    'report={"baseline": ["team"], "groups": {"all": ["team", "mixed"]}}': "leave one out",
    "topology=beer_gme": "no topology 'beer_gme' (did you mean 'beer_game'?)",
}
WRONG_SECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "sweep": ({"sweep": {"a": [1]}}, "sweep: this file is a search"),
    "no rows": ({"compare": {}}, "nothing to compare"),
    "nobody plays": ({"compare": {"x": {}}}, "compare.x: nobody plays"),
    "two players": ({"compare": {"x": {"policy": "sterman", "learner": "ppo"}}}, "keep one"),
    "name of a row": ({"compare": {"x y": {"policy": "sterman"}}}, "compare: 'x y' is no name"),
    "no budget": ({"train": {"seeds": 3}}, "compare.team.env_steps: no default"),
    "unknown key": ({"compere": {}}, "unknown key 'compere' (did you mean 'compare'?)"),
    "unknown game key": ({"game": {"horizn": 3}}, "game: unknown key 'horizn' (did you mean 'horizon'?)"),
}
EVERYBODY = ("manufacturer", "distributor", "wholesaler", "retailer")
WRONG_PLAYERS: dict[str, tuple[dict[str, Any], str]] = {
    "policy": ({"policy": "base_stok"}, "compare.x: no rule 'base_stok' (did you mean 'base_stock'?)"),
    "node": ({"policy": "base_stock", "parameters": {"retailr": 3}}, "did you mean 'retailer'"),
    "parameter": ({"policy": "base_stock", "parameters": {"retailer": {"level": 3}}}, "no parameter 'level'"),
    "seat": ({"policy": "base_stock", "seats": {"retailr": "sterman"}}, "did you mean 'retailer'"),
    "empty seat": ({"seats": {"retailer": "sterman"}}, "no policy for 'manufacturer'"),
    "hidden": ({"policy": "echelon_base_stock"}, "use observe"),
    "another game": ({"policy": "sterman", "game": {"horizon": 9}}, "'horizon' would make rows differ"),
    "another search": ({"policy": "base_stock", "tune": {"method": "patern"}}, "no 'patern' (did you mean 'pattern'?)"),
    "nothing to tune": ({"policy": "random_order", "tune": True}, "no parameters to tune"),
    "no file": ({"policy": "lost/seed_0.npz"}, "no such file"),
    "trained on nothing": ({"policy": "sterman", "trained_on": {"edges.0.lead_time": 3}}, "nothing is searched here"),
    "no such place": ({"learner": "ppo", "trained_on": {"edges.9.lead_time": 3}}, "compare.x: trained_on: "),
    "other views": ({"learner": "ppo", "trained_on": {"edges.0.lead_time": 4}}, "trained_on: there manufacturer sees"),
    "other actions": (
        {"learner": "ppo", "trained_on": {"game.actions.spread": 3}},
        "has other actions than in the game",
    ),
    "nobody learns": ({"learner": "ppo", "seats": dict.fromkeys(EVERYBODY, "sterman")}, "leave at least one"),
}


@pytest.mark.parametrize("override", WRONG_OVERRIDES)
def test_a_wrong_override_is_one_sentence(make: Make, override: str) -> None:
    with pytest.raises(InputError) as error:
        make(override)
    assert WRONG_OVERRIDES[override] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("case", WRONG_SECTIONS)
def test_a_wrong_section_is_one_sentence(make: Make, case: str) -> None:
    sections, said = WRONG_SECTIONS[case]
    with pytest.raises(InputError) as error:
        make(**sections)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("case", WRONG_PLAYERS)
def test_players_are_checked_before_anything_runs(make: Make, case: str) -> None:
    row, said = WRONG_PLAYERS[case]
    with pytest.raises(InputError) as error:
        check(make(compare={"x": row}))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_the_resolved_file_reads_back_with_the_same_hash(make: Make, tmp_path: Path) -> None:
    experiment = make()
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(experiment.to_dict()))
    again = load(path)
    assert again.to_dict() == experiment.to_dict()
    assert again.hash == experiment.hash


def test_recorded_demand_travels_by_value(tmp_path: Path) -> None:
    experiment = load({"name": "x", "topology": "cd_retail_chain", "compare": {"people": {"policy": "sterman"}}})
    market = experiment.to_dict()["topology"]["markets"]["web_customers"]
    assert len(market["values"]) == 306  # 1997-04-01 to 1998-01-31
    assert len(market["held_out_values"]) == 150  # 1998-02-01 to 1998-06-30


@pytest.mark.parametrize("override", ["train.jobs=2", "report=[cost]", "name=other"])
def test_what_changes_no_number_changes_no_hash(make: Make, override: str) -> None:
    assert make(override).hash == make().hash


@pytest.mark.parametrize(
    "override",
    [
        "compare.team.trained_on.nodes.retailer.holding_cost=2",
        "evaluate.seed=8",
        "train.seeds=2",
        "compare.team.learning_rate=1e-4",
        "game.horizon=21",
        "edges.0.lead_time=2",
    ],
)
def test_what_changes_a_number_changes_the_hash(make: Make, override: str) -> None:
    assert make(override).hash != make().hash


def test_a_path_of_the_topology_stands_whole_under_trained_on(make: Make) -> None:
    row = make("compare.team.trained_on.nodes.retailer.holding_cost=2").compare["team"]
    assert isinstance(row, LearnerRow) and row.trained_on == {"nodes.retailer.holding_cost": 2}


def test_settings_of_all_learners_stand_under_train(make: Make) -> None:
    rows = make("train.learning_rate=1e-4", "compare.team.learning_rate=5e-4").compare
    team, selfish = rows["team"], rows["selfish"]
    assert isinstance(team, LearnerRow) and isinstance(selfish, LearnerRow)
    assert (team.settings["learning_rate"], selfish.settings["learning_rate"]) == (5e-4, 1e-4)
    assert team.seeds == (0, 1, 2) and team.env_steps == 10_000


def test_a_topology_file_is_found_beside_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "chain.yaml").write_text("extends: beer_game\ngame: {horizon: 7}\n")
    (tmp_path / "claim.yaml").write_text("topology: chain.yaml\ncompare: {people: {policy: sterman}}\n")
    experiment = load(tmp_path / "claim.yaml")
    assert (experiment.name, experiment.topology.name, experiment.topology.game.horizon) == ("claim", "chain", 7)


@pytest.mark.parametrize("name", [name for name in names() if not source_of(name).startswith("a model of")])
def test_every_shipped_experiment_can_be_run(name: str) -> None:
    searches, series = load_sweep(name), load_series(name)
    several = [cells.experiment for cells in searches] if searches else series.experiments if series else [load(name)]
    for experiment in several:
        assert experiment.name.startswith(name)
        check(experiment)


def test_shipped_experiments_are_found() -> None:
    assert names() == sorted(path.stem for path in shipped_folder().glob("*.yaml"))


def test_settings_that_a_search_found(tmp_path: Path) -> None:
    """A row's own settings go before those of the file, which go before those of `train`."""
    file = tmp_path / "found.yaml"
    file.write_text("learner: happo\nsettings: {clip: 0.1, entropy: 0.5, epochs: 7}\n", encoding="utf-8")
    row = {"learner": "happo", "tuned": str(file), "entropy": 0.25}
    document: dict[str, Any] = {
        "name": "tuned",
        "topology": "cachon_zipkin",
        "compare": {"team": row},
        "train": {"env_steps": 10_000, "epochs": 2},
    }
    settings = load(document).learners["team"].settings
    assert (settings["clip"], settings["entropy"], settings["epochs"]) == (0.1, 0.25, 7)
    with pytest.raises(
        InputError, match="compare.team.tuned: found.yaml has settings of happo, and the row trains ppo"
    ):
        load({**document, "compare": {"team": {**row, "learner": "ppo"}}})
    with pytest.raises(InputError, match="compare.team.tuned: no settings 'nothing'"):
        load({**document, "compare": {"team": {**row, "tuned": "nothing"}}})
