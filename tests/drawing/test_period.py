"""Frames of a period: their size, what they show, and that they depend on nothing but the period."""

import time

import numpy as np
import pytest
from shipped_chains import NAMES

from marl_supply.drawing.letters import advance, fill, stamp
from marl_supply.drawing.period import PeriodPicture
from marl_supply.game import Game, Outcome
from marl_supply.simulation import Decisions, State

RED, WHITE = (204, 0, 0), (255, 255, 255)


def played(game: Game, periods: int, order: float = 3.0) -> tuple[State, Outcome]:
    """Some periods in which everybody orders the same."""
    state = game.start(1, seed=5)
    for _ in range(periods):
        state, outcome = game.step(state, Decisions(order=np.full((len(game.network.edges), 1), order)))
    return state, outcome


def share(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((image == np.array(colour)).all(-1).mean())


@pytest.mark.parametrize("name", NAMES)
def test_every_chain_has_frames_of_one_size(name: str):
    game = Game(name)
    picture = PeriodPicture(game)
    start = game.start(1, seed=5)
    before = picture.frame("start", start, None)
    after = picture.frame("period 1", *played(game, 1, 0.0))
    assert before.dtype == np.uint8 and before.ndim == 3 and before.shape[2] == 3 and before.shape == after.shape
    assert max(before.shape) <= 1700 and share(before, WHITE) > 0.6 and (before != after).any()


def test_a_frame_depends_on_its_period_alone():
    game = Game("network_2x3")
    picture = PeriodPicture(game)
    first = picture.frame("a", *played(game, 3))
    picture.frame("something else", *played(game, 9, 0.0))
    assert (picture.frame("a", *played(game, 3)) == first).all()
    assert (PeriodPicture(Game("network_2x3")).frame("a", *played(game, 3)) == first).all()


def test_backorders_are_red():
    game = Game("beer_game_uniform")
    picture = PeriodPicture(game)
    enough, short = played(game, 3, 8.0), played(game, 12, 0.0)
    assert float(short[1].flows.backorders.sum()) > 0 == float(enough[1].flows.backorders.sum())
    assert share(picture.frame("", *enough), RED) == 0 < share(picture.frame("", *short), RED)


def test_lines_grow_with_what_is_shipped():
    game = Game("single_echelon")
    picture = PeriodPicture(game)
    dark = [(picture.frame("", *played(game, 1, order)) < 100).all(-1).sum() for order in (0.0, 5.0, 15.0)]
    row = picture.stage.pixel(0, 0)
    assert row[0] > 0 and dark[0] < dark[1] < dark[2]


def test_the_title_and_the_cost_change_the_top_line_only():
    game = Game("beer_game")
    picture = PeriodPicture(game)
    state, outcome = played(game, 2)
    one, other = picture.frame("week 2", state, outcome), picture.frame("week 7", state, outcome)
    rows = np.flatnonzero((one != other).any((1, 2)))
    assert len(rows) and rows.max() < 0.35 * picture.stage.dots


def test_frames_come_fast_enough_to_watch():
    """At least 10 a second of a chain with 12 edges, in time of the processor: the machine may be busy."""
    game = Game("network_2x3")
    picture = PeriodPicture(game)
    period = played(game, 3)
    picture.frame("warm", *period)
    begun = time.process_time()
    for number in range(10):
        picture.frame(f"period {number}", *period)
    assert time.process_time() - begun < 1.0


def test_letters_are_stamped_where_they_should_be():
    image = np.full((60, 200, 3), 255, dtype=np.uint8)
    stamp(image, 100, 30, "lead", dots=100)
    inked = np.argwhere((image < 128).all(-1))
    wide = advance("lead", 7.5) * 100
    assert abs(inked[:, 1].mean() - 100) < 4 and 0.7 * wide < np.ptp(inked[:, 1]) < wide
    assert abs(inked[:, 0].mean() - 30) < 4


def test_what_lies_outside_is_cut_off():
    image = np.full((20, 20, 3), 255, dtype=np.uint8)
    stamp(image, -3, 10, "cut off at both ends", dots=100)
    stamp(image, 500, 500, "far away", dots=100)
    fill(image, -5, -5, 3, 3, RED)
    assert (image[:3, :3] == RED).all() and (image < 255).any() and image.shape == (20, 20, 3)
