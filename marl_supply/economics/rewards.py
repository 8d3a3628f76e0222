"""Rewards from costs: each agent's own, the mean of all, or a blend of both."""

from __future__ import annotations

from collections.abc import Mapping

from marl_supply.errors import InputError, nearest
from marl_supply.simulation.arrays import Array, added

REWARDS = ("individual", "shared")


def own_weight(reward: str | Mapping[str, float]) -> float:
    """The weight of an agent's own cost in its reward: 1 for individual, 0 for shared, the stated number for a blend.

    Raises
    ------
    InputError
        For any other word or a weight outside 0 to 1.
    """
    if isinstance(reward, str):
        if reward not in REWARDS:
            raise InputError(
                f"reward: no reward '{reward}'{nearest(reward, REWARDS)}; use individual, shared or {{blend: a}}."
            )
        return 1.0 if reward == "individual" else 0.0
    if set(reward) != {"blend"} or not 0 <= float(reward["blend"]) <= 1:
        raise InputError(f"reward: {dict(reward)} is not a reward; use {{blend: a}} with a between 0 and 1.")
    return float(reward["blend"])


def rewards(costs: Array, weight: float) -> Array:
    """(A, B) rewards from (A, B) costs of a period: ``-(weight * own + (1 - weight) * mean over agents)``."""
    if weight == 1.0:
        return -costs
    return -(weight * costs + (1.0 - weight) * (added(costs, 0) / len(costs)))
