"""Accounts of a period from its flows.

Costs are positive and booked to places (the rows, then the sources): holding on end-of-period stock, backorder and
lost-sale cost on each line, pipeline holding to the holder of the title, purchase and fixed order cost to the customer,
what storage refused to the node that could not take it, revenue and salvage as negative costs to the node that serves
the market or scraps, delivery for another node to the one that delivers, transfers of the contract to both sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from marl_supply.economics.contracts import Payment, payments
from marl_supply.economics.price_list import PriceList
from marl_supply.errors import InputError, nearest
from marl_supply.simulation.arrays import NUMPY, Array, Arrays, added
from marl_supply.simulation.state import Flows
from marl_supply.topology.incidence import Sum
from marl_supply.topology.network import Network

PER = ("ordered", "shipped", "received", "sold", "on_hand", "in_transit", "backorder", "lost", "revenue")
SMALLEST_ORDER = 1e-9
"""Units above which an order pays its fixed cost: what rounding leaves of 0 does not."""
Booking = Callable[[Flows], Array]
"""From the flows of a period to money by place (P, B), or by row (N, B) where sources pay nothing."""


class Books:
    """The accounts of one chain.

    Parameters
    ----------
    network
        The chain; its contract is read from its topology.
    arrays
        The array library of the flows.

    Attributes
    ----------
    accounts : tuple of str
        Names of the accounts that can be other than zero.
    """

    def __init__(self, network: Network, arrays: Arrays = NUMPY) -> None:
        self.network = network
        self.arrays = arrays
        self._customer_place = Sum(network.customer, len(network.places))
        self._pipeline_place = Sum(network.pipeline_place, len(network.places))
        self._market_place = Sum(network.market_row, len(network.places))
        self._expediter_place = Sum(network.expedite_row, len(network.places))
        self._price_list = PriceList(network, arrays)
        self._some_paid_on_sale = bool(network.paid_on_sale.any())
        self._holding_cost = self._rate(network.holding_cost)
        self._backorder_cost = self._rate(network.backorder_cost)
        self._bookings: dict[str, Booking] = {
            name: booking for name, (rate, booking) in self._known_accounts().items() if np.any(rate != 0)
        }
        self._payments = [(payment, *self._parties(payment)) for payment in payments(network)]
        self.accounts = (*self._bookings, *(("transfers",) if self._payments else ()))

    def _known_accounts(self) -> dict[str, tuple[NDArray[np.float64], Booking]]:
        network = self.network
        return {
            "holding": (network.holding_cost, self._holding),
            "backorder": (network.backorder_cost, self._backorder),
            "lost_sale": (network.lost_sale_cost * (1 - network.keeps), self._lost_sale),
            "pipeline": (network.pipeline_holding_cost, self._pipeline),
            "purchase": (self._price_list.prices, self._purchase),
            "fixed_order": (network.fixed_order_cost, self._fixed_order),
            "overflow": (network.overflow_cost * bool(network.storages), self._overflow),
            "expedite": (network.expedite_cost, self._expedite),
            "salvage": (network.salvage_value[network.perishable], self._salvage),
            "revenue": (
                np.concatenate([network.price, np.ones(len(network.priced_markets))]),
                lambda flows: -self.arrays.add_up(self._market_place, self.revenue(flows)),
            ),
        }

    def __reduce__(self) -> tuple[type[Books], tuple[Network, Arrays]]:
        """Bookings are functions and do not travel; the books are drawn up again where they arrive."""
        return Books, (self.network, self.arrays)

    def by_account(self, flows: Flows) -> dict[str, Array]:
        """(P, B) costs of each account."""
        booked = {name: self._by_place(booking(flows)) for name, booking in self._bookings.items()}
        if self._payments:
            booked["transfers"] = self._transfers(flows)
        return booked

    def costs(self, flows: Flows) -> Array:
        """(P, B) costs of all accounts together."""
        by_length: dict[int, Array] = {}  # what rows pay alone is added up before the sources are put beside them
        for booking in self._bookings.values():
            money = booking(flows)
            length = len(money)
            by_length[length] = by_length[length] + money if length in by_length else money
        if self._payments:
            transfers, length = self._transfers(flows), len(self.network.places)
            by_length[length] = by_length[length] + transfers if length in by_length else transfers
        totals = [self._by_place(total) for total in by_length.values()]
        if not totals:
            return self.arrays.zeros(len(self.network.places), flows.on_hand.shape[1])
        return totals[0] if len(totals) == 1 else totals[0] + totals[1]

    def revenue(self, flows: Flows) -> Array:
        """(K, B) money: booked when the customer asked if it waits, on the sale if what is short is lost.

        With ``revenue_on: sale`` only what is served in the period in which it was asked for is paid.
        """
        keeps = self._rate(self.network.keeps[self.network.market_line])
        price = self._rate(self.network.price) if flows.price is None else flows.price
        paid = keeps * flows.demand + (1 - keeps) * flows.sales
        if self._some_paid_on_sale:
            on_sale = self._rate(self.network.paid_on_sale * 1.0)
            paid = on_sale * flows.served + (1 - on_sale) * paid
        return price * paid

    def _rate(self, values: NDArray[np.float64]) -> Array:
        return self.arrays.constant(values)[:, None]

    def _holding(self, flows: Flows) -> Array:
        return self._holding_cost * flows.on_hand

    def _backorder(self, flows: Flows) -> Array:
        return self._of_lines(self._backorder_cost * flows.backorders)

    def _lost_sale(self, flows: Flows) -> Array:
        return self._of_lines(self._rate(self.network.lost_sale_cost) * flows.lost)

    def _of_lines(self, money: Array) -> Array:
        """(N or P, B) by place what is booked on lines (M, B)."""
        return self.arrays.add_up(self.network.place_sum, money)

    def _by_place(self, money: Array) -> Array:
        """(P, B) of (P, B), or of (N, B) where sources pay nothing."""
        missing = len(self.network.places) - len(money)
        return self.arrays.concat([money, self.arrays.zeros(missing, money.shape[1])]) if missing else money

    def _pipeline(self, flows: Flows) -> Array:
        return self.arrays.add_up(
            self._pipeline_place, self._rate(self.network.pipeline_holding_cost) * flows.in_transit
        )

    def _purchase(self, flows: Flows) -> Array:
        charged = self._price_list.cost(self._charged_units(flows))
        return self.arrays.add_up(self._customer_place, charged)

    def _overflow(self, flows: Flows) -> Array:
        cost = self._rate(self.network.overflow_cost[self.network.customer]) * flows.overflow
        return self.arrays.add_up(self._customer_place, cost)

    def _expedite(self, flows: Flows) -> Array:
        delivered = self.arrays.take(flows.expedited, self.network.expedited_markets)
        return self.arrays.add_up(self._expediter_place, self._rate(self.network.expedite_cost) * delivered)

    def _salvage(self, flows: Flows) -> Array:
        return self._rate(-self.network.salvage_value) * flows.scrapped

    def _fixed_order(self, flows: Flows) -> Array:
        placed = self.arrays.less(SMALLEST_ORDER, self._charged_units(flows)) * self._rate(
            self.network.fixed_order_cost
        )
        return self.arrays.add_up(self._customer_place, placed)

    def _charged_units(self, flows: Flows) -> Array:
        shipped = self._rate(self.network.charged_on_shipment * 1.0)
        return shipped * flows.shipment + (1 - shipped) * flows.order

    def _transfers(self, flows: Flows) -> Array:
        total = self.arrays.zeros(len(self.network.places), flows.on_hand.shape[1])
        for payment, payer, payee, quantity in self._payments:
            amount = payment.rate * quantity(flows)
            total = self.arrays.add_at(total, slice(payer, payer + 1), amount)
            total = self.arrays.add_at(total, slice(payee, payee + 1), -amount)
        return total

    def _parties(self, payment: Payment) -> tuple[int, int, Booking]:
        places = self.network.places
        for party in (payment.payer, payment.payee):
            if party not in places:
                raise InputError(f"{self._where(payment)}: no node '{party}'{nearest(party, places)}.")
        return places.index(payment.payer), places.index(payment.payee), self._quantity(payment)

    def _where(self, payment: Payment) -> str:
        return f"{self.network.topology.name}: contract transfer {payment.payer} to {payment.payee}"

    def _quantity(self, payment: Payment) -> Booking:
        """A function from flows to the (1, B) units that a payment counts."""
        entries = self._entries(payment)
        sources: dict[str, Booking] = {
            "ordered": lambda flows: flows.order,
            "shipped": lambda flows: flows.shipment,
            "received": lambda flows: flows.receipts,
            "sold": lambda flows: flows.sales,
            "on_hand": lambda flows: flows.on_hand,
            "in_transit": lambda flows: flows.in_transit,
            "backorder": lambda flows: flows.backorders,
            "lost": lambda flows: flows.backorders * 0.0 if flows.lost is None else flows.lost,
            "revenue": self.revenue,
        }
        flow = sources[payment.per]
        return lambda flows: added(self.arrays.take(flow(flows), entries), 0)[None]

    def _entries(self, payment: Payment) -> NDArray[np.int64]:
        """Which entries of the flow stand at the node, edge or market."""
        network, at, per = self.network, payment.at, payment.per
        if per not in PER:
            raise InputError(f"{self._where(payment)}: no flow '{per}'{nearest(per, PER)}.")
        found = np.zeros(0, dtype=np.int64)
        if at in network.rows and not payment.of_market:
            found = self._entries_at_row(network.rows.index(at), per)
        elif at in network.edges:
            found = self._entries_on_edge(network.edges.index(at), per)
        elif at in network.markets:
            found = self._entries_of_market(network.markets.index(at), per)
        if not len(found):
            options = (*network.rows, *network.edges, *network.markets)
            hint = "" if at in options else nearest(at, options)
            raise InputError(f"{self._where(payment)}: nothing is '{per}' at '{at}'{hint}.")
        return found

    def _entries_at_row(self, row: int, per: str) -> NDArray[np.int64]:
        network = self.network
        if per == "on_hand":
            return np.array([row])
        if per in ("ordered", "received", "in_transit"):
            return np.flatnonzero(network.customer == row)
        if per == "shipped":
            return np.flatnonzero(network.supplier == row)
        if per in ("backorder", "lost"):
            return np.flatnonzero(network.line_place == row)
        return np.flatnonzero(network.market_row == row)

    def _entries_on_edge(self, edge: int, per: str) -> NDArray[np.int64]:
        if per in ("ordered", "shipped", "received", "in_transit"):
            return np.array([edge])
        line = self.network.edge_line[edge]
        return np.array([line]) if per in ("backorder", "lost") and line >= 0 else np.zeros(0, dtype=np.int64)

    def _entries_of_market(self, market: int, per: str) -> NDArray[np.int64]:
        if per in ("sold", "revenue"):
            return np.array([market])
        return self.network.market_line[[market]] if per in ("backorder", "lost") else np.zeros(0, dtype=np.int64)
