"""Customers who choose by ratings and prices in the slow reference simulator, number by number.

Nobody decides exposure there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from typing import Any


def purchases(
    topology: Any,
    market: str,
    price: dict[str, float],
    memory: dict[str, Any],
    chance: Callable[[str, str, int], Sequence[float]],
    period: int,
) -> tuple[int, list[float]]:
    """What a market sells to all groups in a period, and the ratings of its product in that period."""
    process = topology.markets[market].process
    sellers = {
        one.process.item: name
        for name, one in topology.markets.items()
        if getattr(one.process, "crowd", None) == process.crowd
    }
    shown = 1 / (len(sellers) if process.exposure_over == "products" else len(process.customers))
    sold, place, own_ratings = 0, 0, []
    joint = process.choice == "multinomial"
    numbers = chance("demand", sellers[0] if joint else market, period)
    for group, bought in enumerate(process.customers):
        rated = {item: rating(process, item, group, memory[name], shown) for item, name in sellers.items()}
        own_ratings.append(rated[process.item])
        weight = {item: exp(value - dearness(process, item, price[sellers[item]])) for item, value in rated.items()}
        stay_away = 0.0 if process.outside_rating is None else exp(process.outside_rating)
        share = {item: weight[item] / (sum(weight.values()) + stay_away) for item in sellers}
        if joint and stay_away:
            share[len(sellers)] = 1 - sum(share.values())  # the item that nobody sells
        for number in numbers[place : place + bought]:
            if joint:
                sold += process.item == chosen(number, share)
            else:
                sold += number < share[process.item]
        place += bought
    return sold, own_ratings


def rating(process: Any, item: int, group: int, remembered: dict[str, Any], shown: float) -> float:
    """Equation (8), from the original rating or from what is left of the last."""
    original = process.ratings[item][group]
    last = float(remembered["rating"][group, 0]) if remembered else original
    start = original + (1 - process.forgetting) * (last - original)
    return start + (process.highest_rating - start) * shown * process.efficiency


def dearness(process: Any, item: int, asked: float) -> float:
    """What a price takes from the logarithm of the odds of an item."""
    if not process.price_effect:
        return 0.0
    return float(process.price_effect * (asked - process.reference_prices[item]))


def chosen(number: float, share: dict[int, float]) -> int:
    """The item in whose stretch of [0, 1) a number lies."""
    end = 0.0
    for item in sorted(share)[:-1]:
        end += share[item]
        if number < end:
            return item
    return max(share)
