"""What each level of `observe` shows, and that what it hides cannot be read."""

import contextlib
from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS

from marl_supply.errors import InputError
from marl_supply.game import Game, Observation
from marl_supply.game.quantities import LEVELS, LOCAL, QUANTITIES, SHARED_DEMAND
from marl_supply.game.rollout import rollout
from marl_supply.policies import names, rule, seat_everybody
from marl_supply.simulation import Decisions, State

CASES = [
    pytest.param(name, level, id=f"{name}-{level}")
    for name, chain in CHAINS.items()
    for level in LEVELS
    if level != "market" or Game(chain, observe="full").network.public_memory
]
"""Where everybody sees something: with `market` there must be something that markets show."""
EVERYTHING = sorted(LEVELS["full"] - {"everything"})


def played(game: Game, periods: int = 9) -> State:
    """A decision point after some periods of random orders."""
    state, generator = game.start(3, seed=4), np.random.default_rng(1)
    for _ in range(periods):
        orders = np.floor(generator.random((len(game.network.edges), 3)) * (game.network.order_bound[:, None] / 2 + 1))
        state, _ = game.step(state, Decisions(order=orders))
    return state


def test_where_markets_show_nothing_that_level_is_refused() -> None:
    with pytest.raises(InputError, match="with market 'manufacturer' sees nothing"):
        Game("beer_game_uniform", observe="market")


def test_levels_contain_one_another() -> None:
    assert LEVELS["market"] < LEVELS["local"]
    assert LEVELS["local"] < LEVELS["neighbours"] < LEVELS["full"]
    assert LEVELS["local"] < LEVELS["shared_demand"] < LEVELS["full"]
    assert {quantity.name for quantity in QUANTITIES} - {"travelling"} == set(LOCAL + SHARED_DEMAND)


@pytest.mark.parametrize(("name", "level"), CASES)
def test_hidden_fields_cannot_be_read(name: str, level: str) -> None:
    game = Game(CHAINS[name], observe=level)
    state = game.start(2)
    for agent, seat in game.seats.items():
        seen = game.observe(state, agent)
        for field in EVERYTHING:
            if field in seat.visible:
                assert getattr(seen, field).shape[1] == 2
            else:
                with pytest.raises(AttributeError, match=f"'{field}' is hidden from '{agent}'.* `observe` level"):
                    getattr(seen, field)
        nearest = ".*did you mean 'on_hand'" if "on_hand" in LEVELS[level] else ""
        with pytest.raises(AttributeError, match=f"no field 'on_hands'{nearest}"):
            _ = seen.on_hands


@pytest.mark.parametrize(("name", "level"), CASES)
def test_the_vector_is_the_fields_one_after_another(name: str, level: str) -> None:
    game = Game(CHAINS[name], observe=level)
    state = played(game)
    for agent in game.agents:
        seen, layout = game.observe(state, agent), game.layouts[agent]
        vector = game.vector(state, agent)
        assert len(layout) == len(vector)
        own = list(dict.fromkeys(entry.field for entry in layout if entry.field in LEVELS[level]))
        present = {quantity.name for quantity in game.table.quantities}
        shown = own if level != "full" else [name for name in (*LOCAL, *SHARED_DEMAND) if name in present]
        parts = [getattr(seen, field) for field in shown]
        np.testing.assert_array_equal(np.concatenate(parts), vector[: sum(map(len, parts))])


@pytest.mark.parametrize("name", CHAINS)
def test_full_shows_every_number_of_the_table_once(name: str) -> None:
    game = Game(CHAINS[name], observe="full")
    for agent in game.agents:
        assert sorted(game.seen[agent]) == list(range(len(game.table.entries)))


def test_neighbours_see_the_stock_next_door() -> None:
    game = Game("network_2x3", observe="neighbours")
    state, network = played(game), game.network
    stock = dict(zip(network.rows, state.on_hand, strict=True))
    owed = dict(zip(network.lines, state.backorders, strict=True))
    seen = game.observe(state, "distributor_1")
    upper, lower = ["manufacturer_0", "manufacturer_1"], ["retailer_1", "retailer_0"]
    np.testing.assert_array_equal(seen.supplier_on_hand, [stock[node] for node in upper])
    np.testing.assert_array_equal(seen.customer_on_hand, [stock[node] for node in lower])
    lines = [f"{node}-distributor_{k}" for node in upper for k in (1, 0)]
    np.testing.assert_array_equal(seen.supplier_backorders, [owed[line] for line in lines])
    np.testing.assert_array_equal(seen.customer_backorders, [owed["market_0"], owed["market_1"]])


def test_shared_demand_shows_markets_downstream_and_echelon_positions() -> None:
    game = Game("beer_game_uniform", observe="shared_demand")
    state = played(game)
    for agent in game.agents:
        seen = game.observe(state, agent)
        np.testing.assert_array_equal(seen.market_demand, state.last_demand)
    row = dict(zip(game.network.rows, range(4), strict=True))
    retailer, wholesaler = row["retailer"], row["wholesaler"]
    owed = state.owed[game.network.lines.index("retailer")]
    edges = {name: number for number, name in enumerate(game.network.edges)}
    below = state.in_transit[edges["wholesaler-retailer"]]
    own = state.on_order[edges["distributor-wholesaler"]]
    np.testing.assert_array_equal(
        game.observe(state, "wholesaler").echelon_inventory_position[0],
        state.on_hand[retailer] + state.on_hand[wholesaler] + below - owed + own,
    )


class Curious:
    """A policy that needs what `local` hides."""

    needs = frozenset({"on_hand", "market_demand"})

    def start(self, seat: Any, replications: int) -> None:
        return None

    def act(self, observation: Observation, memory: Any) -> tuple[Decisions, Any]:
        return Decisions(order_up_to=observation.on_hand), memory


def test_a_policy_that_needs_what_is_hidden_is_refused_before_play() -> None:
    game = Game("beer_game")
    sentence = (
        "Curious needs 'market_demand', which observe: local hides from 'manufacturer'; use observe: shared_demand."
    )
    with pytest.raises(InputError) as refused:
        next(iter(rollout(game, dict.fromkeys(game.agents, Curious()), 1)))
    assert str(refused.value) == sentence
    next(iter(rollout(Game("beer_game", observe="shared_demand"), dict.fromkeys(game.agents, Curious()), 1)))


SHOP = ["shop:red", "shop:green", "shop:blue"]
DESKS = {
    "buyer": {"decides": [f"{row}.order" for row in SHOP], "pays": SHOP},
    "recommender": {"decides": [f"{row}.exposure" for row in SHOP], "pays": []},
}
"""Two seats of one shop, for rules of exposure alone."""


def where_it_fits(name: str, observe: str) -> tuple[Game, dict[str, str]]:
    """The first of some chains on which a rule can play every seat, or else one seat beside a buyer, and who plays."""
    for chain in (
        "beer_game_uniform",
        "lost_sales",
        "dual_sourcing",
        "uneven_review",
        "pricing_replenishment",
        "pricing_competition",
        "pricing_duopoly",
        "recommendation_replenishment",
        "collaborative",
    ):
        with contextlib.suppress(InputError):
            game = Game(chain, observe=observe, horizon=3, warm_up=0)
            for seat in game.seats.values():
                rule(name, seat)
            return game, dict.fromkeys(game.agents, name)
    if observe == "market":
        pytest.skip("no chain whose markets show something has a seat for it")
    game = Game("recommendation_replenishment", agents=DESKS, observe=observe, horizon=3, warm_up=0)
    rule(name, game.seats["recommender"])
    return game, {"buyer": "base_stock", "recommender": name}


@pytest.mark.parametrize("name", names())
def test_every_rule_states_all_that_it_reads(name: str) -> None:
    """Played where only the fields that it states are visible."""
    game, playing = where_it_fits(name, "full")
    for agent, own in playing.items():
        seat, player = game.seats[agent], rule(own, game.seats[agent])
        object.__setattr__(seat, "visible", player.needs)
        player.act(game.observe(game.start(2), agent), player.start(seat, 2))


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("level", LEVELS)
def test_rules_are_seated_only_where_they_can_see(name: str, level: str) -> None:
    game, playing = where_it_fits(name, level)
    agent = next(agent for agent, own in playing.items() if own == name)
    others = {other: own for other, own in playing.items() if own != name}
    if rule(name, game.seats[agent]).needs <= LEVELS[level]:
        assert set(seat_everybody(game, name, seats=others)) == set(game.agents)
    else:
        with pytest.raises(InputError, match=f"which observe: {level} hides from"):
            seat_everybody(game, name, seats=others)
