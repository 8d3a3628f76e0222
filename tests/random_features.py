"""What random chains have beyond stocks, delays and costs: each feature in some chains, at some of their places.

All numbers are small against demand, so that limits bite. Where the comparison of quotients or of breaks decides, whole
units get binary fractions and continuous units arbitrary numbers, so that rounding errors decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

LEVELS = (0, 0.25, 0.5, 1, 2, 3)
DELAYS = ((0.5, 0.5), (0.25, 0.5, 0.25), (0.25, 0.25, 0.5), (0, 0.5, 0.5), (0.5, 0.5, 0))
CROSSING = (*DELAYS, (0.5, 0, 0.25, 0.25), (0.75, 0.25))  # an old shipment can be less likely to arrive than a new one
Document = dict[str, Any]


class Draw:
    """Random numbers for one document."""

    def __init__(self, document: Document, random: Random) -> None:
        self.document, self.random = document, random
        self.whole = document["units"] == "integer"
        self.nodes, self.edges, self.markets = (document[key] for key in ("nodes", "edges", "markets"))
        self.rows = [name for name, node in self.nodes.items() if "kind" not in node]

    def amount(self, highest: int, lowest: int = 0) -> float:
        return self.random.randint(lowest, highest) if self.whole else self.random.uniform(lowest, highest)

    def some(self, things: Any) -> list[Any]:
        """About half of them, at least one."""
        things = list(things)
        return [one for one in things if self.random.random() < 0.5] or [self.random.choice(things)]

    def fill(self, edge: Document) -> None:
        """A pipeline that fits the lead time and the longest delay."""
        slots = edge["lead_time"] + max(len(edge.get("delay", ())) - 1, 0)
        edge["pipeline"] = [self.amount(3) for _ in range(slots)]

    def slow(self, edge: Document) -> None:
        """A lead time of at least one period."""
        edge["lead_time"] = max(edge["lead_time"], 1)
        self.fill(edge)

    def disruption(self) -> Document:
        scheduled = {"at": sorted(self.random.sample(range(9), 2)), "length": self.random.randint(1, 2)}
        at_random = {"probability": 0.3, "recovery": 0.5}
        return self.random.choice([scheduled, at_random, scheduled | at_random])


def delays(draw: Draw) -> None:
    for edge in draw.some(draw.edges):
        edge["crossing"] = draw.random.random() < 0.5
        edge["delay"] = list(draw.random.choice(CROSSING if edge["crossing"] else DELAYS))
        draw.slow(edge)
        if draw.random.random() < 0.2:
            edge["pipeline"] = draw.amount(3)


def losses(draw: Draw) -> None:
    for edge in draw.some(draw.edges):
        edge["shipping_loss"] = draw.random.choice([0.3, 0.9, 1])
        draw.slow(edge)


def storage(draw: Draw) -> None:
    for row in draw.some(draw.rows):
        draw.nodes[row] |= {"storage": draw.amount(5), "overflow_cost": draw.random.choice(LEVELS)}
        _slow_into(draw, [row])


def _slow_into(draw: Draw, rows: list[str]) -> None:
    for edge in draw.edges:
        if edge["to"] in rows:
            draw.slow(edge)


def capacity(draw: Draw) -> None:
    for row in draw.some(draw.rows):
        draw.nodes[row]["capacity"] = draw.amount(4)


def limited_sources(draw: Draw) -> None:
    for name in draw.some(name for name in draw.nodes if name not in draw.rows):
        draw.nodes[name]["capacity"] = draw.amount(8)
        draw.nodes[name]["allocation"] = draw.random.choice(["proportional", "priority", "first_come", "fair_share"])


def node_disruptions(draw: Draw) -> None:
    for name in draw.some(draw.nodes):
        draw.nodes[name]["disruption"] = draw.disruption()


def edge_disruptions(draw: Draw) -> None:
    for edge in draw.some(draw.edges):
        edge["disruption"] = draw.disruption()


def reviews(draw: Draw) -> None:
    for row in draw.some(draw.rows):
        draw.nodes[row]["review"] = [draw.random.randint(1, 3) for _ in range(draw.random.randint(1, 3))]
        draw.nodes[row]["review_offset"] = draw.random.randint(0, 3)


def batches(draw: Draw) -> None:
    for edge in draw.some(draw.edges):
        edge["batch"] = draw.random.randint(1, 3) if draw.whole else draw.random.uniform(0.5, 2.5)
        if "order_limit" in edge:
            edge["order_limit"] = 2 * edge["batch"]


def decided(draw: Draw) -> None:
    for row in draw.some(draw.rows):
        draw.nodes[row]["allocation"] = "decided"


def expedites(draw: Draw) -> None:
    for market in draw.some(draw.markets.values()):
        others = [row for row in draw.rows if row not in market["served_by"]]
        accept = draw.random.choice([0.25, 0.5, 0.8, 1])
        cost = draw.random.choice(LEVELS)
        market["expedite"] = {"from": draw.random.choice(others), "probability": accept, "cost": cost}


def perishables(draw: Draw) -> None:
    """Leftovers that are scrapped, and perhaps bought back from all who sell."""
    sellers = {market["served_by"][0] for market in draw.markets.values()}
    suppliers = [{edge["from"] for edge in draw.edges if edge["to"] == row} for row in sellers]
    rows = set(draw.some(draw.rows))
    if all(len(above) == 1 for above in suppliers) and draw.random.random() < 0.5:
        draw.document["contract"]["buy_back"] = 0.75
        rows |= sellers
    for row in rows:
        draw.nodes[row] |= {"shelf_life": 1, "salvage_value": draw.random.choice(LEVELS)}


def discounts(draw: Draw) -> None:
    for edge in draw.some(draw.edges):
        starts = sorted({draw.amount(5, 1) for _ in range(draw.random.randint(1, 3))})
        prices = sorted((draw.random.choice(LEVELS) for _ in starts), reverse=True)
        edge["purchase_cost"] = 3
        edge["discounts"] = [{"from": one, "purchase_cost": at} for one, at in zip(starts, prices, strict=True)]
        edge["discount_on"] = draw.random.choice(["all_units", "increment"])


def prices(draw: Draw) -> None:
    for market in draw.some(draw.markets.values()):
        market["price_range"] = [0, 4.5]
    for market in draw.some(draw.markets.values()):
        market["revenue_on"] = "sale"


def answers(draw: Draw) -> None:
    """Markets whose demand answers to the price; means are binary fractions at the price they belong to."""
    if draw.document["timing"]["demand_visible"] == "before_ordering":
        return
    for market in draw.some(draw.markets.values()):
        market.pop("mean")
        if draw.whole and draw.random.random() < 0.4:
            market.update(process="logistic_price", reference_effect=-0.5, level_effect=-0.5, factor=60)
            market.update(competitor_price=3, competitor_range=[1, 4], reference_price=2, price_range=[0, 5])
            continue
        market.update(process="linear_price", intercept=draw.random.choice([4, 8]), slope=1, round=draw.whole)
        market.update(spread=2, reference_price=1, price_range=[0, 5])


def shares(draw: Draw) -> None:
    """Rows that share a storage, and rows that share a capacity, which must ship in the same stage."""
    shared = draw.document.setdefault("shared", {})
    without = [row for row in draw.rows if "storage" not in draw.nodes[row]]
    if len(without) > 1 and draw.random.random() < 0.5:
        rows = draw.random.sample(without, draw.random.randint(2, len(without)))
        shared["shelves"] = {"rows": rows, "storage": draw.amount(8)}
        _slow_into(draw, rows)
    stage = _stages(draw)
    here = stage[draw.random.choice(draw.rows)]
    together = [row for row in draw.rows if stage[row] == here]
    if len(together) > 1:
        rows = draw.random.sample(together, draw.random.randint(2, len(together)))
        shared["docks"] = {"rows": rows, "capacity": draw.amount(6)}


def _stages(draw: Draw) -> dict[str, int]:
    """How many suppliers that can fall short must ship before a row, because of lead times of 0."""
    short = {n for n, node in draw.nodes.items() if {"on_hand", "capacity", "disruption"}.intersection(node)}
    short |= {edge["from"] for edge in draw.edges if "disruption" in edge}
    stage = dict.fromkeys(draw.nodes, 0)
    for edge in draw.edges * len(draw.rows):
        if edge["lead_time"] == 0 and edge["from"] in short:
            stage[edge["to"]] = max(stage[edge["to"]], stage[edge["from"]] + 1)
    return stage


Feature = Callable[[Draw], None]
FEATURES: tuple[Feature, ...] = (
    delays,
    losses,
    storage,
    capacity,
    limited_sources,
    node_disruptions,
    edge_disruptions,
    reviews,
    batches,
    decided,
    expedites,
    perishables,
    discounts,
    prices,
    answers,
    shares,
)


def with_features(document: Document, random: Random, features: Sequence[Feature] | None = None) -> Document:
    """Give a document the stated features; None: each with probability 1/4, and one in ten documents all of them."""
    if features is None:
        share = random.choice([0.25] * 9 + [1])
        features = [feature for feature in FEATURES if random.random() < share]
    draw = Draw(document, random)
    for feature in features:
        feature(draw)
    return document
