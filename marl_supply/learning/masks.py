"""Which choices are open: none but the first on days without review, none above a stated order limit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.decisions.action import Action
from marl_supply.game.observation import Observation
from marl_supply.game.seat import Seat
from marl_supply.learning.residual import Base
from marl_supply.policies.rule import lines_by_row
from marl_supply.simulation.arrays import Array


class Mask:
    """The highest open choice of each component of one agent; the choices below it are open.

    What is decided beside orders is open on every day.

    Parameters
    ----------
    seat
        Whose choices they are.
    action, kind
        Its actions and the name of their kind.
    base
        What they are added to, if anything.

    Attributes
    ----------
    needed : bool
        Whether a choice of this agent is ever closed.
    """

    def __init__(self, seat: Seat, action: Action, kind: str, base: Base | None) -> None:
        network, ordering = seat.network, action.ordering
        self.last = (base or action).choices[:, None] - 1
        self.needed = False
        if ordering is None:
            return
        self.kind = base.kind or kind if base else kind
        self.orders = slice(base.orders if base else len(ordering.low))
        self.low, self.steps = ((base or ordering).low[self.orders, None], (base or ordering).steps[self.orders, None])
        edges = np.arange(len(seat.edges)) if self.kind in ("order", "quantity") else seat.first_edge
        self.rows = ordering.component_rows if self.kind == "choose_one" else seat.edge_rows[edges]
        # Where orders go downstream first, what a level or an amount orders is not known yet when actions are chosen.
        # Bounds of quantities are within limits already; `choose_one` bounds those of all edges, and what is above the
        # limit of the chosen one is cut.
        known_now = self.kind in ("order", "quantity") or not network.downstream_first
        self.limit = None
        if network.order_limit is not None and known_now and self.kind not in ("quantity", "choose_one"):
            self.limit = network.order_limit[seat.scope.edges][edges][:, None]
        self.reviewed = network.reviews is not None
        self.needed = self.reviewed or (self.limit is not None and bool(np.isfinite(self.limit).any()))

    def highest(self, observation: Observation, quantity: Array | None) -> NDArray[np.int64]:
        """(n, B) number of the highest open choice of each component.

        Parameters
        ----------
        quantity : (n, B)
            What the base decides; None without one.
        """
        highest = np.repeat(self.last, observation.replications, axis=1)
        if self.limit is not None:
            room = (self.limit - self._without(observation, quantity) - self.low) / self.steps
            highest[self.orders] = np.clip(np.floor(room), 0, highest[self.orders]).astype(np.int64)
        if self.reviewed:
            highest[self.orders][observation.periods_to_review[self.rows] > 0] = 0
        return highest

    def _without(self, observation: Observation, quantity: Array | None) -> Array:
        """(n, B) what would be ordered if a choice meant 0."""
        base: Array = np.zeros((1, 1)) if quantity is None else np.rint(quantity[self.orders])
        if self.kind == "order_up_to":
            return base - observation.inventory_position
        return (
            base + lines_by_row(observation.seat, observation.incoming_orders) if self.kind == "demand_plus" else base
        )
