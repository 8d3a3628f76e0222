"""What the numbers that a network puts out mean as decisions; without torch, for policies that play."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.game.quantities import LEVELS
from marl_supply.game.table import Table
from marl_supply.learning.differentiable.safety import periods_covered, safety_factors
from marl_supply.simulation.state import Decisions
from marl_supply.topology.network import Network

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Product = Callable[[Floats, Floats], Floats]

FIELDS = {"quantity": "order", "order_up_to": "order_up_to", "demand_plus": "demand_plus"}
"""The field of `Decisions` that each kind of action fills."""
AT_MEAN = float(np.log(np.e - 1))
"""Where softplus is 1, so that a first output of 0 orders mean demand."""
LEAST_SPREAD = 0.1
"""Least standard deviation of a level, as a share of mean demand."""


@dataclass(frozen=True)
class Head:
    """What the output of each of n components means.

    With positions a component orders what is missing from its own to the level ``centre + spread * output``; without
    them it orders ``unit * softplus(output)``. Where actions are levels they are ``centre + spread * output``, and
    additions to demand ``unit * output``.

    Attributes
    ----------
    kind : str
        Kind of the game's actions.
    centre, spread, unit : (n,) units
    position : (n, F)
        The position of each component as a sum over the numbers that are seen; 0 where components decide quantities.
    faster : (n, n)
        1 where a component of the same row has a shorter lead time: what it orders counts towards the position.
    whole : bool
        Whether units are whole, and decisions rounded.
    """

    kind: str
    centre: Floats
    spread: Floats
    unit: Floats
    position: Floats
    faster: Floats
    whole: bool

    @property
    def relative(self) -> bool:
        """Whether components order what is missing to a level."""
        return bool(self.position.any())

    @property
    def depth(self) -> int:
        """How many components of a row at most stand after one another."""
        return int(self.faster.sum(1).max(initial=0))

    def part(self, components: Ints, seen: Ints) -> Head:
        """The head of some components, whole rows of them, for an observation of the numbers `seen` of the table."""
        return Head(
            self.kind,
            self.centre[components],
            self.spread[components],
            self.unit[components],
            self.position[components][:, seen],
            self.faster[components][:, components],
            self.whole,
        )

    def decisions(self, values: Any) -> Decisions:
        """The decisions that (n, B) values of all components, or of one seat's, are."""
        return Decisions(**{FIELDS[self.kind]: values})

    def of_numpy(self, scores: Floats, seen: Floats, product: Product) -> NDArray[np.float64]:
        """(n, B) values from (n, B) outputs of a network and (F, B) what is seen, units.

        `product` multiplies a matrix by what is seen in chunks that do not depend on the batch.
        """
        centre, spread, unit = (v[:, None] for v in (self.centre, self.spread, self.unit))
        if self.kind == "demand_plus":
            return self._settled(unit * scores)
        level = centre + spread * scores
        if self.kind == "order_up_to":
            return self._settled(np.maximum(level, 0))
        if not self.relative:
            return self._settled(unit * np.logaddexp(np.float32(0), scores + np.float32(AT_MEAN)))
        gap = level - product(self.position, seen)
        missing = self._settled(np.maximum(gap, 0))
        for _ in range(self.depth):
            missing = self._settled(np.maximum(gap - product(self.faster, missing.astype(np.float32)), 0))
        return missing

    def _settled(self, values: Floats) -> NDArray[np.float64]:
        return (np.rint(values) if self.whole else values).astype(np.float64)


def head_of(network: Network, table: Table, kind: str, orders: str, start: str, echelons: bool) -> Head:
    """The head of a whole chain, its components in the order of decisions that come as arrays of the whole chain.

    Parameters
    ----------
    kind, orders
        Of the game's actions, and what a quantity is measured by ("position" or "quantity").
    start
        Where levels start: "mean" or "newsvendor".
    echelons : bool
        Whether the positions of rows with one supplier are those of echelons.
    """
    inbound = [np.flatnonzero(network.customer == row) for row in range(len(network.rows))]
    edges = np.concatenate(inbound) if kind == "quantity" else network.first_edge
    row = network.customer[edges]
    suppliers = np.array([len(inbound[number]) if kind == "quantity" else 1 for number in row])
    by_echelon = (suppliers == 1) & echelons & (kind == "quantity")
    periods = (network.lead_time + network.information_delay)[edges] + 1
    periods = np.where(by_echelon, periods_covered(network)[row], periods)
    mean = network.mean_demand[row]
    spread = np.maximum(network.demand_deviation[row] * np.sqrt(periods), LEAST_SPREAD * mean)
    centre = mean * periods + (spread * safety_factors(network)[row] if start == "newsvendor" else 0.0)
    position, faster = np.zeros((len(edges), len(table.entries))), np.zeros((len(edges), len(edges)))
    if kind == "quantity" and orders == "position":
        position, faster = _positions(network, table, edges, suppliers == 1, echelons)
    return Head(
        kind,
        centre.astype(np.float32),
        spread.astype(np.float32),
        (mean / suppliers).astype(np.float32),
        position.astype(np.float32),
        faster.astype(np.float32),
        network.integer,
    )


def _positions(
    network: Network, table: Table, edges: Ints, alone: NDArray[np.bool_], echelons: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, F) the position of each order, and (n, n) which orders of the same row are faster."""
    name = "echelon_inventory_position" if echelons else "inventory_position"
    position, faster = np.zeros((len(edges), len(table.entries))), np.zeros((len(edges), len(edges)))
    for number, edge in enumerate(edges):
        if alone[number]:
            position[number, table.start[name] + network.customer[edge]] = 1
        else:
            position[number] = _soon(network, table, int(edge))
            faster[number] = _faster(network, edges, number)
    return position, faster


def _soon(network: Network, table: Table, edge: int) -> NDArray[np.float64]:
    """(F,) the stock of a row that orders on several edges, and what arrives no later than an order on this one."""
    row, sums = int(network.customer[edge]), np.zeros(len(table.entries))
    periods = network.lead_time + network.information_delay
    inbound = np.flatnonzero(network.customer == row)
    if periods[edge] == periods[inbound].max():
        sums[table.start["inventory_position"] + row] = 1
        return sums
    sums[table.start["on_hand"] + row] = 1
    sums[table.start["owed"] + np.flatnonzero(network.line_place == row)] = -1
    slots = network.pipeline_slots
    near = np.isin(slots[:, 0], inbound) & (slots[:, 1] <= periods[edge])
    sums[table.start["pipeline"] + np.flatnonzero(near)] = 1
    return sums


def _faster(network: Network, edges: Ints, number: int) -> NDArray[np.float64]:
    """(n,) 1 for the edges into the same row that are faster, or as fast and earlier in the file."""
    periods = (network.lead_time + network.information_delay)[edges]
    earlier = (periods == periods[number]) & (np.arange(len(edges)) < number)
    same = network.customer[edges] == network.customer[edges[number]]
    return (same & ((periods < periods[number]) | earlier)) * 1.0


def game_head(game: Game, orders: str, start: str) -> Head:
    """The head of all components of a game; positions are those of echelons where every seat sees its own."""
    echelons = "echelon_inventory_position" in LEVELS[game.observe_level]
    return head_of(game.network, game.table, game.action_kind, orders, start, echelons)
