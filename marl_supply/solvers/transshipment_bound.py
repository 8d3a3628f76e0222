"""A centre that feeds stores with backlog: what no policy can cost less than.

The centre orders from a source (L_w periods) and divides what it receives over stores (L_s periods each). Suppose that
it could bring all stores to one level of safety whatever they hold: then the whole is one newsvendor. Demand of all
stores before the division is pooled, that after it is not, so that with normal demand

    cost >= (h + b) phi(z) sqrt((L_s + 1) (sum of sd)^2 + L_w Var(total demand)),    z = Phi^-1(b / (b + h))

a period (Federgruen & Zipkin 1984, Approximations of dynamic, multilocation production and inventory problems,
Management Science 30(1)). With one store it is the cost of the best base-stock level. Stock that the centre holds back
must cost at least h, or there would be cheaper policies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from marl_supply.demand.copula import matrix
from marl_supply.demand.normal import Normal
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import FloatArray, refuse_unplain, require_positive, way_costs
from marl_supply.topology.incidence import IntArray
from marl_supply.topology.network import Network

FAMILY = "the bound of a centre with stores"
CLIPPED = 1e-4
"""Share of a deviation by which moving draws into their bounds may change their mean: less counts as normal."""


@dataclass(frozen=True, eq=False)
class TransshipmentCentre:
    """A centre and K stores of equal costs and lead times, with normal demand.

    Parameters
    ----------
    means, deviations : (K,) ndarray
        Of a period's demand of each store, units.
    correlation : (K, K) ndarray or None
        Of the demand of a period; independent if None.
    lead_time_to_centre, lead_time_to_stores : int
        L_w and L_s, periods.
    holding_cost, backorder_cost : float
        h and b of every store, money per unit and period.
    demand_seen : bool
        Whether orders are placed knowing the demand of their period: then L_s stands for L_s + 1.
    constant_cost : float
        Money a period under all policies: purchases and what is on its way, minus revenue.
    """

    means: FloatArray
    deviations: FloatArray
    lead_time_to_centre: int
    lead_time_to_stores: int
    holding_cost: float
    backorder_cost: float
    correlation: FloatArray | None = None
    demand_seen: bool = False
    constant_cost: float = 0.0

    def __post_init__(self) -> None:
        require_positive(holding_cost=self.holding_cost, backorder_cost=self.backorder_cost)
        stores = len(self.deviations)
        if not stores or len(self.means) != stores or min(self.deviations) < 0:
            raise InputError("deviations: give a mean and a deviation of 0 or more for each store, at least one store.")
        if self.correlation is not None and self.correlation.shape != (stores, stores):
            raise InputError(f"correlation: its shape is {self.correlation.shape}, not {(stores, stores)}; mend it.")
        if min(self.lead_time_to_centre, self.lead_time_to_stores) < 0:
            raise InputError("lead_time_to_centre, lead_time_to_stores: one is negative; give 0 periods or more.")

    @property
    def spread(self) -> float:
        """Deviation of the demand that all stock covers, units, where stores are kept at one level of safety."""
        alone = np.eye(len(self.deviations)) if self.correlation is None else self.correlation
        pooled = float(self.deviations @ alone @ self.deviations)
        after = self.lead_time_to_stores + (not self.demand_seen)
        return math.sqrt(after * float(self.deviations.sum()) ** 2 + self.lead_time_to_centre * pooled)


@dataclass(frozen=True)
class TransshipmentBound:
    """cost: least money a period; echelon_level: the level of all stock, units, at which the relaxed system has it."""

    cost: float
    echelon_level: float


def lower_bound(centre: TransshipmentCentre) -> TransshipmentBound:
    """The bound, constant costs included."""
    score = float(norm.ppf(centre.backorder_cost / (centre.backorder_cost + centre.holding_cost)))
    periods = centre.lead_time_to_centre + centre.lead_time_to_stores + (not centre.demand_seen)
    cost = (centre.holding_cost + centre.backorder_cost) * float(norm.pdf(score)) * centre.spread
    level = float(centre.means.sum()) * periods + score * centre.spread
    return TransshipmentBound(cost + centre.constant_cost, level)


def transshipment_centre(network: Network) -> TransshipmentCentre:
    """Read a chain that is a centre with stores, in the costs that the simulator charges to all nodes together.

    Raises
    ------
    InputError
        Where the chain is something else, or its allocation looks at demand before it divides (`fair_share`): then
        the bound is not one.
    """
    refuse_unplain(network, FAMILY)
    centre = _centre(network)
    edges = np.flatnonzero(network.supplier == centre)
    stores = network.customer[edges]
    markets = np.array([int(np.flatnonzero(network.market_row == store)[0]) for store in stores])
    first = int(network.first_edge[centre])
    holding = _the_one(network, "holding_cost of the stores", network.holding_cost[stores])
    _refuse_costs_of_the_centre(network, centre, holding)
    means, deviations = _normal_demand(network, markets)
    per_unit = way_costs(network) + network.purchase_cost
    return TransshipmentCentre(
        means,
        deviations,
        int(network.lead_time[first] + network.information_delay[first]),
        int(_the_one(network, "lead_time of the edges to the stores", network.lead_time[edges])),
        holding,
        _the_one(network, "backorder_cost of the stores", network.backorder_cost[network.market_line[markets]]),
        _correlation(network, markets),
        network.demand_first,
        float((per_unit[edges] + per_unit[first] - network.price[markets]) @ means),
    )


def _centre(network: Network) -> int:
    """The row that all others get their stock from; each of the others serves one market."""
    name, rows = network.topology.name, len(network.rows)
    above, customers = np.unique(network.supplier[network.supplier >= 0], return_counts=True)
    served = sorted([*above.tolist(), *network.market_row.tolist()])
    if len(network.edges) != rows or customers.tolist() != [rows - 1] or served != list(range(rows)):
        raise InputError(f"{name}: {FAMILY} is for one node that a source supplies and that supplies all others.")
    centre = network.rows[int(above[0])]
    if network.topology.nodes[centre].allocation == "fair_share" and not network.demand_first and rows > 2:
        raise InputError(
            f"{name}: nodes.{centre}.allocation: 'fair_share' divides knowing the demand of the period, and the bound "
            "does not; use another rule."
        )
    return int(above[0])


def _refuse_costs_of_the_centre(network: Network, centre: int, holding_cost: float) -> None:
    name, row = network.topology.name, network.rows[centre]
    if network.holding_cost[centre] < holding_cost:
        raise InputError(
            f"{name}: nodes.{row}.holding_cost: it is below that of a store, and {FAMILY} fails; raise it."
        )
    to_stores = network.supplier == centre
    if network.backorder_cost[network.edge_line[to_stores]].any():
        raise InputError(f"{name}: nodes.{row}.backorder_cost: {FAMILY} knows none at the centre; set it to 0.")
    if network.information_delay[to_stores].any():
        raise InputError(f"{name}: edges.information_delay: {FAMILY} knows none between the nodes; set it to 0.")


def _the_one(network: Network, what: str, values: FloatArray | IntArray) -> float:
    if len(set(values.tolist())) != 1:
        told = ", ".join(f"{value:g}" for value in sorted(set(values.tolist())))
        raise InputError(f"{network.topology.name}: {what}: {told} differ, and {FAMILY} has one; make them equal.")
    return float(values[0])


def _normal_demand(network: Network, markets: IntArray) -> tuple[FloatArray, FloatArray]:
    """(K,) means and deviations."""
    moments = []
    for number in markets:
        market = network.markets[int(number)]
        process = network.processes[market]
        if not isinstance(process, Normal) or process.round:
            raise InputError(
                f"{network.topology.name}: markets.{market}.process: {FAMILY} needs normal demand that is not rounded; "
                "use normal with round: false."
            )
        if abs(process.mean - process.centre) > CLIPPED * process.sd:
            raise InputError(
                f"{network.topology.name}: markets.{market}.clip: it moves too many draws for {FAMILY}, which needs "
                "normal demand; use a smaller sd."
            )
        moments.append((process.centre, process.sd))
    return np.array([mean for mean, _ in moments]), np.array([deviation for _, deviation in moments])


def _correlation(network: Network, markets: IntArray) -> FloatArray:
    """(K, K) of the demand of a period: normal demand is as correlated as the noise that drives it."""
    topology, names = network.topology, [network.markets[int(number)] for number in markets]
    streams = [network.streams.get(name, name) for name in names]
    if topology.correlation and len(set(streams)) < len(streams):
        raise InputError(f"{topology.name}: correlation: some markets share a stream besides; use one of the two.")
    correlation = np.array([[float(one == other) for other in streams] for one in streams])
    for group in topology.correlation:
        inside = np.array([names.index(name) for name in group.markets])
        correlation[np.ix_(inside, inside)] = matrix(group)
    return correlation
