"""Figures of a chain that follow from mean demand and delays: what reaches each row, and bounds and scales from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from marl_supply.topology.incidence import FloatArray, IntArray, floats
from marl_supply.topology.stages import suppliers_first

if TYPE_CHECKING:
    from marl_supply.topology.network import Network


def mean_demand(network: Network) -> FloatArray:
    """(N,) units a period: the mean demand of all markets that material from a row can reach."""
    means = floats(process.mean for process in network.processes.values())
    serves = np.zeros((len(network.rows), len(network.markets)))
    serves[network.market_row, np.arange(len(network.markets))] = 1
    reaches_market = (network.downstream.astype(float) @ serves) > 0
    return np.asarray(reaches_market @ means, dtype=np.float64)


def customer_scale(network: Network) -> FloatArray:
    """(M,) units: mean demand of each line's customer over its lead time and one period more; a market's mean."""
    markets = floats(process.mean for process in network.processes.values())
    if not len(network.edges):
        return markets[network.line_market]
    over_lead_time = (network.mean_lead_time + 1) * network.mean_demand[network.customer]
    return np.where(network.line_edge >= 0, over_lead_time[network.line_edge], markets[network.line_market])


def demand_deviation(network: Network) -> FloatArray:
    """(N,) units: standard deviation of one period's demand of those markets, taken as independent."""
    serves = np.zeros((len(network.rows), len(network.markets)), dtype=bool)
    serves[network.market_row, np.arange(len(network.markets))] = True
    variances = floats(
        process.mean if process.variance is None else process.variance for process in network.processes.values()
    )
    return np.asarray(np.sqrt((network.downstream @ serves) @ variances), dtype=np.float64)


def periods_below(network: Network) -> IntArray:
    """(N,) periods: lead times and delays on the longest way from a row's suppliers to a market, and one more."""
    own = np.zeros(len(network.rows), dtype=np.int64)
    np.maximum.at(own, network.customer, network.longest_lead_time + network.information_delay)
    below = np.zeros(len(network.rows), dtype=np.int64)
    for row in reversed(suppliers_first(network)):
        below[row] = own[row] + below[network.customer[network.supplier == row]].max(initial=0)
    return below + 1


def order_bound(network: Network) -> FloatArray:
    """(E,) units: the stated order limit, else ceil(4 x mean demand reaching the customer x longest review)."""
    review = floats(max(network.topology.nodes[row].review) for row in network.rows)
    unstated = np.ceil(4 * network.mean_demand * review)[network.customer]
    limit = network.order_limit
    return unstated if limit is None else np.where(np.isinf(limit), unstated, limit)
