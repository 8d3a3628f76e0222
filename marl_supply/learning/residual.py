"""Choices that are added to what a rule orders (Silver et al. 2018; Johannink et al. 2019, residual policies)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import ORDERS, Game
from marl_supply.game.observation import check_needs
from marl_supply.game.seat import Seat
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import rule
from marl_supply.simulation.state import Decisions

Array = NDArray[np.float64]


class Base:
    """What one agent's choices are added to: a rule's orders, or the levels that it orders up to.

    Parameters
    ----------
    seat
        The agent's.
    policy
        The rule.
    kind
        Which field of `Decisions` it fills: "order" (edges) or "order_up_to" (rows).
    reach
        Most that is added, as a share of each row's mean demand.

    Attributes
    ----------
    size : int
        Components: inbound edges, or rows.
    low : (size,) float
        Least that is added, units.
    steps : (size,) float
        Units from one choice to the next.
    choices : (size,) int
    means : (size,) float
        Mean demand of each component's row, or mean lead-time demand for levels; units.
    """

    def __init__(self, seat: Seat, policy: Rule, kind: str, reach: float) -> None:
        self.policy = policy
        self.kind = kind
        self.of = "edges" if kind == "order" else "rows"
        rows = seat.edge_rows if kind == "order" else np.arange(len(seat.rows))
        demand = seat.mean_demand[rows]
        self.size = len(rows)
        self.low = -np.maximum(np.ceil(reach * demand), 1.0)
        self.steps = np.ones(self.size)
        self.choices = (1 - 2 * self.low).astype(np.int64)
        self.means = demand if kind == "order" else demand * (seat.total_lead_time + 1)

    def quantity(self, decisions: Decisions) -> Array:
        """(size, B) what the rule decided, units."""
        value: Array = getattr(decisions, self.kind)
        return value

    def decisions(self, values: Array) -> Decisions:
        """The decisions that (size, B) orders, or levels, are."""
        return Decisions(order=values) if self.kind == "order" else Decisions(order_up_to=values)

    def together(self, quantity: Array, added: Array) -> Array:
        """(size, B) what is ordered, or ordered up to, with whole units added; orders below 0 are 0."""
        total = np.rint(quantity) + added
        return np.maximum(total, 0) if self.kind == "order" else total


def bases_of(game: Game, agents: Sequence[str], learner: ChoosingLearner) -> dict[str, Base]:
    """The base of each learning agent.

    Raises
    ------
    InputError
        For an unknown rule or parameter, a rule that reads what the game hides, and one that decides more than orders.
    """
    for node in learner.base_parameters:
        if node not in game.network.rows:
            raise InputError(f"base_parameters: no node '{node}' in {game.topology.name}.")
    found: dict[str, Base] = {}
    state = game.start(1)
    for agent in agents:
        seat, action = game.seats[agent], game.actions[agent]
        if action.ordering is not action:
            raise InputError(
                f"base: '{agent}' decides more than orders ({', '.join(action.labels)}), and choices are added to "
                "orders alone; leave base out."
            )
        own = {node: value for node, value in learner.base_parameters.items() if node in seat.rows}
        policy = rule(learner.base, seat, own)
        check_needs(policy, seat, game.observe_level)
        decisions, _ = policy.act(game.observe(state, agent), policy.start(seat, 1))
        kinds = [kind for kind in decisions.kinds() if kind in ORDERS]
        if len(decisions.kinds()) > 1 or kinds[0] == "demand_plus":
            raise InputError(f"base: {learner.base} decides more than orders or levels; choose another rule.")
        found[agent] = Base(seat, policy, kinds[0], learner.reach)
    return found
