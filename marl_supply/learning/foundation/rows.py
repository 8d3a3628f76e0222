"""Node tokens: what a model is told of a row, once (costs, lead times, demand) and in every period (stocks, flows).

Numbers are made comparable across chains: units are counted in the row's mean demand, money in holding costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Law
from marl_supply.demand.process import DemandProcess
from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.economics.accounts import PER
from marl_supply.economics.contracts import payments
from marl_supply.economics.rewards import own_weight
from marl_supply.errors import InputError
from marl_supply.game.seat import Seat
from marl_supply.game.table import Table
from marl_supply.topology.network import Network

Floats = NDArray[np.float64]

EDGES, ARRIVALS, TRAVELLING, STATE, FORECASTS = 4, 12, 4, 8, 4
"""Places of a node token for inbound edges, coming arrivals and orders, numbers of a market's state, and forecasts."""
BLOCKS = {
    "on_hand": 1,
    "owed": 1,
    "backorders": 1,
    "on_order": 1,
    "inventory_position": 1,
    "safety": 1,
    "echelon_inventory_position": 1,
    "receipts": 1,
    "incoming_orders": 1,
    "market_demand": 1,
    "last_order": EDGES,
    "pipeline": ARRIVALS,
    "travelling": TRAVELLING,
    "market_state": STATE,
    "periods_to_review": 1,
    "review_interval": 1,
    "stopped": 1,
    "closed": EDGES,
    "forecast": FORECASTS,
}
"""What changes from period to period, with the places of each field; `safety` is the inventory position less mean
lead-time demand, in its standard deviations."""
STARTS = dict(zip(BLOCKS, np.cumsum([0, *BLOCKS.values()]).tolist(), strict=False))
SEEN = sum(BLOCKS.values())
"""Numbers of a node token that change."""
LIMIT = 20.0
"""Largest size of one of them."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
EDGE_NAMES = ("there", "time", "delay", "premium", "relative_premium", "fixed", "limit", "pipeline")
PRICE_NAMES = ("margin", "price", "on_sale", "priced", "low", "high", "at_low", "at_middle", "at_high", "exposed")
CONSTANT = 35 + len(QUANTILES) + len(PER) + EDGES * len(EDGE_NAMES)
"""Numbers of a node token that do not change."""
PLACES = 32
"""Rows of a seat that a model tells apart."""


class NodeTokens:
    """The rows that a seat sees as tokens: its own first, then others of which `observe` shows a number.

    Parameters
    ----------
    seat
        Whose view it is.
    observe : str
        The level of the game.

    Attributes
    ----------
    rows : (m,) int
        Their numbers in the network.
    matrix, shift : (m * SEEN, k), (m * SEEN,)
        What the tokens of a period are of the k numbers that the seat sees.
    constant : (m, CONSTANT)
        What does not change.

    Raises
    ------
    InputError
        For rows with more suppliers, or more numbers in their market's state, than a token has places for.
    """

    def __init__(self, seat: Seat, observe: str) -> None:
        self.seat, self.network = seat, seat.network
        table = Table(seat.network)
        where = table.seen(seat, observe)[1]
        of = _owners(seat.network, table)[where]
        others = [int(row) for row in dict.fromkeys(of[:, 0].tolist()) if row >= 0 and row not in seat.scope.rows]
        self.rows = np.array([*map(int, seat.scope.rows), *others], dtype=np.int64)
        if len(self.rows) > PLACES:
            raise InputError(
                f"{seat.agent}: it sees {len(self.rows)} rows, and a model tells {PLACES} apart; lower observe."
            )
        place = {int(row): number for number, row in enumerate(self.rows)}
        self.matrix = np.zeros((len(self.rows) * SEEN, len(where)))
        self.shift = np.zeros(len(self.rows) * SEEN)
        for number, (row, slot) in enumerate(of.tolist()):
            if row >= 0:
                at = place[row] * SEEN + slot
                self.matrix[at, number] += 1 / _unit(seat.network, table, int(where[number]), row)
                if slot == STARTS["inventory_position"]:
                    self._add_safety(place[row], row, number)
        self._projection, self._shift = self.matrix.T.astype(np.float32), self.shift.astype(np.float32)
        self.constant = np.array([list(described(seat, int(row)).values()) for row in self.rows], dtype=np.float64)

    def _add_safety(self, place: int, row: int, number: int) -> None:
        mean, deviation = lead_time_demand(self.network, row)
        at = place * SEEN + STARTS["safety"]
        self.matrix[at, number] = 1 / deviation
        self.shift[at] = -mean / deviation

    def changing(self, seen: NDArray[Any]) -> NDArray[np.float32]:
        """(..., m, SEEN) tokens of (..., k) numbers seen, units."""
        products = np.asarray(seen, dtype=np.float32) @ self._projection + self._shift
        return np.clip(products, -LIMIT, LIMIT).reshape(*seen.shape[:-1], len(self.rows), SEEN)


def scale_of(network: Network, row: int) -> float:
    """Units: the mean demand of a period that a row's numbers are counted in; 1 where there is none."""
    return float(network.mean_demand[row]) or 1.0


def lead_time_demand(network: Network, row: int) -> tuple[float, float]:
    """Units: mean and deviation of the demand until an order on a row's first edge that is placed next has arrived.

    The deviation is a tenth of a period's mean demand at least, since numbers are divided by it.
    """
    edge = network.first_edge[row]
    periods = float(network.lead_time[edge] + network.information_delay[edge] + 1)
    deviation = float(network.demand_deviation[row] * np.sqrt(periods))
    return float(network.mean_demand[row]) * periods, max(deviation, 0.1 * scale_of(network, row))


def _owners(network: Network, table: Table) -> NDArray[np.int64]:
    """(F, 2) for each number of the table the row whose token it belongs to, -1 for nobody's, and its place there."""
    found = np.full((len(table.entries), 2), -1, dtype=np.int64)
    rank = _ranks(network)
    for quantity in table.quantities:
        start = table.start[quantity.name]
        for number, (row, slot) in enumerate(_places(network, quantity.of, quantity.name, rank)):
            if 0 <= row < len(network.rows):
                if slot >= BLOCKS[quantity.name]:
                    raise InputError(
                        f"{network.topology.name}: {network.rows[row]} has more numbers of {quantity.name} than the "
                        f"{BLOCKS[quantity.name]} that a model has places for."
                    )
                found[start + number] = row, STARTS[quantity.name] + slot
    return found


def _places(network: Network, of: str, name: str, rank: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """The row of each number of a block, and which of the block's places it takes."""
    by_edge = BLOCKS[name] > 1
    if of == "rows":
        yield from ((row, 0) for row in range(len(network.rows)))
    elif of == "lines":
        yield from ((int(place), 0) for place in network.line_place)
    elif of == "edges":
        yield from ((int(row), int(rank[edge]) if by_edge else 0) for edge, row in enumerate(network.customer))
    elif of == "markets":
        yield from ((int(row), 0) for row in network.market_row)
    elif of in ("slots", "travelling"):
        slots = network.pipeline_slots if of == "slots" else network.travelling_slots
        yield from ((int(network.customer[edge]), min(int(ahead), BLOCKS[name]) - 1) for edge, ahead in slots)
    elif of == "memory":
        used = dict.fromkeys(range(len(network.rows)), 0)
        for market, _, size in network.public_memory:
            for _ in range(size):
                row = int(network.market_row[market])
                yield row, used[row]
                used[row] += 1
    else:
        ahead = network.topology.game.forecast
        yield from ((int(row), min(step, FORECASTS - 1)) for row in network.market_row for step in range(ahead))


def _ranks(network: Network) -> NDArray[np.int64]:
    """(E,) the number of each edge among those of its row, in the order of the file."""
    return np.array([int((network.customer[:edge] == row).sum()) for edge, row in enumerate(network.customer)])


def _unit(network: Network, table: Table, position: int, row: int) -> float:
    """In what a number of the table is counted."""
    name = table.entries[position].field
    if name == "market_state":
        sizes = np.concatenate([np.ravel(responsive(network, m).start()[key]) for m, key, _ in network.public_memory])
        return float(abs(sizes[position - table.start[name]])) or 1.0
    if name in ("periods_to_review", "review_interval"):
        return 7.0
    return 1.0 if name in ("stopped", "closed") else scale_of(network, row)


def responsive(network: Network, market: int) -> ResponsiveProcess:
    """The process of a market whose demand answers."""
    process = network.processes[network.markets[market]]
    assert isinstance(process, ResponsiveProcess)
    return process


def described(seat: Seat, row: int) -> dict[str, float]:
    """What a model is told of a row once, by name; all numbers are of size one or so."""
    network = seat.network
    edges = np.flatnonzero(network.customer == row)
    if len(edges) > EDGES:
        raise InputError(
            f"{network.topology.name}: {network.rows[row]} has {len(edges)} suppliers, and a model has places for "
            f"{EDGES}; merge some."
        )
    unit, holding = scale_of(network, row), holding_of(network, row)
    return {
        **_demand(network, row, unit),
        **_shortage(network, row, holding),
        **_place(seat, row),
        **_limits(network, row, unit),
        **_prices(network, row, edges, holding),
        **_transfers(network, row, holding),
        **{
            f"edge_{number}_{name}": value
            for number in range(EDGES)
            for name, value in _edge(network, edges, number, unit, holding).items()
        },
    }


def _demand(network: Network, row: int, unit: float) -> dict[str, float]:
    markets = [m for m, at in enumerate(network.market_row) if network.downstream[row][at]]
    law = _law(network.processes[network.markets[markets[0]]]) if len(markets) == 1 else None
    deviation = float(network.demand_deviation[row])
    found = {"demand": np.log(unit) / 3, "demand_deviation": deviation / unit, "law": float(law is not None)}
    found["none"] = float(law.cdf(0.0)) if law is not None else 0.0
    for quantile in QUANTILES:
        value = float(law.quantile(quantile)) if law is not None else 0.0
        found[f"quantile_{quantile}"] = value / unit / 2
    return found


def _law(process: DemandProcess) -> Law | None:
    """The law of a period's demand, None where it is not known."""
    try:
        return process.distribution()
    except InputError:
        return None


def _shortage(network: Network, row: int, holding: float) -> dict[str, float]:
    found: dict[str, float] = {}
    own = np.flatnonzero(network.line_place == row)
    below = [network.market_line[m] for m, at in enumerate(network.market_row) if network.downstream[row][at]]
    for name, lines in (("own", own), ("market", np.array(below, dtype=np.int64))):
        waits = network.keeps[lines] > 0
        cost = np.where(waits, network.backorder_cost[lines], network.lost_sale_cost[lines])
        mean = float(cost.mean()) if len(cost) else 0.0
        found[f"{name}_waits"] = float(waits.mean()) if len(waits) else 0.0
        found[f"{name}_ratio"] = mean / (mean + holding) if mean else 0.0
        found[f"{name}_shortage"] = np.log1p(mean / holding) / 3
    return found


def _place(seat: Seat, row: int) -> dict[str, float]:
    network = seat.network
    market = [network.holding_cost[at] for at in network.market_row if network.downstream[row][at]]
    relative = network.holding_cost[row] / market[0] if market and market[0] > 0 else 1.0
    return {
        "own": float(row in seat.scope.rows),
        "decided": len(seat.scope.rows) / len(network.rows),
        "own_weight": own_weight(network.topology.game.reward),
        "holding": float(np.clip(relative, 0, 3)),
        "below": float(network.periods_below[row]) / 10,
        "rows": len(network.rows) / 10,
        "upstream": float(network.downstream[:, row].sum()) / 5,
        "downstream": float(network.downstream[row].sum()) / 5,
        "serves_market": float(row in network.market_row),
        "demand_first": float(network.demand_first),
        "integer": float(network.integer),
    }


def _limits(network: Network, row: int, unit: float) -> dict[str, float]:
    node = network.topology.nodes[network.rows[row]]
    capacity = float(np.asarray(network.capacity)[row]) if network.capacity is not None else np.inf
    return {
        "capacity": unit / capacity if capacity < np.inf else 0.0,
        "batch": float(network.batch[row]) / unit if network.batch is not None else 0.0,
        "perishable": float(node.shelf_life is not None),
        "review": max(node.review) / 7,
    }


def _prices(network: Network, row: int, edges: NDArray[np.int64], holding: float) -> dict[str, float]:
    """Of the row's first market: margin, range, and how demand answers to prices."""
    markets = np.flatnonzero(network.market_row == row)
    found = dict.fromkeys(
        ("margin", "price", "on_sale", "priced", "low", "high", "at_low", "at_middle", "at_high"), 0.0
    )
    found["exposed"] = 0.0
    if not len(markets):
        return found
    market = int(markets[0])
    price, cost = float(network.price[market]), float(network.purchase_cost[edges].min())
    if price > 0:
        found |= {"margin": np.log1p(max(price - cost, 0.0) / holding) / 3, "price": cost / price}
        found["on_sale"] = float(network.paid_on_sale[market])
    found["exposed"] = float(network.groups.get(market, 0)) / 5
    low, high = network.price_range[market]
    if high < np.inf and price > 0:
        process = responsive(network, market)
        shares = {"at_low": 0.25, "at_middle": 0.5, "at_high": 0.75}
        unit = scale_of(network, row)
        found |= {"priced": 1.0, "low": low / price, "high": high / price}
        found |= {name: process.mean_at(float(low + at * (high - low))) / unit for name, at in shares.items()}
    return found


def _transfers(network: Network, row: int, holding: float) -> dict[str, float]:
    """What a row's node is paid by contract for a unit of each flow, less what it pays, in holding costs."""
    found = dict.fromkeys(PER, 0.0)
    for payment in payments(network):
        sign = (payment.payee == network.rows[row]) - (payment.payer == network.rows[row])
        found[payment.per] += sign * payment.rate / (1.0 if payment.per == "revenue" else holding)
    return {f"paid_{name}": float(np.sign(rate) * np.log1p(abs(rate)) / 3) for name, rate in found.items()}


def _edge(network: Network, edges: NDArray[np.int64], number: int, unit: float, holding: float) -> dict[str, float]:
    if number >= len(edges):
        return dict.fromkeys(EDGE_NAMES, 0.0)
    return dict(zip(EDGE_NAMES, edge_numbers(network, int(edges[number]), unit, holding), strict=True))


def edge_numbers(network: Network, edge: int, unit: float, holding: float) -> list[float]:
    """What a model is told of an edge: periods, and costs in holding costs of a period's demand."""
    row = int(network.customer[edge])
    others = network.purchase_cost[network.customer == row]
    premium = float(network.purchase_cost[edge] - others.min())
    lines = np.flatnonzero(network.line_place == row)
    shortage = float(np.maximum(network.backorder_cost[lines], network.lost_sale_cost[lines]).max(initial=0.0))
    limit = np.inf if network.order_limit is None else float(network.order_limit[edge])
    return [
        1.0,
        float(network.mean_lead_time[edge] + network.information_delay[edge]) / 4,
        float(network.information_delay[edge]) / 4,
        np.log1p(premium / holding) / 2,
        premium / (premium + shortage) if premium > 0 else 0.0,
        np.log1p(float(network.fixed_order_cost[edge]) / (holding * unit)) / 2,
        unit / limit if limit < np.inf else 0.0,
        float(network.pipeline_holding_cost[edge]) / holding,
    ]


def holding_of(network: Network, row: int) -> float:
    """Money: the holding cost that a row's costs are compared with; where holding is free, the mean of the chain."""
    own = float(network.holding_cost[row])
    return own or float(network.holding_cost.mean()) or 1.0
