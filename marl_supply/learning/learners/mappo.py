"""Multi-agent proximal policy optimisation with a central critic (Yu et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.learning.on_policy import OnPolicyLearner


@dataclass(frozen=True)
class MAPPO(OnPolicyLearner):
    """Every agent climbs its own clipped objective on the same batch; critics see the whole state, in training only.

    Made for the reward `shared`: all agents then have one advantage and one critic. With `share: all` they have one
    actor too.
    """

    update: ClassVar[str] = "simultaneous"
