"""The replay against a plain record of everything that was played, and team feedback by hand."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray")

from marl_supply.learning.rllib.q_learning.feedback import team_feedback  # noqa: E402
from marl_supply.learning.rllib.q_learning.replay import Replay, Transitions  # noqa: E402

CHAINS, AGENTS, COPIES, SEEN = 4, 2, 3, 5
LENGTH = 7
"""Periods of a game; chain number b is cut when clock + b is a multiple of it."""


def record(periods: int) -> Transitions:
    """Numbers that differ everywhere; the feedback of a game is its last period's clock / 100."""
    rng = np.random.default_rng(3)
    shape = (periods, CHAINS, AGENTS, COPIES)
    clock = np.arange(periods)[:, None] + np.arange(CHAINS)
    cut = (clock + 1) % LENGTH == 0
    ages = np.where(clock // LENGTH > 0, clock % LENGTH, np.arange(periods)[:, None])
    feedback = np.where(cut[..., None, None], rng.integers(1, 9, shape), 0)
    return Transitions(
        observations=rng.standard_normal((*shape, SEEN)).astype(np.float32),
        actions=rng.integers(0, 4, shape),
        rewards=rng.integers(-9, 0, shape).astype(np.float32),
        following=rng.standard_normal((*shape, SEEN)).astype(np.float32),
        cut=cut,
        ages=ages,
        feedback=feedback.astype(np.float32),
    )


def part(whole: Transitions, first: int, end: int) -> Transitions:
    return Transitions(**{name: value[first:end] for name, value in vars(whole).items()})


def filled(whole: Transitions, slots: int, returns: int) -> Replay:
    replay = Replay(slots, returns, 0.9)
    for first in range(0, len(whole.cut), 4):
        replay.add(part(whole, first, first + 4))
    return replay


def expected(whole: Transitions, period: int, chain: int, returns: int, end: int) -> Any:
    """One transition by loops over the record."""
    total, last = np.zeros((AGENTS, COPIES)), period
    for ahead in range(returns):
        last = period + ahead
        reward = whole.rewards[last, chain].astype(float)
        later = [p for p in range(last, end) if whole.cut[p, chain]]
        if later:
            reward = reward + whole.feedback[later[0], chain]
        total += 0.9**ahead * reward
        if whole.cut[last, chain]:
            break

    discount = 0.9 ** (last - period + 1)
    return (
        whole.observations[period, chain],
        whole.actions[period, chain],
        total,
        whole.following[last, chain],
        discount,
    )


@pytest.mark.parametrize("returns", (1, 3))
@pytest.mark.parametrize("periods", (16, 44))
def test_every_draw_is_in_the_record(returns: int, periods: int) -> None:
    """Added rewards, feedback, cuts and what follows, before and after the ring went round."""
    whole = record(periods)
    replay = filled(whole, 20, returns)
    assert replay.transitions == min(periods, 20) * CHAINS
    draw = replay.draw(800, np.random.default_rng(1))
    where = {tuple(whole.observations[p, b].ravel()): (p, b) for p in range(periods) for b in range(CHAINS)}
    met = set()
    for row in range(800):
        newest = draw.observations[row]
        period, chain = where[tuple(newest.ravel())]
        met.add((period, chain))
        found = (draw.observations[row], draw.actions[row], draw.rewards[row], draw.following[row], draw.discount[row])
        for one, two in zip(found, expected(whole, period, chain, returns, periods), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)
    oldest = periods - 20 if periods > 20 else 0
    possible = {(p, b) for p in range(oldest, periods - returns + 1) for b in range(CHAINS)}
    assert met == possible


def test_deviation_and_state() -> None:
    whole = record(44)
    replay = filled(whole, 20, 1)
    again = Replay(20, 1, 0.9)
    again.set_state(replay.get_state())
    replay.add(part(whole, 0, 4))
    again.add(part(whole, 0, 4))
    one, two = (r.draw(50, np.random.default_rng(8)) for r in (replay, again))
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in vars(one))
    rewards = np.concatenate([whole.rewards[28:44], whole.rewards[:4]]).astype(float)
    assert replay.deviation().shape == (AGENTS, COPIES)
    assert np.abs(replay.deviation() - rewards.std((0, 1))).max() < 4  # feedback is on top


def test_team_feedback_by_hand() -> None:
    """Mean costs 1, 2, 3 and 6, beta 30: agent 0 gets 30 / 3 x (12 - 1) = 110 on top of each cost, and so on."""
    means = -np.array([1.0, 2.0, 3.0, 6.0])
    np.testing.assert_allclose(team_feedback(means, 30.0), [-110, -100, -90, -60])
    assert team_feedback(np.array([-4.0]), 30.0) == 0
