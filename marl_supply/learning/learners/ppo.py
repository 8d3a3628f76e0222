"""Proximal policy optimisation, all agents updated at once (Schulman et al. 2017; de Witt et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.learning.settings import Learner


@dataclass(frozen=True)
class PPO(Learner):
    """Every agent climbs its own clipped objective on the same batch.

    With the reward `individual` this is selfish learning; with `shared` all agents have one advantage and one critic,
    which is MAPPO. The critic sees the whole state, in training only.
    """

    update: ClassVar[str] = "simultaneous"
