"""Contracts as transfers: who pays whom how much for each unit of which flow; zero-sum by construction.

Named contracts are short for transfers:

* ``backorder_share: a`` -- a market's node bears the share a of its backorder cost, its supplier 1 - a
  (Cachon & Zipkin 1999).
* ``wholesale_price: w`` -- every customer pays its supplier, a node and not a source, w for each unit shipped to it.
* ``revenue_share: a`` -- a market's node passes the share a of its revenue to its supplier
  (Cachon & Lariviere 2005).
* ``buy_back: b`` -- the supplier of a market's node pays b for each unit left there at the end of a period; it needs
  stock that ends with the period (``shelf_life: 1``), or the same unit would be paid for again and again
  (Pasternack 1985).
"""

from __future__ import annotations

from dataclasses import dataclass

from marl_supply.errors import InputError
from marl_supply.topology.network import Network


@dataclass(frozen=True)
class Payment:
    """`payer` pays `payee` `rate` money for each unit of the flow `per` at the node, edge or market `at`."""

    payer: str
    payee: str
    rate: float
    per: str
    at: str
    of_market: bool = False  # `at` is a market, also where a node has the same name


def payments(network: Network) -> tuple[Payment, ...]:
    """All transfers of a chain's contract, the named ones spelt out.

    Raises
    ------
    InputError
        Where a named contract does not fit the chain.
    """
    contract = network.topology.contract
    stated = [Payment(t.from_, t.to, t.rate, t.per, t.at) for t in contract.transfers]
    if contract.backorder_share is not None:
        stated += _backorder_share(network, contract.backorder_share)
    if contract.wholesale_price is not None:
        stated += _wholesale(network, contract.wholesale_price)
    if contract.revenue_share is not None:
        stated += [
            Payment(node, _supplier(network, node, "revenue_share"), contract.revenue_share, "revenue", market, True)
            for market, node in _sellers(network)
        ]
    if contract.buy_back is not None:
        stated += _buy_back(network, contract.buy_back)
    return tuple(stated)


def _wholesale(network: Network, price: float) -> list[Payment]:
    internal = [edge for edge in network.topology.edges if edge.from_ in network.rows]
    if not internal:
        raise InputError(
            f"{network.topology.name}: contract.wholesale_price: no node buys from another node; "
            "what a source is paid is an edge's purchase_cost."
        )
    return [Payment(edge.to, edge.from_, price, "shipped", edge.name) for edge in internal]


def _buy_back(network: Network, price: float) -> list[Payment]:
    nodes = list(dict.fromkeys(node for _, node in _sellers(network)))
    for node in nodes:
        if network.rows.index(node) not in network.perishable:
            raise InputError(
                f"{network.topology.name}: contract.buy_back: leftovers of '{node}' are not scrapped and would be "
                f"bought back again in every period; set nodes.{node}.shelf_life to 1."
            )
    return [Payment(_supplier(network, node, "buy_back"), node, price, "on_hand", node) for node in nodes]


def _backorder_share(network: Network, share: float) -> list[Payment]:
    return [
        Payment(
            _supplier(network, node, "backorder_share"),
            node,
            (1 - share) * float(network.backorder_cost[network.market_line[network.markets.index(market)]]),
            "backorder",
            market,
            True,
        )
        for market, node in _sellers(network)
    ]


def _sellers(network: Network) -> list[tuple[str, str]]:
    """Pairs of a market and the node that serves it."""
    return [(market, network.rows[row]) for market, row in zip(network.markets, network.market_row, strict=True)]


def _supplier(network: Network, node: str, contract: str) -> str:
    suppliers = {edge.from_ for edge in network.topology.edges if edge.to == node}
    if len(suppliers) != 1:
        raise InputError(
            f"{network.topology.name}: contract.{contract}: '{node}' has {len(suppliers)} suppliers and the share is "
            "between two; write the transfers out under contract.transfers."
        )
    return suppliers.pop()
