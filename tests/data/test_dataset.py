"""Datasets on disk: Minari reads what was recorded, a card says what it is, and nothing damaged is loaded."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marl_supply.cli import main
from marl_supply.data import Player, load_dataset, record
from marl_supply.data.card import returns_of
from marl_supply.envs import parallel_env
from marl_supply.errors import InputError
from marl_supply.metrics.intervals import over_replications
from marl_supply.policies.seating import seat_everybody
from marl_supply.study.dataset import Mixed, record_dataset
from marl_supply.study.family import Range, draw_family

minari = pytest.importorskip("minari")
pytest.importorskip("h5py")

SHORT = ["game.horizon=6", "game.warm_up=0"]
VARY = ["edges.0.lead_time=1,3", "nodes.store.lost_sale_cost=4.0..19.0"]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def written(name: str = "lost_sales/v0", chain: str = "lost_sales", **settings: Any) -> Path:
    mix = [Mixed.parse("random_order"), Mixed.parse("base_stock store.base_stock_level=12 random=0.1")]
    if chain != "lost_sales":
        mix = [Mixed.parse(settings.pop("policy"))]
    stated: dict[str, Any] = {"overrides": SHORT, "seed": 3, **settings}
    return record_dataset(chain, name, mix, 3, **stated)


def same(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    return one.dtype == two.dtype and np.array_equal(one, two)


def test_minari_reads_exactly_what_was_recorded(root: Path) -> None:
    folder = written(ranges=[Range.parse(stated) for stated in VARY], instances=2)
    assert folder == root / "lost_sales" / "v0"
    for number, instance in enumerate(load_dataset(folder).instances):
        read = minari.load_dataset(instance.dataset_id)
        assert (read.total_episodes, read.total_steps) == (6, 36)
        game, first = instance.game(), 6 * number
        expected = []
        for place, (name, parameters, share) in enumerate(
            (("random_order", {}, 0), ("base_stock", {"store": 12.0}, 0.1))
        ):
            player = Player(name, seat_everybody(game, name, parameters), share)
            expected += list(record(game, player, range(first + 3 * place, first + 3 * place + 3)))
        for wanted, found, about in zip(
            expected, read.iterate_episodes(), read.storage.get_episode_metadata(range(6)), strict=True
        ):
            assert same(found.observations, wanted.observations["store"])
            assert same(found.actions, wanted.actions["store"])
            assert same(found.rewards, wanted.rewards["store"]) and same(found.infos["rewards"], dict(wanted.rewards))
            assert not found.terminations.any() and found.truncations.tolist() == [False] * 5 + [True]
            assert about["seed"] == wanted.seed and about["policy"].split()[0] == wanted.player
        assert all(read.observation_space.contains(row) for row in found.observations)
        assert all(read.action_space.contains(action) for action in found.actions)
    assert set(minari.list_local_datasets()) == {f"lost_sales/v0/instance_00{n}-v0" for n in range(2)}


@pytest.mark.parametrize("chain, policy", [("beer_game_basic", "sterman"), ("collaborative", "random_plan random=0.5")])
def test_what_is_loaded_earns_the_same_when_it_is_played_again(chain: str, policy: str) -> None:
    dataset = load_dataset(written("again/v0", chain, policy=policy))
    (instance,) = dataset.instances
    read = minari.load_dataset(instance.dataset_id)
    env = parallel_env(instance.game())
    for episode, other in zip(dataset.episodes(), read.iterate_episodes(), strict=True):
        env.reset(seed=episode.seed)
        earned = []
        for period in range(len(episode)):
            _, rewards, *_ = env.step({agent: own[period] for agent, own in episode.actions.items()})
            earned.append(sum(rewards.values()))
            assert rewards == {agent: own[period] for agent, own in episode.rewards.items()}
        assert other.rewards == pytest.approx(earned)
        if len(env.possible_agents) > 1:
            assert same(other.observations, dict(episode.observations)) and same(other.actions, dict(episode.actions))


def test_the_card_says_what_was_recorded() -> None:
    folder = written(ranges=[Range.parse(stated) for stated in VARY], instances=3)
    dataset = load_dataset(folder)
    card = dataset.card
    assert json.loads((folder / "card.json").read_text()) == card and (card["episodes"], card["steps"]) == (18, 108)
    assert card["recorded"]["vary"] == dict(stated.split("=") for stated in VARY)
    assert card["versions"]["minari"] == minari.__version__ and card["topology"]["name"] == "lost_sales"
    for policy in card["policies"]:
        earned = [e.total_rewards.sum() for e in dataset.episodes() if e.player == policy["name"]]
        assert policy["returns"]["mean"] == pytest.approx(np.mean(earned)) and policy["returns"]["episodes"] == 9
        assert policy["returns"]["low"] < policy["returns"]["mean"] < policy["returns"]["high"]
    for instance, entry in zip(dataset.instances, card["instances"], strict=True):
        chain = instance.game().topology
        assert chain.edges[0].lead_time == instance.settings["edges.0.lead_time"]
        assert chain.nodes["store"].lost_sale_cost == instance.settings["nodes.store.lost_sale_cost"]
        assert entry["policies"]["base_stock store.base_stock_level=12 random=0.1"]["parameters"] == {
            "store": {"base_stock_level": 12}
        }
    page = (folder / "README.md").read_text()
    assert "| random_order | its own | 0 | 9 |" in page and "`edges.0.lead_time` from 1,3" in page
    seeds = [episode.seed for episode in dataset.episodes()]
    assert seeds == list(range(18))


def test_intervals_hold_given_the_instances() -> None:
    """One instance: the t interval over episodes. Several: a shift of one instance moves the mean and not the width."""
    values = np.random.default_rng(1).normal(size=(3, 8))
    alone, wanted = returns_of(values[:1]), over_replications(values[0])
    assert [alone[key] for key in ("mean", "low", "high")] == pytest.approx([wanted.mean, wanted.low, wanted.high])
    one, other = returns_of(values), returns_of(values + np.array([[0.0], [30.0], [0.0]]))
    assert other["mean"] == pytest.approx(one["mean"] + 10)
    assert other["high"] - other["low"] == pytest.approx(one["high"] - one["low"])
    assert returns_of([[1.0], [2.0]]) == {"mean": 1.5, "low": None, "high": None, "episodes": 2}


def test_instances_are_drawn_from_their_ranges_and_stay_what_they_are() -> None:
    ranges = [Range.parse("edges.0.lead_time=1..4"), *map(Range.parse, VARY[1:])]
    drawn = [settings for settings, _ in draw_family("lost_sales", [], ranges, 40, 5)]
    assert {own["edges.0.lead_time"] for own in drawn} == {1, 2, 3, 4}
    costs = [own["nodes.store.lost_sale_cost"] for own in drawn]
    assert 4 <= min(costs) < 8 and 15 < max(costs) <= 19 and len(set(costs)) == 40
    assert [settings for settings, _ in draw_family("lost_sales", [], ranges, 2, 5)] == drawn[:2]
    (_, chain), *_ = draw_family("lost_sales", [], ranges, 1, 5)
    assert not chain.policies and draw_family("lost_sales", [], [], 1, 5)[0][1].policies
    for stated in ("edges.0.lead_time", "a=", "a=5..1", "a=1,,2", "a=1..x"):
        with pytest.raises(InputError, match="--vary"):
            Range.parse(stated)


def test_damaged_and_foreign_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = written()
    numbers = folder / "instance_000-v0" / "data" / "main_data.hdf5"
    whole, card = numbers.read_bytes(), (folder / "card.json").read_text()

    def refused(sentence: str) -> None:
        with pytest.raises(InputError, match=sentence) as error:
            load_dataset(folder)
        assert "\n" not in str(error.value)

    for damaged in (whole[: len(whole) // 2], whole[:-1], b"", whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]):
        numbers.write_bytes(damaged)
        refused("main_data.hdf5: it is not what was recorded")
    numbers.unlink()
    refused("main_data.hdf5: it is missing")
    numbers.write_bytes(whole)
    assert load_dataset("lost_sales/v0").instances[0].episode_count == 6
    for text, sentence in (
        (card[: len(card) // 2], "damaged or cut short"),
        ('{"a": 1}', "no card of a dataset of marl-supply"),
        ("[]", "no card of a dataset of marl-supply"),
        (card.replace('"format_version": 1', '"format_version": 9'), "version 9, and this reads 1"),
        (card.replace('"dataset_id"', '"other"'), "an entry of its instances is damaged"),
        (card.replace('"episodes": 6', '"episodes": 7'), "counts other episodes"),
    ):
        (folder / "card.json").write_text(text)
        refused(sentence)
    with pytest.raises(InputError, match="no dataset of marl-supply, for it has no card.json"):
        load_dataset(tmp_path)
    with pytest.raises(InputError, match="no dataset of marl-supply"):
        load_dataset("nowhere/v0")


def test_nothing_is_left_of_what_fails(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("marl_supply.study.dataset.page_of", fails)
    with pytest.raises(OSError, match="no space"):
        written()
    assert [path for path in root.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    with pytest.raises(InputError, match=r"lead_time"):
        written(ranges=[Range.parse("edges.0.lead_time=1,-4")], instances=9)
    assert [path for path in root.rglob("*") if path.is_file()] == []
    folder = written()
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputError, match="there is something at"):
        written()
    assert sorted(folder.rglob("*")) == before and not list(folder.parent.glob(".*"))


@pytest.mark.parametrize("stated", ["", "base_stock level=3", "base_stock store.x=much", "base_stock random=2"])
def test_policies_that_cannot_be_read_are_refused(stated: str) -> None:
    with pytest.raises(InputError, match="--policy"):
        Mixed.parse(stated)


@pytest.mark.parametrize("name", ["../v0", "/v0", "a b", "a//b", "v", "a/.b", "-v"])
def test_names_that_minari_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="--out"):
        written(name)


def test_the_verb_records_and_prints_the_card(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    words = ["dataset", "lost_sales", "--policy", "base_stock", "--episodes", "2", "--out", "one/v1", "--set", SHORT[0]]
    assert main([*words, "--set", SHORT[1], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2
    assert main([*words, "--set", SHORT[1]]) == 2 and "there is something at" in capsys.readouterr().err
    words[words.index("one/v1")] = "two/v1"
    assert main([*words, "--set", SHORT[1], "--policy", "base_stock"]) == 2
    assert "it stands twice" in capsys.readouterr().err and not (root / "two" / "v1").exists()
    assert main([*words, "--set", SHORT[1]]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(root / "two" / "v1")


def test_without_minari_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"pip install 'marl-supply\[datasets\]'"):
        written()
