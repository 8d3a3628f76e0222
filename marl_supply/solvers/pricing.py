"""Dynamic programs of a row that decides its price: with its orders, or where stock costs nothing with nothing else.

The state is the market's (what competitor and buyers remember), the net stock after the period's receipts, and for a
lead time of L the orders of the L - 1 periods before. Modified policy iteration on the long-run average cost, with the
bounds of Odoni (1969) (Puterman 1994, sections 8.5 and 8.7). With one market state, no lead time and backlog this is
the model of Federgruen & Heching (1999), with a fixed ordering cost that of Chen & Simchi-Levi (2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from marl_supply.errors import InputError
from marl_supply.solvers.markov.stationary import long_run, share_of_step
from marl_supply.solvers.markov.value_iteration import followed
from marl_supply.solvers.priced_row import PricedRow

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_WORK = 2e10
"""Multiplications of one step of dynamic programming: some ten seconds on one core."""
MOST_ROUNDS = 500
REACHED = 1e-10
"""Long-run probability above which a state counts as visited."""
WIDENINGS = 8


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best policy of a priced row.

    Attributes
    ----------
    cost : float
        Long-run average cost a period, money (a profit is negative); the optimum lies between `lower` and `upper`.
    prices, orders : (M, X, ...) money and units
        What to ask and to order, by market state, net stock from `lowest` on, and earlier orders.
    share : (M, X, ...)
        Long-run share of periods in each state.
    """

    cost: float
    lower: float
    upper: float
    prices: FloatArray
    orders: FloatArray
    share: FloatArray
    lowest: int


@dataclass(frozen=True)
class Box:
    """Positions after ordering that are considered, units, and the largest order of a lead time above 0."""

    low: int
    high: int


class Program(Protocol):
    """A finite program: `improve` makes a step, `follow` says what a choice of prices and orders leads to."""

    shape: tuple[int, ...]

    def improve(self, values: FloatArray) -> tuple[FloatArray, IntArray, IntArray]: ...
    def follow(self, price: IntArray, order: IntArray) -> tuple[FloatArray, sparse.csr_array]: ...


def best_policy(row: PricedRow, tolerance: float = 1e-9) -> Optimum:
    """The least long-run average cost.

    Raises
    ------
    InputError
        If the program is too large, nobody orders though stock matters, or the bounds do not come together.
    """
    if row.stock_is_free:
        return _solved(row, PricesAlone(row), 0, 0, tolerance)
    if not row.orders:
        raise InputError(f"nodes.{row.name}: nobody orders for it, so its stock only falls; let its agent order.")
    box = _first_box(row)
    for _ in range(WIDENINGS):
        program = PricesAndOrders(row, box)
        found = _solved(row, program, program.lowest, program.first_state(), tolerance)
        wider = program.touched(found)
        if wider == box:
            return found
        box = wider
    raise InputError(f"nodes.{row.name}: the best stock has no bound that was found; is its holding cost above 0?")


def work_of(row: PricedRow) -> float:
    """Multiplications of one step."""
    return 0.0 if row.stock_is_free else PricesAndOrders.work(row, _first_box(row))


def best_constant_price(row: PricedRow) -> tuple[float, float]:
    """The best price to keep for ever where stock is free, and its long-run cost a period."""
    program = PricesAlone(row)
    costs = [program.cost_of_constant(number) for number in range(len(row.prices))]
    best = int(np.argmin(costs))
    return float(row.prices[best]), float(costs[best])


def _first_box(row: PricedRow) -> Box:
    """Stock for the largest mean demand, and an economic lot of it (Harris 1913)."""
    means = row.market.means()
    largest = float(np.quantile(means, 0.9)) * (row.lead_time + 1)
    lot = np.sqrt(2 * row.fixed_order_cost * float(np.median(means)) / row.holding_cost) if row.holding_cost else 0.0
    high = int(np.ceil(largest + 4 * np.sqrt(largest) + 2 * lot)) + 4
    return Box(-int(np.ceil(largest + lot)) - 4 if row.waits else 0, high)


def _solved(row: PricedRow, program: Program, lowest: int, first: int, tolerance: float) -> Optimum:
    values, part = np.zeros(program.shape), share_of_step(1)
    for _ in range(MOST_ROUNDS):
        least, price, order = program.improve(values)
        gain = least - values
        lower, upper = float(gain.min()), float(gain.max())
        costs, transitions = program.follow(price, order)
        if upper - lower <= tolerance * max(1.0, abs(lower)):
            start = np.zeros(values.size)
            start[first] = 1.0
            share = long_run(transitions, start, 2).reshape(program.shape)
            orders = np.asarray(order, dtype=np.float64)
            return Optimum((lower + upper) / 2, lower, upper, row.prices[price], orders, share, lowest)
        values = values + part * gain
        values = followed(costs, transitions, values.ravel(), part, (upper - lower) / 20).reshape(program.shape)
    raise InputError(
        f"nodes.{row.name}: after {MOST_ROUNDS} rounds the cost is only known to lie between {lower:.9g} and "
        f"{upper:.9g}; its stock or backorders may have no bound."
    )


class PricesAlone:
    """Prices where stock costs nothing: states (M,)."""

    def __init__(self, row: PricedRow) -> None:
        self.row = row
        self.shape: tuple[int, ...] = (len(row.market),)
        self.costs = -row.prices * row.market.means()

    def improve(self, values: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
        """The least of each state, its price, and no order."""
        of_prices = self.costs + values[self.row.market.following]
        price = of_prices.argmin(1)
        return of_prices.min(1), price, np.zeros_like(price)

    def follow(self, price: IntArray, order: IntArray) -> tuple[FloatArray, sparse.csr_array]:
        """(n,) costs and (n, n) transitions of a choice."""
        states = np.arange(len(price))
        after = self.row.market.following[states, price]
        ones = (np.ones(len(states)), (states, after))
        return self.costs[states, price], sparse.csr_array(ones, shape=(len(states), len(states)))

    def cost_of_constant(self, price: int) -> float:
        """Long-run cost of one price for ever, from where an episode begins."""
        state, seen = 0, dict[int, int]()
        costs: list[float] = []
        while state not in seen:
            seen[state] = len(costs)
            costs.append(float(self.costs[state, price]))
            state = int(self.row.market.following[state, price])
        return float(np.mean(costs[seen[state] :]))


class PricesAndOrders:
    """Prices and orders: states (M, X) and, for a lead time L above 1, the L - 1 latest orders.

    With a lead time of 0 an order serves the demand of its period; above, it is on the shelf after it.
    """

    def __init__(self, row: PricedRow, box: Box) -> None:
        self.row, self.box = row, box
        work = self.work(row, box)
        if work > MOST_WORK:
            raise InputError(
                f"nodes.{row.name}: an exact solution takes {work:.2g} multiplications a step, more than "
                f"{MOST_WORK:.2g}; shorten the lead time, narrow the price_range, or tune a rule such as myopic_price."
            )
        self.chances = _chances(row)
        most = self.chances.shape[2] - 1
        self.lowest = box.low - max(row.lead_time, 1) * most if row.waits else 0
        self.stock = np.arange(self.lowest, box.high + 1)
        self.quantities = np.arange(box.high - box.low + 1)
        self.shape = (len(row.market), len(self.stock), *[len(self.quantities)] * max(row.lead_time - 1, 0))
        below = most if row.waits and row.lead_time else 0
        self.left = np.arange(self.lowest - below, box.high + 1)
        self._period = _period_costs(row, self.chances, self.stock)

    @staticmethod
    def work(row: PricedRow, box: Box) -> float:
        """Multiplications of one step."""
        most = max(float(law.values[-1]) for laws in row.market.laws for law in laws)
        stock = box.high - box.low + 1 + (most * max(row.lead_time, 1) if row.waits else 0)
        quantities = float(box.high - box.low + 1) ** row.lead_time
        return len(row.market) * len(row.prices) * stock * (stock + most) * quantities

    def first_state(self) -> int:
        """The number of the state in which an episode begins, as near as the box holds it."""
        row = self.row
        arriving = row.pipeline[0] if row.lead_time else 0
        stock = int(np.clip(row.on_hand + arriving, self.lowest, self.box.high)) - self.lowest
        later = [min(units, len(self.quantities) - 1) for units in row.pipeline[1:]]
        return int(np.ravel_multi_index((0, stock, *later), self.shape))

    def improve(self, values: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
        """The least of each state, with its price and order; one market state after another."""
        parts = [self._improve_one(state, values) for state in range(len(self.row.market))]
        least, price, order = (np.array([part[number] for part in parts]) for number in range(3))
        return least, price.astype(np.int64), order.astype(np.int64)

    def _improve_one(self, state: int, values: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
        """Before the order is chosen: the best price for every stock and, with a lead time, every order."""
        matrix = self._after_demand(state)
        best, chosen = None, np.zeros(0, dtype=np.int64)
        for price, after in enumerate(self.row.market.following[state]):
            following = self._following(values[after])
            flat = following.reshape(len(self.left), -1)
            costs = (matrix[price] @ flat) + self._period[state, price][:, None]
            costs = costs.reshape(len(self.stock), *following.shape[1:])
            if best is None:
                best, chosen = costs, np.zeros(costs.shape, dtype=np.int64)
            else:
                better = costs < best
                best = np.where(better, costs, best)
                chosen[better] = price
        assert best is not None
        return self._order_now(best, chosen) if self.row.lead_time == 0 else self._order_ahead(best, chosen)

    def _following(self, values: FloatArray) -> FloatArray:
        """Next period's values by what is left (and earlier orders) and this period's order, (X', ..., Q)."""
        row, left = self.row, self.left
        if row.lead_time == 0:
            return np.asarray(values[np.clip(left - self.lowest, 0, len(self.stock) - 1)])
        # What arrives is this period's order, or the earliest of the earlier ones; the others move up by one.
        return np.asarray(values[np.clip(left[:, None] + self.quantities - self.lowest, 0, len(self.stock) - 1)])

    def _after_demand(self, state: int) -> FloatArray:
        """(P, X, X') chances of what is left of each stock."""
        chances = self.chances[state]
        demand = self.stock[:, None] - self.left
        inside = (demand >= 0) & (demand < chances.shape[1])
        matrix = np.where(inside, chances[:, np.clip(demand, 0, chances.shape[1] - 1)], 0.0)
        if not self.row.waits:
            matrix[:, :, 0] += np.maximum(1.0 - matrix.sum(2), 0.0)
        return np.asarray(matrix, dtype=np.float64)

    def _order_now(self, best: FloatArray, chosen: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
        """The order that is on the shelf at once, for each stock; the price belongs to the stock after it."""
        row, stock = self.row, self.stock
        raised = np.where(stock >= self.box.low, best + row.purchase_cost * stock, np.inf)
        target = np.arange(len(stock))
        best_above, at = raised.copy(), target.copy()
        for number in range(len(stock) - 2, -1, -1):
            if best_above[number + 1] < best_above[number]:
                best_above[number], at[number] = best_above[number + 1], at[number + 1]
        ordering = np.append(best_above[1:], np.inf) + row.fixed_order_cost
        orders = ordering < raised
        target = np.where(orders, np.append(at[1:], 0), target)
        least = np.where(orders, ordering, raised) - row.purchase_cost * stock
        return least, chosen[target], target - np.arange(len(stock))

    def _order_ahead(self, best: FloatArray, chosen: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
        """The order that arrives later, for each stock and earlier orders."""
        row, quantities = self.row, self.quantities
        position = self.stock.reshape(-1, *[1] * (best.ndim - 1))
        for axis in range(1, best.ndim - 1):
            position = position + quantities.reshape([-1 if number == axis else 1 for number in range(best.ndim)])
        raised = position + quantities
        allowed = (raised >= self.box.low) & (raised <= self.box.high) | ((quantities == 0) & (raised > self.box.high))
        charged = best + row.purchase_cost * quantities + row.fixed_order_cost * (quantities > 0)
        charged = np.where(allowed, charged, np.inf)
        order = charged.argmin(-1)
        price = np.take_along_axis(chosen, order[..., None], -1)[..., 0]
        return charged.min(-1), price, order

    def follow(self, price: IntArray, order: IntArray) -> tuple[FloatArray, sparse.csr_array]:
        """(n,) costs and (n, n) transitions of a choice (M, X, ...)."""
        row, size = self.row, int(np.prod(self.shape))
        place = np.indices(self.shape).reshape(len(self.shape), size)
        state, stock, earlier = place[0], place[1], place[2:]
        price, order = price.ravel(), order.ravel()
        served = stock + order if row.lead_time == 0 else stock
        costs = self._period[state, price, served] + row.purchase_cost * order + row.fixed_order_cost * (order > 0)
        chances = self.chances[state, price]
        left = self.stock[served][:, None] - np.arange(chances.shape[1])
        if not row.waits:
            left = np.maximum(left, 0)
        arriving = (0 * order if row.lead_time == 0 else order if row.lead_time == 1 else earlier[0])[:, None]
        after = np.clip(left + arriving - self.lowest, 0, len(self.stock) - 1)
        later = [np.repeat(units[:, None], after.shape[1], 1) for units in (*earlier[1:], order)][: len(earlier)]
        market = np.repeat(row.market.following[state, price][:, None], after.shape[1], 1)
        column = np.ravel_multi_index((market, after, *later), self.shape)
        rows = np.repeat(np.arange(size), after.shape[1])
        return costs, sparse.csr_array((chances.ravel(), (rows, column.ravel())), shape=(size, size))

    def touched(self, found: Optimum) -> Box:
        """The box, wider where the best positions stand at its walls in states that are visited."""
        visited = found.share > REACHED
        place = np.indices(self.shape)
        position = self.stock[place[1]] + found.orders + sum(place[2:], np.zeros(self.shape))
        position = position[visited]
        width, box = self.box.high - self.box.low, self.box
        if position.max() >= box.high:
            box = replace(box, high=box.high + width // 2)
        if self.row.waits and position.min() <= box.low:
            box = replace(box, low=box.low - width // 2)
        return box


def _chances(row: PricedRow) -> FloatArray:
    """(M, P, D) chances of demand 0, 1, ..."""
    most = max(int(law.values[-1]) for laws in row.market.laws for law in laws)
    chances = np.zeros((len(row.market), len(row.prices), most + 1))
    for state, laws in enumerate(row.market.laws):
        for price, law in enumerate(laws):
            chances[state, price, law.values.astype(np.int64)] = law.probabilities
    return chances


def _period_costs(row: PricedRow, chances: FloatArray, stock: IntArray) -> FloatArray:
    """(M, P, X) expected cost of a period by the stock that meets its demand, without orders."""
    demand = np.arange(chances.shape[2])
    left = np.maximum(stock[:, None] - demand, 0)
    short = np.maximum(demand - stock[:, None], 0)
    sold = np.minimum(np.maximum(stock, 0)[:, None], demand)
    paid = np.broadcast_to(demand, sold.shape) if row.waits and not row.paid_on_sale else sold
    shortage = row.backorder_cost if row.waits else row.lost_sale_cost
    costs = chances @ (row.holding_cost * left + shortage * short).T
    revenue = row.prices[:, None] * (chances @ paid.T)
    return np.asarray(costs - revenue, dtype=np.float64)
