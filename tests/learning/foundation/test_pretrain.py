"""A pretraining goes on where it stopped, bit by bit, and refuses what does not belong to it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("minari")
pytest.importorskip("h5py")

from tiny_datasets import LEVELS, recorded  # noqa: E402
from tiny_transformer import TINY  # noqa: E402

from marl_supply.data import Dataset  # noqa: E402
from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.learning.foundation.corpus import Batch, Seats  # noqa: E402
from marl_supply.learning.foundation.pretrain import pretrain, rate_at  # noqa: E402
from marl_supply.learning.trained import load_policies  # noqa: E402
from marl_supply.learning.trained.transformer_policy import ANYBODY, TransformerPolicy  # noqa: E402


class Stopped(Exception):
    """Somebody pulls the plug."""


@pytest.fixture()
def datasets() -> dict[str, Dataset]:
    """Two tasks: seats of other shapes, the second of several agents."""
    lost = recorded("lost_sales", LEVELS, 2)
    beer = recorded("beer_game_basic", ["base_stock", "sterman random=0.2"], 2)
    return {"lost_sales": lost, "beer_game": beer}


def model_of(path: Path) -> TransformerPolicy:
    found = load_policies(path)[ANYBODY]
    assert isinstance(found, TransformerPolicy)
    return found


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def points(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    return [{key: value for key, value in point.items() if key != "seconds"} for point in lines]


def stop_after(share: float) -> Any:
    def progress(done: float, text: str) -> None:
        if done >= share:
            raise Stopped

    return progress


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_was_stopped_ends_as_if_it_had_not_been(
    precision: str, datasets: dict[str, Dataset], tmp_path: Path
) -> None:
    settings = replace(TINY, precision=precision, held_back=0.5, batch_tokens=60)
    whole = pretrain(datasets, settings, tmp_path / "whole")
    with pytest.raises(Stopped):
        pretrain(datasets, settings, tmp_path / "parts", stop_after(0.5))
    assert not (tmp_path / "parts" / "model.npz").exists() and len(points(tmp_path / "parts")) == 2
    asked: list[float] = []
    parts = pretrain(datasets, settings, tmp_path / "parts", lambda done, text: asked.append(done))
    assert min(done for done in asked if done > 0) > 0.5
    assert same(model_of(whole).arrays(), model_of(parts).arrays())
    assert points(tmp_path / "whole") == points(tmp_path / "parts")
    curve = points(tmp_path / "whole")
    assert len(curve) == 4 and curve[-1]["tokens"] >= settings.tokens > curve[-2]["tokens"]
    assert curve[0]["loss"].keys() == datasets.keys() and curve[-1]["loss"]["lost_sales"] < 4


def test_what_is_finished_is_exported_again_without_learning(datasets: dict[str, Dataset], tmp_path: Path) -> None:
    first = model_of(pretrain(datasets, TINY, tmp_path))
    (tmp_path / "model.npz").unlink()
    again = model_of(pretrain(datasets, TINY, tmp_path))
    assert same(first.arrays(), again.arrays()) and again.training["tokens"] == first.training["tokens"]


def test_every_update_learns_from_other_pieces(
    datasets: dict[str, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every kind of seat in turn, none of them held back."""
    drawn: list[Batch] = []
    own = Seats.batch

    def watched(self: Seats, *given: Any, **more: Any) -> Batch:
        batch = own(self, *given, **more)
        if not more.get("held"):
            drawn.append(batch)
        return batch

    monkeypatch.setattr(Seats, "batch", watched)
    pretrain(datasets, TINY, tmp_path)
    updates = points(tmp_path)[-1]["updates"]
    assert len(drawn) == 2 * updates == len({(b.seen.tobytes(), b.returns.tobytes()) for b in drawn})


def test_the_model_says_what_it_is_and_plays_every_task(datasets: dict[str, Dataset], tmp_path: Path) -> None:
    policy = model_of(pretrain(datasets, TINY, tmp_path))
    about = policy.training
    assert about["tasks"] == ["beer_game", "lost_sales"] and about["settings"] == TINY.to_dict()
    assert about["weights"] == sum(value.size for value in policy.arrays().values())
    assert policy.request == TINY.request
    for dataset in datasets.values():
        game = dataset.instances[0].game()
        assert np.isfinite(evaluate(game, dict.fromkeys(game.agents, policy), replications=4).mean)


@pytest.mark.parametrize("changes", [{"learning_rate": 2e-3}, {"seed": 1}, {"tokens": 9000}, {"width": 24}])
def test_a_checkpoint_of_other_settings_is_refused(
    changes: dict[str, Any], datasets: dict[str, Dataset], tmp_path: Path
) -> None:
    lost = {"lost_sales": datasets["lost_sales"]}
    short = replace(TINY, tokens=300)
    pretrain(lost, short, tmp_path)
    with pytest.raises(InputError, match=r"checkpoint.pt: belongs to another pretraining .data or settings differ."):
        pretrain(lost, short.changed(changes), tmp_path)


def test_a_checkpoint_of_other_data_is_refused(datasets: dict[str, Dataset], tmp_path: Path) -> None:
    short = replace(TINY, tokens=300)
    pretrain({"task": datasets["lost_sales"]}, short, tmp_path)
    other = recorded("lost_sales", LEVELS, 4, "other/v0", first_episode_seed=70)
    with pytest.raises(InputError, match="belongs to another pretraining"):
        pretrain({"task": other}, short, tmp_path)


def test_a_damaged_checkpoint_is_refused(datasets: dict[str, Dataset], tmp_path: Path) -> None:
    short = replace(TINY, tokens=300)
    pretrain(datasets, short, tmp_path)
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    for kept in (whole[: len(whole) // 2], b"something else"):
        (tmp_path / "checkpoint.pt").write_bytes(kept)
        with pytest.raises(InputError, match="the checkpoint is cut off or damaged; delete it"):
            pretrain(datasets, short, tmp_path)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "abacus"])
def test_a_device_that_is_not_there_is_refused(device: str, datasets: dict[str, Dataset], tmp_path: Path) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match=f"^device: torch has no '{device}' here; use cpu"):
        pretrain(datasets, replace(TINY, device=device), tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        pretrain({}, TINY, tmp_path)


def test_the_rate_rises_and_falls() -> None:
    assert rate_at(0.0, 0.1) < 1e-6 and rate_at(0.05, 0.1) == pytest.approx(0.5, abs=0.01)
    assert rate_at(0.5, 0.1) == pytest.approx(0.5) and rate_at(1.0, 0.1) == pytest.approx(0)
    assert rate_at(0.0, 0.0) == 1.0
