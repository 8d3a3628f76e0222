"""The least cost of a realised demand path: what someone who knew all of it beforehand would have paid.

One row with suppliers that are never short and linear costs is a flow through time: units are bought, kept, sold, or
owed. Its least cost on a path is a linear program, and one over whole units has whole solutions (Ahuja, Magnanti &
Orlin 1993, Network Flows), so that the same program serves whole and continuous units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.errors import InputError
from marl_supply.game.game import Game

FloatArray = NDArray[np.float64]
LINEAR = frozenset({"holding", "backorder", "lost_sale", "pipeline", "purchase", "revenue"})
"""The accounts that the program carries."""


@dataclass(frozen=True)
class Hindsight:
    """The least costs of realised paths, and orders that reach them.

    costs : (R,) the figure of the game's criterion, money or money a period, as `Evaluation.sample` has it.
    orders : (T, E, R) units ordered in each period on each edge.
    """

    costs: FloatArray
    orders: FloatArray


def hindsight_cost(game: Game, replications: int = 256, seed: int = 7) -> FloatArray:
    """The least cost of each realised path: a lower bound for every admissible policy on the same path.

    A bound and no policy: it knows all demand beforehand, and it may send a customer away while there is stock, which
    pays where a sale is lost in the warm-up and counts for nothing. The optimum over admissible policies lies between
    it and any policy's cost, often far above it: without limits, days of review or stock to begin with, who knows
    demand pays for purchases alone.

    Parameters
    ----------
    game
        One row, whose suppliers are never short, with linear costs.
    replications, seed : int
        The paths, those of ``evaluate(game, policies, replications, seed)``.

    Returns
    -------
    (R,) ndarray
        The figure of the game's criterion, money or money a period, over the periods that count.

    Raises
    ------
    InputError
        For a game that is no such program.
    """
    return hindsight(game, replications, seed).costs


def hindsight(game: Game, replications: int = 256, seed: int = 7) -> Hindsight:
    """The same with orders that reach it, but where a sale is lost in the warm-up: a game serves whom it can."""
    network = game.network
    _check(game)
    noise = game.randomness(replications, seed)
    demand = np.stack([noise.at(period) for period in range(game.horizon)])
    stock, arrivals = _beginning(game, replications, seed)
    flow = _Flow(game)
    costs = np.empty(replications)
    orders = np.empty((game.horizon, len(network.edges), replications))
    for one in range(replications):
        costs[one], orders[:, :, one] = flow.least(demand[:, :, one], stock[one], arrivals[:, :, one])
    if game.criterion == "average":
        costs /= game.horizon - game.warm_up
    return Hindsight(costs, orders)


def _check(game: Game) -> None:
    """Refuse what is no linear program over one row."""
    reason = unfit(game)
    if reason is not None:
        raise InputError(f"{game.topology.name}: hindsight is for {reason}; solve or simulate it in another way.")


def unfit(game: Game) -> str | None:
    """What it is for, where a game is something else."""
    network = game.network
    if len(network.rows) != 1:
        return f"one row, and there are {len(network.rows)}"
    if (network.edge_line >= 0).any():
        return "suppliers that are never short"
    if any(isinstance(process, ResponsiveProcess) for process in network.processes.values()):
        return "demand that does not answer to prices"
    if network.paid_on_sale.any():
        return "revenue that is booked when a customer who waits asks"
    unknown = sorted(set(game.books.accounts) - LINEAR)
    if unknown:
        return f"linear costs, without the account '{unknown[0]}'"
    edges = game.topology.edges
    if any(edge.delay or edge.shipping_loss or edge.batch or edge.discounts for edge in edges):
        return "shipments that arrive on time and whole, in any quantity and at one price"
    if network.storages or network.shared_capacities or len(network.perishable) or network.disruptions is not None:
        return "stock without limits that keeps, and a row that is never down"
    return None


def _beginning(game: Game, replications: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """(R,) stock after the first receipt; (T, E, R) what comes later of the orders before the first period."""
    network, state = game.network, game.start(replications, seed)
    arrivals = np.zeros((game.horizon, len(network.edges), replications))
    for edge, lead in enumerate(network.lead_time):
        for ahead in range(1, min(int(lead), game.horizon)):
            arrivals[ahead, edge] = state.pipeline[(state.clock + ahead) % len(state.pipeline)][edge]
        for ahead in range(int(network.information_delay[edge])):
            revealed = state.revealed if ahead == 0 else state.travelling[(state.clock + ahead) % len(state.travelling)]
            if ahead + lead < game.horizon:
                arrivals[ahead + lead, edge] += revealed[edge]
    return state.on_hand[0], arrivals


class _Flow:
    """The program of one path: orders q (E, T), stock at the end of a period x (T), served s and short u (K, T) each.

    x[t] = x[t-1] + arrivals[t] + sum of q[e, t - lag] - sum of s[k, t]; u[k, t] = d[k, t] - s[k, t], and beside it
    u[k, t-1] where customers wait.
    """

    def __init__(self, game: Game) -> None:
        self.game, self.network = game, game.network
        self.periods, self.edges, self.markets = game.horizon, len(game.network.edges), len(game.network.markets)
        counted = np.arange(self.periods) - game.warm_up
        self.weight = np.where(counted >= 0, game.discount ** np.maximum(counted, 0.0), 0.0)
        self.matrix, self.costs = self._balance(), self._prices()
        self.limits = self._limits()
        self.capacity = self._capacity()

    def least(self, demand: FloatArray, stock: float, arrivals: FloatArray) -> tuple[float, FloatArray]:
        """The least cost of a path, and orders (T, E) that reach it.

        demand: (T, K) units; stock: units after the first receipt; arrivals: (T, E) units ordered earlier.
        """
        coming = arrivals.sum(1)
        coming[0] += stock
        found = linprog(
            self.costs,
            A_ub=self.capacity,
            b_ub=None if self.capacity is None else np.full(self.periods, self._throughput),
            A_eq=self.matrix,
            b_eq=np.concatenate([coming, demand.T.ravel()]),
            bounds=self.limits,
            method="highs",
        )
        if not found.success:
            raise InputError(f"{self.game.topology.name}: no least cost: {found.message} Check the costs of the file.")
        orders = found.x[: self.edges * self.periods].reshape(self.edges, self.periods).T
        return float(found.fun + self._constant(demand, arrivals)), orders

    @property
    def _throughput(self) -> float:
        capacity = self.network.capacity
        return np.inf if capacity is None else float(capacity[0])

    def _balance(self) -> sparse.csr_array:
        """Rows: stock of every period, then demand of every market and period."""
        same, before = sparse.eye_array(self.periods), sparse.eye_array(self.periods, k=-1)
        lags = self.network.lead_time + self.network.information_delay
        received = [-sparse.eye_array(self.periods, k=-int(lag)) for lag in lags]
        stock = sparse.hstack([*received, same - before, *[same] * self.markets])
        served = sparse.block_diag([same] * self.markets)
        keeps = self.network.keeps[self.network.market_line]
        short = sparse.block_diag([same - before * kept for kept in keeps])
        blank = sparse.csr_array((self.markets * self.periods, (self.edges + 1) * self.periods))
        demand = sparse.hstack([blank, served, short])
        wide = sparse.csr_array((self.periods, self.markets * self.periods))
        return sparse.csr_array(sparse.vstack([sparse.hstack([stock, wide]), demand]))

    def _prices(self) -> FloatArray:
        """Money for one more unit of each variable."""
        network, lines = self.network, self.network.market_line
        keeps = network.keeps[lines]
        short = np.where(keeps > 0, network.backorder_cost[lines], network.lost_sale_cost[lines])
        sold = -network.price * (1 - keeps)  # who waits has paid when asking
        parts = [self._per_order(edge) for edge in range(self.edges)]
        parts.append(network.holding_cost[0] * self.weight)
        parts += [rate * self.weight for rate in (*sold, *short)]
        return np.concatenate(parts)

    def _per_order(self, edge: int) -> FloatArray:
        """(T,) money for a unit ordered in each period: its purchase, and its way where this row pays for it."""
        network, delay = self.network, int(self.network.information_delay[edge])
        charged = delay if network.charged_on_shipment[edge] else 0
        money = network.purchase_cost[edge] * self._later(charged)
        for age in range(int(network.lead_time[edge])):
            money = money + self._way(edge) * self._later(delay + age)
        return np.asarray(money, dtype=np.float64)

    def _way(self, edge: int) -> float:
        """Money a period for a unit in transit, where the row has the title."""
        return float(self.network.pipeline_holding_cost[edge] * (self.network.pipeline_place[edge] == 0))

    def _later(self, periods: int) -> FloatArray:
        """(T,) weight of the period that comes so many periods after each, 0 beyond the horizon."""
        return np.concatenate([self.weight, np.zeros(periods)])[periods:]

    def _constant(self, demand: FloatArray, arrivals: FloatArray) -> float:
        """Money that no order changes: revenue from who waits, and what is charged on orders from before."""
        network = self.network
        keeps = network.keeps[network.market_line]
        total = -float(self.weight @ demand @ (network.price * keeps))
        for edge, lead in enumerate(network.lead_time):
            for due, units in enumerate(arrivals[:, edge]):
                sent = due - int(lead)
                total += units * self._way(edge) * self.weight[max(sent, 0) : due].sum()
                if sent >= 0 and network.charged_on_shipment[edge]:
                    total += units * float(network.purchase_cost[edge]) * self.weight[sent]
        return total

    def _limits(self) -> FloatArray:
        """(n, 2) bounds: order limits, and no orders on days without review."""
        network, size = self.network, len(self.costs)
        limits = np.tile([0.0, np.inf], (size, 1))
        most = np.full(self.edges, np.inf) if network.order_limit is None else network.order_limit
        review = np.ones(self.periods)
        if network.reviews is not None:
            review = np.array([network.reviews.periods_until(t)[0, 0] == 0 for t in range(self.periods)]) * 1.0
        limits[: self.edges * self.periods, 1] = np.concatenate([np.where(review > 0, one, 0.0) for one in most])
        return limits

    def _capacity(self) -> sparse.csr_array | None:
        """What all markets together are served in each period, where that is bounded."""
        if not np.isfinite(self._throughput):
            return None
        before = sparse.csr_array((self.periods, (self.edges + 1) * self.periods))
        after = sparse.csr_array((self.periods, self.markets * self.periods))
        same = sparse.eye_array(self.periods)
        return sparse.csr_array(sparse.hstack([before, *[same] * self.markets, after]))
