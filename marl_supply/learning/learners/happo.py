"""Heterogeneous-agent proximal policy optimisation (Kuba et al. 2022, "Trust region policy optimisation in MARL")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.learning.on_policy import OnPolicyLearner


@dataclass(frozen=True)
class HAPPO(OnPolicyLearner):
    """Agents are updated one after another in random order.

    Each climbs its clipped objective with the advantage multiplied by how much the agents before it have changed:
    the product of their new to old probabilities of the actions taken. Under a shared reward this never lowers the
    expected return, up to the clipping; under a blended reward each agent uses its own advantage, as Liu et al. do,
    without that guarantee.
    """

    update: ClassVar[str] = "sequential"
