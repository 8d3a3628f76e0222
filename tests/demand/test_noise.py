"""Noise depends on its key alone: not on the batch, the horizon or the other markets."""

import pickle

import numpy as np
import pytest
from demand.samples import EXAMPLES, RESPONSIVE, example, names, sample

from marl_supply.demand.noise import DemandFeed, Noise
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.step import Step
from marl_supply.errors import InputError


def test_every_process_is_tried_here() -> None:
    assert sorted(EXAMPLES) == names()


@pytest.mark.parametrize("name", names())
def test_slices_of_replications_are_identical(name: str) -> None:
    markets = {"market": example(name)}
    everything = sample(markets, 140, 1000)
    for replications, offsets in ((1, (0, 63, 64, 999)), (7, (60, 500, 993)), (100, (0, 3, 64, 900))):
        for first in offsets:
            part = sample(markets, 140, replications, first)
            assert np.array_equal(part, everything[:, :, first : first + replications])


@pytest.mark.parametrize("name", names())
def test_a_longer_horizon_changes_nothing_drawn(name: str) -> None:
    markets = {"market": example(name)}
    assert np.array_equal(sample(markets, 200, 5)[:70], sample(markets, 70, 5))


@pytest.mark.parametrize("name", names())
def test_a_pickled_feed_goes_on_where_it_was(name: str) -> None:
    feed = DemandFeed({"market": example(name)}, 3, 5)
    feed.at(70)
    copy = pickle.loads(pickle.dumps(feed))
    for period in (71, 127, 128, 190):
        assert np.array_equal(feed.at(period), copy.at(period))


@pytest.mark.parametrize("name", names())
def test_replications_and_blocks_differ(name: str) -> None:
    demand = sample({"market": example(name)}, 192, 130)[:, 0]
    if name in {"step", *RESPONSIVE}:  # without noise of its own
        assert np.all(demand == demand[:, :1])
        return
    assert len(np.unique(demand, axis=1).T) == 130
    assert not np.array_equal(demand[:64], demand[64:128])
    assert not np.array_equal(demand[:, :64], demand[:, 64:128])


@pytest.mark.parametrize("name", names())
def test_parameters_survive_a_file(name: str) -> None:
    process = example(name)
    data = process.model_dump(mode="json", by_alias=True)
    assert type(process).model_validate(data) == process
    assert hash(type(process).model_validate(data)) == hash(process)


@pytest.mark.parametrize("name", names())
def test_every_parameter_is_described(name: str) -> None:
    for field in type(example(name)).model_fields.values():
        assert field.description


def test_adding_a_market_changes_no_other() -> None:
    pair: dict[str, DemandProcess] = {"b": Poisson(mean=9), "a": Poisson(mean=4)}
    assert np.array_equal(sample(pair, 70, 5)[:, 1], sample({"a": Poisson(mean=4)}, 70, 5)[:, 0])


def test_markets_of_one_law_meet_different_noise() -> None:
    demand = sample({"a": Poisson(mean=4), "b": Poisson(mean=4)}, 64, 64)
    assert abs(np.corrcoef(demand[:, 0].ravel(), demand[:, 1].ravel())[0, 1]) < 0.06


def test_every_part_of_the_key_matters() -> None:
    keys = [
        (1, "demand", "a", 0, 0, ""),
        (2, "demand", "a", 0, 0, ""),
        (1, "policy", "a", 0, 0, ""),
        (1, "demand", "b", 0, 0, ""),
        (1, "demand", "a", 1, 0, ""),
        (1, "demand", "a", 0, 1, ""),
        (1, "demand", "a", 0, 0, "x"),
    ]
    draws = {tuple(Noise(key[0]).generator(*key[1:]).random(4)) for key in keys}
    assert len(draws) == len(keys)
    assert tuple(Noise(1).generator("demand", "a", 0, 0).random(4)) in draws


def test_noise_of_a_key_never_changes() -> None:
    """Golden numbers: published results depend on them, so a change needs a new version of every topology."""
    assert sample({"market": Poisson(mean=5)}, 12, 1)[:, 0, 0].tolist() == [
        8,
        6,
        7,
        5,
        8,
        6,
        5,
        5,
        3,
        2,
        11,
        5,
    ]


def test_feeds_refuse_what_they_cannot_give() -> None:
    with pytest.raises(InputError, match="seed: -1"):
        Noise(-1)
    with pytest.raises(InputError, match="replications: 0"):
        DemandFeed({}, 1, 0)
    with pytest.raises(InputError, match="first_replication: -1"):
        DemandFeed({}, 1, 1, -1)
    feed = DemandFeed({"market": Step(before=4, after=8, at=4)}, 1, 1)
    feed.at(64)
    with pytest.raises(ValueError, match="in order"):
        feed.at(63)


def test_what_a_feed_gives_cannot_be_overwritten() -> None:
    feed = DemandFeed({"market": Poisson(mean=5)}, 1, 2)
    with pytest.raises(ValueError, match="read-only"):
        feed.at(0)[0] = 3
