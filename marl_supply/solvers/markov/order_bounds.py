"""Which orders an exact solution considers in a state: finitely many, and with the best among them.

A row that loses what is short, has one supplier that is never short, and pays neither a fixed cost nor by quantity,
never orders more than F_1^-1(p / (p + h)) units, nor more than lifts its stock and pipeline to F_(L+1)^-1(p / (p + h)),
where F_n is the law of demand over n periods (Zipkin 2008, Old and new methods for lost-sales inventory systems).
Elsewhere orders are kept in a box that starts from such quantiles and grows while the best policy touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Distribution
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.simulation import State
from marl_supply.simulation.positions import inventory_position, periods_to_review
from marl_supply.solvers.markov.demand_outcomes import INSTEAD, losing_row
from marl_supply.topology.network import Network

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
NO_FLOOR = -(10.0**9)
NO_CAP = 10.0**9


@dataclass(frozen=True)
class OrderBounds:
    """A box for the orders of a chain.

    Attributes
    ----------
    ceiling : (N,) units
        No order lifts a row's inventory position above it.
    floor : (N,) units
        Orders on a row's fastest edge lift what arrives within its lead time at least so far.
    slack : (N,) units
        A row that is short of its floor by no more than this may leave it so and order nothing.
    cap : (E,) units
        Largest order, unless the floor asks for more.
    proven : bool
        Whether the box holds a best policy by theorem; else it must not bind.
    decided : (E,) bool or None
        The edges whose orders are looked for; on the others somebody else orders, here nothing. None: all.
    """

    network: Network
    ceiling: FloatArray
    floor: FloatArray
    slack: FloatArray
    cap: FloatArray
    proven: bool
    decided: BoolArray | None = None

    def only(self, edges: IntArray) -> OrderBounds:
        """The box for the orders on some edges alone."""
        decided = np.isin(np.arange(len(self.cap)), edges)
        own = np.isin(np.arange(len(self.floor)), self.network.customer[edges])
        floor, cap = np.where(own, self.floor, NO_FLOOR), np.where(decided, self.cap, 0.0)
        return replace(self, floor=floor, cap=cap, proven=False, decided=decided)

    def orders(self, state: State) -> tuple[IntArray, FloatArray]:
        """All orders of some states: (P,) the state, rising, and (E, P) units."""
        network = self.network
        days = periods_to_review(network, state)
        position, soon = inventory_position(network, state), self.arriving_soon(state)
        choices = self._choices(position, soon)
        allowed = np.ones((state.replications, choices.shape[1]), dtype=bool)
        for row in range(len(network.rows)):
            edges = np.flatnonzero(network.customer == row)
            if not len(edges):
                continue
            total, fast = choices[edges].sum(0), choices[self.fastest(row)]
            short = self._short(row, soon)[:, None]
            room = np.maximum(self.ceiling[row] - position[row], short[:, 0])[:, None]
            fits = (total <= np.maximum(room, 0)) & (fast >= short)
            fits |= (total == 0) & (short <= self.slack[row])
            for edge in edges:
                forced = short if edge == self.fastest(row) else 0.0
                fits &= choices[edge] <= np.maximum(self.cap[edge], forced)
            allowed &= np.where(days[row][:, None] > 0, total == 0, fits)
        owner, choice = np.nonzero(allowed)
        return owner, choices[:, choice]

    def touched(self, state: State, orders: FloatArray, widened: OrderBounds) -> OrderBounds:
        """The box, `widened` already, with those walls moved out at which orders (E, B) stand in some of the states."""
        if self.proven:
            return widened
        network = self.network
        days, position = periods_to_review(network, state), inventory_position(network, state)
        soon, limit = self.arriving_soon(state), self._limit
        ceiling, floor, cap = widened.ceiling.copy(), widened.floor.copy(), widened.cap.copy()
        for row in range(len(network.rows)):
            edges = np.flatnonzero(network.customer == row)
            if not len(edges):
                continue
            reviews, step = days[row] < 1, max(2.0, np.ceil(0.25 * (self.ceiling[row] - max(self.floor[row], 0.0))))
            ordered, fast, short = orders[edges].sum(0), self.fastest(row), self._short(row, soon)
            if (reviews & (ordered > 0) & (position[row] + ordered >= self.ceiling[row])).any():
                ceiling[row] = self.ceiling[row] + step
            if (reviews & (short > 0) & (orders[fast] <= short) & ((ordered > 0) | (short >= self.slack[row]))).any():
                floor[row] = self.floor[row] - step
            for edge in edges:
                if (reviews & (orders[edge] >= self.cap[edge]) & (self.cap[edge] < limit[edge])).any():
                    cap[edge] = min(self.cap[edge] + step, limit[edge])
        pairs = (ceiling, widened.ceiling), (floor, widened.floor), (cap, widened.cap)
        if all(np.array_equal(after, before) for after, before in pairs):
            return widened
        return replace(widened, ceiling=ceiling, floor=floor, cap=cap)

    def fastest(self, row: int) -> int:
        """The row's edge with the shortest way from order to receipt."""
        edges = np.flatnonzero(self.network.customer == row)
        return int(edges[(self.network.lead_time + self.network.information_delay)[edges].argmin()])

    def arriving_soon(self, state: State) -> FloatArray:
        """(N, B) units: on hand - owed + all on order that arrives within the lead time of the fastest edge."""
        network = self.network
        soon = state.on_hand - state.arrays.add_up(network.line_sum, state.owed)
        delay = network.lead_time + network.information_delay
        for row in range(len(network.rows)):
            if not (network.customer == row).any():
                continue
            fast = self.fastest(row)
            soon[row] += state.on_order[fast]
            for edge, ahead in network.pipeline_slots:
                if network.customer[edge] == row and edge != fast and ahead <= delay[fast]:
                    soon[row] += state.pipeline[(state.clock + ahead) % len(state.pipeline)][edge]
        return np.asarray(soon, dtype=np.float64)

    @property
    def _limit(self) -> FloatArray:
        limit = self.network.order_limit
        limit = np.full(len(self.network.edges), NO_CAP) if limit is None else np.minimum(limit, NO_CAP)
        return limit if self.decided is None else np.where(self.decided, limit, 0.0)

    def _short(self, row: int, soon: FloatArray) -> FloatArray:
        """(B,) units that the fastest edge has to bring, in whole batches and within its limit."""
        edge = self.fastest(row)
        batch = 1.0 if self.network.batch is None else max(float(self.network.batch[edge]), 1.0)
        short = np.ceil(np.maximum(self.floor[row] - soon[row], 0.0) / batch) * batch
        return np.asarray(np.minimum(short, self._limit[edge]), dtype=np.float64)

    def _choices(self, position: FloatArray, soon: FloatArray) -> FloatArray:
        """(E, m) every combination of orders that some of the states may allow."""
        network = self.network
        ranges = []
        for edge, row in enumerate(network.customer):
            short = float(self._short(int(row), soon).max()) if edge == self.fastest(int(row)) else 0.0
            room = float((self.ceiling[row] - position[row]).max())
            top = max(min(self.cap[edge], room, self._limit[edge]), short, 0.0)
            batch = 1.0 if network.batch is None else max(float(network.batch[edge]), 1.0)
            ranges.append(np.arange(0.0, top + 1, batch))
        return np.array([grid.ravel() for grid in np.meshgrid(*ranges, indexing="ij")])


def first_bounds(game: Game) -> OrderBounds:
    """Where the search for the best orders begins.

    Raises
    ------
    InputError
        Where nothing bounds what is owed: a limit on orders or shipments that demand can exceed for ever.
    """
    network = game.network
    _refuse_endless(game)
    rows, edges = len(network.rows), len(network.edges)
    ceiling, floor, cap = np.zeros(rows), np.full(rows, NO_FLOOR), np.full(edges, NO_CAP)
    slack, delay = np.zeros(rows), network.lead_time + network.information_delay
    proven = rows == 1 and _is_zipkin(game)
    for row in range(rows):
        law, ratio, own = _demand_of(network, row), _service(network, row), np.flatnonzero(network.customer == row)
        if not len(own):
            continue
        review = max(network.topology.nodes[network.rows[row]].review)
        lot = _lot(network, row)
        ceiling[row] = law.over(int(delay[own].max()) + review).quantile(ratio) + np.ceil(lot)
        if len(own) > 1 and not lot:
            cap[own] = law.over(review).quantile(ratio)
        if proven:
            cap[own] = law.quantile(ratio)
        elif not network.keeps[network.line_place == row].all():
            continue
        else:
            soonest = int(delay[own].min()) + 1
            floor[row] = np.floor(law.mean * soonest - np.sqrt(law.variance * soonest) - lot / 2)
            slack[row] = soonest * law.values[-1] if game.criterion == "total" else 0.0
    if network.order_limit is not None:
        cap = np.minimum(cap, network.order_limit)
    return OrderBounds(network, ceiling, floor, slack, cap, proven)


def _is_zipkin(game: Game) -> bool:
    """Whether the bounds for lost sales are a theorem: one row, one supplier that is never short, linear costs."""
    network, edge = game.network, game.topology.edges[0]
    plain = not (edge.fixed_order_cost or edge.discounts or edge.batch or edge.holding_cost)
    whole = game.criterion == "average" or not game.warm_up
    every_period = network.reviews is None and not network.storages and not len(network.perishable)
    simple = len(network.edges) == 1 and losing_row(network) == 0 and not game.topology.contract.transfers
    return plain and whole and every_period and simple and network.edge_line[0] < 0


def _demand_of(network: Network, row: int) -> Distribution:
    """The law of one period's demand of all markets that a row can reach."""
    total = Distribution.point(0.0)
    for market, process in enumerate(network.processes.values()):
        if network.downstream[row, network.market_row[market]]:
            law = process.distribution()
            assert isinstance(law, Distribution)
            total = total.plus(law)
    return total


def _service(network: Network, row: int) -> float:
    """The newsvendor's ratio of a row: the highest of the markets that it can reach."""
    holding, best = float(network.holding_cost[row]), 0.0
    for market, line in enumerate(network.market_line):
        if network.downstream[row, network.market_row[market]]:
            shortage = float(network.backorder_cost[line])
            if not network.keeps[line]:
                own = network.customer == row
                price = float(network.price[market]) - float(network.purchase_cost[own].min(initial=np.inf))
                shortage = float(network.lost_sale_cost[line]) + price
            best = max(best, max(shortage, 0.0) / max(shortage + holding, 1e-300))
    return min(best, 0.9999)


def _lot(network: Network, row: int) -> float:
    """Units: the economic order quantity of a row that pays for every order, or what earns its best discount."""
    own = np.flatnonzero(network.customer == row)
    fixed, holding = float(network.fixed_order_cost[own].max()), float(network.holding_cost[row])
    lot = float(np.sqrt(2 * fixed * network.mean_demand[row] / holding)) if fixed and holding else 0.0
    edges = [network.topology.edges[int(edge)] for edge in own]
    return max([lot, *(price.from_ for edge in edges for price in edge.discounts), *(edge.batch for edge in edges)])


def _refuse_endless(game: Game) -> None:
    network, name = game.network, game.topology.name
    keeps = bool(network.keeps[network.market_line].any())
    if keeps and (network.capacity is not None or network.shared_capacities):
        raise InputError(f"{name}: capacity: with backorders what is owed has no bound; {INSTEAD}.")
    for row in range(len(network.rows)):
        own = np.flatnonzero(network.customer == row)
        if not keeps or network.order_limit is None or not len(own):
            continue
        review = max(network.topology.nodes[network.rows[row]].review)
        largest = _demand_of(network, row).values[-1] * review
        fast = own[(network.lead_time + network.information_delay)[own].argmin()]
        if network.order_limit[fast] < largest:
            what = f"order_limit {network.order_limit[fast]:g} is below the largest demand, {largest:g}"
            raise InputError(
                f"{name}: edges.{network.edges[fast]}: {what}, and backorders have no bound; raise it or {INSTEAD}."
            )
