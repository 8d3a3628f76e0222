"""Rows whose agents play as they do in other rows: who sits where, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_learner import small

from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.learning.interface import Interface
from marl_supply.learning.trained import load_policies, save_policies
from marl_supply.learning.trained.choosing_policy import choosing_policies
from marl_supply.policies import rule
from marl_supply.policies.exposure_rules import UniformExposure
from marl_supply.report.results import read
from marl_supply.report.summary import plays
from marl_supply.report.write import write
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import PolicyRow
from marl_supply.study.finished import players_of
from marl_supply.study.load import load
from marl_supply.study.plan import check, describe_row
from marl_supply.study.run import run
from marl_supply.study.seats_of import in_order, seeds_of
from marl_supply.study.sweep import load as load_sweep
from marl_supply.study.work import game_of

ROWS = [f"shop:{product}" for product in ("red", "green", "blue")]
DESKS = {
    "buyer": {"decides": [f"{row}.order" for row in ROWS], "pays": ROWS},
    "recommender": {"decides": [f"{row}.exposure" for row in ROWS], "pays": []},
}
SHOP: dict[str, Any] = {
    "name": "desks",
    "topology": "recommendation_replenishment",
    "game": {"agents": DESKS, "reward": "shared", "horizon": 6},
    "compare": {
        "naive": {"seats_of": {"buyer": "inventory_only", "recommender": "recommendation_only"}},
        "inventory_only": {"learner": "ppo", "seats": {"recommender": "random_exposure"}},
        "recommendation_only": {"learner": "ppo", "seats": {"buyer": "random_order"}},
        "shown_equally": {"seats_of": {"buyer": "inventory_only", "recommender": "equal"}},
        "equal": {"seats": {"buyer": "base_stock", "recommender": "uniform_exposure"}},
    },
    "train": {"env_steps": 1_000, "seeds": [4, 2]},
    "evaluate": {"replications": 20},
    "report": ["cost", "parameters"],
}
BEER: dict[str, Any] = {
    "base_stock": {"policy": "base_stock"},
    "people": {"policy": "sterman"},
}
MIX = {"manufacturer": "people", "distributor": "base_stock", "wholesaler": "people", "retailer": "base_stock"}
Make = Callable[..., Experiment]


class Untrained:
    """Stands for `marl_supply.learning.train.train`: a random network for each seed, kept as a training keeps it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(
        self, game: Game, learner: Any, seeds: Sequence[int], env_steps: int, out_dir: Path, **rest: Any
    ) -> Any:
        self.calls.append(out_dir.parent.name)
        out_dir.mkdir(parents=True, exist_ok=True)
        policies = {seed: _policies(game, seed, rest["fixed"]) for seed in seeds}
        for seed, made in policies.items():
            save_policies(out_dir / f"seed_{seed}.npz", made)
        ends = [
            SimpleNamespace(seed=seed, env_steps=0, seconds=0.0, by_agent=dict.fromkeys(DESKS, 1.0)) for seed in seeds
        ]
        return SimpleNamespace(policies=policies, curve=ends, chosen=dict.fromkeys(seeds, 0), resumed_from=None)


def _policies(game: Game, seed: int, fixed: Mapping[str, Any]) -> Any:
    interface = Interface(game, [agent for agent in game.agents if agent not in fixed], small("ppo"))
    random, outputs = np.random.default_rng(seed), int(np.prod(interface.prior.shape[1:]))
    layer = random.normal(size=(interface.seen.shape[1], outputs)), np.zeros((1, outputs))
    return choosing_policies(interface, dict.fromkeys(interface.modules, [layer]), {"learner": "none"})


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Untrained:
    stub = Untrained()
    monkeypatch.setattr("marl_supply.learning.train.train", stub)
    return stub


def test_each_seed_of_one_row_meets_the_same_seed_of_the_other(results: Path, trained: Untrained) -> None:
    """Scored as the two files of policies are when they are seated by hand."""
    experiment = load(SHOP)
    folder = run(experiment, results)
    game = game_of(experiment, experiment.compare["naive"])
    found = {result["training_seed"]: result["cost"]["mean"] for result in folder.record("naive")["results"]}
    assert list(found) == [4, 2] and found[4] != found[2]
    for seed, cost in found.items():
        files = [
            folder.row(name) / "training" / f"seed_{seed}.npz" for name in ("inventory_only", "recommendation_only")
        ]
        buyer, recommender = map(load_policies, files)
        assert evaluate(game, {**buyer, **recommender}, 20, 7).mean == cost
    equal = players_of(folder, experiment, "shown_equally")[1]
    assert list(equal) == [4, 2]
    assert all(isinstance(players["recommender"], UniformExposure) for players in equal.values())
    assert equal[4]["buyer"] is not equal[2]["buyer"]


def test_rows_are_finished_before_those_that_play_their_policies(results: Path, trained: Untrained) -> None:
    """And a run that goes on takes what was kept."""
    experiment = load(SHOP)
    folder = run(experiment, results)
    episodes = pq.read_table(folder.path / "episodes.parquet")["row"].to_pylist()
    assert list(dict.fromkeys(episodes)) == list(experiment.compare)
    before = folder.record("naive")["results"]
    (folder.row("naive") / "row.json").unlink()
    assert run(experiment, results, say=lambda _: None).path == folder.path
    assert folder.record("naive")["results"] == before
    assert trained.calls == ["inventory_only", "recommendation_only"]


def test_it_is_reported_as_trained(results: Path, trained: Untrained) -> None:
    folder = run(load(SHOP), results)
    found = read(folder.path)
    naive, equal = (next(row for row in found if row.name == name) for name in ("naive", "equal"))
    assert naive.trained and not equal.trained and len(naive.figures) == 2
    assert plays(naive) == "buyer as in inventory_only, recommender as in recommendation_only, 2 seeds"
    write(folder.path)
    assert "recommender as in recommendation_only" in (folder.path / "report.md").read_text()


@pytest.mark.slow
def test_processes_wait_for_each_other(make: Make, tmp_path: Path) -> None:
    """Rules in each other's seats, two rows at once, the last of a chain of rows first in the file."""
    compare = {"last": {"seats_of": {**MIX, "retailer": "mix"}}, "mix": {"seats_of": MIX}, **BEER}
    costs = []
    for count in (1, 2):
        folder = run(make(f"train.jobs={count}", compare=compare), tmp_path / str(count))
        costs.append([folder.record(name)["results"][0]["cost"]["mean"] for name in compare])
    assert costs[0] == costs[1]
    assert costs[0][0] == costs[0][1] and len(set(costs[0])) == 3
    seats = {"manufacturer": "sterman", "wholesaler": "sterman"}
    by_hand = run(make(compare={"mix": {"policy": "base_stock", "seats": seats}}), tmp_path / "by_hand")
    assert by_hand.record("mix")["results"][0]["cost"]["mean"] == costs[0][1]
    assert folder.record("mix")["policies"] == MIX and "retailer" in folder.record("mix")["parameters"]


def test_the_order_of_work(make: Make) -> None:
    compare = make(compare={"last": {"seats_of": dict.fromkeys(MIX, "mix")}, "mix": {"seats_of": MIX}, **BEER}).compare
    assert in_order(compare, ["last", "mix", "base_stock", "people"]) == ["people", "base_stock", "mix", "last"]
    assert in_order(compare, ["last", "people"]) == ["people", "last"]
    assert describe_row(compare["mix"]).startswith("manufacturer as in people, distributor as in base_stock")


WRONG = {
    "unknown row": ({**MIX, "retailer": "base_stok"}, r"no row 'base_stok' \(did you mean 'base_stock'\?\)"),
    "circle": (dict.fromkeys(MIX, "x"), "compare.x.seats_of: x waits for x; name rows with a policy or a learner"),
    "nobody": ({**{a: n for a, n in MIX.items() if a != "retailer"}}, "compare.x: seats_of: nobody plays 'retailer'"),
    "unknown agent": ({**MIX, "retailr": "people"}, r"no agent 'retailr' \(did you mean 'retailer'\?\)"),
    "another game": ({**MIX, "retailer": "sees_all"}, "row 'sees_all' sees or decides otherwise"),
    "other seeds": ({**MIX, "retailer": "team", "wholesaler": "selfish"}, "rows 'selfish' and 'team' have different"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_seated_is_refused_in_a_sentence(make: Make, case: str) -> None:
    seats, said = WRONG[case]
    others = {
        **BEER,
        "sees_all": {"policy": "sterman", "game": {"observe": "full"}},
        "team": {"learner": "happo", "seeds": 2},
        "selfish": {"learner": "ppo"},
    }
    with pytest.raises(InputError, match=said) as error:
        check(make(compare={**others, "x": {"seats_of": seats}}))
    assert "\n" not in str(error.value)


def test_an_agent_twice_a_second_kind_of_row_and_a_search_are_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text(
        "topology: beer_game_uniform\ncompare: {x: {seats_of: {retailer: a, retailer: b}}, a: {policy: sterman}}\n"
    )
    with pytest.raises(InputError, match="retailer"):
        load(tmp_path / "twice.yaml")
    with pytest.raises(InputError, match="both 'policy' and 'seats_of' stand in it; keep one"):
        make(compare={**BEER, "x": {"policy": "sterman", "seats_of": MIX}})
    with pytest.raises(InputError, match="compare.naive.seats_of: a search makes many rows"):
        load_sweep(
            {**SHOP, "compare": {**SHOP["compare"], "mix": {"seats_of": {}}}, "sweep": {"over": {"clip": [0.1]}}}
        )
    longer = {"y": {"seats_of": dict.fromkeys(MIX, "x")}, "x": {"seats_of": dict.fromkeys(MIX, "y")}}
    with pytest.raises(InputError, match="x waits for y waits for x|y waits for x waits for y"):
        make(compare={**BEER, **longer})


def test_seeds_of_rows_of_rules_and_of_trained_ones(make: Make) -> None:
    experiment = make(compare={**BEER, "mix": {"seats_of": MIX}, "team": {"learner": "happo"}})
    assert seeds_of(experiment, experiment.compare["mix"]) == (None,)
    assert seeds_of(experiment, experiment.compare["team"]) == (0, 1, 2)


def test_a_rule_is_tuned_beside_others_in_fixed_seats(results: Path) -> None:
    """The same levels as a search by hand, and the seats keep their rules."""
    row: dict[str, Any] = {
        "policy": "base_stock",
        "seats": {"recommender": "uniform_exposure"},
        "tune": {"replications": 20},
    }
    experiment = load({**SHOP, "compare": {"tuned": row}, "train": {}})
    assert isinstance(experiment.compare["tuned"], PolicyRow)
    record = run(experiment, results).record("tuned")
    assert record["policies"] == {"buyer": "base_stock", "recommender": "uniform_exposure"}
    game = game_of(experiment, experiment.compare["tuned"])
    recommender = rule("uniform_exposure", game.seats["recommender"])
    levels = {node: values["base_stock_level"] for node, values in record["parameters"].items()}
    kept = evaluate(game, {"buyer": rule("base_stock", game.seats["buyer"], levels), "recommender": recommender}, 20, 7)
    assert kept.mean == record["results"][0]["cost"]["mean"]
    first = evaluate(game, {"buyer": rule("base_stock", game.seats["buyer"]), "recommender": recommender}, 20, 1)
    assert record["tuning"]["cost"] <= first.mean
    with pytest.raises(InputError, match="tune: seats leaves base_stock no agent to play it"):
        check(
            load(
                {**SHOP, "compare": {"x": {**row, "seats": {"buyer": "base_stock", "recommender": "random_exposure"}}}}
            )
        )
