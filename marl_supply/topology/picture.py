"""A topology as text: levels from sources down to markets, with lead times, delays, limits, costs and demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from marl_supply.topology.facts import edge_facts, market_facts, node_facts, text, together
from marl_supply.topology.file import Market, Topology
from marl_supply.topology.outline import Lane, Outline, Place, Sale, outline
from marl_supply.topology.reach import mean_demand, order_bounds
from marl_supply.topology.resolve import process_name


def picture(topology: Topology) -> str:
    """Return the chain as text, goods flowing down the page.

    Under each level of nodes stand the edges that leave it; `order bound` is the largest order of learners
    and random players where the file states no limit: ceil(4 x mean demand that can reach the node x longest
    review). Products of a node stand as one, so do alike nodes of a crowded level, and a chain of more than a
    hundred places is shown by levels; where values then differ, their range is shown.
    """
    parts, bounds = outline(topology), order_bounds(topology)
    blocks: list[list[str]] = []
    for level in range(max(place.level for place in parts.places) + 1):
        here = {number for number, place in enumerate(parts.places) if place.level == level}
        lanes = [lane for lane in parts.lanes if lane.supplier in here]
        blocks.append(_table(_place(topology, parts.places[number]) for number in sorted(here)))
        lines = _far(parts, lanes) if parts.by_level else _table(_lane(parts, lane, bounds) for lane in lanes)
        lines += _table(_sale(parts, sale) for sale in parts.sales if sale.place in here)
        blocks.append([f"  | {line}" for line in lines])
    body = [line for block in blocks for line in block]
    return "\n".join([*heading(topology), "", *body, "", *_footing(topology, parts)])


def describe_process(market: Market) -> str:
    """Return the process of a market and its parameters: ``poisson mean 4``; long series by their length."""
    stated = market.process.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return " ".join([process_name(market.process), *(f"{key} {_short(value)}" for key, value in stated.items())])


def heading(topology: Topology) -> list[str]:
    """Return name, source and timing of a chain, a line each."""
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


def limits_and_ties(topology: Topology) -> list[str]:
    """Return what holds between rows or between markets, a line each: shared limits, correlated demand."""
    lines = []
    for name, shared in topology.shared.items():
        limits = [f"{key} {value:g}" for key in ("capacity", "storage") if (value := getattr(shared, key)) is not None]
        of_one = all(row.partition(":")[0] == name for row in shared.rows)
        who = f"all products of {name}" if of_one else f"shared by {_listed(shared.rows)} ({name})"
        lines.append(f"{who}: {', '.join(limits) or 'nothing'}")
    for group in topology.correlation:
        value = group.coefficient
        stated = f"{value:g}" if isinstance(value, (int, float)) else "as stated in the file"
        lines.append(f"correlation of {_listed(group.markets)}: {stated}")
    return lines


def _footing(topology: Topology, parts: Outline) -> list[str]:
    game = topology.game
    terms = topology.contract.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
    means = mean_demand(topology)
    reached = ", ".join(
        f"{place.title} {_range([means[node] for node in place.nodes])}"
        for place in parts.places
        if not place.is_source
    )
    lines = [
        f"mean demand that can reach a node: {reached}",
        *limits_and_ties(topology),
        f"game: horizon {game.horizon}, warm-up {game.warm_up}, {game.criterion} cost, "
        f"discount {game.discount:g}, observe {game.observe}, actions {_short(game.actions)}, "
        f"reward {_short(game.reward)}",
    ]
    if terms:
        lines.append(f"contract: {', '.join(f'{key} {_short(value)}' for key, value in terms.items())}")
    if topology.policies:
        lines.append(f"suggested parameters for: {', '.join(topology.policies)}")
    return lines


def _place(topology: Topology, place: Place) -> list[str]:
    title = f"[{place.title}]" + (f" ({place.note})" if place.note else "")
    return [
        title,
        *(["source"] if place.is_source else []),
        *together([node_facts(topology.nodes[node]) for node in place.nodes]),
    ]


def _lane(parts: Outline, lane: Lane, bounds: Mapping[str, float]) -> list[str]:
    supplier, customer = parts.places[lane.supplier].title, parts.places[lane.customer].title
    first = lane.edges[0]
    named = "" if first.name == f"{first.from_}-{first.to}" else f" ({first.name})"
    count = f" ({len(lane.edges)} edges)" if len(lane.edges) > 1 else ""
    unlimited = [bounds[edge.name] for edge in lane.edges if edge.order_limit is None]
    return [
        f"{supplier} -> {customer}{count or named}",
        *together([edge_facts(edge) for edge in lane.edges]),
        *([f"order bound {_range(unlimited)}"] if unlimited else []),
    ]


def _far(parts: Outline, lanes: Sequence[Lane]) -> list[str]:
    """All edges that leave a level in one line, with the levels they lead to."""
    if not lanes:
        return []
    edges = [edge for lane in lanes for edge in lane.edges]
    ends = [parts.places[lane.customer].level for lane in lanes]
    where = f"level {ends[0]}" if len({*ends}) == 1 else f"levels {min(ends)} to {max(ends)}"
    return ["  ".join([f"{len(edges)} edges to {where}", *together([edge_facts(edge) for edge in edges])])]


def _sale(parts: Outline, sale: Sale) -> list[str]:
    """One market with its whole process; of several their means and spreads."""
    facts = [market_facts(market) for market in sale.markets]
    if len(facts) > 1:
        return [f"{parts.places[sale.place].title} => {sale.title}", *together(facts)]
    market = sale.markets[0]
    served = ", ".join(market.served_by)
    unsaid = [fact for fact in facts[0][1:] if fact[0] not in market.process.model_fields_set]
    return [f"{served} => {sale.title}", describe_process(market), *map(text, unsaid)]


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return low if low == high else f"{low} to {high}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])} ... {names[-1]}"


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
