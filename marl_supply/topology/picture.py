"""A topology as text: levels from sources down to markets, with lead times, delays, costs and demand."""

from __future__ import annotations

from collections.abc import Iterable

from marl_supply.topology.file import Edge, Market, Node, Topology
from marl_supply.topology.reach import levels, mean_demand, order_bounds
from marl_supply.topology.resolve import process_name


def picture(topology: Topology) -> str:
    """Return the chain as text, goods flowing down the page.

    Under each level of nodes stand the edges that leave it; `order bound` is the largest order of learners
    and random players where the file states no limit: ceil(4 x mean demand that can reach the node x longest
    review).
    """
    depth, bounds = levels(topology), order_bounds(topology)
    blocks: list[list[str]] = []
    for level in range(max(depth.values()) + 1):
        names = [name for name in topology.nodes if depth[name] == level]
        edges = [edge for edge in topology.edges if edge.from_ in names]
        markets = {name: market for name, market in topology.markets.items() if market.served_by[0] in names}
        blocks.append(_table(_node(name, topology.nodes[name]) for name in names))
        lines = _table(_edge(edge, bounds[edge.name]) for edge in edges)
        lines += _table(_market(name, market) for name, market in markets.items())
        blocks.append([f"  | {line}" for line in lines])
    return "\n".join([*_heading(topology), "", *(line for block in blocks for line in block), "", *_footing(topology)])


def describe_process(market: Market) -> str:
    """Return the process of a market and its parameters: ``poisson mean 4``; long series by their length."""
    stated = market.process.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return " ".join([process_name(market.process), *(f"{key} {_short(value)}" for key, value in stated.items())])


def _heading(topology: Topology) -> list[str]:
    seen = {"after_ordering": "seen after ordering", "before_ordering": "seen before ordering"}
    timing = topology.timing
    facts = [
        f"period: {topology.period}",
        f"units: {topology.units}",
        f"demand {seen[timing.demand_visible]}",
        f"decisions {timing.decision_order.replace('_', ' ')}",
    ]
    return [
        line for line in (f"{topology.name}, version {topology.version}", topology.source, "; ".join(facts)) if line
    ]


def _footing(topology: Topology) -> list[str]:
    game = topology.game
    terms = topology.contract.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
    means = {name: mean for name, mean in mean_demand(topology).items() if topology.nodes[name].kind == "stock"}
    reached = ", ".join(f"{name} {mean:.4g}" for name, mean in means.items())
    lines = [
        f"mean demand that can reach a node: {reached}",
        f"game: horizon {game.horizon}, warm-up {game.warm_up}, {game.criterion} cost, "
        f"discount {game.discount:g}, observe {game.observe}, actions {_short(game.actions)}, "
        f"reward {_short(game.reward)}",
    ]
    if terms:
        lines.append(f"contract: {', '.join(f'{key} {_short(value)}' for key, value in terms.items())}")
    if topology.policies:
        lines.append(f"suggested parameters for: {', '.join(topology.policies)}")
    return lines


def _node(name: str, node: Node) -> list[str]:
    if node.kind == "source":
        return [f"[{name}]", "source", *_stated({"capacity": node.capacity})]
    facts = {
        "holding": node.holding_cost,
        "backorder": node.backorder_cost,
        "lost sale": node.lost_sale_cost,
        "capacity": node.capacity,
        "storage": node.storage,
        "shelf life": node.shelf_life,
    }
    review = [] if node.review == (1,) else [f"review {' '.join(map(str, node.review))}"]
    rule = [] if node.allocation == "proportional" else [node.allocation.replace("_", " ")]
    return [f"[{name}]", f"on hand {node.on_hand:g}", *_stated(facts), *review, *rule]


def _edge(edge: Edge, bound: float) -> list[str]:
    costs = {
        "holding": edge.holding_cost,
        "purchase": edge.purchase_cost,
        "per order": edge.fixed_order_cost,
        "backorder": edge.backorder_cost,
        "lost sale": edge.lost_sale_cost,
    }
    named = "" if edge.name == f"{edge.from_}-{edge.to}" else f" ({edge.name})"
    return [
        f"{edge.from_} -> {edge.to}{named}",
        f"lead time {edge.lead_time}" + _slots(edge.pipeline),
        f"information delay {edge.information_delay}" + _slots(edge.orders_in_transit),
        f"order {'bound' if edge.order_limit is None else 'limit'} {bound:g}",
        *(["lost if short"] if edge.unmet == "lost" else []),
        *_stated(costs),
    ]


def _market(name: str, market: Market) -> list[str]:
    process = market.process
    spread = [] if process.variance is None else [f"sd {process.variance**0.5:.4g}"]
    costs = {"price": market.price, "backorder": market.backorder_cost, "lost sale": market.lost_sale_cost}
    return [
        f"{', '.join(market.served_by)} => market {name}",
        describe_process(market),
        f"mean {process.mean:.4g}",
        *spread,
        "lost if short" if market.unmet == "lost" else "waits if short",
        *_stated(costs),
    ]


def _stated(facts: dict[str, float | None]) -> list[str]:
    return [f"{label} {value:g}" for label, value in facts.items() if value]


def _slots(numbers: tuple[float, ...]) -> str:
    return f" ({' '.join(f'{number:g}' for number in numbers)})" if any(numbers) else ""


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(map(_short, value)) if len(value) <= 4 else f"({len(value)} numbers)"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: Iterable[list[str]]) -> list[str]:
    """Return lines whose first cells, and second ones, stand under each other."""
    cells = list(rows)
    widths = [max((len(row[column]) for row in cells if len(row) > column), default=0) for column in range(2)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), *row[2:]]).rstrip()
        for row in cells
    ]
