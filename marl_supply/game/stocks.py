"""Where episodes start when they do not start from the file: random stocks and pipelines around mean demand."""

from __future__ import annotations

from typing import Any

import numpy as np

from marl_supply.simulation.state import Stocks
from marl_supply.topology.network import Network


def warm_stocks(network: Network, noise: Any, clock: int, replications: int) -> Stocks:
    """Random stocks (N, B) and pipelines: uniform on 0 to twice the mean demand in every place, whole where units are.

    Stock is drawn on 0 to twice the mean demand of one period more than the lead time of the row's first edge.

    Parameters
    ----------
    noise
        Gives ``uniform(name, clock, size)``, here under the name "start".
    """
    slots = network.initial_pipeline.size
    travelling = network.initial_orders.size
    rows = len(network.rows)
    drawn = noise.uniform("start", clock, rows + slots + travelling)
    mean = network.mean_demand
    lead = np.array([network.lead_time[np.flatnonzero(network.customer == row)[0]] for row in range(rows)])
    oldest = network.longest_lead_time - network.lead_time
    used = _used(oldest, network.longest_lead_time, network.initial_pipeline.shape)
    asked = _used(oldest * 0, network.information_delay, network.initial_orders.shape)
    share = mean[network.customer] / np.bincount(network.customer)[network.customer]
    on_hand = drawn[:rows] * (2 * mean * (lead + 1))[:, None]
    pipeline = drawn[rows : rows + slots].reshape(*used.shape, replications) * (2 * share * used)[:, :, None]
    orders = drawn[rows + slots :].reshape(*asked.shape, replications) * (2 * share * asked)[:, :, None]
    if not network.integer:
        return Stocks(on_hand, pipeline, orders)
    return Stocks(np.rint(on_hand), np.rint(pipeline), np.rint(orders))


def _used(first: Any, end: Any, shape: tuple[int, ...]) -> Any:
    """(slots, E) 1 where an edge has that slot filled: with random delays, the last lead time's shipments."""
    slots = np.arange(shape[0])[:, None]
    return ((slots >= first) & (slots < end)) * 1.0
