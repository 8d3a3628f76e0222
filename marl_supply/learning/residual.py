"""Choices that are added to what a rule decides (Silver et al. 2018; Johannink et al. 2019, residual policies)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.decisions.action import Action
from marl_supply.game.game import ORDERS, Game
from marl_supply.game.observation import check_needs
from marl_supply.game.seat import Seat
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import rule
from marl_supply.simulation.state import Decisions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Part:
    """Components of one kind. Axis n.

    kind: the field of `Decisions` that the rule fills, empty where it leaves these components to the choices; aspect:
    what they decide; action: how their values become decisions, None for the orders and levels of a rule; low, steps,
    choices: as those of an `Action`; means: scale of what the rule decides; grid: to which that is rounded, 0 for not
    at all; bounds: least and most that can be decided.
    """

    kind: str
    aspect: str
    action: Action | None
    low: Array
    steps: Array
    choices: NDArray[np.int64]
    means: Array
    grid: float
    bounds: tuple[Any, Any]

    def read(self, decisions: Decisions, replications: int) -> Array:
        """(n, B) what the rule decided; zeros where it leaves it."""
        if not self.kind:
            return np.zeros((len(self.low), replications))
        value: Any = getattr(decisions, self.kind)
        return np.concatenate(value) if isinstance(value, tuple) else value

    def together(self, quantity: Array, added: Array) -> Array:
        """(n, B) what is decided."""
        rounded = np.rint(quantity / self.grid) * self.grid if self.grid else quantity
        return np.clip(rounded + added, *self.bounds)

    def decisions(self, values: Array) -> Decisions:
        """The decisions that (n, B) values are."""
        if self.action is not None:
            return self.action.decide(values)
        return Decisions(order=values) if self.kind == "order" else Decisions(order_up_to=values)


class Base:
    """What one agent's choices are added to: what a rule orders, or orders up to, asks as a price, or exposes.

    What the seat decides and the rule does not is left to the choices alone.

    Parameters
    ----------
    seat
        The agent's.
    action
        Its actions.
    policy
        The rule.
    kinds
        Which fields of `Decisions` it fills.
    reach
        Most that is added to orders and levels, as a share of each row's mean demand.
    steering_reach
        Most that is added to prices, and to shares of exposure, as a share of what they range over.

    Attributes
    ----------
    kind : str
        "order" (edges) or "order_up_to" (rows) where the rule decides orders, else empty.
    of : str or None
        "edges" or "rows" where choices are added to orders alone.
    orders, size : int
        Components that order, which come first; and all.
    low : (size,) float
        Least that is added, units or money.
    steps : (size,) float
        Units from one choice to the next.
    choices : (size,) int
    means : (size,) float
        Scale of what the rule decides: mean demand of each component's row, or mean lead-time demand for levels, units;
        a price, money; an equal share.
    added : (size,) bool
        Whether a component is added to what the rule decides.
    """

    def __init__(
        self, seat: Seat, action: Action, policy: Rule, kinds: Sequence[str], reach: float, steering_reach: float
    ) -> None:
        self.policy = policy
        self.kinds = tuple(kinds)
        self._parts = [_part(seat, part, self.kinds, reach, steering_reach) for part in action.parts]
        ends = np.cumsum([len(part.low) for part in self._parts])
        self._spans = [slice(end - len(part.low), end) for part, end in zip(self._parts, ends, strict=True)]
        ordering = [part for part in self._parts if part.aspect == "order"]
        self.orders = sum(len(part.low) for part in ordering)
        self.kind = ordering[0].kind if ordering else ""
        alone = len(self._parts) == 1 and self.kind
        self.of = ("edges" if self.kind == "order" else "rows") if alone else None
        self.low, self.steps, self.choices, self.means = (
            np.concatenate([getattr(part, name) for part in self._parts])
            for name in ("low", "steps", "choices", "means")
        )
        self.added = np.concatenate([np.full(len(part.low), bool(part.kind)) for part in self._parts])
        self.size = len(self.low)

    def quantity(self, decisions: Decisions) -> Array:
        """(size, B) what the rule decided, units, money or shares."""
        replications = next(
            (value[0] if isinstance(value, tuple) else value).shape[1]
            for value in vars(decisions).values()
            if value is not None
        )
        read = [part.read(decisions, replications) for part in self._parts]
        return read[0] if len(read) == 1 else np.concatenate(read)

    def decisions(self, values: Array) -> Decisions:
        """The decisions that (size, B) values are; where it orders alone, those of any seats one after another."""
        if len(self._parts) == 1:
            return self._parts[0].decisions(values)
        made: dict[str, Any] = {}
        for part, span in zip(self._parts, self._spans, strict=True):
            decided = part.decisions(values[span])
            made |= {kind: getattr(decided, kind) for kind in decided.kinds()}
        return Decisions(**made)

    def together(self, quantity: Array, added: Array) -> Array:
        """(size, B) what is decided, with (size, B) choices added; orders below 0 are 0, prices keep to their range."""
        both = [part.together(quantity[span], added[span]) for part, span in zip(self._parts, self._spans, strict=True)]
        return both[0] if len(both) == 1 else np.concatenate(both)


def _part(seat: Seat, action: Action, kinds: Sequence[str], reach: float, steering_reach: float) -> _Part:
    if action.aspect == "order":
        found = [kind for kind in kinds if kind in ORDERS]
        return _orders(seat, found[0], reach) if found else _left(action)
    if action.aspect not in kinds:
        return _left(action)
    most = np.maximum(np.round(steering_reach * (action.high - action.low) / action.steps), 1.0)
    network, scope = seat.network, seat.scope
    if action.aspect == "price":
        means, grid = network.price[scope.priced_markets], float(action.step)
    else:
        groups = [network.groups[int(market)] for market in scope.exposed_markets]
        means, grid = np.repeat(1.0 / np.array(groups), groups), 0.0
    choices = (1 + 2 * most).astype(np.int64)
    bounds = action.low[:, None], action.high[:, None]
    low, aspect = -most * action.steps, action.aspect
    return _Part(aspect, aspect, action, low, action.steps, choices, np.where(means > 0, means, 1.0), grid, bounds)


def _orders(seat: Seat, kind: str, reach: float) -> _Part:
    rows = seat.edge_rows if kind == "order" else np.arange(len(seat.rows))
    demand = seat.mean_demand[rows]
    low = -np.maximum(np.ceil(reach * demand), 1.0)
    means = demand if kind == "order" else demand * (seat.total_lead_time + 1)
    choices, bounds = (1 - 2 * low).astype(np.int64), (0.0 if kind == "order" else -np.inf, np.inf)
    return _Part(kind, "order", None, low, np.ones(len(low)), choices, means, 1.0, bounds)


def _left(action: Action) -> _Part:
    """Components that the rule leaves to the choices."""
    ones, bounds = np.ones(len(action.low)), (-np.inf, np.inf)
    return _Part("", action.aspect, action, action.low, action.steps, action.choices, ones, 0.0, bounds)


def bases_of(game: Game, agents: Sequence[str], learner: ChoosingLearner) -> dict[str, Base]:
    """The base of each learning agent.

    Raises
    ------
    InputError
        For an unknown rule or parameter, a rule that reads what the game hides, and one to which choices cannot be
        added.
    """
    for node in learner.base_parameters:
        if node not in game.network.rows:
            raise InputError(f"base_parameters: no node '{node}' in {game.topology.name}.")
    found: dict[str, Base] = {}
    state = game.start(1)
    for agent in agents:
        seat, action = game.seats[agent], game.actions[agent]
        own = {node: value for node, value in learner.base_parameters.items() if node in seat.rows}
        policy = rule(learner.base, seat, own, leaves_orders=True)
        check_needs(policy, seat, game.observe_level)
        decisions, _ = policy.act(game.observe(state, agent), policy.start(seat, 1))
        kinds = decisions.kinds()
        if set(kinds) & {"demand_plus", "allocation"}:
            raise InputError(
                f"base: {learner.base} decides {', '.join(kinds)}, and choices are added to orders, levels, prices and "
                "exposure alone; choose another rule."
            )
        found[agent] = Base(seat, action, policy, kinds, learner.reach, learner.steering_reach)
    return found
