"""The randomness of a game: demand, chances and policies' numbers, each keyed by its own name."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

from marl_supply.demand.noise import Noise
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.game.randomness import Randomness
from marl_supply.topology.chances import Chance

MARKETS: dict[str, DemandProcess] = {"a": Poisson(mean=5), "b": Poisson(mean=5)}
CHANCES = (Chance("delay", "x-y", 2), Chance("demand", "a", 1), Chance("demand", "b", 1))


@dataclass(frozen=True)
class Group:
    markets: tuple[str, ...]
    coefficient: float


def test_chances_are_those_of_their_keys_and_do_not_meet_those_of_policies() -> None:
    noise = Randomness(MARKETS, 3, 5, 70, 99, chances=CHANCES)
    expected = Noise(3).generator("delay", "x-y", 1, 1).random((64, 2, 64))
    assert noise.chance(80).shape == (4, 5)
    assert np.array_equal(noise.chance(80)[:2], expected[16, :, 6:11])
    assert np.array_equal(noise.chance(80), noise.chance(80))
    policy = Noise(3).generator("policy", "x-y", 1, 1).random((64, 2, 64))
    assert np.array_equal(noise.uniform("x-y", 80, 2), policy[16, :, 6:11])


@pytest.mark.parametrize(("replications", "first"), [(1, 0), (3, 62), (64, 6)])
def test_slices_of_replications_agree(replications: int, first: int) -> None:
    whole = Randomness(MARKETS, 3, 70, 0, 99, chances=CHANCES)
    part = Randomness(MARKETS, 3, replications, first, 99, chances=CHANCES)
    own = slice(first, first + replications)
    for clock in (0, 63, 64, 70):
        assert np.array_equal(part.chance(clock), whole.chance(clock)[:, own])
        assert np.array_equal(part.uniform("a", clock, 3), whole.uniform("a", clock, 3)[:, own])


def test_streams_and_correlation_reach_demand_and_chances() -> None:
    noise = Randomness(MARKETS, 3, 50, 0, 99, chances=CHANCES, streams={"b": "a"})
    assert np.array_equal(*noise.at(7))
    assert np.array_equal(noise.chance(7)[2], noise.chance(7)[3])
    together = Randomness(MARKETS, 3, 50, 0, 99, correlation=(Group(("a", "b"), 1.0),))
    assert np.array_equal(*together.at(7))
    apart = Randomness(MARKETS, 3, 50, 0, 99, chances=CHANCES)
    assert not np.array_equal(*apart.at(7)) and not np.array_equal(apart.chance(7)[2], apart.chance(7)[3])


def test_demand_past_the_end_repeats_the_last_period() -> None:
    noise = Randomness(MARKETS, 3, 5, 0, 9)
    last = noise.at(9).copy()
    assert np.array_equal(noise.at(10), last)


def test_memory_does_not_grow_over_ten_thousand_periods() -> None:
    noise = Randomness(MARKETS, 3, 20, 0, 10_000, chances=CHANCES)

    def play(first: int, end: int) -> int:
        for clock in range(first, end):
            noise.at(clock), noise.chance(clock), noise.uniform("a", clock, 2), noise.uniform("b", clock, 1)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    early = play(0, 300)
    late = play(300, 10_000)
    tracemalloc.stop()
    assert late < early + 20_000
