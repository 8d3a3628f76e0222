"""Each rule's formula on an observation made by hand, its defaults, its parameters and its memory."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS

from marl_supply.errors import InputError
from marl_supply.game import Game, Seat
from marl_supply.plugins import find
from marl_supply.policies import Rule, names, rule, seat_everybody
from marl_supply.policies.seating import parameters_of

SEAT = Game("beer_game_uniform").seats["wholesaler"]  # one row, one line; demand 0 to 8; lead time 2 + delay 2
TWO = Game(
    "serial_liu",
    agents={
        "upper": {"decides": ["manufacturer", "distributor"], "pays": ["manufacturer", "distributor"]},
        "lower": {"decides": ["retailer"], "pays": ["retailer"]},
    },
).seats["upper"]


def seen(seat: Seat = SEAT, **fields: Any) -> Any:
    """An observation of given fields, arrays (k, B)."""
    arrays = {name: np.array(values, dtype=float) for name, values in fields.items()}
    return SimpleNamespace(seat=seat, replications=next(iter(arrays.values())).shape[1], xp=np, **arrays)


def act(name: str, values: Any, observation: Any, memory: Any = None) -> Any:
    """The decisions of a rule with these parameters."""
    player = type(rule(name, observation.seat))(values, observation.seat)
    return player.act(observation, memory)


def test_base_stock_orders_up_to_its_level() -> None:
    decisions, memory = act("base_stock", [12.0], seen(inventory_position=[[3.0, 15.0]]))
    assert decisions.order_up_to.tolist() == [[12.0, 12.0]] and decisions.kinds() == ("order_up_to",) and memory is None
    both, _ = act("base_stock", [30.0, 20.0], seen(TWO, inventory_position=[[1.0], [2.0]]))
    assert both.order_up_to.tolist() == [[30.0], [20.0]]


def test_echelon_base_stock_orders_the_shortfall_of_the_echelon() -> None:
    decisions, _ = act("echelon_base_stock", [40.0], seen(echelon_inventory_position=[[33.0, 44.0]]))
    assert decisions.order.tolist() == [[7.0, 0.0]]


def test_constant_order_orders_a_constant() -> None:
    decisions, _ = act("constant_order", [4.0], seen(on_hand=[[0.0, 100.0]]))
    assert decisions.order.tolist() == [[4.0, 4.0]]


def test_random_order_is_uniform_on_0_to_its_highest() -> None:
    observation = seen(on_hand=[[0.0, 0.0, 0.0]])
    observation.noise = lambda size: np.array([[0.0, 0.5, 0.999]])
    decisions, _ = act("random_order", [7.0], observation)
    assert decisions.order.tolist() == [[0.0, 4.0, 7.0]]


def test_sterman_reads_levels_before_receipt_and_claims() -> None:
    """Oroojlooyjadid et al. (2022): max(0, claims - .5 (level - a) - .2 (on order - b)), here a = 4.5, b = 18."""
    anchors = {"stock_anchor": [4.5], "pipeline_anchor": [18.0]}
    stand = {"on_hand": [[9.0]], "receipts": [[4.0]], "backorders": [[2.0]], "on_order": [[12.0]]}
    decisions, _ = act("sterman", anchors, seen(**stand, incoming_orders=[[6.0]]))
    level, on_order = 9 - 4 - 2, 12 + 4
    assert decisions.demand_plus[0, 0] == pytest.approx(-0.5 * (level - 4.5) - 0.2 * (on_order - 18))


def test_a_forecast_remembers_the_smoothed_claims() -> None:
    values = {"safety_stock": [10.0], "cover": [5.0], "smoothing": [0.25]}
    player = type(rule("forecast_base_stock", SEAT))(values, SEAT)
    memory = player.start(SEAT, 2)
    smoothed = np.full(2, 4.0)  # the mean of demand 0 to 8
    for period, claims in enumerate(([7.0, 1.0], [8.0, 0.0], [8.0, 2.0])):
        decisions, memory = player.act(seen(incoming_orders=[claims], inventory_position=[[0.0, 0.0]]), memory)
        if period:
            smoothed = 0.25 * np.array(claims) + 0.75 * smoothed
        np.testing.assert_allclose(decisions.order_up_to[0], 10 + 5 * smoothed)


def test_an_echelon_forecast_follows_the_markets_that_a_row_reaches() -> None:
    values = {"safety_stock": [0.0], "cover": [3.0], "smoothing": [0.5]}
    player = type(rule("echelon_forecast_base_stock", SEAT))(values, SEAT)
    stand = {"market_demand": [[8.0]], "echelon_inventory_position": [[2.0]]}
    first, memory = player.act(seen(**stand), player.start(SEAT, 1))
    second, _ = player.act(seen(**stand), memory)
    assert first.order.tolist() == [[3 * 4.0 - 2]] and second.order.tolist() == [[3 * 6.0 - 2]]


def test_defaults_are_what_a_seat_knows_of_demand() -> None:
    """Demand uniform on 0 to 8 has mean 4 and variance 80/12; the wholesaler waits 4 periods and counts one more."""
    spread = np.sqrt(80 / 12 * 5)
    assert rule("constant_order", SEAT).values["order_quantity"].tolist() == [4.0]
    assert rule("random_order", SEAT).values["highest_order"].tolist() == [8.0]
    plain = type(rule("base_stock", SEAT))({}, SEAT)  # without what the topology file suggests
    assert plain.values["base_stock_level"].tolist() == [np.rint(20 + spread)]
    forecast = rule("forecast_base_stock", SEAT).values
    assert forecast["cover"].tolist() == [5.0] and forecast["smoothing"].tolist() == [0.3]
    np.testing.assert_allclose(forecast["safety_stock"], [spread])
    weights = rule("sterman", SEAT).values
    assert weights["stock_weight"].tolist() == [0.5] and weights["pipeline_weight"].tolist() == [0.2]


def fits(name: str, game: Game, seats: Any = None) -> bool:
    """Whether a rule can play every seat but those of others; one for special chains says what it is for."""
    try:
        seat_everybody(game, name, seats=seats)
    except InputError as refusal:
        assert str(refusal).endswith("choose another rule.")
        return False
    return True


@pytest.mark.parametrize("name", names())
def test_every_rule_fits_some_chain(name: str) -> None:
    if any(fits(name, Game(chain, observe="full")) for chain in CHAINS.values()):
        return
    chain = CHAINS["recommendation_replenishment"]
    rows = [row for row, node in chain.nodes.items() if node.kind == "stock"]
    decides = {what: {"decides": [f"{row}.{what}" for row in rows]} for what in ("order", "exposure")}
    game = Game(
        chain, agents={"order": {**decides["order"], "pays": rows}, "exposure": {**decides["exposure"], "pays": []}}
    )
    assert fits(name, game, {"order": "base_stock"})


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", names())
def test_defaults_lie_where_a_search_looks(name: str, chain: str) -> None:
    game = Game(CHAINS[chain], observe="full")
    for seat in game.seats.values() if fits(name, game) else ():
        player = rule(name, seat)
        for parameter in player.parameters:
            start, low, high = parameter.start(seat), parameter.low(seat), parameter.high(seat)
            assert start.shape == low.shape == high.shape == (len(seat.rows),)
            assert (low <= start).all() and (start <= high).all() and np.isfinite([low, start, high]).all()
            assert not parameter.integer or (start == np.rint(start)).all()


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", names())
def test_every_rule_plays_every_chain_and_tells_its_parameters(name: str, chain: str) -> None:
    game = Game(CHAINS[chain], observe="full")
    if not fits(name, game):
        return
    players = seat_everybody(game, name)
    told = parameters_of(game, players)
    again = seat_everybody(game, name, told)
    state = game.start(3, seed=1)
    for agent in game.agents:
        decisions, _ = players[agent].act(game.observe(state, agent), players[agent].start(game.seats[agent], 3))
        same, _ = again[agent].act(game.observe(state, agent), None)
        assert decisions.kinds() == same.kinds() != ()
        for kind in decisions.kinds():
            assert np.shape(getattr(decisions, kind))[-1] == 3
            np.testing.assert_array_equal(getattr(decisions, kind), getattr(same, kind))
    game.step(state, {a: players[a].act(game.observe(state, a), None)[0] for a in game.agents})


def test_the_file_suggests_and_the_user_overrides() -> None:
    game = Game("beer_game")
    assert rule("base_stock", game.seats["retailer"]).values["base_stock_level"].tolist() == [32.0]
    own = seat_everybody(game, "base_stock", {"retailer": 30, "wholesaler": {"base_stock_level": 31}})
    levels = {agent: float(player.values["base_stock_level"][0]) for agent, player in own.items()}
    assert levels == {"manufacturer": 24, "distributor": 32, "wholesaler": 31, "retailer": 30}
    partly = rule("sterman", game.seats["retailer"], {"retailer": {"stock_weight": 1.0}})
    assert partly.values["stock_weight"].tolist() == [1.0] and partly.values["stock_anchor"].tolist() == [8.0]


def test_seats_can_be_given_to_other_rules() -> None:
    players = seat_everybody(Game("beer_game"), "sterman", seats={"retailer": "base_stock"})
    kinds = [type(player).__name__ for player in players.values()]
    assert kinds == ["Sterman", "Sterman", "Sterman", "BaseStock"]


def test_parameters_may_differ_by_replication() -> None:
    levels = np.array([[10.0, 20.0, 30.0]])
    decisions, _ = act("base_stock", levels, seen(inventory_position=[[0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(decisions.order_up_to, levels)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda g: rule("base_stok", g.seats["retailer"]), r"base_stok.*did you mean 'base_stock'"),
        (
            lambda g: rule("sterman", g.seats["retailer"], {"retailer": {"stock_wait": 1}}),
            r"sterman: no parameter 'stock_wait' \(did you mean 'stock_weight'\?\); it has stock_anchor, pipeline",
        ),
        (lambda g: seat_everybody(g, "base_stock", {"retaler": 3}), r"no node 'retaler' in beer_game .*'retailer'"),
        (lambda g: seat_everybody(g, "base_stock", seats={"retaler": "sterman"}), r"no agent 'retaler' in beer_game"),
        (
            lambda g: rule("base_stock", g.seats["retailer"], {"retailer": float("nan")}),
            "'base_stock_level' is not a finite number",
        ),
        (lambda g: type(rule("base_stock", SEAT))({}), "parameter 'base_stock_level' is missing"),
        (lambda g: type(rule("base_stock", SEAT))({"level": 3}), "BaseStock: no parameter 'level'"),
        (lambda g: type(rule("base_stock", SEAT))([1.0, 2.0], SEAT), "'base_stock_level' has 2 values"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(call: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call(Game("beer_game"))


def test_rules_are_rules() -> None:
    assert {"base_stock", "echelon_base_stock", "forecast_base_stock", "sterman", "constant_order"} <= set(names())
    assert all(issubclass(find("marl_supply.policies", Rule, name), Rule) for name in names())
