"""What can be decided beside orders: prices, exposure, allocation, one of several edges; and who decides it."""

from typing import Any

import numpy as np
import pytest
from attention import Attention

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions

B = 3


def seller(**changes: Any) -> dict[str, Any]:
    """One shop that orders from a source and sells at a price that it decides."""
    market = {
        "served_by": ["shop"],
        "process": "linear_price",
        "intercept": 20,
        "slope": 2,
        "spread": 0,
        "price": 5,
        "price_range": [1, 9],
        "unmet": "lost",
    }
    document = {
        "name": "seller",
        "nodes": {"plant": {"kind": "source"}, "shop": {"on_hand": 100}},
        "edges": [{"from": "plant", "to": "shop"}],
        "markets": {"town": market},
    }
    return {**document, **changes}


def centre(units: str = "integer") -> dict[str, Any]:
    """A centre that an agent divides between two shops."""
    shop = {"on_hand": 0, "holding_cost": 1, "backorder_cost": 4, "demand": {"process": "poisson", "mean": 2}}
    return {
        "name": "centre",
        "nodes": {
            "plant": {"kind": "source"},
            "centre": {"on_hand": 10, "allocation": "decided"},
            "north": shop,
            "south": shop,
        },
        "edges": [
            {"from": "plant", "to": "centre"},
            {"from": "centre", "to": "north"},
            {"from": "centre", "to": "south"},
        ],
        "units": units,
    }


def orders(game: Game, quantity: float, **more: Any) -> Decisions:
    return Decisions(order=np.full((len(game.network.edges), B), quantity), **more)


def test_the_price_of_a_period_makes_its_demand_and_its_revenue() -> None:
    game = Game(seller())
    state, outcome = game.step(game.start(B), orders(game, 0.0, price=np.array([[1.0, 5.0, 9.0]])))
    assert outcome.flows.demand.tolist() == [[18, 10, 2]]
    assert outcome.costs.tolist() == [[-18, -50, -18]]
    state, outcome = game.step(state, orders(game, 0.0))
    assert outcome.flows.price is None and outcome.flows.demand.tolist() == [[10, 10, 10]]
    assert outcome.costs.tolist() == [[-50, -50, -50]]


def test_prices_are_components_of_the_action_after_the_orders() -> None:
    game = Game(seller(), actions={"kind": "quantity", "price": {"step": 2}})
    action = game.actions["shop"]
    assert action.labels == ("plant-shop (order)", "town (price)")
    assert action.choices.tolist()[1] == 5 and action.step.tolist() == [1, 2]
    decided = action.decode([[3, 0], [0, 4]])
    assert decided.order.tolist() == [[3, 0]] and decided.price.tolist() == [[1, 9]]


def test_two_agents_can_share_a_row() -> None:
    agents = {"buyer": {"decides": ["shop.order"], "pays": ["shop"]}, "pricer": {"decides": ["shop.price"], "pays": []}}
    game = Game(seller(game={"agents": agents}))
    assert game.actions["pricer"].labels == ("town",) and game.actions["buyer"].labels == ("plant-shop",)
    decided = {"buyer": Decisions(order=np.zeros((1, B))), "pricer": Decisions(price=np.full((1, B), 4.0))}
    _, outcome = game.step(game.start(B), decided)
    assert outcome.flows.demand.tolist() == [[12] * B] and outcome.costs.tolist() == [[-48] * B, [0] * B]
    with pytest.raises(ValueError, match="pricer: decide none of order"):
        game.step(game.start(B), {**decided, "pricer": Decisions(order=np.zeros((1, B)))})


WRONG_AGENTS = {
    "price of nobody": ({"a": {"decides": ["shop.order"], "pays": ["shop"]}}, "price of 'shop' is in nobody's decides"),
    "price of two": (
        {"a": {"decides": ["shop"]}, "b": {"decides": ["shop.price"], "pays": []}},
        "price of 'shop' is with 'a'; take it out",
    ),
    "twice": ({"a": {"decides": ["shop", "shop.price"]}}, "'shop' stands there twice"),
    "no such part": ({"a": {"decides": ["shop", "shop.prise"]}}, r"no 'prise' of a row.*did you mean 'price'"),
}


@pytest.mark.parametrize("case", WRONG_AGENTS)
def test_agents_that_do_not_fit_are_refused(case: str) -> None:
    agents, sentence = WRONG_AGENTS[case]
    with pytest.raises(InputError, match=sentence):
        Game(seller(game={"agents": agents}))


def test_orders_of_some_rows_only_are_refused() -> None:
    agents = {"a": {"decides": ["north", "south", "centre.allocation"]}, "b": {"decides": ["centre.order"], "pays": []}}
    with pytest.raises(InputError, match="a.decides: it orders for some of its rows and not for 'centre'"):
        Game({**centre(), "game": {"agents": agents}})


@pytest.mark.parametrize(("wish", "shipped"), [((2, 3), (2, 3)), ((9, 9), (5, 5)), ((0, 1), (0, 1)), ((8, 4), (7, 3))])
def test_an_agent_divides_the_stock(wish: tuple[int, int], shipped: tuple[int, int]) -> None:
    """Claims of 8 and 4 on 10 units: wishes are cut to the claims, then in proportion; stock may be held back."""
    game = Game(centre())
    order = np.zeros((3, B))
    order[1:] = [[8], [4]]
    if wish == (9, 9):
        order[1:] = 9
    decisions = Decisions(order=order, allocation=np.repeat(np.array(wish, dtype=float)[:, None], B, 1))
    _, outcome = game.step(game.start(B), decisions)
    assert outcome.flows.shipment[1:, 0].tolist() == list(shipped)
    assert outcome.flows.on_hand[0, 0] == 10 - sum(shipped)


def test_who_leaves_the_division_open_gets_proportions() -> None:
    game = Game(centre())
    order = np.zeros((3, B))
    order[1:] = [[12], [8]]
    _, outcome = game.step(game.start(B), Decisions(order=order))
    assert outcome.flows.shipment[1:, 0].tolist() == [6, 4]


def test_allocation_is_part_of_the_action() -> None:
    game = Game(centre(), actions="quantity")
    action = game.actions["centre"]
    assert action.labels == ("plant-centre (order)", "centre-north (allocation)", "centre-south (allocation)")
    assert game.actions["north"].labels == ("centre-north",)


def test_exposure_is_a_share_and_moves_demand() -> None:
    market = {"town": {"served_by": ["shop"], "process": Attention(), "unmet": "lost", "price": 1}}
    game = Game(seller(markets=market), observe="local")
    action = game.actions["shop"]
    assert action.labels == ("plant-shop (order)", "town[0] (exposure)", "town[1] (exposure)")
    decided = action.decode([[0, 0, 0], [10, 0, 0], [0, 5, 0]])
    assert [shares.tolist() for shares in decided.exposure] == [[[1, 0, 0.5], [0, 1, 0.5]]]
    state, outcome = game.step(game.start(B), {"shop": decided})
    assert outcome.flows.demand.tolist() == [[10, 20, 15]]
    assert game.observe(state, "shop").market_state.tolist() == [[0, 1, 0.5]]  # what is public, and no secret
    state, outcome = game.step(state, orders(game, 0.0))
    assert outcome.flows.demand.tolist() == [[15, 15, 15]]
    with pytest.raises(ValueError, match="exposure of town is no share of attention"):
        game.step(state, orders(game, 0.0, exposure=(np.full((2, B), 0.7),)))


def test_what_markets_remember_starts_anew_with_an_episode() -> None:
    market = {"town": {"served_by": ["shop"], "process": Attention(), "unmet": "lost"}}
    game = Game(seller(markets=market))
    state, _ = game.step(game.start(B, seed=1), orders(game, 0.0))
    state = game.restart(state, [1])
    assert state.memory[0]["secret"][0].tolist() == [1, 0, 1]


def test_choose_one_orders_on_one_edge() -> None:
    chain = seller(
        edges=[
            {"name": "slow", "from": "plant", "to": "shop", "lead_time": 4},
            {"name": "fast", "from": "plant", "to": "shop", "lead_time": 1},
        ]
    )
    game = Game(chain, actions="choose_one")
    action = game.actions["shop"]
    assert action.labels[:2] == ("shop (edge) (order)", "shop (quantity) (order)")
    assert action.decode([[0, 1, 1], [7, 7, 0], [0, 0, 0]]).order.tolist() == [[7, 0, 0], [0, 7, 0]]


def test_a_kind_that_orders_nothing_is_no_kind_of_actions() -> None:
    with pytest.raises(InputError, match="game.actions: 'price' decides no orders"):
        Game(seller(), actions="price")


def test_rows_order_on_their_days_only_and_say_so() -> None:
    chain = seller(markets={"town": {"served_by": ["shop"], "process": "poisson", "mean": 3}})
    chain["nodes"]["shop"]["review"] = [2, 3]
    game = Game(chain, actions="quantity")
    state, days, ordered, masks = game.start(B, seed=3), [], [], []
    for _ in range(8):
        days.append(int(game.observe(state, "shop").periods_to_review[0, 0]))
        masks.append(int(game.action_mask(state, "shop")[0].sum()))  # type: ignore[index]
        state, outcome = game.step(state, orders(game, 4.0))
        ordered.append(int(outcome.flows.order[0, 0]))
    assert days == [0, 1, 0, 2, 1, 0, 1, 0]
    assert ordered == [4 if day == 0 else 0 for day in days]
    everything = int(game.actions["shop"].choices[0])
    assert masks == [everything if day == 0 else 1 for day in days]


def test_review_days_count_from_where_each_episode_began() -> None:
    chain = seller(markets={"town": {"served_by": ["shop"], "process": "poisson", "mean": 3}})
    chain["nodes"]["shop"] |= {"review": [3], "review_offset": 1}
    game = Game(chain)
    state = game.start(B, seed=3)
    for _ in range(2):
        state, _ = game.step(state, orders(game, 1.0))
    state = game.restart(state, [0, 2])
    assert game.observe(state, "shop").periods_to_review.tolist() == [[1, 2, 1]]


def test_forecasts_are_seen_market_by_market() -> None:
    chain = seller(markets={"town": {"served_by": ["shop"], "process": "step", "before": 2, "after": 6, "at": 3}})
    game = Game(chain, agents=None)
    assert "forecast" not in {entry.field for entry in game.layouts["shop"]}
    ahead = Game({**chain, "game": {"forecast": 4}})
    state = ahead.start(B)
    assert ahead.observe(state, "shop").forecast[:, 0].tolist() == [2, 2, 2, 6]
    assert [entry.label for entry in ahead.layouts["shop"] if entry.field == "forecast"][:2] == ["town[0]", "town[1]"]
    state, _ = ahead.step(state, orders(ahead, 0.0))
    state = ahead.restart(state, [1])
    assert ahead.observe(state, "shop").forecast.T.tolist() == [[2, 2, 6, 6], [2, 2, 2, 6], [2, 2, 6, 6]]
