"""One row that sets its price and orders: the family, read from a game, with the states its market can be in.

The market may remember, as one with a competitor does, where what it remembers follows from the prices alone; then its
memory takes finitely many values on the grid of prices, the market states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.errors import InputError
from marl_supply.game.actions import action_of
from marl_supply.game.game import Game
from marl_supply.simulation.arrays import NUMPY
from marl_supply.solvers.newsvendor import refuse_many_rows, refuse_unplain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_MARKET_STATES = 4000
SOLVED_BESIDE = frozenset({"fixed_order_cost", "unmet", "price_range", "revenue_on"})
"""What this family may have beside the plain chain of one row."""
DIGITS = 9
"""Decimals of money to which two memories of a market are the same state."""


@dataclass(frozen=True, eq=False)
class MarketStates:
    """What a market can remember on a grid of P prices: M states.

    Attributes
    ----------
    names : tuple of str
        What is remembered, as the columns of `values`.
    values : (M, n)
        By state; the first is where an episode begins.
    following : (M, P) int
        The state after a period at each price.
    laws : (M, P) tuples of Distribution
        Of the demand of that period.
    """

    names: tuple[str, ...]
    values: FloatArray
    following: IntArray
    laws: tuple[tuple[Distribution, ...], ...]

    def __len__(self) -> int:
        return len(self.values)

    def means(self) -> FloatArray:
        """(M, P) units a period."""
        return np.array([[law.mean for law in row] for row in self.laws])


@dataclass(frozen=True, eq=False)
class PricedRow:
    """A row that decides its price, and its orders where `orders` says so.

    prices: (P,) money, the grid; costs as in the file; waits: whether short customers wait; paid_on_sale: whether only
    who is served in the period pays; on_hand, pipeline: units at the start.
    """

    name: str
    market: MarketStates
    prices: FloatArray
    orders: bool
    lead_time: int
    waits: bool
    paid_on_sale: bool
    purchase_cost: float
    fixed_order_cost: float
    holding_cost: float
    backorder_cost: float
    lost_sale_cost: float
    on_hand: int
    pipeline: tuple[int, ...]

    @property
    def stock_is_free(self) -> bool:
        """Whether neither stock nor shortage has a price, so that the prices alone are a decision."""
        free = self.holding_cost == 0 and self.backorder_cost == 0 and self.waits and not self.paid_on_sale
        return free and not self.orders


def priced_row(game: Game) -> PricedRow:
    """Read the family from a game.

    Raises
    ------
    InputError
        In one sentence, where the game is something else.
    """
    network, family = game.network, "a price and an order"
    name = game.topology.name
    if not len(network.priced_markets):
        raise InputError(f"{name}: no market has a price_range, so no price is decided; state one.")
    refuse_unplain(network, family, beside=SOLVED_BESIDE)
    refuse_many_rows(network, family)
    _refuse_game(game)
    edge, line = int(network.first_edge[0]), int(network.market_line[0])
    prices = _grid(game)
    return PricedRow(
        name=network.rows[0],
        market=market_states(game, prices),
        prices=prices,
        orders=game.seats[game.agents[0]].scope.orders,
        lead_time=int(network.lead_time[edge]),
        waits=bool(network.keeps[line]),
        paid_on_sale=bool(network.paid_on_sale[0]),
        purchase_cost=float(network.purchase_cost[edge]),
        fixed_order_cost=float(network.fixed_order_cost[edge]),
        holding_cost=float(network.holding_cost[0]),
        backorder_cost=float(network.backorder_cost[line]),
        lost_sale_cost=float(network.lost_sale_cost[line]),
        on_hand=int(network.on_hand[0]),
        pipeline=tuple(int(units) for units in game.topology.edges[edge].pipeline),
    )


def _refuse_game(game: Game) -> None:
    name, network = game.topology.name, game.network
    if len(game.agents) > 1:
        raise InputError(f"{name}: {len(game.agents)} agents; let one decide the price and the orders.")
    if not len(game.seats[game.agents[0]].scope.priced_markets):
        raise InputError(f"{name}: game.agents.{game.agents[0]}: it decides no price; add it to `decides`.")
    if not network.integer:
        raise InputError(f"{name}: units: prices and orders on a grid need units: integer.")
    if game.start_rule == "warm":
        raise InputError(f"{name}: an exact solution starts from the stocks of the file; set `game.start: file`.")
    if network.information_delay.any():
        raise InputError(f"{name}: edges.{network.edges[0]}.information_delay: put it into lead_time.")
    edge = game.topology.edges[0]
    if edge.holding_cost and edge.title == "customer" and edge.lead_time:
        raise InputError(f"{name}: edges.{network.edges[0]}.holding_cost: stock on the way is not charged here.")


def _grid(game: Game) -> FloatArray:
    """(P,) prices that the agent's action can name."""
    settings = game.topology.game.actions
    parameters = {} if isinstance(settings, str) else dict(settings.get("price", {}))
    action = action_of(game.seats[game.agents[0]], game.action_kind, {"price": parameters} if parameters else {})
    step = float(np.broadcast_to(action.step, action.low.shape)[-1])
    return np.asarray(action.low[-1] + step * np.arange(int(action.choices[-1])), dtype=np.float64)


def market_states(game: Game, prices: FloatArray) -> MarketStates:
    """The states of the one market of a game that prices of a grid lead to, breadth first.

    Raises
    ------
    InputError
        Where the market answers to chance, its law is not known or not in whole units, or there are too many states.
    """
    ((name, process),) = game.processes.items()
    place = f"{game.topology.name}: markets.{name}"
    if not isinstance(process, ResponsiveProcess):
        raise InputError(f"{place}: demand of '{process.kind}' does not answer to the price; use logistic_price.")
    return _market_states(place, process, tuple(prices.tolist()))


@lru_cache(maxsize=16)
def _market_states(place: str, process: ResponsiveProcess, grid: tuple[float, ...]) -> MarketStates:
    prices, first = np.array(grid), process.start()
    names = tuple(first)
    found = [np.concatenate([first[one] for one in names]) if names else np.zeros(0)]
    widths = [len(first[one]) for one in names]
    number = {state_key(found[0]): 0}
    following: list[list[int]] = []
    while len(following) < len(found):
        memory = _columns(names, widths, found[len(following)], len(prices))
        after = process.next_memory(NUMPY, memory, prices)
        stacked = np.concatenate([after[one] for one in names]) if names else np.zeros((0, len(prices)))
        row = []
        for values in stacked.T:
            key = state_key(values)
            if key not in number:
                number[key] = len(found)
                found.append(values)
            row.append(number[key])
        following.append(row)
        if len(found) > MOST_MARKET_STATES:
            raise InputError(
                f"{place}: on {len(prices)} prices it remembers more than {MOST_MARKET_STATES:,} different things, too "
                f"many for an exact solution; keep {' or '.join(names)} where it starts, or tune a rule instead."
            )
    laws = tuple(_laws(place, process, names, widths, values, prices) for values in found)
    return MarketStates(names, np.array(found), np.array(following, dtype=np.int64), laws)


def state_key(values: FloatArray) -> bytes:
    """What is the same for two memories of a market that are one state."""
    return (np.round(values, DIGITS) + 0.0).tobytes()


def _columns(names: tuple[str, ...], widths: list[int], values: FloatArray, count: int) -> dict[str, FloatArray]:
    parts = np.split(values, np.cumsum(widths)[:-1]) if names else []
    return {name: np.repeat(part[:, None], count, axis=1) for name, part in zip(names, parts, strict=True)}


def _laws(
    place: str,
    process: ResponsiveProcess,
    names: tuple[str, ...],
    widths: list[int],
    values: FloatArray,
    prices: FloatArray,
) -> tuple[Distribution, ...]:
    memory = {name: part[:, 0] for name, part in _columns(names, widths, values, 1).items()}
    laws = []
    for price in prices:
        law = process.law(memory, float(price))
        if not isinstance(law, Distribution) or (law.values != np.rint(law.values)).any():
            raise InputError(f"{place}: an exact solution needs demand in whole units; round it.")
        laws.append(law)
    return tuple(laws)
