"""Proximal policy optimisation, every agent for itself (Schulman et al. 2017; de Witt et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.learning.on_policy import OnPolicyLearner


@dataclass(frozen=True)
class PPO(OnPolicyLearner):
    """Every agent climbs its own clipped objective with a critic of its own that sees what the agent sees.

    With the reward `individual` this is selfish learning with nothing shared; `critic: state` lets the critics see the
    whole chain.
    """

    update: ClassVar[str] = "simultaneous"

    critic: str = "own"
