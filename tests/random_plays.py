"""Random chains as hypothesis strategies, and random demand and decisions for any chain.

The shape of a chain (who supplies whom, lead times, delays, rules, timing) is drawn by hypothesis, so that a failure
shrinks; numbers follow from a seed. Stocks are small against demand, so that allocation rules bite.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from both_simulators import KINDS, Play
from hypothesis import strategies as st

RULES = ("proportional", "priority", "first_come", "fair_share")
MEANS = (0.5, 1, 1.5, 2, 3, 4)  # binary fractions: equal quotients of fair_share are equal numbers
LEVELS = (0, 0.25, 0.5, 1, 2, 3)


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

    return Play(
        topology,
        demand,
        random_kinds(topology, draw, periods, staged),
        quantity=grid(0, scale, len(topology.edges)),
        level=grid(0, 5 * scale, len(rows)),
        extra=grid(-scale, scale, len(rows)),
        staged=staged,
    )


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
def chains(draw: Any, downstream_first: bool | None = None) -> dict[str, Any]:
    """The keys of a topology file: a random acyclic chain."""
    rows = [f"row_{number}" for number in range(draw(st.integers(2, 7)))]
    sources = [f"source_{number}" for number in range(draw(st.integers(1, 3)))]
    if downstream_first is None:
        downstream_first = draw(st.booleans())
    visible = draw(st.sampled_from(["after_ordering", "before_ordering"]))
    loses = visible == "after_ordering" and draw(st.booleans())
    edges = [
        draw(edge(supplier, row, loses and not downstream_first))
        for number, row in enumerate(rows)
        for supplier in draw(st.lists(st.sampled_from(sources + rows[:number]), min_size=1, max_size=3))
    ]
    sellers = draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4))
    markets = [{"served_by": [seller], "unmet": draw(unmet(loses))} for seller in sellers]
    document = {
        "name": "random",
        "nodes": {row: {"allocation": draw(st.sampled_from(RULES))} for row in draw(st.permutations(rows))}
        | {source: {"kind": "source"} for source in sources},
        "edges": draw(st.permutations(edges)),
        "markets": {f"market_{number}": market for number, market in enumerate(markets)},
        "timing": {
            "demand_visible": visible,
            "decision_order": "downstream_first" if downstream_first else "simultaneous",
        },
        "units": draw(st.sampled_from(["integer", "continuous"])),
    }
    return with_numbers(document, Random(draw(st.integers(0, 10**6))))


@st.composite
def edge(draw: Any, supplier: str, customer: str, loses: bool) -> dict[str, Any]:
    delay = draw(st.integers(0, 2))
    return {
        "from": supplier,
        "to": customer,
        "lead_time": draw(st.integers(0, 3)),
        "information_delay": delay,
        "unmet": draw(unmet(loses and not delay)),
    }


def unmet(loses: bool) -> Any:
    return st.sampled_from(["backorder", "lost"] if loses else ["backorder"])


def with_numbers(document: dict[str, Any], random: Random) -> dict[str, Any]:
    """Stocks, costs, means, names of edges, agents, reward and contract."""
    whole = document["units"] == "integer"

    def amount(highest: int) -> float:
        return random.randint(0, highest) if whole else random.uniform(0, highest)

    for node in document["nodes"].values():
        if "kind" not in node:
            costs = {cost: random.choice(LEVELS) for cost in ("holding_cost", "backorder_cost", "lost_sale_cost")}
            node.update(costs, on_hand=amount(4))
    for number, one in enumerate(document["edges"]):
        one.update(
            name=f"edge_{number}",
            pipeline=[amount(3) for _ in range(one["lead_time"])],
            orders_in_transit=[amount(3) for _ in range(one["information_delay"])],
            title=random.choice(["supplier", "customer"]),
            charged_on=random.choice(["order", "shipment"]),
            holding_cost=random.choice(LEVELS),
            purchase_cost=random.choice(LEVELS),
            fixed_order_cost=random.choice(LEVELS) if whole else 0,  # a rounding error of 1e-16 would be an order
        )
        optional(one, random, order_limit=4, backorder_cost=0.75, lost_sale_cost=1.25)
    for market in document["markets"].values():
        market.update(process="poisson", mean=random.choice(MEANS), price=random.choice(LEVELS))
        optional(market, random, backorder_cost=0, lost_sale_cost=4.5)
    document["contract"] = random_contract(document, random)
    document["game"] = {"reward": random.choice(["individual", "shared", {"blend": 0.25}])}
    rows = [name for name, node in document["nodes"].items() if "kind" not in node]
    if random.random() < 0.4:
        document["game"]["agents"] = random_agents(rows, random)
    return document


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
