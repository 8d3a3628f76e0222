"""A period as a text: stocks, flows and costs by node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from marl_supply.envs.episodes import Episodes
from marl_supply.game import Game, Outcome
from marl_supply.simulation import State

Column = NDArray[np.float64]


def picture(name: str, game: Game, episodes: Episodes) -> str:
    """The period before as a table, a row a node; before the first period the stocks alone.

    Columns: received, demanded (orders and demand that reached the node), ordered and shipped in the period, units;
    stock, what the node owes and what is in transit to it at its end, units; cost after contracts, money.
    """
    outcome = episodes.outcome
    columns = _stocks(game, episodes.state) if outcome is None else _period(game, outcome)
    rows = [["node", *columns], *([row, *_cells(columns, n)] for n, row in enumerate(game.network.rows))]
    if outcome is not None:
        rows.append(["total", *[""] * (len(columns) - 1), f"{columns['cost'].sum():.2f}"])
    return "\n".join([heading(name, game, episodes), *_aligned(rows)])


def heading(name: str, game: Game, episodes: Episodes) -> str:
    """Which period of which environment."""
    unit = game.topology.period or "period"
    if episodes.outcome is None:
        return f"{name}: before {unit} 1 of {game.horizon}"
    return f"{name}: {unit} {episodes.period} of {game.horizon}"


def _stocks(game: Game, state: State) -> dict[str, Column]:
    network, add_up = game.network, state.arrays.add_up
    return {
        "on hand": state.on_hand[:, 0],
        "owed": add_up(network.line_sum, state.owed)[:, 0],
        "in transit": add_up(network.inbound, state.in_transit)[:, 0],
    }


def _period(game: Game, outcome: Outcome) -> dict[str, Column]:
    network, flows, arrays = game.network, outcome.flows, game.books.arrays
    claims = arrays.take(arrays.concat([flows.requests, flows.demand]), network.line_claim)
    served = arrays.take(arrays.concat([flows.shipment, flows.sales]), network.line_claim)
    columns = {
        "received": arrays.add_up(network.inbound, flows.receipts),
        "demanded": arrays.add_up(network.line_sum, claims),
        "ordered": arrays.add_up(network.inbound, flows.order),
        "shipped": arrays.add_up(network.line_sum, served),
        "on hand": flows.on_hand,
        "owed": arrays.add_up(network.line_sum, flows.backorders),
        "in transit": arrays.add_up(network.inbound, flows.in_transit),
        "cost": game.books.costs(flows)[: len(network.rows)],
    }
    if flows.lost is not None:
        columns["lost"] = arrays.add_up(network.line_sum, flows.lost)
        columns["cost"] = columns.pop("cost")
    return {title: values[:, 0] for title, values in columns.items()}


def _cells(columns: Mapping[str, Column], row: int) -> list[str]:
    return [_number(float(values[row]), title == "cost") for title, values in columns.items()]


def _number(value: float, money: bool) -> str:
    return f"{value:.0f}" if value == round(value) and not money else f"{value:.2f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    """Lines with the first cell to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows)
    return ["  ".join(row) for row in padded]
