"""How the slow reference simulator divides stock that does not cover all claims; lists over a node's lines.

Proportional: shares of the claims; in integer units floors, then leftover units to the largest remainders,
    ties to the earlier line.
Priority: each line in full while stock lasts.
First come: the backorders of the period before, then the rest; each of the two in proportion where stock
    falls short.
Fair share: raise the lines with the lowest position per scale, none by more than its claim. The position of
    an edge's customer is its on hand and inbound pipelines less all that it owes; of a market, minus its
    claim; read after demand and before anything ships. The scale is (lead time + 1) x mean demand, what a
    shipment must last for (a random lead time counts with its mean, a market's is 0; a node's mean demand is
    that of all markets it can reach). Integer units go one by one to the lowest quotient with a claim left,
    ties to the earlier line; continuous units raise the lowest quotients together. Lines without mean demand
    come last, in line order.
"""

from __future__ import annotations

from math import inf
from typing import Any

Amounts = list[Any]


def proportional(stock: Any, claims: Amounts, integer: bool) -> Amounts:
    total = sum(claims)
    if stock >= total:
        return list(claims)
    if not integer:
        return [stock * (claim / total if total else 0) for claim in claims]
    shares = [stock * claim // total for claim in claims]
    by_remainder = sorted(range(len(claims)), key=lambda line: (-(stock * claims[line] % total), line))
    for line in by_remainder[: stock - sum(shares)]:
        shares[line] += 1
    return shares


def priority(stock: Any, claims: Amounts) -> Amounts:
    return [max(0, min(claim, stock - sum(claims[:line]))) for line, claim in enumerate(claims)]


def first_come(stock: Any, claims: Amounts, old: Amounts, integer: bool) -> Amounts:
    first = proportional(stock, old, integer)
    new = [claim - before for claim, before in zip(claims, old, strict=True)]
    then = proportional(stock - sum(first), new, integer)
    return [one + two for one, two in zip(first, then, strict=True)]


def fair_share(stock: Any, claims: Amounts, positions: Amounts, scales: Amounts, integer: bool) -> Amounts:
    return (_one_by_one if integer else _together)(stock, claims, positions, scales)


def _one_by_one(stock: int, claims: Amounts, positions: Amounts, scales: Amounts) -> Amounts:
    served = [0] * len(claims)

    def quotient(line: int) -> float:
        return (positions[line] + served[line]) / scales[line] if scales[line] else inf

    for _ in range(stock):
        waiting = [line for line in range(len(claims)) if served[line] < claims[line]]
        served[min(waiting, key=lambda line: (quotient(line), line))] += 1
    return served


def _together(stock: float, claims: Amounts, positions: Amounts, scales: Amounts) -> Amounts:
    lines = [line for line in range(len(claims)) if scales[line]]

    def poured(level: float) -> Amounts:
        rise = {line: max(level * scales[line] - positions[line], 0.0) for line in lines}
        return [min(rise.get(line, 0.0), claim) for line, claim in enumerate(claims)]

    served = [0.0] * len(claims)
    for level in sorted((positions[i] + part) / scales[i] for i in lines for part in (0.0, claims[i])):
        above = poured(level)
        if sum(above) > stock:  # what is poured is linear between two levels
            part = (stock - sum(served)) / ((sum(above) - sum(served)) or 1)
            return [low + part * (high - low) for low, high in zip(served, above, strict=True)]
        served = above
    left = [0.0 if line in lines else claim for line, claim in enumerate(claims)]
    rest = priority(stock - sum(served), left)
    return [one + two for one, two in zip(served, rest, strict=True)]
