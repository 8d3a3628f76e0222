"""How a row that cannot serve every claim shares its stock: one function per rule.

Each takes the claims (r, c, B) of r rows with c lines each, in line order, and the stock (r, B) available, and returns
the units served (r, c, B): never more than claimed, in all never more than available, nothing kept back while a
claim is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marl_supply.simulation.arrays import Array, Arrays, added

FEW_LINES = 8
"""Up to so many lines every pair of remainders is compared; more are sorted."""
HUGE, TINY = 1e30, 1e-30  # beyond all units, and within float32


@dataclass(frozen=True)
class Shortage:
    """What the rules look at besides claims and stock.

    old: (r, c, B) claims owed since before this period; position: (r, c, B) units on hand or coming to the customer of
    each line, net of what it owes; scale: (r, c, 1) its mean lead-time demand, units; integer: whole units only.
    """

    old: Array
    position: Callable[[], Array]
    scale: Array
    integer: bool


def proportional(arrays: Arrays, claims: Array, available: Array, shortage: Shortage) -> Array:
    """The same share of every claim; whole units: the floor, leftovers to the largest remainders, then the earlier."""
    return divide(arrays, claims, available, shortage.integer)


def divide(arrays: Arrays, claims: Array, available: Array, integer: bool) -> Array:
    """(r, c, B) the proportional shares of claims (r, c, B) in what is available (r, B)."""
    if claims.shape[1] == 1:
        return arrays.minimum(claims, available[:, None])
    total = added(claims, 1)
    served_total = arrays.minimum(total, available)
    divisor = arrays.maximum(total, TINY)[:, None]
    if not integer:  # a total that rounding left below 0 is divided by nothing
        return claims * (arrays.maximum(served_total, 0.0)[:, None] / divisor)
    product = claims * served_total[:, None]
    share = arrays.floor(product / divisor)
    remainder = product - share * divisor
    leftover = served_total - added(share, 1)
    if not arrays.any(leftover > 0):
        return share
    return share + _one_more(arrays, remainder, leftover)


def _one_more(arrays: Arrays, remainder: Array, leftover: Array) -> Array:
    """(r, c, B) 1 for as many lines as units are left over, largest remainders first, ties to the earlier line."""
    lines = remainder.shape[1]
    if lines <= FEW_LINES:
        return arrays.less(_rank_of_largest(arrays, remainder), leftover[:, None])
    last = arrays.nth_largest(remainder, leftover)[:, None]  # the remainder with which the units run out
    sure = arrays.less(last, remainder)
    left = leftover - added(sure, 1)
    chosen: list[Array] = []
    for line in range(lines):
        tied = arrays.less(remainder[:, line], last[:, 0])
        tied = (1.0 - tied) * (1.0 - sure[:, line]) * arrays.less(0.0, left)
        chosen.append(sure[:, line] + tied)
        left = left - tied
    return arrays.stack(chosen, 1)


def priority(arrays: Arrays, claims: Array, available: Array, shortage: Shortage) -> Array:
    """The earlier line is served in full before the next: markets first, then edges in file order."""
    served, left = [], available
    for line in range(claims.shape[1]):
        served.append(arrays.minimum(claims[:, line], left))
        left = left - served[-1]
    return arrays.stack(served, 1)


def first_come(arrays: Arrays, claims: Array, available: Array, shortage: Shortage) -> Array:
    """What was owed before this period first, proportionally where that is short; then the new claims likewise."""
    old = arrays.minimum(shortage.old, claims)
    served_old = proportional(arrays, old, available, shortage)
    return served_old + proportional(arrays, claims - old, available - added(served_old, 1), shortage)


def fair_share(arrays: Arrays, claims: Array, available: Array, shortage: Shortage) -> Array:
    """Raise the customers of lowest position per mean lead-time demand until the stock is used up.

    The position is what a customer has on hand and in transit, less all it owes; a market's is minus its claim. Whole
    units go out one by one, each to the lowest (position + given) / scale, ties to the earlier line; continuous stock
    is poured to a common level. Customers that no demand reaches come last, in line order.
    """
    reached = shortage.scale > 0
    served = _raised(arrays, claims * reached, available, arrays.where(reached, shortage.scale, 1.0), shortage)
    left = arrays.maximum(available - added(served, 1), 0.0)
    return served + priority(arrays, claims * ~reached, left, shortage)


def _raised(arrays: Arrays, claims: Array, available: Array, scale: Array, shortage: Shortage) -> Array:
    """(r, c, B) units that raise the lowest position / scale until the stock or the claims are used up."""
    position, stock = shortage.position(), arrays.minimum(added(claims, 1), available)
    low, high = _levels_around(arrays, claims, position, scale, stock)
    below, above = (
        _poured(arrays, low, claims, position, scale),
        _poured(arrays, high, claims, position, scale),
    )
    gap = added(above, 1) - added(below, 1)
    part = arrays.where(gap > 0, (stock - added(below, 1)) / arrays.where(gap > 0, gap, 1.0), 0.0)[:, None]
    if not shortage.integer:
        return below + part * (above - below)
    level = low + part * (high - low)
    level = level + arrays.slack * (1.0 + arrays.maximum(level, -level))
    return _without_excess(arrays, arrays.ceil(_poured(arrays, level, claims, position, scale)), position, scale, stock)


def _poured(arrays: Arrays, level: Array, claims: Array, position: Array, scale: Array) -> Array:
    """(r, c, B) units that bring every line to a level (r, 1, B), at most its claim."""
    return arrays.minimum(arrays.maximum(level * scale - position, 0.0), claims)


def _levels_around(arrays: Arrays, claims: Array, position: Array, scale: Array, stock: Array) -> tuple[Array, Array]:
    """(r, 1, B) each: the corners of the pouring curve between which the stock is used up."""
    corners = [position[:, line] / scale[:, line] for line in range(claims.shape[1])]
    corners += [(position[:, line] + claims[:, line]) / scale[:, line] for line in range(claims.shape[1])]
    low: Array = -HUGE
    high: Array = HUGE
    for corner in corners:
        fits = added(_poured(arrays, corner[:, None], claims, position, scale), 1) <= stock
        low = arrays.maximum(arrays.where(fits, corner, -HUGE), low)
        high = arrays.minimum(arrays.where(fits, HUGE, corner), high)
    high = arrays.where(high < HUGE, high, low)
    return low[:, None], high[:, None]


def _without_excess(arrays: Arrays, served: Array, position: Array, scale: Array, stock: Array) -> Array:
    """Take units back, the one given last first, until the stock suffices: in all at most one for each line.

    Every line stands less than one unit above its share of a level at which the stock just suffices.
    """
    for _ in range(served.shape[1]):
        excess = added(served, 1) > stock
        if not arrays.any(excess):
            break
        last = arrays.where(served > 0, (position + (served - 1.0)) / scale, -HUGE)
        highest = last[:, 0]
        for line in range(1, served.shape[1]):
            highest = arrays.maximum(highest, last[:, line])
        taken = []
        for line in reversed(range(served.shape[1])):
            taken.append(excess & (last[:, line] >= highest))
            excess = excess & ~taken[-1]
        served = served - arrays.stack(taken[::-1], 1) * 1.0
    return served


RULES: dict[str, Callable[[Arrays, Array, Array, Shortage], Array]] = {
    "proportional": proportional,
    "priority": priority,
    "first_come": first_come,
    "fair_share": fair_share,
}


def _rank_of_largest(arrays: Arrays, values: Array) -> Array:
    """(r, c, B) how many lines come before each one when sorted by value, largest first, ties to the earlier line."""
    ranks: list[Array] = list(range(values.shape[1]))
    for later in range(1, len(ranks)):
        for line in range(later):
            overtakes = arrays.less(values[:, line], values[:, later])
            ranks[line] = ranks[line] + overtakes
            ranks[later] = ranks[later] - overtakes
    return arrays.stack(ranks, 1)
