"""What rows of a chain cover: mean periods to their markets, and safety factors as newsvendors would choose them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from marl_supply.topology.network import Network

Floats64 = NDArray[np.float64]

FARTHEST = 3.0
"""Normal quantiles are cut here."""


def safety_factors(network: Network) -> Floats64:
    """(N,) normal quantiles of (p + h of the supplier) / (p + h at the markets), p the cost of a shortage there.

    For a serial chain the echelon base-stock levels that they give are of the kind of Shang & Song (2003), who take the
    mean of two such newsvendors.
    """
    above = suppliers_of(network) @ network.holding_cost
    penalty, dearest, _, _ = at_markets(network)
    ratio = np.clip((penalty + above) / np.maximum(penalty + dearest, 1e-9), 1e-6, 1 - 1e-6)
    return np.asarray(np.clip(norm.ppf(ratio), -FARTHEST, FARTHEST))


def periods_covered(network: Network) -> Floats64:
    """(N,) periods of mean demand in the echelon of each row: own lead time and delay, those below, and one more.

    Where ways to markets differ, they are weighted by what flows on them.
    """
    own = np.zeros(len(network.rows))
    np.maximum.at(own, network.customer, network.lead_time + network.information_delay)
    _, _, served, _ = at_markets(network)
    return np.asarray(np.linalg.solve(np.eye(len(own)) - customers_of(network), own + served))


def suppliers_of(network: Network) -> Floats64:
    """(N, N) averages over the suppliers of each row; sources count as 0."""
    size = len(network.rows)
    indegree, suppliers = np.bincount(network.customer, minlength=size), np.zeros((size, size))
    for edge in np.flatnonzero(network.supplier >= 0):
        below = network.customer[edge]
        suppliers[below, network.supplier[edge]] += 1 / indegree[below]
    return suppliers


def customers_of(network: Network) -> Floats64:
    """(N, N) averages over the customers of each row, weighted by what they ask; markets count as 0."""
    size, mean = len(network.rows), network.mean_demand
    indegree, customers, asked = np.bincount(network.customer, minlength=size), np.zeros((size, size)), np.zeros(size)
    np.add.at(asked, network.market_row, [process.mean for process in network.processes.values()])
    for edge in np.flatnonzero(network.supplier >= 0):
        below = network.customer[edge]
        customers[network.supplier[edge], below] += mean[below] / indegree[below]
    total = customers.sum(1) + asked
    return np.asarray(customers / np.where(total > 0, total, 1)[:, None])


def at_markets(network: Network) -> tuple[Floats64, Floats64, Floats64, Floats64]:
    """(N,) each: shortage and holding cost at the markets a row can reach, its own share of them, whether they lose."""
    mean = np.array([process.mean for process in network.processes.values()])
    reach = network.downstream[:, network.market_row] * np.maximum(mean, 1e-9)
    weight = reach / np.maximum(reach.sum(1, keepdims=True), 1e-9)
    lines = network.market_line
    penalty = network.backorder_cost[lines] + network.lost_sale_cost[lines]
    own = network.market_row[None, :] == np.arange(len(network.rows))[:, None]
    loses = 1 - network.keeps[lines]
    return weight @ penalty, weight @ network.holding_cost[network.market_row], (weight * own).sum(1), weight @ loses
