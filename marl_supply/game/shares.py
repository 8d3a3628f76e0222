"""Who decides and who pays what: the names under `game.agents` turned into rows and aspects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.simulation.scope import Scope
from marl_supply.topology.network import Network

ASPECTS = ("order", "allocation", "price", "exposure")
"""What can be decided of a row: ``retailer.order``, ``seller.price``; a bare name means all of it."""


@dataclass(frozen=True)
class Shares:
    """The agents of a game.

    agents: (A,) names; scopes: what each decides; payer: (N,) the number of the agent that pays each row's costs.
    """

    agents: tuple[str, ...]
    scopes: dict[str, Scope]
    payer: NDArray[np.int64]


def shares_of(network: Network) -> Shares:
    """The agents that the topology states; one for each row, deciding and paying for it, where it states none.

    Raises
    ------
    InputError
        For names that lead nowhere, and for what nobody or more than one agent decides or pays.
    """
    stated = network.topology.game.agents
    decides = {row: (row,) for row in network.rows} if stated is None else {n: a.decides for n, a in stated.items()}
    pays = decides if stated is None else {n: a.pays for n, a in stated.items()}
    holders = {aspect: _holder(network, "decides", decides, aspect) for aspect in ASPECTS}
    for aspect, there in _aspects_there(network).items():
        _complete(network, "decides", np.where(there, holders[aspect], 0), aspect)
    payer = _holder(network, "pays", pays, "order", ignore_aspects=True)
    _complete(network, "pays", payer, "")
    return Shares(tuple(decides), {name: _scope(network, n, name, holders) for n, name in enumerate(decides)}, payer)


def _aspects_there(network: Network) -> dict[str, NDArray[np.bool_]]:
    """(N,) for each aspect which rows have it: almost every row orders, only some set prices."""
    rows = np.arange(len(network.rows))
    return {
        "order": ~_shortage_is_free(network),
        "allocation": np.isin(rows, network.line_place[network.decided_lines]),
        "price": np.isin(rows, network.market_row[network.priced_markets]),
        "exposure": np.isin(rows, network.market_row[network.exposed_markets]),
    }


def _shortage_is_free(network: Network) -> NDArray[np.bool_]:
    """(N,) rows that serve markets alone, whose customers pay when they ask and wait at no cost: nobody need order."""
    of_market = network.line_market >= 0
    free = of_market & (network.keeps > 0) & (network.backorder_cost == 0)
    free[network.market_line] &= ~network.paid_on_sale
    rows = np.arange(len(network.rows))
    return np.isin(rows, network.line_place[free]) & ~np.isin(rows, network.line_place[~free])


def _holder(
    network: Network, key: str, shares: Mapping[str, Sequence[str]], aspect: str, ignore_aspects: bool = False
) -> NDArray[np.int64]:
    """(N,) the number of the agent that holds an aspect of each row, -1 for nobody."""
    holder = np.full(len(network.rows), -1)
    agents = tuple(shares)
    for number, agent in enumerate(agents):
        place = f"{network.topology.name}: game.agents.{agent}.{key}"
        if key == "decides" and not shares[agent]:
            raise InputError(f"{place}: it is empty; name a row.")
        for name in shares[agent]:
            row, part = _parse(network, place, name)
            if part not in ("", aspect) and not ignore_aspects:
                continue
            if holder[row] >= 0 and holder[row] != number:
                what = f"'{network.rows[row]}'" if aspect == "order" else f"{aspect} of '{network.rows[row]}'"
                raise InputError(f"{place}: {what} is with '{agents[holder[row]]}'; take it out.")
            if holder[row] == number and not ignore_aspects:
                raise InputError(f"{place}: '{network.rows[row]}' stands there twice; take one out.")
            holder[row] = number
    return holder


def _parse(network: Network, place: str, name: str) -> tuple[int, str]:
    """The number of a row and the aspect of a name such as ``seller.price``."""
    row, _, part = name.partition(".")
    if row not in network.rows:
        raise InputError(f"{place}: no row '{row}'{nearest(row, network.rows)}.")
    if part not in ("", *ASPECTS):
        raise InputError(
            f"{place}: '{name}': no '{part}' of a row can be decided{nearest(part, ASPECTS)}; "
            f"write '{row}' or one of {', '.join(f'{row}.{aspect}' for aspect in ASPECTS)}."
        )
    return network.rows.index(row), part


def _complete(network: Network, key: str, holder: NDArray[np.int64], aspect: str) -> None:
    if (holder >= 0).all():
        return
    row = network.rows[int(np.flatnonzero(holder < 0)[0])]
    what = f"'{row}'" if aspect in ("", "order") else f"{aspect} of '{row}'"
    raise InputError(f"{network.topology.name}: game.agents: {what} is in nobody's {key}; add it to one agent's.")


def _scope(network: Network, number: int, name: str, holders: Mapping[str, NDArray[np.int64]]) -> Scope:
    has = {aspect: holder == number for aspect, holder in holders.items()}
    rows = np.flatnonzero(np.logical_or.reduce(list(has.values())))
    rows = _in_order(network, name, rows)
    ordering = has["order"][rows]
    if ordering.any() and not ordering.all():
        missing = network.rows[int(rows[np.flatnonzero(~ordering)[0]])]
        raise InputError(
            f"{network.topology.name}: game.agents.{name}.decides: it orders for some of its rows and not for "
            f"'{missing}'; give it all of their orders, or none."
        )
    return Scope(
        network,
        rows,
        bool(ordering.any()),
        bool(has["allocation"][rows].any()),
        bool(has["price"][rows].any()),
        bool(has["exposure"][rows].any()),
    )


def _in_order(network: Network, name: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows in the order in which the agent names them."""
    stated = network.topology.game.agents
    if stated is None:
        return rows
    named = [network.rows.index(entry.partition(".")[0]) for entry in stated[name].decides]
    return np.array(list(dict.fromkeys(named)), dtype=np.int64)
