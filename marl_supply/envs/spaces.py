"""Gymnasium spaces of a seat: what it can do and what it can see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from marl_supply.game.decisions import Action
from marl_supply.game.table import Entry


def action_space(action: Action) -> spaces.Space[Any]:
    """The space of a seat's actions.

    Whole units: `Discrete` for one component and `MultiDiscrete` for several, a choice ``c`` meaning
    ``low + step * c`` units. Continuous units: a float32 `Box` of units; the faces clip what lies outside.
    """
    if not action.seat.integer:
        return spaces.Box(action.low.astype(np.float32), action.high.astype(np.float32), dtype=np.float32)
    choices = action.choices
    return spaces.Discrete(int(choices[0])) if len(choices) == 1 else spaces.MultiDiscrete(choices)


def observation_space(entries: Sequence[Entry]) -> spaces.Box:
    """The float32 space of vectors with these entries: from 0, or from minus infinity where an entry has a sign."""
    low = np.array([-np.inf if entry.signed else 0.0 for entry in entries], dtype=np.float32)
    return spaces.Box(low, np.full(len(entries), np.inf, dtype=np.float32), dtype=np.float32)
