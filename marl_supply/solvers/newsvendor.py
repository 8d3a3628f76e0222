"""One echelon with backorders and linear costs: its base-stock level, what a level costs, and where a chain is one.

An order placed in t with lead time L serves the demand of t + L, so that a level covers L + 1 periods of demand, or L
where the demand of a period is seen before its order. With C the demand covered, a level S costs
h E(S - C)^+ + b E(C - S)^+ a period, least at the smallest S with P(C <= S) >= b / (b + h) (Arrow, Harris & Marschak
1951; Zipkin 2000, Foundations of Inventory Management, chapter 9). With stock that perishes and customers who leave,
each period is a newsvendor of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marl_supply.demand.distribution import Distribution, Law
from marl_supply.economics.contracts import payments
from marl_supply.errors import InputError
from marl_supply.topology.network import Network

FloatArray = NDArray[np.float64]

PLAIN_NODE: Mapping[str, Any] = {"capacity": None, "storage": None, "disruption": None, "shelf_life": None}
PLAIN_EDGE: Mapping[str, Any] = {
    "delay": (),
    "shipping_loss": 0,
    "disruption": None,
    "discounts": (),
    "order_limit": None,
    "fixed_order_cost": 0,
}
PLAIN_MARKET: Mapping[str, Any] = {"unmet": "backorder", "expedite": None, "price_range": None, "revenue_on": "demand"}


@dataclass(frozen=True, eq=False)
class BackloggedRow:
    """One row that a source without limits supplies, whose customers wait.

    Parameters
    ----------
    demand
        The law of a period's demand; periods are independent.
    lead_time : int
        L, periods.
    holding_cost, backorder_cost : float
        h and b, money per unit and period, on the stock and the backorders at the end of a period.
    demand_seen : bool
        Whether orders are placed knowing the demand of the period.
    constant_cost : float
        What is charged in every period whatever the level, money: purchases, the pipeline, minus revenue.
    name : str
        Of the row.
    """

    demand: Law
    lead_time: int
    holding_cost: float
    backorder_cost: float
    demand_seen: bool = False
    constant_cost: float = 0.0
    name: str = "store"

    def __post_init__(self) -> None:
        require_positive(holding_cost=self.holding_cost, backorder_cost=self.backorder_cost)
        if self.lead_time < 0:
            raise InputError(f"lead_time: {self.lead_time} is negative; give 0 periods or more.")

    @property
    def periods(self) -> int:
        """How many periods of demand a level covers."""
        return self.lead_time + (not self.demand_seen)

    @cached_property
    def covered(self) -> Law:
        """The law of the demand that a level covers."""
        return self.demand.over(self.periods)


@dataclass(frozen=True, eq=False)
class PerishableRow:
    """One row whose stock is scrapped every period and whose customers leave when it is short.

    overage_cost, underage_cost: money for a unit left over, and for one missing; constant_cost: money a period
    whatever is stocked (mean demand times what a served unit costs, negative where it earns).
    """

    demand: Law
    overage_cost: float
    underage_cost: float
    constant_cost: float = 0.0
    name: str = "store"


@dataclass(frozen=True)
class LevelAndCost:
    """A base-stock level, units, and its long-run average cost, money a period."""

    level: float
    cost: float


def require_positive(**costs: float) -> None:
    """Raise InputError for the first cost that is not above 0: without it no finite level is best."""
    for name, cost in costs.items():
        if not 0 < cost < np.inf:
            raise InputError(f"{name}: {cost:g} is not a number above 0, and no finite level is best; give one.")


def expected_costs(covered: Law, levels: ArrayLike, holding_cost: float, backorder_cost: float) -> FloatArray:
    """h E(S - C)^+ + b E(C - S)^+ for levels S of any shape, money.

    Where the covered demand C has finitely many values the shortage is linear between them, so that thousands of levels
    cost little more than one.
    """
    levels = np.asarray(levels, dtype=np.float64)
    shortage = _shortage(covered, levels) if isinstance(covered, Distribution) else covered.shortage(levels)
    return np.asarray(holding_cost * (levels - covered.mean) + (holding_cost + backorder_cost) * shortage)


def _shortage(law: Distribution, levels: FloatArray) -> FloatArray:
    """E(C - S)^+ by interpolation between the values of C, exactly."""
    survival = np.cumsum(law.probabilities[::-1])[::-1][1:]
    at_values = np.append(np.cumsum((survival * np.diff(law.values))[::-1])[::-1], 0.0)
    return np.asarray(np.interp(levels, law.values, at_values) + np.maximum(law.values[0] - levels, 0.0))


def single_period(demand: Law, overage_cost: float, underage_cost: float) -> LevelAndCost:
    """The newsvendor: what to stock for one period's demand, and its expected cost.

    Parameters
    ----------
    demand
        Its law.
    overage_cost, underage_cost : float
        Money for each unit left over, and for each unit missing; both above 0.
    """
    require_positive(overage_cost=overage_cost, underage_cost=underage_cost)
    level = float(demand.quantile(underage_cost / (underage_cost + overage_cost)))
    return LevelAndCost(level, float(expected_costs(demand, level, overage_cost, underage_cost)))


def best_level(row: BackloggedRow) -> LevelAndCost:
    """The optimal base-stock level (the smallest of them) and its cost a period, constant costs included."""
    found = single_period(row.covered, row.holding_cost, row.backorder_cost)
    return LevelAndCost(found.level, found.cost + row.constant_cost)


def cost_of_level(row: BackloggedRow, level: float) -> float:
    """Money a period of any base-stock level, units."""
    return float(expected_costs(row.covered, level, row.holding_cost, row.backorder_cost)) + row.constant_cost


def best_quantity(row: PerishableRow) -> LevelAndCost:
    """What to stock in every period and its cost a period, constant costs included."""
    found = single_period(row.demand, row.overage_cost, row.underage_cost)
    return LevelAndCost(found.level, found.cost + row.constant_cost)


def backlogged_row(network: Network) -> BackloggedRow:
    """Read a chain that is one backlogged row; costs are those that the simulator charges to its node.

    Raises
    ------
    InputError
        Where the chain is something else.
    """
    return read_row(network, "a base-stock level")


def perishable_row(network: Network) -> PerishableRow:
    """Read a chain that is one row whose stock perishes (`shelf_life: 1`), with lost sales and lead time 0."""
    family = "a newsvendor"
    refuse_unplain(network, family, beside={"shelf_life", "unmet"})
    refuse_many_rows(network, family)
    edge, line, row = int(network.first_edge[0]), int(network.market_line[0]), network.rows[0]
    where = f"{network.topology.name}: nodes.{row}"
    if not len(network.perishable) or network.keeps[line]:
        raise InputError(f"{where}: {family} needs stock that perishes and sales that are lost; see backlogged_row.")
    if network.lead_time[edge] or network.information_delay[edge] or network.demand_first:
        raise InputError(f"{where}: {family} orders for this period and before its demand; use a lead time of 0.")
    demand, purchase, price = law_of_demand(network, family), network.purchase_cost[edge], network.price[0]
    return PerishableRow(
        demand,
        float(purchase + network.holding_cost[0] - network.salvage_value[0]),
        float(price + network.lost_sale_cost[line] - purchase),
        float(purchase - price) * demand.mean,
        row,
    )


def read_row(network: Network, family: str, beside: Collection[str] = ()) -> BackloggedRow:
    """Read one backlogged row; `beside` names what the caller solves besides: fixed_order_cost, review."""
    refuse_unplain(network, family, beside)
    refuse_many_rows(network, family)
    edge, demand = int(network.first_edge[0]), law_of_demand(network, family)
    in_transit = way_costs(network)[edge]
    return BackloggedRow(
        demand=demand,
        lead_time=int(network.lead_time[edge] + network.information_delay[edge]),
        holding_cost=float(network.holding_cost[0]),
        backorder_cost=float(network.backorder_cost[network.market_line[0]]),
        demand_seen=network.demand_first,
        constant_cost=float(in_transit + network.purchase_cost[edge] - network.price[0]) * demand.mean,
        name=network.rows[0],
    )


def way_costs(network: Network) -> FloatArray:
    """(E,) what the pipeline of each edge costs, money for a unit of demand; what a source would pay nobody pays."""
    paid = network.pipeline_place < len(network.rows)
    return np.asarray(network.pipeline_holding_cost * network.lead_time * paid, dtype=np.float64)


def refuse_many_rows(network: Network, family: str) -> None:
    """Raise InputError unless there is one row, one edge that leads to it and one market."""
    for what, names in (("stock nodes", network.rows), ("edges", network.edges), ("markets", network.markets)):
        if len(names) != 1:
            raise InputError(f"{network.topology.name}: it has {len(names)} {what}; {family} is for a chain with one.")


def law_of_demand(network: Network, family: str) -> Law:
    """The law of a period's demand on the one market; InputError unless it is known, the same, and independent."""
    ((name, process),) = network.processes.items()
    if not process.is_independent:
        raise InputError(
            f"{network.topology.name}: markets.{name}.process: {family} needs independent demand of one law in every "
            f"period, which '{process.kind}' is not; use one such as poisson or normal."
        )
    return process.distribution()


def refuse_unplain(network: Network, family: str, beside: Collection[str] = ()) -> None:
    """Raise InputError for the first feature of a chain that makes its costs or dynamics other than linear."""
    for place in _unplain(network):
        if place.rsplit(".", 1)[-1] not in beside:
            raise InputError(f"{network.topology.name}: {place}: {family} is not solved with it; leave it out.")


def _unplain(network: Network) -> Iterator[str]:
    """Paths in the file of what is not plain."""
    topology = network.topology
    for name, node in topology.nodes.items():
        yield from (f"nodes.{name}.{key}" for key, plain in PLAIN_NODE.items() if getattr(node, key) != plain)
        if set(node.review) != {1}:
            yield f"nodes.{name}.review"
    for number, edge in enumerate(topology.edges):
        yield from (f"edges.{edge.name}.{key}" for key, plain in PLAIN_EDGE.items() if getattr(edge, key) != plain)
        if edge.batch not in ({0, 1} if network.integer else {0}):
            yield f"edges.{edge.name}.batch"
        if edge.unmet == "lost" and network.edge_line[number] >= 0:
            yield f"edges.{edge.name}.unmet"
    for name, market in topology.markets.items():
        yield from (f"markets.{name}.{key}" for key, plain in PLAIN_MARKET.items() if getattr(market, key) != plain)
    if topology.shared:
        yield "shared"
    if any({payment.payer, payment.payee} & set(network.sources) for payment in payments(network)):
        yield "contract"
