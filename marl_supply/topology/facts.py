"""What a picture says of nodes, edges and markets: labelled values, and the same of several that are drawn as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from marl_supply.topology.file import Disruption, Edge, Market, Node
from marl_supply.topology.resolve import process_name

Fact = tuple[str, "float | str"]
"""A label and its value; the label alone where the value is ""."""


def node_facts(node: Node) -> list[Fact]:
    """Return what is not at its default in a node, stock at the start first."""
    costs: dict[str, float | None] = {
        "holding": node.holding_cost,
        "backorder": node.backorder_cost,
        "lost sale": node.lost_sale_cost,
        "capacity": node.capacity,
        "storage": node.storage,
        "overflow": node.overflow_cost,
        "shelf life": node.shelf_life,
        "salvage": node.salvage_value,
    }
    offset = f" from {node.review_offset}" if node.review_offset else ""
    return [
        *([] if node.kind == "source" else [("on hand", node.on_hand)]),
        *_stated(costs),
        *([("review", _words(node.review) + offset)] if node.review != (1,) or offset else []),
        *([] if node.allocation == "proportional" else [(f"{node.allocation.replace('_', ' ')} allocation", "")]),
        *_down(node.disruption),
    ]


def edge_facts(edge: Edge) -> list[Fact]:
    """Return the lead time of an edge, and what is not at its default, costs last."""
    costs: dict[str, float | None] = {
        "purchase": edge.purchase_cost,
        "per order": edge.fixed_order_cost,
        "holding": edge.holding_cost,
        "backorder": edge.backorder_cost,
        "lost sale": edge.lost_sale_cost,
    }
    late = f"0-{edge.longest_delay} ({_words(edge.delay)})" + ("" if edge.crossing else ", in order")
    return [
        ("lead time", edge.lead_time),
        *([("late by", late)] if edge.longest_delay else []),
        *_slots("pipeline", edge.pipeline),
        *([("information delay", edge.information_delay)] if edge.information_delay else []),
        *_slots("orders in transit", edge.orders_in_transit),
        *_stated({"order limit": edge.order_limit, "batch": edge.batch, "lost on the way up to": edge.shipping_loss}),
        *([("lost if short", "")] if edge.unmet == "lost" else []),
        *_stated(costs),
        *_breaks(edge),
        *([("charged on shipment", "")] if edge.charged_on == "shipment" and _has_price(edge) else []),
        *_down(edge.disruption),
    ]


def market_facts(market: Market) -> list[Fact]:
    """Return the demand of a market, what becomes of customers when stock is short, and its costs."""
    process = market.process
    costs: dict[str, float | None] = {
        "price": market.price,
        "backorder": market.backorder_cost,
        "lost sale": market.lost_sale_cost,
    }
    expedite = market.expedite
    return [
        (process_name(process).replace("_", " "), ""),
        ("mean", _rounded(process.mean)),
        *([] if process.variance is None else [("sd", _rounded(process.variance**0.5))]),
        ("lost if short" if market.unmet == "lost" else "waits if short", ""),
        *_stated(costs),
        *([("pays if served at once", "")] if market.revenue_on == "sale" and market.unmet == "backorder" else []),
        *([("asks from", f"{market.price_range[0]:g} to {market.price_range[1]:g}")] if market.price_range else []),
        *([("tries", f"{expedite.from_} ({expedite.probability:g}) at {expedite.cost:g}")] if expedite else []),
    ]


def together(members: Sequence[Sequence[Fact]]) -> list[str]:
    """Return the facts of several members as texts: ranges where numbers differ, counts where not all have one."""
    return [f"{label} {value}".rstrip() for label, value in ranges(members).items()]


def ranges(members: Sequence[Sequence[Fact]]) -> dict[str, str]:
    """Return what `together` says, by label."""
    values: dict[str, list[float | str]] = {}
    for facts in members:
        for label, value in facts:
            values.setdefault(label, []).append(value)
    return {label: _range(found, len(members)) for label, found in values.items()}


def text(fact: Fact) -> str:
    """Return a fact as words: ``holding 0.5``."""
    label, value = fact
    return f"{label} {value:g}" if isinstance(value, (int, float)) else f"{label} {value}".rstrip()


def _range(values: list[float | str], members: int) -> str:
    share = "" if len(values) == members else f" (in {len(values)} of {members})"
    numbers = [value for value in values if isinstance(value, (int, float))]
    if len(numbers) < len(values):
        return _some(dict.fromkeys(map(str, values))) + share
    low, high = f"{min(numbers):g}", f"{max(numbers):g}"
    return (low if low == high else f"{low} to {high}") + share


def _some(values: Iterable[str]) -> str:
    values = list(values)
    return " / ".join(values) if len(values) <= 3 else f"{len(values)} different ones"


def _stated(costs: dict[str, float | None]) -> list[Fact]:
    return [(label, value) for label, value in costs.items() if value]


def _slots(label: str, numbers: tuple[float, ...]) -> list[Fact]:
    if not any(numbers):
        return []
    return [(label, f"{numbers[0]:g} a period" if len({*numbers}) == 1 < len(numbers) else _words(numbers))]


def _breaks(edge: Edge) -> list[Fact]:
    covers = "all units" if edge.discount_on == "all_units" else "the excess"
    prices = ", ".join(f"{each.purchase_cost:g} from {each.from_:g}" for each in edge.discounts)
    return [("price", f"{prices} ({covers})")] if prices else []


def _has_price(edge: Edge) -> bool:
    return bool(edge.purchase_cost or edge.fixed_order_cost or edge.discounts)


def _down(disruption: Disruption | None) -> list[Fact]:
    if disruption is None:
        return []
    found: list[Fact] = []
    if disruption.at:
        found.append(("down at", f"{_words(disruption.at)} for {disruption.length}"))
    if disruption.probability:
        found.append(("breaks", f"{disruption.probability:g}, mends {disruption.recovery:g}"))
    return found


def _words(numbers: Sequence[Any]) -> str:
    return " ".join(f"{number:g}" for number in numbers) if len(numbers) <= 8 else f"({len(numbers)} numbers)"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
