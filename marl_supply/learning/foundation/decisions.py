"""Decision tokens: what a model is told of each number that a seat decides, and in which unit it is counted.

A level is counted as a safety factor: from mean lead-time demand, in its standard deviations. So the level that a cost
ratio asks for is much the same number at other lead times and under other laws of demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.crowd import CrowdProcess
from marl_supply.errors import InputError
from marl_supply.game.actions import action_of
from marl_supply.game.decisions.action import Action
from marl_supply.game.seat import Seat
from marl_supply.learning.foundation.rows import (
    EDGE_NAMES,
    Floats,
    edge_numbers,
    holding_of,
    lead_time_demand,
    responsive,
    scale_of,
)
from marl_supply.plugins import snake_case
from marl_supply.simulation.arrays import NUMPY

KINDS = (
    "quantity",
    "order_up_to",
    "demand_plus",
    "chosen_edge",
    "chosen_quantity",
    "price",
    "exposure",
    "allocation",
)
"""What can be decided; a model has an embedding of each."""
NOMINAL = KINDS.index("chosen_edge")
"""The kind whose numbers are names: of edges, in the order of the file."""
CONSTANT = 3 + len(EDGE_NAMES) + 3
"""Numbers that describe a decision."""
HIGHEST = 20.0


class DecisionTokens:
    """The components of a seat's action as tokens.

    Parameters
    ----------
    seat
        Whose they are; kind and parameters of its actions are those of its topology's game.

    Attributes
    ----------
    action : Action
    kinds : (n,) int
        Positions in `KINDS`.
    rows : (n,) int
        Which of the seat's rows each belongs to.
    unit, shift : (n,)
        Units, money or shares that count as 1, and those that count as 0.
    low, high, step : (n,)
        Least and largest value and, where units are whole, width of the grid, as they count.
    constant : (n, CONSTANT)
        What does not change.
    """

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        stated = seat.network.topology.game.actions
        kind, parameters = (stated, {}) if isinstance(stated, str) else (stated["kind"], dict(stated))
        parameters.pop("kind", None)
        self.action = action_of(seat, kind, parameters)
        components = [component for part in self.action.parts for component in _components(part)]
        names, rows, edges = zip(*components, strict=True)
        self.kinds, self.rows = np.array([KINDS.index(name) for name in names]), np.array(rows)
        self.unit, self.shift = np.array([self._unit(number, name) for number, name in enumerate(names)]).T
        self.low, self.high = self.counted(self.action.low), self.counted(self.action.high)
        self.step = self.action.steps / self.unit if seat.integer else np.zeros(len(self.low))
        own = np.stack([np.maximum(self.low, -HIGHEST), np.minimum(self.high, HIGHEST), self.step], 1)
        answers = self._answers()
        self.constant = np.concatenate([own, [self._edge(edge) for edge in edges], answers], axis=1)

    @property
    def choices(self) -> NDArray[np.int64]:
        """(n,) choices of each component, where units are whole."""
        return self.action.choices

    def values(self, actions: Floats) -> Floats:
        """(..., n) what actions (..., n) of the environment are, in units; of nominal kinds the number of the edge."""
        own = [self.value_of(number, actions[..., number]) for number in range(len(self.kinds))]
        return np.stack(own, axis=-1)

    def value_of(self, number: int, actions: Floats) -> Floats:
        """The same of one component."""
        if self.kinds[number] == NOMINAL:
            return np.minimum(np.floor(actions), self.edges_of(number) - 1)
        if self.seat.integer:
            return self.low[number] + self.step[number] * actions
        return (actions - self.shift[number]) / self.unit[number]

    def counted(self, values: Floats) -> Floats:
        """(n,) units, money or shares as a model counts them."""
        found: Floats = (values - self.shift) / self.unit
        return found

    def units_of(self, number: int, values: Floats) -> Floats:
        """Units, money or shares of values of a component, within its bounds."""
        units = self.shift[number] + values * self.unit[number]
        return np.clip(units, self.action.low[number], self.action.high[number])

    def edges_of(self, number: int) -> int:
        """How many edges a nominal component chooses among."""
        return int((self.seat.edge_rows == self.rows[number]).sum())

    def action_of_edge(self, number: int, edge: NDArray[np.int64]) -> Floats:
        """What the environment's action is where an edge is chosen."""
        return np.asarray(edge if self.seat.integer else edge + 0.5, dtype=np.float64)

    def _unit(self, number: int, name: str) -> tuple[float, float]:
        """What counts as 1, and what as 0."""
        network = self.seat.network
        if name == "price":
            markets = self.seat.scope.priced_markets
            market = int(markets[number - self.kinds.tolist().index(KINDS.index(name))])
            return float(network.price[market]) or 1.0, 0.0
        if name in ("exposure", "chosen_edge"):
            return 1.0, 0.0
        row = int(self.seat.scope.rows[self.rows[number]])
        if name == "order_up_to":
            mean, deviation = lead_time_demand(network, row)
            return deviation, mean
        return scale_of(network, row), 0.0

    def _edge(self, edge: int) -> list[float]:
        if edge < 0:
            return [0.0] * len(EDGE_NAMES)
        network = self.seat.network
        row = int(network.customer[edge])
        return edge_numbers(network, edge, scale_of(network, row), holding_of(network, row))

    def _answers(self) -> Floats:
        """(n, 3) of an exposure: what the group's attention adds to demand, and demand with all and with none of it."""
        found = np.zeros((len(self.kinds), 3))
        network, scope = self.seat.network, self.seat.scope
        number = int((self.kinds != KINDS.index("exposure")).sum())
        crowd_of = {int(market): crowd for crowd in network.crowds for market in crowd.markets}
        for market in scope.exposed_markets:
            groups = network.groups[int(market)]
            if int(market) in crowd_of:
                crowd = crowd_of[int(market)]
                item = crowd.markets.tolist().index(int(market))
                unit = scale_of(network, int(network.market_row[market]))
                memory = [responsive(network, int(m)).start() for m in crowd.markets]
                found[number : number + groups] = _crowd_answers(
                    crowd.process, memory, item, network.price[crowd.markets], unit
                )
            number += groups
        return found


def _crowd_answers(
    process: CrowdProcess, starts: Sequence[Mapping[str, Floats]], item: int, price: Floats, unit: float
) -> Floats:
    """(groups, 3) what a group's attention adds to the demand for an item, and that demand with all or none of it."""
    memory = [{name: np.asarray(value)[:, None] for name, value in own.items()} for own in starts]
    found = np.zeros((process.groups, 3))
    for group in range(process.groups):
        means = []
        for share in (1.0, 0.0):
            exposure = np.full((process.groups, process.items, 1), process.equal_exposure)
            exposure[group, item] = share
            means.append(float(process.moments(NUMPY, memory, price[:, None], exposure)[0][item, 0]))
        found[group] = (means[0] - means[1]) / unit, means[0] / unit / 2, means[1] / unit / 2
    return found


def _components(part: Action) -> list[tuple[str, int, int]]:
    """Kind, row of the seat and edge of the network (-1 for none) of each component of one decision."""
    seat, name = part.seat, snake_case(type(part).__name__)
    edges = seat.scope.edges
    if name == "quantity":
        return [(name, int(row), int(edge)) for row, edge in zip(seat.edge_rows, edges, strict=True)]
    if name in ("order_up_to", "demand_plus"):
        return [(name, row, int(edges[seat.first_edge[row]])) for row in range(len(seat.rows))]
    if name == "choose_one":
        return [(kind, row, -1) for row in range(len(seat.rows)) for kind in ("chosen_edge", "chosen_quantity")]
    where = {int(row): number for number, row in enumerate(seat.scope.rows)}
    network = seat.network
    if name == "price":
        return [(name, where[int(network.market_row[m])], -1) for m in seat.scope.priced_markets]
    if name == "exposure":
        exposed = [(where[int(network.market_row[m])], network.groups[int(m)]) for m in seat.scope.exposed_markets]
        return [(name, row, -1) for row, groups in exposed for _ in range(groups)]
    if name == "allocation":
        lines = seat.scope.decided_lines
        return [(name, where[int(network.line_place[line])], int(network.line_edge[line])) for line in lines]
    raise InputError(
        f"{seat.agent}: a model decides {', '.join(KINDS)}, and no actions of kind {name}; choose other game.actions."
    )
