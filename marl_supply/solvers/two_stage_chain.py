"""The chain of Cachon & Zipkin (1999): a supplier and a retailer in series who share the cost of consumer backorders.

In a period shipments arrive; the retailer orders, the supplier orders and ships against that order; demand follows, and
costs fall on what is left at the end. The paper writes h2 for the supplier's holding cost and h1 + h2 for the
retailer's; here both are as charged, unit by unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from marl_supply.demand.distribution import Law
from marl_supply.errors import InputError
from marl_supply.solvers.lead_time_demand import LeadTimeDemand, lead_time_demand
from marl_supply.topology.file import Market
from marl_supply.topology.network import Network


@dataclass(frozen=True, eq=False)
class TwoStageChain:
    """The parameters of a chain; pairs are (retailer, supplier), from the customer upward.

    Attributes
    ----------
    demand
        The law of one period's demand; periods are independent.
    lead_times : tuple of int, periods
        L1 from the supplier to the retailer, L2 from the source to the supplier.
    holding_costs : tuple of float, money/unit/period
        On stock at the end of a period: h1 + h2 and h2 of the paper.
    backorder_cost : float, money/unit/period
        On a consumer's backorder, both firms together: p.
    backorder_share : float
        What the retailer bears of it, strictly between 0 and 1: alpha.
    pipeline_costs : tuple of float, money/unit/period
        What each firm pays on stock in transit from supplier to retailer; the paper has (0, h2).
    inbound_pipeline_cost : float, money/unit/period
        What the supplier pays on stock in transit to itself; the paper has 0.
    names : tuple of str
        Of the two firms.

    Raises
    ------
    InputError
        Where a value leaves one of the games without an equilibrium, or with endlessly many.
    """

    demand: Law
    lead_times: tuple[int, int]
    holding_costs: tuple[float, float]
    backorder_cost: float
    backorder_share: float
    pipeline_costs: tuple[float, float] = (0.0, 0.0)
    inbound_pipeline_cost: float = 0.0
    names: tuple[str, str] = ("retailer", "supplier")

    def __post_init__(self) -> None:
        retailer, supplier = self.names
        at_retailer, at_supplier = self.holding_costs
        if min(self.lead_times) < 0:
            raise InputError(f"lead_times: {self.lead_times} has a negative one; give 0 or more periods.")
        if not self.backorder_cost > 0:
            raise InputError(f"backorder_cost: {self.backorder_cost} makes waiting free; give more than 0.")
        if not 0 < self.backorder_share < 1:
            careless = retailer if self.backorder_share <= 0 else supplier
            raise InputError(
                f"backorder_share: {self.backorder_share} is no share of two firms: '{careless}' would not care about "
                "backorders; give a share strictly between 0 and 1."
            )
        if not at_supplier > 0:
            raise InputError(
                f"holding_costs: stock costs '{supplier}' {at_supplier}, so its level has no bound; give more than 0."
            )
        if at_retailer < at_supplier:
            raise InputError(
                f"holding_costs: a unit costs less at '{retailer}' ({at_retailer}) than at '{supplier}' "
                f"({at_supplier}), who would keep none; the games are for costs that do not fall downstream."
            )

    @cached_property
    def retailer_demand(self) -> LeadTimeDemand:
        """From the shipment that an order causes to the end of the period in which it can serve: L1 + 1 periods."""
        return lead_time_demand(self.demand, self.lead_times[0] + 1)

    @cached_property
    def supplier_demand(self) -> LeadTimeDemand:
        """Between an order of the supplier and the shipment that it serves: L2 periods."""
        return lead_time_demand(self.demand, self.lead_times[1])

    @property
    def whole(self) -> bool:
        """Whether demand, and with it every level, is in whole units."""
        return self.retailer_demand.whole

    @property
    def borne(self) -> tuple[float, float]:
        """What a consumer's backorder costs each firm, money/unit/period: alpha p and (1 - alpha) p."""
        own = self.backorder_share * self.backorder_cost
        return own, self.backorder_cost - own

    @property
    def constants(self) -> tuple[float, float]:
        """What stock in transit costs each firm in a period, whatever the levels, money: (0, h2 mu L1) in the paper."""
        mean, (near, far) = float(self.demand.mean), self.lead_times
        at_retailer, at_supplier = self.pipeline_costs
        return at_retailer * mean * near, at_supplier * mean * near + self.inbound_pipeline_cost * mean * far


def two_stage_chain(network: Network) -> TwoStageChain:
    """Read the chain out of a network.

    Parameters
    ----------
    network
        A source, a supplier and a retailer in series, ``decision_order: downstream_first``,
        ``contract: {backorder_share: alpha}``; what each pays is what the file charges.

    Raises
    ------
    InputError
        One sentence for the first thing that the games do not carry.
    """
    name = network.topology.name
    inbound, outbound = _series(network)
    strange = next(_strange(network, inbound, outbound), None)
    if strange is not None:
        place, problem, fix = strange
        raise InputError(f"{name}: {place}: {problem}, which the games of Cachon and Zipkin do not carry; {fix}.")
    retailer, supplier = int(network.customer[outbound]), int(network.supplier[outbound])
    process, share = network.processes[network.markets[0]], network.topology.contract.backorder_share
    assert share is not None
    rates, lead_times = network.pipeline_holding_cost, network.lead_time
    try:
        return TwoStageChain(
            demand=process.distribution(),
            lead_times=(int(lead_times[outbound]), int(lead_times[inbound])),
            holding_costs=(float(network.holding_cost[retailer]), float(network.holding_cost[supplier])),
            backorder_cost=float(network.backorder_cost[network.market_line[0]]),
            backorder_share=share,
            pipeline_costs=_paid_by(network, outbound, retailer, supplier),
            inbound_pipeline_cost=float(rates[inbound]) * bool(network.pipeline_place[inbound] == supplier),
            names=(network.rows[retailer], network.rows[supplier]),
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _paid_by(network: Network, edge: int, first: int, second: int) -> tuple[float, float]:
    """The holding cost of an edge's pipeline, beside the one of two rows that pays it."""
    rate, payer = float(network.pipeline_holding_cost[edge]), int(network.pipeline_place[edge])
    return rate * (payer == first), rate * (payer == second)


def _series(network: Network) -> tuple[int, int]:
    """The edge into the supplier and the edge into the retailer."""
    inside = np.flatnonzero(network.supplier >= 0)
    if len(network.rows) == 2 and len(network.edges) == 2 and len(network.markets) == 1 and len(inside) == 1:
        outbound = int(inside[0])
        if network.market_row[0] == network.customer[outbound]:
            return 1 - outbound, outbound
    raise InputError(
        f"{network.topology.name}: it is no source, supplier and retailer in series with one market at the retailer; "
        "give the chain two stock nodes, two edges and one market."
    )


def _strange(network: Network, inbound: int, outbound: int) -> Iterator[tuple[str, str, str]]:
    """What the games do not carry: the place, the problem, and the fix."""
    topology = network.topology
    if not network.downstream_first:
        yield (
            "timing.decision_order",
            "the supplier orders before it knows the retailer's order",
            "use downstream_first",
        )
    if network.demand_first:
        yield "timing.demand_visible", "orders are placed knowing the demand of the period", "use after_ordering"
    contract = topology.contract
    if contract.backorder_share is None:
        yield "contract.backorder_share", "nobody shares the cost of backorders", "give a share between 0 and 1"
    if contract.model_copy(update={"backorder_share": None}) != type(contract)():
        yield "contract", "it has payments beside the backorder share", "leave them out"
    yield from _strange_market(network, topology.markets[network.markets[0]], outbound)
    for number in (inbound, outbound):
        yield from _strange_edge(network, number)
    for name, node in topology.nodes.items():
        for key in ("capacity", "storage", "shelf_life", "disruption"):
            if getattr(node, key) is not None:
                yield f"nodes.{name}.{key}", "it limits what a node can ship or keep", "leave it out"
        if node.review != (1,):
            yield f"nodes.{name}.review", "it does not order in every period", "leave it out"
        if node.allocation == "decided":
            yield f"nodes.{name}.allocation", "shipments are decided", "leave it out"
    if topology.shared:
        yield "shared", "rows share a limit", "leave it out"


def _strange_market(network: Network, market: Market, outbound: int) -> Iterator[tuple[str, str, str]]:
    name = network.markets[0]
    if not network.keeps[network.market_line[0]]:
        yield f"markets.{name}.unmet", "customers who are not served leave", "use unmet: backorder"
    for key in ("price", "price_range", "expedite"):
        if getattr(market, key):
            yield f"markets.{name}.{key}", "the firms pay holding and backorder costs only", "leave it out"
    if not network.processes[name].is_independent:
        kind = network.processes[name].kind
        yield f"markets.{name}.process", f"periods of {kind} demand differ or depend on each other", "use poisson"
    if network.backorder_cost[network.edge_line[outbound]] != 0:
        supplier = network.rows[int(network.supplier[outbound])]
        yield (
            f"nodes.{supplier}.backorder_cost",
            "the supplier pays for what it owes the retailer",
            "set it to 0, also on the edge",
        )


def _strange_edge(network: Network, number: int) -> Iterator[tuple[str, str, str]]:
    edge = network.topology.edges[number]
    place = f"edges.{edge.name}"
    if edge.unmet == "lost":
        yield f"{place}.unmet", "orders that stock cannot serve are lost", "use unmet: backorder"
    for key in ("information_delay", "delay", "shipping_loss", "disruption", "order_limit", "batch"):
        if getattr(edge, key) not in (None, 0, ()):
            yield f"{place}.{key}", "orders and shipments are not always sent in full and in time", "leave it out"
    for key in ("purchase_cost", "fixed_order_cost", "discounts"):
        if getattr(edge, key):
            yield f"{place}.{key}", "the firms pay holding and backorder costs only", "leave it out"
