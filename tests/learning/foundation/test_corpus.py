"""Recorded play as tokens: numbers worked out anew by hand, returns recomputed, seeds held back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("minari")
pytest.importorskip("h5py")

from tiny_datasets import BASELINE, LEVELS, WORSE, recorded  # noqa: E402

from marl_supply.data.record import exploring_periods  # noqa: E402
from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.corpus import Seats, corpus_of  # noqa: E402
from marl_supply.learning.foundation.decisions import KINDS, DecisionTokens  # noqa: E402
from marl_supply.learning.foundation.returns import relative_rewards, returns_to_go, worths  # noqa: E402
from marl_supply.learning.foundation.rows import BLOCKS, STARTS, NodeTokens, described  # noqa: E402
from marl_supply.learning.foundation.settings import Pretraining  # noqa: E402
from marl_supply.study.family import Range  # noqa: E402
from marl_supply.testing.plays import arrays_of  # noqa: E402
from marl_supply.topology import load  # noqa: E402

SETTINGS = Pretraining(window=3, segment=6, cycles=1.5, held_back=0.25)
PERIODS = round(1.5 * 3)
"""Of a return: one and a half times the lead time of 2 and the period in which an order is sold."""


def one(seats: list[Seats]) -> Seats:
    (found,) = seats
    return found


@pytest.mark.parametrize(
    "chain, mix",
    [
        ("lost_sales", "base_stock random=0.3"),
        ("dual_sourcing", "dual_index random=0.3"),
        ("collaborative", "random_plan random=0.3"),
        ("newsvendor", "base_stock random=0.3"),
        ("beer_game_basic", "sterman random=0.3"),
    ],
)
def test_what_was_decided_reads_back_as_what_was_played(chain: str, mix: str) -> None:
    """Values counted in units are the orders, prices and exposures that the simulator was given."""
    dataset = recorded(chain, [mix], 2)
    (instance,) = dataset.instances
    game = instance.game()
    for episode in instance.episodes():
        for agent, seat in game.seats.items():
            own, action = DecisionTokens(seat), game.actions[agent]
            actions = np.asarray(episode.actions[agent], dtype=np.float64).reshape(len(episode), -1)
            values = own.values(actions)
            nominal, units = own.kinds == KINDS.index("chosen_edge"), own.shift + values * own.unit
            again = (units - action.low) / action.steps if seat.integer else units
            assert np.where(nominal, values, again) == pytest.approx(actions, abs=1e-6)
            decoded = arrays_of(action.decode(actions.T))
            if own.kinds.tolist() == [KINDS.index("quantity")] * len(own.kinds):
                assert pytest.approx(units, abs=1e-6) == decoded["order"].T
            if "price" in decoded:
                assert pytest.approx(units[:, own.kinds == KINDS.index("price")], abs=1e-6) == decoded["price"].T
            assert np.all(values >= own.low - 1e-9) and np.all(values[:, ~nominal] <= own.high[~nominal] + 1e-6)


def test_what_a_chosen_edge_was_given() -> None:
    """Of a production choice: the edge that got the order, and how much."""
    dataset = recorded("collaborative", ["random_plan"], 2)
    game = dataset.instances[0].game()
    own, seat = DecisionTokens(game.seats["shop"]), game.seats["shop"]
    for episode in dataset.episodes():
        actions = episode.actions["shop"].astype(np.float64)
        values, order = own.values(actions), own.action.decode(actions.T).order
        for row in range(2):
            edge, quantity = values[:, 2 * row], values[:, 2 * row + 1] * own.unit[2 * row + 1]
            edges = np.flatnonzero(seat.edge_rows == row)
            chosen = order[edges[edge.astype(int)], np.arange(len(episode))]
            assert np.array_equal(chosen, np.round(quantity)) and len(np.unique(edge)) == 2
            assert order[edges].sum(0).tolist() == chosen.tolist()


def test_the_numbers_of_a_row_by_hand() -> None:
    """Of lost sales: units count in mean demand, 5; the position also in standard deviations over the lead time."""
    game = Game("lost_sales", observe="full", horizon=8, warm_up=0)
    nodes = NodeTokens(game.seats["store"], "full")
    state = game.start(3, 1)
    for period in range(8):
        token = nodes.changing(np.asarray(game.vector(state, "store")).T)[:, 0]
        on_hand = state.on_hand[0]
        arriving = token[:, STARTS["pipeline"] : STARTS["pipeline"] + BLOCKS["pipeline"]].T * 5
        position = on_hand + arriving.sum(0)
        assert token[:, STARTS["on_hand"]] == pytest.approx(on_hand / 5, abs=1e-6)
        assert not arriving[1:].any() and arriving[0] == pytest.approx(game.observe(state, "store").pipeline[0])
        assert token[:, STARTS["inventory_position"]] == pytest.approx(position / 5, abs=1e-5)
        safety = (position - 3 * 5) / np.sqrt(3 * 5)
        assert token[:, STARTS["safety"]] == pytest.approx(safety, abs=1e-5)
        assert token[:, STARTS["last_order"]] == pytest.approx(state.last_order[0] / 5, abs=1e-6)
        state, _ = game.step(state, {"store": game.actions["store"].decode(np.array([[period, 3, 7]]))})


def test_arrivals_of_several_suppliers_merge_by_period() -> None:
    chain = load("dual_sourcing", {"edges.1.lead_time": 3, "edges.0.lead_time": 4})
    game = Game(chain, horizon=8, warm_up=0)
    seat = game.seats["store"]
    nodes, mean = NodeTokens(seat, game.observe_level), 2.0
    state = game.start(1, 1)
    for regular, express in ((5, 7), (3, 2), (1, 4)):
        state, _ = game.step(state, {"store": game.actions["store"].decode(np.array([[regular], [express]]))})
    token = nodes.changing(np.asarray(game.vector(state, "store")).T)[0, 0]
    arrivals = token[STARTS["pipeline"] : STARTS["pipeline"] + 4] * mean
    # ordered 3, 2 and 1 periods ago: the first express order has come, the regular ones come in 1, 2 and 3 periods
    assert arrivals.tolist() == pytest.approx([5 + 2, 3 + 4, 1, 0])
    assert token[STARTS["last_order"] : STARTS["last_order"] + 2] * mean == pytest.approx([1, 4])


@pytest.mark.parametrize("chain", ["lost_sales", "beer_game_basic", "collaborative", "one_warehouse_van_roy"])
@pytest.mark.parametrize("observe", ["local", "full"])
def test_no_number_that_is_seen_is_told_twice_or_lost(chain: str, observe: str) -> None:
    """But for the position, which is also told in standard deviations, and what belongs to no row."""
    game = Game(chain, observe=observe)
    for agent, seat in game.seats.items():
        nodes = NodeTokens(seat, observe)
        told = (nodes.matrix != 0).sum(0)
        fields = np.array([entry.field for entry in game.layouts[agent]])
        owned = told > 0
        assert (told[owned] == np.where(fields == "inventory_position", 2, 1)[owned]).all()
        assert np.isfinite(nodes.constant).all() and np.abs(nodes.constant).max() < 50
        assert nodes.rows[: len(seat.scope.rows)].tolist() == seat.scope.rows.tolist()


def test_contracts_and_blends_are_told() -> None:
    """Of the chain of Cachon & Zipkin: the supplier bears of the backorder cost what the retailer does not."""
    told: list[Any] = []
    for share, reward in ((0.3, "individual"), (0.3, "shared"), (0.7, "individual")):
        game = Game(load("cachon_zipkin", {"contract.backorder_share": share, "game.reward": reward}))
        told.append({agent: described(seat, int(seat.scope.rows[0])) for agent, seat in game.seats.items()})
        paid = np.log1p((1 - share) * 5 / np.array([0.5, 1.0])) / 3
        assert told[-1]["supplier"]["paid_backorder"] == pytest.approx(-paid[0])
        assert told[-1]["retailer"]["paid_backorder"] == pytest.approx(paid[1])
    assert [own["retailer"]["own_weight"] for own in told] == [1, 0, 1]
    assert not np.any([value for key, value in told[0]["retailer"].items() if key == "paid_shipped"])


def literally(rewards: Any, baseline: Any, periods: int) -> list[float]:
    found: list[Any] = []
    for now in range(len(rewards[0])):
        later = range(now, min(now + periods, len(rewards[0])))
        found.append(
            [np.mean([own[t] - other[t] for t in later]) for own, other in zip(rewards, baseline, strict=True)]
        )
    return np.clip(np.array(found).T / abs(np.mean(baseline)), -1, 1).tolist()


@pytest.mark.parametrize("periods", [1, 5, 50])
def test_returns_relative_to_the_baseline_literally(periods: int) -> None:
    episodes = list(recorded("lost_sales", LEVELS, 4).episodes())
    found = returns_to_go(relative_rewards(episodes, BASELINE, "store"), periods)
    rewards = [episode.rewards["store"] for episode in episodes]
    assert found == pytest.approx(np.array(literally(rewards, rewards[:4] * 2, periods)), abs=1e-6)
    assert not found[:4].any() and found[4:].any()


def test_a_player_is_worth_the_mean_of_its_episodes() -> None:
    episodes = list(recorded("lost_sales", LEVELS, 4).episodes())
    players = [episode.player for episode in episodes]
    found = worths(relative_rewards(episodes, BASELINE, "store"), players)
    rewards = np.array([episode.rewards["store"] for episode in episodes]).mean(1)
    worse = (rewards[4:].mean() - rewards[:4].mean()) / abs(rewards[:4].mean())
    assert found == pytest.approx(np.repeat([0, max(worse, -1)], 4), abs=1e-6) and found[7] != 0


def test_what_is_learned_is_what_was_recorded() -> None:
    """Episodes in order, tokens of the instance that each was played on; returns near the end are not whole."""
    dataset = recorded("lost_sales", LEVELS, 4, ranges=[Range.parse("nodes.store.lost_sale_cost=4..39")], instances=2)
    seats = one(corpus_of({"lost": dataset}, replace(SETTINGS, held_back=0.0)))
    assert seats.task == "lost" and not seats.held.any() and seats.of.tolist() == [0] * 8 + [1] * 8
    assert seats.learned.all() and not seats.hidden.any()
    assert seats.known.tolist() == [[True] * (15 - PERIODS) + [False] * (PERIODS - 1)] * 16
    for number, instance in enumerate(dataset.instances):
        game = instance.game()
        nodes = NodeTokens(game.seats["store"], game.observe_level)
        assert seats.rows[number] == pytest.approx(nodes.constant)
        episodes = list(instance.episodes())
        better = relative_rewards(episodes, BASELINE, "store")
        earned, returns = returns_to_go(better, PERIODS), worths(better, [episode.player for episode in episodes])
        for place, episode in enumerate(episodes):
            at = 8 * number + place
            assert np.array_equal(seats.seen[at], nodes.changing(episode.observations["store"][:-1]))
            assert np.array_equal(seats.values[at, :, 0], np.float32(episode.actions["store"] / 5))
            assert np.array_equal(seats.earned[at], earned[place]) and seats.returns[at] == returns[place]
    assert not np.array_equal(seats.rows[0], seats.rows[1])


def test_seeds_held_back_are_in_no_batch_that_is_learned() -> None:
    """Whole seeds, whoever played on them."""
    dataset = recorded("lost_sales", LEVELS, 8)
    seats = one(corpus_of({"lost": dataset}, SETTINGS))
    numbers = replace(seats, values=np.broadcast_to(np.arange(16.0)[:, None, None], seats.values.shape))
    seen: dict[bool, set[int]] = {True: set(), False: set()}
    for held, those in seen.items():
        batch = numbers.batch(np.random.default_rng(2), 300, replace(SETTINGS, segment=6), held)
        those |= set(batch.values.astype(int).ravel().tolist())
    assert len(seen[True]) == 4 and seen[True] | seen[False] == set(range(16)) and not seen[True] & seen[False]
    assert {number % 8 for number in seen[True]} == {number % 8 for number in seen[True] if number < 8}


def test_less_data_are_fewer_instances() -> None:
    """The first of them, with the same seeds held back."""
    dataset = recorded("lost_sales", LEVELS, 4, ranges=[Range.parse("nodes.store.lost_sale_cost=4..39")], instances=5)
    everything = one(corpus_of({"lost": dataset}, SETTINGS))
    for share, count in ((0.5, 2), (0.01, 1)):
        fewer = one(corpus_of({"lost": dataset}, replace(SETTINGS, share=share)))
        assert fewer.of.tolist() == everything.of[: 8 * count].tolist() and len(fewer.rows) == count
        assert np.array_equal(fewer.held, everything.held[: 8 * count])
        assert np.array_equal(fewer.seen, everything.seen[: 8 * count])


def test_a_batch_is_pieces_of_episodes() -> None:
    seats = one(corpus_of({"lost": recorded("lost_sales", LEVELS, 8)}, SETTINGS))
    settings = replace(SETTINGS, segment=6, unconditional=0.5, beginnings=0.0)
    batch = seats.batch(np.random.default_rng(2), 200, settings)
    assert batch.seen.shape[:2] == batch.values.shape[:2] == batch.earned.shape == batch.learned.shape == (200, 6)
    assert 60 < batch.hidden.sum() < 140
    own = [seats.seen[e, t : t + 6].tobytes() for e in np.flatnonzero(~seats.held) for t in range(9)]
    assert {piece.tobytes() for piece in batch.seen} <= set(own)
    first = {seats.seen[e, :6].tobytes() for e in range(len(seats.seen))}
    for share, low, high in ((0.0, 0, 60), (0.5, 80, 140), (1.0, 200, 200)):
        pieces = seats.batch(np.random.default_rng(2), 200, replace(settings, beginnings=share)).seen
        assert low <= sum(piece.tobytes() in first for piece in pieces) <= high


def test_actions_of_chance_at_the_beginning_are_not_learned() -> None:
    """Whoever plays a seed begins in the same state, so returns compare what they do from there."""
    dataset = recorded("lost_sales", LEVELS, 8, exploring_starts=4)
    seats = one(corpus_of({"lost": dataset}, replace(SETTINGS, held_back=0.0)))
    (instance,) = dataset.instances
    lengths = [exploring_periods(episode.seed, 4) for episode in instance.episodes()]
    assert len(set(lengths)) > 2 and min(lengths) == 0
    assert [row.tolist() for row in seats.learned] == [[False] * n + [True] * (14 - n) for n in lengths]
    assert not seats.returns[:8].any() and seats.returns[8:].any()


def test_what_a_player_is_worth_who_acts_at_random_at_times_is_never_told() -> None:
    """It says nothing of the actions that it meant."""
    dataset = recorded("lost_sales", [BASELINE, f"{WORSE} random=0.2"], 8)
    seats = one(corpus_of({"lost": dataset}, replace(SETTINGS, held_back=0.0)))
    assert seats.hidden.tolist() == [False] * 8 + [True] * 8
    batch = seats.batch(np.random.default_rng(2), 200, replace(SETTINGS, unconditional=0.0))
    assert batch.hidden.any() and not batch.hidden.all() and (batch.hidden == (batch.returns != 0)).all()


def test_a_level_is_told_as_a_safety_factor() -> None:
    """The same cover is the same number at every lead time: mean lead-time demand counts as 0, its deviation as 1."""
    for lead_time in (1, 4):
        game = Game(load("lost_sales", {"edges.0.lead_time": lead_time, "game.actions": "order_up_to"}))
        own, (action,) = DecisionTokens(game.seats["store"]), game.actions.values()
        periods = lead_time + 1
        level = np.array([[round(5 * periods + 2 * np.sqrt(5 * periods))]])
        found = own.values((level - action.low) / action.steps)
        assert found[0, 0] == pytest.approx((level[0, 0] - 5 * periods) / np.sqrt(5 * periods), abs=1e-9)
        assert own.units_of(0, found[0]) == pytest.approx(level[0])


def test_seats_of_one_shape_but_other_rows_are_learned_apart() -> None:
    """Two rows with an edge each, and a row with two edges that sees another, decide two quantities on two rows."""
    chain = {
        "name": "two_shapes",
        "nodes": {
            "mill": {"kind": "source"},
            "depot": {"on_hand": 5, "holding_cost": 1},
            "shop": _shop(),
            "north": _shop(),
            "south": _shop(),
        },
        "edges": [
            {"from": "mill", "to": "depot", "lead_time": 1},
            {"name": "slow", "from": "mill", "to": "shop", "lead_time": 2},
            {"name": "fast", "from": "depot", "to": "shop", "lead_time": 1},
            {"from": "mill", "to": "north", "lead_time": 1},
            {"from": "mill", "to": "south", "lead_time": 1},
        ],
        "game": {
            "observe": "neighbours",
            "horizon": 6,
            "agents": {
                "one": {"decides": ["shop"]},
                "two": {"decides": ["north", "south"]},
                "three": {"decides": ["depot"]},
            },
        },
    }
    dataset = recorded(chain, ["random_order"], 2, "two/v0", 6)
    places = {tuple(own.places.tolist()) for own in corpus_of({"two": dataset}, SETTINGS)}
    assert {(0, 0), (0, 1), (0,)} == places


def _shop() -> dict[str, Any]:
    return {"on_hand": 5, "holding_cost": 1, "backorder_cost": 9, "demand": {"process": "poisson", "mean": 3}}


def test_without_common_seeds_nothing_compares() -> None:
    dataset = recorded("lost_sales", LEVELS, 3, common_seeds=False)
    with pytest.raises(InputError, match=f"^seed 3 was not met by the baseline '{BASELINE}'; record the dataset with"):
        corpus_of({"lost": dataset}, SETTINGS)


def test_a_baseline_that_earns_nothing_is_refused() -> None:
    episodes = list(recorded("lost_sales", [WORSE], 2).episodes())
    nothing = [replace(episode, rewards={"store": 0 * episode.rewards["store"]}) for episode in episodes]
    with pytest.raises(InputError, match="earns and costs 'store' nothing, so nothing compares with it"):
        relative_rewards(nothing, WORSE, "store")
