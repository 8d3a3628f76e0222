"""Mixes of tuned, scaled and exact policies: what plays on each instance is what a search or a solution finds there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marl_supply.cli import main
from marl_supply.data import Player, load_dataset, record
from marl_supply.data.record import exploring_periods
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.learning.trained import save_policies
from marl_supply.learning.trained.transformer_policy import ANYBODY
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.tune import tune
from marl_supply.study import mix_players
from marl_supply.study.dataset import record_dataset, record_instances
from marl_supply.study.family import Range, draw_family, parse_case
from marl_supply.study.mix_players import SEARCHED_ON, scaled
from marl_supply.study.mixed import Mixed
from marl_supply.study.players import seat_some
from marl_supply.topology import load

pytest.importorskip("minari")
pytest.importorskip("h5py")

SHORT = ["game.horizon=20", "game.warm_up=0"]
COSTS = Range.parse("nodes.store.lost_sale_cost=4,19")
CASES = [{"edges.0.lead_time": 1, "edges.0.pipeline": 5}, {"edges.0.lead_time": 3, "edges.0.pipeline": 4}]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def recorded(*stated: str, chain: str = "lost_sales", episodes: int = 3, name: str = "mix/v0", **settings: Any) -> Path:
    mix = [Mixed.parse(words) for words in stated]
    return record_dataset(chain, name, mix, episodes, **{"overrides": SHORT, **settings})


def test_with_common_seeds_all_policies_meet_the_same_demand() -> None:
    mix = ["base_stock store.base_stock_level=9", "random_order", "base_stock store.base_stock_level=9 random=0.0"]
    dataset = load_dataset(recorded(*mix, common_seeds=True, ranges=[COSTS], instances=2, first_episode_seed=50))
    assert dataset.common_seeds and dataset.card["recorded"]["common_seeds"] is True
    for number, instance in enumerate(dataset.instances):
        episodes = list(instance.episodes())
        first = 50 + 3 * number
        assert [(e.seed, e.player) for e in episodes] == [(first + k, own) for own in mix for k in range(3)]
        for one, other in zip(episodes[:3], episodes[6:], strict=True):
            assert np.array_equal(one.rewards["store"], other.rewards["store"])
    assert "on an instance the same for all policies" in (dataset.folder / "README.md").read_text()


def test_exploring_starts_are_the_same_for_whoever_plays_a_seed() -> None:
    mix = ["base_stock store.base_stock_level=9", "base_stock store.base_stock_level=2"]
    dataset = load_dataset(recorded(*mix, episodes=12, common_seeds=True, exploring_starts=3))
    assert dataset.exploring_starts == 3
    assert "begin with 0 to 3 periods of random actions" in (dataset.folder / "README.md").read_text()
    plain = load_dataset(recorded(*mix, episodes=12, common_seeds=True, name="mix/plain"))
    assert plain.exploring_starts == 0 and "random actions, the same" not in (plain.folder / "README.md").read_text()
    episodes, without = list(dataset.instances[0].episodes()), list(plain.instances[0].episodes())
    lengths = [exploring_periods(episode.seed, 3) for episode in episodes]
    assert set(lengths) == {0, 1, 2, 3}
    for one, other, its, length in zip(episodes[:12], episodes[12:], without[:12], lengths[:12], strict=True):
        assert np.array_equal(one.actions["store"][:length], other.actions["store"][:length])
        assert np.array_equal(one.observations["store"][: length + 1], other.observations["store"][: length + 1])
        assert one.actions["store"][length:].any() and (length > 0) != np.array_equal(
            one.actions["store"], its.actions["store"]
        )


def test_a_card_that_does_not_say_has_no_common_seeds() -> None:
    folder = recorded("base_stock")
    card = json.loads((folder / "card.json").read_text())
    assert card["recorded"].pop("common_seeds") is False
    (folder / "card.json").write_text(json.dumps(card))
    assert not load_dataset(folder).common_seeds


def test_rules_are_tuned_once_on_every_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = []

    def counted(*given: Any, **more: Any) -> Any:
        searches.append(given)
        return tune(*given, **more)

    monkeypatch.setattr(mix_players, "tune", counted)
    mix = ["base_stock tuned=16", "base_stock tuned=16 random=0.3", "base_stock tuned=16 scale=0.5"]
    dataset = load_dataset(recorded(*mix, ranges=[COSTS], instances=3, seed=1))
    assert len(searches) == 3
    levels = {}
    for instance, entry in zip(dataset.instances, dataset.card["instances"], strict=True):
        best = tune("base_stock", instance.game(), replications=16, first_replications=8, seed=SEARCHED_ON)
        did = entry["policies"]
        assert did[mix[0]]["parameters"] == did[mix[1]]["parameters"] == best.parameters
        level = best.parameters["store"]["base_stock_level"]
        assert did[mix[2]]["parameters"]["store"]["base_stock_level"] == np.rint(level / 2)
        assert did[mix[0]]["found"] == {
            "by": "search",
            "search": best.method,
            "replications": 16,
            "candidates": best.candidates,
        }
        levels[instance.settings["nodes.store.lost_sale_cost"]] = level
    assert levels[4] < levels[19]
    page = (dataset.folder / "README.md").read_text()
    assert "| tuned on each instance, 16 replications, times 0.5 | 0 | 9 |" in page


def test_stated_parameters_are_where_a_search_starts() -> None:
    words = "capped_base_stock store.base_stock_level=30 store.order_cap=9"
    own = Mixed.parse(f"{words} tuned=8")
    assert (own.tuned, own.parameters) == (8, {"store": {"base_stock_level": 30.0, "order_cap": 9.0}})
    (entry,) = load_dataset(recorded(f"{words} tuned=8", words)).card["instances"]
    found = entry["policies"][f"{words} tuned=8"]["parameters"]["store"]
    assert found["base_stock_level"] < 30 and found["order_cap"] < 9


def test_what_has_a_unit_is_scaled_and_weights_are_kept() -> None:
    game = Game(load("beer_game_basic"))
    given = {"stock_anchor": 10.0, "pipeline_anchor": 20.0, "stock_weight": 0.5, "pipeline_weight": 0.2}
    players = seat_everybody(game, "sterman", dict.fromkeys(game.network.rows, given))
    for own in scaled(game, players, 0.75).values():
        assert {key: own[key] for key in given} == {
            "stock_anchor": 7.5,
            "pipeline_anchor": 15.0,
            "stock_weight": 0.5,
            "pipeline_weight": 0.2,
        }
    plain = Game(load("lost_sales"))
    rounded = scaled(plain, seat_everybody(plain, "base_stock", {"store": 9.0}), 0.7)
    assert rounded == {"store": {"base_stock_level": 6.0}}


def test_exact_plays_the_optimum_of_each_instance() -> None:
    over = ["game.horizon=400", "game.warm_up=0"]
    folder = recorded("exact", "base_stock tuned=16", overrides=over, ranges=[COSTS], instances=2, common_seeds=True)
    for entry in load_dataset(folder).card["instances"]:
        did = entry["policies"]["exact"]
        assert did["found"]["exact"] and did["found"]["per"] == "period" and did["found"]["by"] == "optimum"
        assert -did["returns"]["mean"] / 400 == pytest.approx(did["found"]["cost"], rel=0.1)
        assert did["returns"]["mean"] > entry["policies"]["base_stock tuned=16"]["returns"]["mean"]
    assert "| optimal on each instance |" in (folder / "README.md").read_text()


@pytest.mark.slow
def test_long_play_of_the_optimum_costs_what_was_computed() -> None:
    over = ["game.horizon=4000", "game.warm_up=0", "nodes.store.lost_sale_cost=9"]
    (entry,) = load_dataset(recorded("exact", overrides=over, episodes=50)).card["instances"]
    did = entry["policies"]["exact"]
    low, high = (-did["returns"][end] / 4000 for end in ("high", "low"))
    assert low - 0.01 < did["found"]["cost"] < high + 0.01


@pytest.mark.parametrize(
    "stated, sentence",
    [
        ("exact random=0.1", "random actions lead to others"),
        ("base_stock tuned=1.5", "a whole number of replications"),
        ("base_stock tuned=0", "a whole number of replications"),
        ("base_stock scale=0", "above 0"),
        ("exact scale=2", "the optimum has no parameters"),
        ("policies/ours.npz tuned=8", "a file of trained policies has no parameters"),
        ("random_order tuned=8", "it has no parameters to tune"),
        ("base_stock request=0.1", "only a file of a pretrained model can be asked for a return"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(stated: str, sentence: str, root: Path) -> None:
    with pytest.raises(InputError, match=sentence) as error:
        recorded(stated)
    assert "\n" not in str(error.value) and not [path for path in root.rglob("*") if path.is_file()]


def test_some_seats_are_played_by_others() -> None:
    """Sterman at the retailer among base stocks: what each agent did is what its own rule does."""
    words = "base_stock retailer.base_stock_level=9 seat.retailer=sterman"
    dataset = load_dataset(recorded(words, "base_stock", "sterman", chain="beer_game", common_seeds=True))
    mixed, base, _ = (list(dataset.episodes())[start : start + 3] for start in (0, 3, 6))
    assert dataset.card["policies"][0]["seats"] == {"retailer": "sterman"}
    game = dataset.instances[0].game()
    players = seat_some(game, {agent: "sterman" if agent == "retailer" else "base_stock" for agent in game.agents})
    asked = list(record(game, Player("x", players), range(3)))
    for own, expected, other in zip(mixed, asked, base, strict=True):
        for agent in game.agents:
            assert np.array_equal(own.actions[agent], expected.actions[agent])
        assert not np.array_equal(own.actions["retailer"], other.actions["retailer"])


def test_an_optimum_plays_all_seats() -> None:
    with pytest.raises(InputError, match="the optimum plays all seats; leave seat.AGENT out"):
        recorded("exact seat.store=base_stock")
    with pytest.raises(InputError, match="no agent 'shop'"):
        recorded("base_stock seat.shop=base_stock")


GENERATED = {"name": "sized", "extends": {"generator": "one_warehouse", "stores": 2}}


def test_sizes_are_drawn() -> None:
    """Instances differ in their agents; each has all of its own, and the same sizes whatever else is recorded."""
    mix = ["base_stock", "base_stock random=0.2"]
    sizes = Range.parse("extends.stores=2,3,4")
    dataset = load_dataset(recorded(*mix, chain=GENERATED, ranges=[sizes], instances=12, common_seeds=True))
    stores = [instance.settings["extends.stores"] for instance in dataset.instances]
    assert len(set(stores)) == 3
    for count, instance in zip(stores, dataset.instances, strict=True):
        game = instance.game()
        assert list(game.agents) == [agent for agent in game.topology.nodes if agent != "source"]
        assert sum(agent.startswith("store_") for agent in game.agents) == count
        for episode in instance.episodes():
            assert set(episode.actions) == set(game.agents)
    assert set(dataset.card["recorded"]["agents"]) == {"warehouse", *(f"store_{n}" for n in range(1, max(stores) + 1))}


def test_sizes_need_a_generator() -> None:
    with pytest.raises(InputError, match=r"extends.stores: lost_sales begins with no generator; write extends: "):
        recorded("base_stock", ranges=[Range.parse("extends.stores=2,3")])


def test_what_cannot_be_scaled_or_solved_is_refused_with_its_instance() -> None:
    with pytest.raises(InputError, match="instance 0: --policy myopic_1 scale=2: .*no parameters in units"):
        recorded("myopic_1 scale=2")
    with pytest.raises(InputError, match=r"instance 0 \(.*lead_time=.*\): --policy exact: one_warehouse_van_roy"):
        recorded("exact", chain="one_warehouse_van_roy", ranges=[Range.parse("edges.0.lead_time=2,3")])


def test_an_optimum_that_is_a_table_takes_no_exploring_starts() -> None:
    with pytest.raises(InputError, match="leave random and exploring starts out"):
        recorded("exact", exploring_starts=2)


def test_a_model_is_recorded_at_the_return_that_it_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tiny_transformer import policy_of, random_model

    path, policy = tmp_path / "model.npz", policy_of(random_model(1), 0.0).sampling()
    save_policies(path, {ANYBODY: policy})
    dataset = load_dataset(recorded(str(path), f"{path} request=0.3", common_seeds=True))
    (instance,) = dataset.instances
    episodes, game = list(instance.episodes()), instance.game()
    asked = list(record(game, Player("x", dict.fromkeys(game.agents, policy.requesting(0.3))), range(3)))
    for own, other, expected in zip(episodes[:3], episodes[3:], asked, strict=True):
        assert np.array_equal(other.actions["store"], expected.actions["store"])
        assert not np.array_equal(own.actions["store"], other.actions["store"])


def test_laws_and_cases_vary() -> None:
    laws = Range.parse("nodes.store.demand=[{process: poisson, mean: 4}, {process: geometric, mean: 6}]")
    drawn = draw_family("lost_sales", [], [laws], 20, 0, CASES)
    assert {(own["nodes.store.demand"]["process"], own["edges.0.lead_time"]) for own, _ in drawn} == {
        (law, time) for law in ("poisson", "geometric") for time in (1, 3)
    }
    for settings, chain in drawn:
        demand = chain.markets["store"]
        assert type(demand.process).__name__.lower() == settings["nodes.store.demand"]["process"]
        assert (demand.process.mean, demand.unmet) == (settings["nodes.store.demand"]["mean"], "lost")
        assert set(chain.edges[0].pipeline) == {{1: 5, 3: 4}[chain.edges[0].lead_time]}
    plain = draw_family("lost_sales", [], [laws], 20, 0)
    assert [own["nodes.store.demand"] for own, _ in plain] == [own["nodes.store.demand"] for own, _ in drawn]
    for stated in ("a=[]", "a=[1,", "a=[{b: 1}, ~]"):
        with pytest.raises(InputError, match="--vary a"):
            Range.parse(stated)
    for stated in ("{}", "3", "[1]", "{a: "):
        with pytest.raises(InputError, match="--vary-case"):
            parse_case(stated)
    with pytest.raises(InputError, match=r"'edges.0.pipeline' is drawn by --vary as well"):
        draw_family("lost_sales", [], [Range.parse("edges.0.pipeline=1,2")], 2, 0, CASES)


def test_given_instances_are_recorded_as_they_are(root: Path) -> None:
    family = [
        ({"edges.0.lead_time": time}, load("lost_sales", [*SHORT, f"edges.0.lead_time={time}"])) for time in (1, 4)
    ]
    dataset = load_dataset(record_instances(family, "given/v0", [Mixed.parse("base_stock")], 2))
    assert [instance.game().topology for instance in dataset.instances] == [chain for _, chain in family]
    assert dataset.card["recorded"]["seed"] is None and dataset.card["recorded"]["vary"] == {}
    assert "* Instances: 2. Given one by one." in (dataset.folder / "README.md").read_text()
    with pytest.raises(InputError, match="instance 1: its agents are"):
        record_instances(
            [family[0], ({}, load("dual_sourcing", SHORT + ["game.agents={b: {decides: [store]}}"]))],
            "other/v0",
            [Mixed.parse("base_stock")],
            2,
        )
    with pytest.raises(InputError, match="one instance at least"):
        record_instances([], "none/v0", [Mixed.parse("base_stock")], 2)
    assert not (root / "other").exists()


def test_the_verb_takes_all_of_it_and_jobs_change_no_number(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    words = ["dataset", "lost_sales", "--episodes", "2", "--instances", "2", "--common-seeds", "--json"]
    words += [
        word for own in ("capped_base_stock tuned=8", "base_stock tuned=8 random=0.2") for word in ("--policy", own)
    ]
    words += [word for own in CASES for word in ("--vary-case", json.dumps(own))]
    words += ["--vary", "nodes.store.demand=[{mean: 4}, {process: geometric, mean: 5}]"]
    words += [word for own in SHORT for word in ("--set", own)]
    cards = []
    for name, jobs in (("alone/v0", "1"), ("together/v0", "2")):
        assert main([*words, "--out", name, "--jobs", jobs]) == 0
        cards.append(json.loads(capsys.readouterr().out.replace(name, "mix/v0")))
    for entry in (entry for card in cards for entry in card["instances"]):
        entry.pop("sha256")  # the name of the dataset stands in the files
    assert cards[0] == cards[1] and cards[0]["recorded"]["cases"] == CASES
    one, two = (load_dataset(name) for name in ("alone/v0", "together/v0"))
    for first, second in zip(one.episodes(), two.episodes(), strict=True):
        assert first.seed == second.seed and np.array_equal(first.observations["store"], second.observations["store"])
        assert np.array_equal(first.actions["store"], second.actions["store"])
        assert np.array_equal(first.rewards["store"], second.rewards["store"])


@pytest.mark.slow
def test_what_fails_in_a_process_leaves_nothing(root: Path) -> None:
    with pytest.raises(InputError, match="instance 0 .*: --policy random_order tuned=8: .*no parameters to tune"):
        recorded("random_order tuned=8", ranges=[COSTS], instances=2, jobs=2)
    assert not [path for path in root.rglob("*") if path.is_file()]
