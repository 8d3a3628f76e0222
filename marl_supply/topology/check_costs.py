"""Warnings about costs and prices under which it pays to do what nobody meant."""

from __future__ import annotations

from collections.abc import Iterator

from marl_supply.topology.file import Edge, Topology
from marl_supply.topology.reach import cheapest_way
from marl_supply.topology.warning import Warning


def cost_warnings(topology: Topology) -> Iterator[Warning]:
    """Yield what is wrong with costs and prices."""
    yield from _holding_cost_falls(topology)
    yield from _no_penalty(topology)
    yield from _not_worth_serving(topology)
    yield from _ordered_to_be_scrapped(topology)
    yield from _never_the_better_edge(topology)
    yield from _paid_for_leftovers(topology)
    yield from _selfish_and_free(topology)


def cheapest_unit(edge: Edge) -> float:
    """Return the lowest price of a unit on an edge, discounts included, money a unit."""
    return min([edge.purchase_cost, *(each.purchase_cost for each in edge.discounts)])


def _holding_cost_falls(topology: Topology) -> Iterator[Warning]:
    for edge in topology.edges:
        above, below = topology.nodes[edge.from_], topology.nodes[edge.to]
        if above.kind == "stock" and above.holding_cost > below.holding_cost and below.shelf_life is None:
            yield Warning(
                f"nodes.{edge.to}.holding_cost",
                f"{below.holding_cost:g} is less than {above.holding_cost:g} at its supplier '{edge.from_}', "
                "so it pays to keep all stock downstream",
            )


def _no_penalty(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        for node_name in market.served_by:
            if not _orders(topology, node_name):
                continue
            node = topology.nodes[node_name]
            key = "backorder_cost" if market.unmet == "backorder" else "lost_sale_cost"
            own = getattr(market, key)
            cost = getattr(node, key) if own is None else own
            if cost == 0 and market.price == 0:
                yield Warning(
                    f"markets.{name}", f"it has neither {key} nor price, so nothing is lost by not serving it"
                )
            elif cost == 0 and market.unmet == "backorder" and market.revenue_on == "demand":
                yield Warning(
                    f"markets.{name}",
                    f"its customers pay {market.price:g} when they ask, served or not, and backorder_cost is 0, so "
                    "nothing is lost by not serving it",
                )


def _orders(topology: Topology, node: str) -> bool:
    """Whether an agent of the file's game decides what a node orders."""
    agents = topology.game.agents
    return agents is None or any({node, f"{node}.order"} & set(agent.decides) for agent in agents.values())


def _not_worth_serving(topology: Topology) -> Iterator[Warning]:
    """A lost sale that costs less than the unit: price and lost-sale cost against the cheapest way from a source."""
    way = cheapest_way(topology, {edge.name: cheapest_unit(edge) for edge in topology.edges})
    for name, market in topology.markets.items():
        if market.unmet == "backorder":
            continue
        node = min(market.served_by, key=way.__getitem__)
        lost = topology.nodes[node].lost_sale_cost if market.lost_sale_cost is None else market.lost_sale_cost
        gain = market.price + lost
        if gain and gain <= way[node] < float("inf"):
            yield Warning(
                f"markets.{name}",
                f"a unit sold earns {market.price:g} and saves {lost:g}, no more than the {way[node]:g} that it costs "
                "to buy on the cheapest way from a source, so it pays to lose every customer",
            )


def _ordered_to_be_scrapped(topology: Topology) -> Iterator[Warning]:
    for edge in topology.edges:
        node = topology.nodes[edge.to]
        if node.salvage_value and node.salvage_value >= cheapest_unit(edge) + node.holding_cost:
            yield Warning(
                f"nodes.{edge.to}.salvage_value",
                f"{node.salvage_value:g} is no less than {cheapest_unit(edge) + node.holding_cost:g}, what a unit from "
                f"'{edge.name}' costs until it is scrapped, so nothing is lost by ordering without end",
            )


def _never_the_better_edge(topology: Topology) -> Iterator[Warning]:
    beside: dict[tuple[str, str], list[tuple[int, Edge]]] = {}
    for number, edge in enumerate(topology.edges):
        beside.setdefault((edge.from_, edge.to), []).append((number, edge))
    for twins in beside.values():
        for number, edge in twins:
            better = [other.name for _, other in twins if other is not edge and _is_better(other, edge)]
            if better:
                yield Warning(
                    f"edges[{number}]",
                    f"'{edge.name}' is neither sooner nor cheaper nor wider than '{better[0]}' beside it, so it is "
                    "never worth an order",
                )


def _is_better(one: Edge, other: Edge) -> bool:
    """Whether an edge is as good as another in every respect, and better in time or money."""
    plain = not (one.longest_delay or one.shipping_loss or one.disruption or one.batch or one.order_limit is not None)
    pairs = [
        (one.lead_time + one.information_delay, other.lead_time + other.information_delay),
        (one.purchase_cost, cheapest_unit(other)),
        (one.fixed_order_cost, other.fixed_order_cost),
        (one.holding_cost, other.holding_cost),
    ]
    same_terms = (one.unmet, one.charged_on, one.title) == (other.unmet, other.charged_on, other.title)
    return plain and same_terms and all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _paid_for_leftovers(topology: Topology) -> Iterator[Warning]:
    terms = topology.contract
    if terms.buy_back is not None and terms.wholesale_price is not None and terms.buy_back >= terms.wholesale_price:
        yield Warning(
            "contract.buy_back",
            f"{terms.buy_back:g} is no less than wholesale_price = {terms.wholesale_price:g}, so a customer loses "
            "nothing by ordering without end",
        )


def _selfish_and_free(topology: Topology) -> Iterator[Warning]:
    contract = topology.contract.model_dump(exclude_none=True, exclude_defaults=True)
    if topology.game.reward != "individual" or topology.game.agents is not None or contract:
        return
    lines: dict[str, list[Edge]] = {}
    for edge in topology.edges:
        lines.setdefault(edge.from_, []).append(edge)
    sellers = {name for market in topology.markets.values() for name in market.served_by}
    for name, node in topology.nodes.items():
        pays = node.backorder_cost > 0 or node.lost_sale_cost > 0
        pays |= any(edge.backorder_cost or edge.lost_sale_cost for edge in lines.get(name, ()))
        if node.kind == "stock" and name in lines and name not in sellers and not pays:
            yield Warning(
                f"nodes.{name}.backorder_cost",
                "it pays nothing for backorders, so with reward: individual it does best to order nothing; "
                "share the reward or add a contract",
            )
