"""New episodes in some replications of a state, while the others go on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from marl_supply.simulation.arrays import Array, Arrays
from marl_supply.simulation.state import Columns, State, Stocks
from marl_supply.simulation.step import begin
from marl_supply.topology.network import Network


def restart(network: Network, state: State, columns: Any, stocks: Stocks | None = None) -> State:
    """Put new episodes into some replications of a state; the others go on.

    Parameters
    ----------
    columns : slice or (b,) int
        The replications; their noise from this period on must be that of the new episodes.
    stocks
        Where they start; the file's stocks if None.
    """
    arrays = state.arrays
    columns = np.arange(state.replications)[columns]
    fresh = begin(network, len(columns), Columns(state.noise, columns), state.clock, stocks, arrays)
    changes: dict[str, Any] = {}
    for item in fields(State):
        old, new = getattr(state, item.name), getattr(fresh, item.name)
        if item.name == "began":
            changes["began"] = _began(state, columns)
        elif isinstance(old, list):
            changes[item.name] = [_replaced(arrays, *slots, columns) for slots in zip(old, new, strict=True)]
        elif item.name == "memory":
            changes["memory"] = {
                market: {name: _replaced(arrays, value, new[market][name], columns) for name, value in held.items()}
                for market, held in old.items()
            }
        elif hasattr(old, "shape") and new is not None:
            changes[item.name] = _replaced(arrays, old, new, columns)
    return state.changed(**changes)


def _replaced(arrays: Arrays, old: Array, new: Array, columns: Any) -> Array:
    return arrays.put_columns(arrays.copy(old), columns, new)


def _began(state: State, columns: Any) -> Any:
    """When the episodes began: a number, or one for each replication where they did at different times."""
    if len(columns) == state.replications:
        return state.clock
    began = np.zeros(state.replications, dtype=np.int64) + state.began
    began[columns] = state.clock
    return began
