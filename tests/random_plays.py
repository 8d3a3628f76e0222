"""Random chains as hypothesis strategies, and random demand, chance numbers and decisions for any chain.

Who supplies whom is drawn by hypothesis, so that a failure shrinks; all numbers and rules follow from a seed, so that
examples differ. Stocks are small against demand, so that allocation rules bite.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st
from plays import KINDS, Play
from random_features import LEVELS, Feature, with_features
from reference_chance import layout

RULES = ("proportional", "priority", "first_come", "fair_share")
MEANS = (0.5, 1, 1.5, 2, 3, 4)  # binary fractions: equal quotients of fair_share are equal numbers
TIMINGS = (  # when demand is visible, who orders first
    ("after_ordering", "simultaneous"),
    ("after_ordering", "downstream_first"),
    ("before_ordering", "simultaneous"),
    ("before_ordering", "downstream_first"),
)


def random_play(topology: Any, seed: int, periods: int = 10, replications: int = 3, staged: bool = False) -> Play:
    """Random demand and decisions around mean demand; whole units get decisions in quarters, so that rounding bites."""
    draw = np.random.default_rng(seed)
    rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
    means = np.array([market.process.mean for market in topology.markets.values()])
    highest = np.ceil(2 * means)[:, None]
    shape = (periods + 1, len(means), replications)
    scale = int(np.ceil(2 * means.sum() / max(len(topology.edges) - len(rows) + 1, 1)))
    if topology.units == "integer":
        demand = draw.integers(0, highest + 1, size=shape).astype(float)
        step = 0.25
    else:
        demand = draw.uniform(0, highest, size=shape) * (draw.random(shape) < 0.8)
        step = float(draw.choice([0.25, 0.1]))

    def grid(low: int, high: int, size: int) -> Any:
        return draw.integers(round(low / step), round(high / step) + 1, size=(periods, size, replications)) * step

    lines = len(means) + len(topology.edges)
    return Play(
        topology,
        demand,
        random_kinds(topology, draw, periods, staged),
        chance=draw.random((periods + 1, sum(size for _, _, size in layout(topology)), replications)),
        wish=grid(0, scale, lines) if draw.random() < 0.8 else None,
        price=random_prices(topology, draw, (periods, len(means), replications)),
        quantity=grid(0, scale, len(topology.edges)),
        level=grid(0, 5 * scale, len(rows)),
        extra=grid(-scale, scale, len(rows)),
        staged=staged,
    )


def random_prices(topology: Any, draw: Any, shape: tuple[int, ...]) -> Any:
    """Prices within the ranges of the markets that state one, 0 elsewhere; in one of five plays nobody decides."""
    ranges = np.array([market.price_range or (0, 0) for market in topology.markets.values()], dtype=float)
    low, high = ranges.reshape(-1, 2).T[:, None, :, None]
    return low + (high - low) * draw.integers(0, 5, size=shape) / 4 if draw.random() < 0.8 else None


def random_kinds(topology: Any, draw: Any, periods: int, staged: bool) -> list[dict[str, str]]:
    """For each period a kind of decision for each agent, of those that its rows and its turn allow."""
    rows = [name for name, node in topology.nodes.items() if node.kind == "stock"]
    agents = topology.game.agents
    decides = {name: agent.decides for name, agent in agents.items()} if agents else {row: (row,) for row in rows}
    inbound = [edge.to for edge in topology.edges]

    def allowed(members: Any) -> tuple[str, ...]:
        if staged:  # an agent of several rows moves at the turn of its highest one: let nobody react to that
            return KINDS[:1] if agents else KINDS[:2]
        return KINDS if all(inbound.count(row) == 1 for row in members) else KINDS[:2]

    return [{agent: str(draw.choice(allowed(members))) for agent, members in decides.items()} for _ in range(periods)]


@st.composite
def chains(
    draw: Any, timing: tuple[str, str] | None = None, features: Sequence[Feature] | None = None
) -> dict[str, Any]:
    """The keys of a topology file: a random acyclic chain with the stated one of `TIMINGS` and `FEATURES`, or any."""
    rows = [f"row_{number}" for number in range(draw(st.integers(2, 7)))]
    sources = [f"source_{number}" for number in range(draw(st.integers(1, 3)))]
    suppliers = [
        draw(st.lists(st.sampled_from(sources + rows[:number]), min_size=1, max_size=3)) for number in range(len(rows))
    ]
    visible, order = timing or draw(st.sampled_from(TIMINGS))
    document = {
        "name": "random",
        "nodes": {row: {} for row in rows} | {source: {"kind": "source"} for source in sources},
        "edges": [{"from": one, "to": row} for row, above in zip(rows, suppliers, strict=True) for one in above],
        "markets": {
            f"market_{number}": {"served_by": [seller]}
            for number, seller in enumerate(draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4)))
        },
        "timing": {"demand_visible": visible, "decision_order": order},
        "units": draw(st.sampled_from(["integer", "continuous"])),
    }
    random = Random(draw(st.integers(0, 2**32)))
    return with_features(with_numbers(document, random), random, features)


def with_numbers(document: dict[str, Any], random: Random) -> dict[str, Any]:
    """All that is not the graph: order in the file, delays, stocks, rules, costs, agents, reward and contract."""
    nodes, whole = list(document["nodes"].items()), document["units"] == "integer"
    random.shuffle(nodes)
    random.shuffle(document["edges"])
    document["nodes"] = dict(nodes)
    rows = [name for name, node in nodes if "kind" not in node]

    def amount(highest: int) -> float:
        return random.randint(0, highest) if whole else random.uniform(0, highest)

    for row in rows:
        costs = {cost: random.choice(LEVELS) for cost in ("holding_cost", "backorder_cost", "lost_sale_cost")}
        document["nodes"][row].update(costs, on_hand=amount(4), allocation=random.choice(RULES))
    loses = random.random() < 0.6
    for number, edge in enumerate(document["edges"]):
        edge.update(numbers_of_edge(loses, whole, random, amount), name=f"edge_{number}")
    for market in document["markets"].values():
        market.update(process="poisson", mean=random.choice(MEANS), price=random.choice(LEVELS))
        market.update(unmet=random.choice(["backorder", "lost"]) if loses else "backorder")
        optional(market, random, backorder_cost=0, lost_sale_cost=4.5)
    document["contract"] = random_contract(document, random)
    document["game"] = {"reward": random.choice(["individual", "shared", {"blend": 0.25}])}
    if random.random() < 0.4:
        document["game"]["agents"] = random_agents(rows, random)
    return document


def numbers_of_edge(loses: bool, whole: bool, random: Random, amount: Any) -> dict[str, Any]:
    """Delays, stocks and costs of an edge."""
    lead, delay = random.randint(0, 3), random.randint(0, 2)
    numbers = {
        "lead_time": lead,
        "information_delay": delay,
        "unmet": random.choice(["backorder", "lost"]) if loses else "backorder",
        "pipeline": [amount(3) for _ in range(lead)],
        "orders_in_transit": [amount(3) for _ in range(delay)],
        "title": random.choice(["supplier", "customer"]),
        "charged_on": random.choice(["order", "shipment"]),
        "holding_cost": random.choice(LEVELS),
        "purchase_cost": random.choice(LEVELS),
        "fixed_order_cost": random.choice(LEVELS),
    }
    optional(numbers, random, order_limit=4, backorder_cost=0.75, lost_sale_cost=1.25)
    return numbers


def optional(mapping: dict[str, Any], random: Random, **values: float) -> None:
    """Put each value in with probability 1/3."""
    mapping.update({name: value for name, value in values.items() if random.random() < 1 / 3})


def random_agents(rows: list[str], random: Random) -> dict[str, Any]:
    """Rows dealt out to a few agents, and who pays for them dealt out again."""
    names = [f"agent_{number}" for number in range(random.randint(1, len(rows)))]
    owner = names + random.choices(names, k=len(rows) - len(names))  # everybody decides something
    random.shuffle(owner)
    pays = random.choice([owner, random.choices(names, k=len(rows))])
    return {
        name: {
            key: [row for row, one in zip(rows, who, strict=True) if one == name]
            for key, who in (("decides", owner), ("pays", pays))
        }
        for name in names
    }


def random_contract(document: dict[str, Any], random: Random) -> dict[str, Any]:
    """Transfers, and the named contracts that fit the chain."""
    suppliers: dict[str, set[str]] = {}
    for one in document["edges"]:
        suppliers.setdefault(one["to"], set()).add(one["from"])
    counted = what_counts(document)
    contract: dict[str, Any] = {
        "transfers": [
            dict(zip(("from", "to"), random.sample(list(document["nodes"]), 2), strict=True))
            | dict(zip(("per", "at"), random.choice(counted), strict=True), rate=random.choice([-1.5, 0.25, 2.0]))
            for _ in range(random.randint(0, 3))
        ]
    }
    sellers = [market["served_by"][0] for market in document["markets"].values()]
    if all(len(suppliers[seller]) == 1 for seller in sellers):
        optional(contract, random, backorder_share=0.3, revenue_share=0.2)
    if any(one["from"].startswith("row") for one in document["edges"]):
        optional(contract, random, wholesale_price=1.75)
    return contract


def what_counts(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs of a measure and a place where there is something to count."""
    rows = [name for name, node in document["nodes"].items() if "kind" not in node]
    sellers = {market["served_by"][0] for market in document["markets"].values()}
    suppliers = {one["from"] for one in document["edges"]}
    pairs: list[tuple[str, str]] = []
    for row in rows:
        pairs += [(per, row) for per in ("on_hand", "ordered", "received", "in_transit")]
        pairs += [(per, row) for per in ("backorder", "lost") if row in sellers | suppliers]
        pairs += [(per, row) for per in ("sold", "revenue") if row in sellers]
        pairs += [("shipped", row)] if row in suppliers - sellers else []
    for one in document["edges"]:
        name = one.get("name", f"{one['from']}-{one['to']}")
        pairs += [(per, name) for per in ("ordered", "shipped", "received", "in_transit")]
        pairs += [(per, name) for per in ("backorder", "lost") if one["from"] in rows]
    return pairs + [(per, name) for name in document["markets"] for per in ("sold", "revenue", "backorder", "lost")]
