"""The fast simulator against the slow one, whole trajectories: every stock, flow and cost of every period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both_simulators import Comparison, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plays import Play
from random_features import FEATURES, Feature
from random_plays import RULES, TIMINGS, chains, random_play, what_counts
from shipped_chains import CHAINS, ORDERING

from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.economics.accounts import Books
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.topology import load
from marl_supply.topology.network import Network

SEEDS = st.integers(0, 10**6)
OTHER = {
    "after_ordering": "before_ordering",
    "before_ordering": "after_ordering",
    "simultaneous": "downstream_first",
    "downstream_first": "simultaneous",
}
VARIANTS = (
    "as the file has it",
    "demand the other way",
    "decisions the other way",
    "both the other way",
    "continuous",
    "delay 0",
    "delay 1",
    "delay 2",
    "lead time 0",
)


def can_be_0(chain: Any, number: int) -> bool:
    """Whether an edge's lead time can be 0: losses, delays and storage need at least 1."""
    edge = chain.edges[number]
    stored = {row for shared in chain.shared.values() if shared.storage is not None for row in shared.rows}
    return not (edge.delay or edge.shipping_loss or edge.to in stored or chain.nodes[edge.to].storage is not None)


def answers_prices(name: str) -> bool:
    """Whether demand follows decisions, and so cannot be seen before them."""
    return any(isinstance(market.process, ResponsiveProcess) for market in CHAINS[name].markets.values())


def variant_of(name: str, variant: str) -> Any:
    """A shipped topology with one thing changed."""
    chain, changes = load(name), {}
    if variant.startswith(("demand", "both")):
        changes["timing.demand_visible"] = OTHER[chain.timing.demand_visible]
    if variant.startswith(("decisions", "both")):
        changes["timing.decision_order"] = OTHER[chain.timing.decision_order]
    if variant == "continuous":
        changes["units"] = "continuous"
    if variant.startswith("delay"):
        changes |= {f"edges.{number}.information_delay": int(variant[-1]) for number in range(len(chain.edges))}
    if variant == "lead time 0":
        changes |= {
            f"edges.{number}.lead_time": 0 for number in range(0, len(chain.edges), 2) if can_be_0(chain, number)
        }
    return load(chain, changes)


CASES = [
    (name, variant)
    for name in ORDERING
    for variant in VARIANTS
    if not (variant.startswith(("demand", "both")) and answers_prices(name))
]


@pytest.mark.parametrize("name, variant", CASES)
def test_shipped_topologies(name: str, variant: str) -> None:
    chain = variant_of(name, variant)
    assert_equal(random_play(chain, seed=1, periods=12, replications=2))
    if chain.timing.decision_order == "downstream_first":
        assert_equal(random_play(chain, seed=2, periods=12, replications=2, staged=True))


def tree(**south: Any) -> dict[str, Any]:
    """A warehouse with a market of its own and three retailers, the third as stated; little stock."""
    market = {"process": "poisson", "price": 3}
    return {
        "name": "tree",
        "defaults": {
            "node": {"on_hand": 2, "holding_cost": 1, "backorder_cost": 4, "lost_sale_cost": 2},
            "edge": {"lead_time": 1, "pipeline": 1},
        },
        "nodes": {
            "plant": {"kind": "source"},
            "depot": {"on_hand": 4},
            "east": {},
            "west": {},
            "south": {},
        },
        "edges": [
            {"from": "plant", "to": "depot", "order_limit": 6},
            {"from": "depot", "to": "west", "lead_time": 2},
            {"from": "depot", "to": "east", "information_delay": 1, "orders_in_transit": 2},
            {"from": "depot", "to": "south", **south.pop("edge", {})},
        ],
        "markets": {
            "west": {"served_by": ["west"], "mean": 2, **market},
            "east": {"served_by": ["east"], "mean": 3, **market},
            "counter": {"served_by": ["depot"], "mean": 1, **market},
            **({"south": {"served_by": ["south"], **market, **south}} if south else {}),
        },
    }


SOUTH: dict[str, dict[str, Any]] = {
    "sells": {"mean": 1.5},
    "turns customers away": {"mean": 1.5, "unmet": "lost"},
    "loses orders": {"mean": 1.5, "edge": {"unmet": "lost"}},
    "sells nothing": {},
}


@pytest.mark.parametrize("south", SOUTH)
@pytest.mark.parametrize("units", ["integer", "continuous"])
@pytest.mark.parametrize("rule", RULES)
def test_scarce_stock_is_shared_alike(rule: str, units: str, south: str) -> None:
    chain = load(tree(**SOUTH[south]), {"nodes.depot.allocation": rule, "units": units})
    comparison = Comparison(random_play(chain, seed=3, periods=20))
    short = 0
    for _ in range(20):
        comparison.period()
        short += np.array([comparison.backorders[line] for line in ("counter", "depot-east", "depot-west")]).any()
    assert short >= 10  # the rule has decided in at least every other period


CHOOSING: list[dict[str, Any]] = [
    {"defaults.market.choice": "multinomial"},
    {"defaults.market.exposure_over": "products", "defaults.market.unmet": "backorder"},
    {"defaults.market.forgetting": 0.4},
    {"defaults.market.forgetting": 0.0, "defaults.market.choice": "multinomial"},
]


PRICED: list[dict[str, Any]] = [
    {},
    {"defaults.market.choice": "independent", "defaults.market.forgetting": 0.4},
    {"defaults.market.outside_rating": None, "defaults.market.price_effect": 2.0},
    {"defaults.market.outside_rating": None, "defaults.market.choice": "independent"},
]


@pytest.mark.parametrize("changes", PRICED)
def test_customers_who_choose_by_ratings_and_prices_alike(changes: dict[str, Any]) -> None:
    plays = [random_play(load("collaborative", changes), seed, periods=8) for seed in (6, 7, 8)]
    for play in plays:
        assert_equal(play)
    assert any(play.price is not None and np.ptp(play.price, axis=0).all() for play in plays)


@pytest.mark.parametrize("changes", CHOOSING)
def test_customers_who_choose_by_ratings_alike(changes: dict[str, Any]) -> None:
    assert_equal(random_play(load("recommendation_replenishment", changes), seed=5, periods=10))


NO_LIMIT = settings(deadline=None, suppress_health_check=list(HealthCheck))
every_timing = pytest.mark.parametrize("timing", TIMINGS)
stage_by_stage = pytest.mark.parametrize("timing", [timing for timing in TIMINGS if timing[1] == "downstream_first"])


@every_timing
@settings(NO_LIMIT, max_examples=6)
@given(st.data(), SEEDS)
def test_random_chains(timing: Any, data: Any, seed: int) -> None:
    assert_equal(random_play(load(data.draw(chains(timing))), seed))


@pytest.mark.parametrize("feature", FEATURES)
@settings(NO_LIMIT, max_examples=3)
@given(st.data(), SEEDS)
def test_one_feature(feature: Feature, data: Any, seed: int) -> None:
    assert_equal(random_play(load(data.draw(chains(features=[feature]))), seed))


@stage_by_stage
@settings(NO_LIMIT, max_examples=4)
@given(st.data(), SEEDS)
def test_random_chains_stage_by_stage(timing: Any, data: Any, seed: int) -> None:
    assert_equal(random_play(load(data.draw(chains(timing))), seed, periods=8, staged=True))


@pytest.mark.slow
@every_timing
@settings(NO_LIMIT, max_examples=150)
@given(st.data(), SEEDS)
def test_many_random_chains(timing: Any, data: Any, seed: int) -> None:
    assert_equal(random_play(load(data.draw(chains(timing))), seed, periods=12))


@pytest.mark.slow
@stage_by_stage
@settings(NO_LIMIT, max_examples=100)
@given(st.data(), SEEDS)
def test_many_random_chains_stage_by_stage(timing: Any, data: Any, seed: int) -> None:
    assert_equal(random_play(load(data.draw(chains(timing))), seed, periods=12, staged=True))


@pytest.mark.parametrize("reward", ["individual", "shared", {"blend": 0.75}])
def test_contracts_pay_alike(reward: Any) -> None:
    document = tree(**SOUTH["turns customers away"])
    ends = [("depot", "east"), ("plant", "west"), ("south", "plant")]
    transfers = [
        {"from": ends[n % 3][0], "to": ends[n % 3][1], "rate": 1 + n / 8, "per": per, "at": at}
        for n, (per, at) in enumerate(what_counts(document))
    ]
    named = {"backorder_share": 0.3, "wholesale_price": 1.5, "revenue_share": 0.2}
    for contract in [{key: value} for key, value in named.items()] + [{**named, "transfers": transfers}]:
        chain = load({**document, "contract": contract, "game": {"reward": reward}})
        assert_equal(random_play(chain, seed=4))


def only_order(chain: Any, quantity: float, periods: int = 3) -> Play:
    """Everybody orders the same quantity on every edge; no demand."""
    rows = [name for name, node in chain.nodes.items() if node.kind == "stock"]
    still = np.zeros((periods, len(rows), 1))
    demand = np.zeros((periods + 1, len(chain.markets), 1))
    kinds = [dict.fromkeys(chain.game.agents or rows, "order")] * periods
    quantities = np.full((periods, len(chain.edges), 1), quantity)
    return Play(chain, demand, kinds, quantities, still, still, staged=True)


def test_orders_reach_a_supplier_once_where_an_agent_decides_on_two_levels() -> None:
    agents = {"two": {"decides": ["depot", "east"]}, "west": {"decides": ["west"]}, "south": {"decides": ["south"]}}
    chain = load({**tree(), "timing": {"decision_order": "downstream_first"}, "game": {"agents": agents}})
    game = Game(chain, actions="quantity")
    assert game.stages == (("west", "south"), ("two",))
    assert_equal(only_order(chain, 2))


def test_a_supplier_sees_on_order_what_its_customers_have_just_ordered() -> None:
    chain = load({**tree(), "timing": {"decision_order": "downstream_first"}})
    assert_equal(only_order(chain, 2))  # compares the customers' on_order at the supplier's turn


SEEN_AND_LOST = {
    "delayed orders": {"edges.2.unmet": "lost"},
    "orders, downstream first": {"edges.1.unmet": "lost", "timing.decision_order": "downstream_first"},
    "demand before ordering": {"markets.west.unmet": "lost", "timing.demand_visible": "before_ordering"},
}


@pytest.mark.parametrize("what", SEEN_AND_LOST)
def test_claims_that_are_seen_and_then_lost(what: str) -> None:
    assert_equal(random_play(load(tree(), SEEN_AND_LOST[what]), seed=5, periods=20))


REFUSED = {
    "contract.buy_back": ({"contract": {"buy_back": 1.0}}, "buy_back"),
    "sold on an edge": (
        {"contract": {"transfers": [{"from": "depot", "to": "west", "rate": 1.0, "per": "sold", "at": "depot-west"}]}},
        "nothing is 'sold' at 'depot-west'",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_slow_simulator_alone_can_play_is_refused(what: str) -> None:
    changes, sentence = REFUSED[what]
    chain = load(tree(), changes)
    with pytest.raises(InputError, match=sentence):
        Books(Network(chain))
