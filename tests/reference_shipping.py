"""Shipping in the slow reference simulator: who can ship how much, what each line gets, and what others deliver.

Available: stock on hand up to the capacity, nothing while the node is down. Rows that share a capacity need the sum of
    their claims or what they have, whichever is less; if that is more than the capacity, each gets its part of it in
    proportion, and ships no more.
Claims on an edge that is down, or whose supplier is, count as 0 in all of this.
Decided: the agent's wishes, never below 0 and whole units rounded half to even, and no more than the claims; in
    proportion where that is more than what is available. Without a decision all claims are wished for.
Expedite: after everything has shipped, of those who asked in this period and are not served some accept to be served by
    another node, from what it still has and can ship.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_allocation import Amounts, fair_share, first_come, priority, proportional
from reference_chain import Chain
from reference_chance import Chance, binomial

Units = dict[str, Any]


def ship(chain: Chain, wishes: Mapping[str, float]) -> Units:
    """Serve the lines of all nodes; return what was shipped on each line."""
    shipped: Units = {}
    standing = {line: _standing(chain, line) for line in chain.server}
    for stage in chain.stages:
        wanted = {node: sum(_wanted(chain, node, wishes)) for node in stage}
        available = _share(chain, {node: _available(chain, node) for node in stage}, wanted, {})
        for node in stage:
            served = _allocate(chain, node, available[node], standing, wishes)
            shipped.update(zip(chain.lines[node], served, strict=True))
            for line in chain.lines[node]:
                _send(chain, node, line, shipped[line])
    return shipped


def _claims(chain: Chain, node: str) -> Amounts:
    return [0 if line in chain.edges and chain.closed(line) else chain.claim[line] for line in chain.lines[node]]


def _wanted(chain: Chain, node: str, wishes: Mapping[str, float]) -> Amounts:
    """The claims, or the wishes for them where these are decided."""
    claims = _claims(chain, node)
    if chain.topology.nodes[node].allocation != "decided":
        return claims
    wished = [max(0, chain.amount(wishes.get(line, chain.claim[line]))) for line in chain.lines[node]]
    return [min(wish, claim) for wish, claim in zip(wished, claims, strict=True)]


def _available(chain: Chain, node: str) -> Any:
    return 0 if chain.down[node] else min(chain.stock(node), chain.capacity(node))


def _share(chain: Chain, available: Units, wanted: Units, used: Units) -> Units:
    """What each node can ship, cut to the capacity that it shares; `used` of it was shipped before."""
    available = dict(available)
    for rows, capacity in chain.shared_capacity:
        here = [row for row in chain.topology.nodes if row in rows and row in available]
        totals = [min(wanted[row], available[row]) for row in here]
        left = capacity - sum(used.get(row, 0) for row in rows)
        if sum(totals) > left:
            available.update(zip(here, proportional(left, totals, chain.integer), strict=True))
    return available


def _standing(chain: Chain, line: str) -> tuple[Any, float]:
    """Position and scale of a line's customer: see fair share."""
    if line not in chain.edges:
        return -chain.claim[line], chain.terms[line].process.mean
    node = chain.edges[line].to
    moving = sum(chain.in_transit(edge) for edge in chain.inbound[node])
    reached = [m for m in chain.topology.markets if chain.server[m] in chain.reach[node]]
    mean = sum(chain.terms[market].process.mean for market in reached)
    position = chain.on_hand[node] + moving - sum(map(chain.owed, chain.lines[node]))
    late = sum(periods * chance for periods, chance in enumerate(chain.edges[line].delay))
    return position, (chain.edges[line].lead_time + late + 1) * mean


def _allocate(
    chain: Chain, node: str, stock: Any, standing: Mapping[str, tuple[Any, float]], wishes: Mapping[str, float]
) -> Amounts:
    lines, rule, claims = chain.lines[node], chain.topology.nodes[node].allocation, _wanted(chain, node, wishes)
    if stock >= sum(claims):
        return claims
    if rule == "fair_share":
        positions, scales = ([standing[line][part] for line in lines] for part in (0, 1))
        return fair_share(stock, claims, positions, scales, chain.integer)
    if rule == "first_come":
        old = [min(chain.backorders[line], claim) for line, claim in zip(lines, claims, strict=True)]
        return first_come(stock, claims, old, chain.integer)
    return priority(stock, claims) if rule == "priority" else proportional(stock, claims, chain.integer)


def _send(chain: Chain, node: str, line: str, amount: Any) -> None:
    chain.claim[line] -= amount
    if node in chain.on_hand:
        chain.on_hand[node] -= amount
    if line in chain.edges and chain.edges[line].lead_time:
        chain.pipeline[line][chain.time] = amount
    elif line in chain.edges:
        chain.receipts[line] = amount
        chain.on_hand[chain.edges[line].to] += amount


def expedite(chain: Chain, chance: Chance, demand: Units, shipped: Units) -> Units:
    """Serve some of this period's customers from elsewhere; return the units by market."""
    accepted = {m: _accepted(chain, m, chance, demand) for m, one in chain.topology.markets.items() if one.expedite}
    asked: dict[str, list[str]] = {}
    for market in accepted:
        asked.setdefault(chain.terms[market].expedite.from_, []).append(market)
    used = {node: sum(shipped[line] for line in lines) for node, lines in chain.lines.items()}
    left = {n: 0 if chain.down[n] else min(chain.stock(n), chain.capacity(n) - used[n]) for n in asked}
    left = _share(chain, left, {n: sum(accepted[m] for m in asked[n]) for n in asked}, used)
    delivered: Units = dict.fromkeys(chain.topology.markets, 0)
    for node, markets in asked.items():
        parts = proportional(left[node], [accepted[market] for market in markets], chain.integer)
        for market, amount in zip(markets, parts, strict=True):
            delivered[market] = amount
            chain.claim[market] -= amount
        if node in chain.on_hand:
            chain.on_hand[node] -= sum(parts)
    return delivered


def _accepted(chain: Chain, market: str, chance: Chance, demand: Units) -> Any:
    asked, probability = min(chain.claim[market], demand[market]), chain.terms[market].expedite.probability
    if not chain.integer:
        return asked * probability
    return binomial(asked, probability, chance("expedite", market, chain.time)[0])


def lose(chain: Chain) -> Units:
    """What is left on the losing lines, which then owe nothing."""
    lost = {line: 0 if chain.terms[line].unmet == "backorder" else claim for line, claim in chain.claim.items()}
    for line, amount in lost.items():
        chain.claim[line] -= amount
    return lost
