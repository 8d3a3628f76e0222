"""Price competition once more, seller by seller in plain numbers, for the slow simulator."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import Any

import numpy as np
from scipy import stats


def rivalry(topology: Any, prices: Mapping[str, float], memory: Mapping[str, Any], chance: Any, time: int) -> Any:
    """By market: the price that holds, the demand of one period, and what the market then remembers."""
    sellers = [name for name, one in topology.markets.items() if hasattr(one.process, "sellers")]
    sellers.sort(key=lambda name: topology.markets[name].process.item)
    law = topology.markets[sellers[0]].process
    turn = time % len(sellers) if law.moves == "in_turn" else None
    held = [
        prices[name] if turn in (None, item) else float(memory[name]["own_price"][0, 0])
        for item, name in enumerate(sellers)
    ]
    now = float(memory[sellers[0]]["reference_price"][0, 0]) if law.reference_effect else law.reference_price
    later = now
    for item, price in enumerate(held):
        if turn in (None, item):
            later = law.reference_memory * later + (1 - law.reference_memory) * price
    found = {}
    for item, name in enumerate(sellers):
        own, others = held[item], held[:item] + held[item + 1 :]
        rank = 1 + sum(law.beaten_rank * (p < own) + law.tied_rank * (p == own) for p in others)
        odds = law.intercept + law.rank_effect * rank + law.difference_effect * (own - min(others))
        odds += law.competitors_effect * len(others) + law.level_effect * sum(held) / len(held)
        odds += law.reference_effect * (own - now)
        (uniform,) = chance("demand", name, time)
        demand = int(stats.poisson.ppf(uniform, law.factor * law.length / (1 + exp(-odds))))
        kept = {"own_price": [own], "rival_price": others}
        if law.reference_effect:
            kept["reference_price"] = [later]
        if turn is not None:
            kept["until_turn"] = [(item - turn - 1) % len(sellers)]
        shaped = {key: np.array(value, dtype=float).reshape(-1, 1) for key, value in kept.items()}
        found[name] = own, demand, shaped
    return found
