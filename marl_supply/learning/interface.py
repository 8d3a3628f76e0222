"""What learners see of a game and what they choose: numbers scaled to about one, and choices as categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.quantities import QUANTITIES, forecast_periods
from marl_supply.topology.network import Network

Array = NDArray[np.float64]

FLOWS = ("pipeline", "travelling", "receipts", "incoming_orders", "last_order", "market_demand", "forecast")
POSITIONS = ("on_order", "inventory_position", "echelon_inventory_position")
CLOSED = -1e9
"""Logit of a choice that does not exist."""
MOST_CHOICES = 512
"""Widest categorical action."""


@dataclass(frozen=True)
class Scaling:
    """``clip((value - shift) / scale, -limit, limit)`` for each number of an observation or a state.

    shift, scale : (F,) units.
    """

    shift: Array
    scale: Array
    limit: float

    def apply(self, values: Array) -> NDArray[np.float32]:
        """(F, B) scaled values of (F, B) units."""
        scaled = (values - self.shift[:, None]) / self.scale[:, None]
        return np.clip(scaled, -self.limit, self.limit, out=scaled).astype(np.float32)

    def part(self, positions: NDArray[np.int64]) -> Scaling:
        """The scaling of some of the numbers."""
        return Scaling(self.shift[positions], self.scale[positions], self.limit)


def table_scaling(network: Network, limit: float) -> Scaling:
    """The scaling of the table of everything: flows relative to mean demand, stocks to mean lead-time demand.

    Flows and positions are measured from their mean, stocks from 0.
    """
    demand, cover = _mean_of(network)
    shift, scale = [], []
    for quantity in (quantity for quantity in QUANTITIES if quantity.present(network)):
        unit = demand[quantity.of] if quantity.name in FLOWS else cover[quantity.of]
        if quantity.name == "echelon_inventory_position":
            unit = network.mean_demand * network.periods_below
        elif quantity.unit != "units":
            unit = np.ones_like(unit)
        centred = quantity.name in FLOWS or quantity.name in POSITIONS
        scale.append(unit)
        shift.append(unit if centred else np.zeros_like(unit))
    scales = np.concatenate(scale)
    return Scaling(np.concatenate(shift), np.where(scales > 0, scales, 1.0), limit)


def _mean_of(network: Network) -> tuple[dict[str, Array], dict[str, Array]]:
    """Mean demand (units a period) and mean lead-time demand (units) by what a number belongs to."""
    row = network.mean_demand
    edge = row[network.customer]
    market = np.array([process.mean for process in network.processes.values()])
    claims = np.concatenate([edge, market])
    periods = network.lead_time + network.information_delay + 1
    reach = np.zeros(len(network.rows))
    np.maximum.at(reach, network.customer, periods)
    shown = [size for _, _, size in network.public_memory]
    demand = {
        "memory": np.ones(sum(shown)),
        "forecast": np.repeat(market, forecast_periods(network)),
        "rows": row,
        "edges": edge,
        "markets": market,
        "lines": claims[network.line_claim],
        "slots": edge[_edges_of(network.pipeline_slots)],
        "travelling": edge[_edges_of(network.travelling_slots)],
    }
    cover = dict(demand)
    cover["rows"] = row * reach
    cover["edges"] = edge * periods
    cover["lines"] = demand["lines"] * np.concatenate([periods, reach[network.market_row]])[network.line_claim]
    return demand, cover


def _edges_of(slots: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(slots, dtype=np.int64).reshape(-1, 2)[:, 0]


class Interface:
    """The learning agents' side of a game. Axes: A learning agents, C components, n choices, o numbers seen, F state.

    Parameters
    ----------
    game
        The game; its units must be whole, so that actions are choices.
    agents
        The agents that learn, in the order of the game; the others are played by fixed policies.
    limit
        Scaled numbers lie between minus this and this.
    spread
        Standard deviation of the first actions of kind `demand_plus`, as a share of the largest.

    Attributes
    ----------
    agents : tuple of str
    seen : (A, o) int
        Positions of each agent's observation in the table, filled up with F, the position of a zero.
    choices : (A, C) int
        Number of choices of each component; 1 where an agent has fewer components than others.
    prior : (A, C, n) float
        Logits before anything is learned, `CLOSED` where a choice does not exist.

    Raises
    ------
    InputError
        For a game that learners cannot play: units that are not whole, or orders placed in several stages.
    """

    def __init__(self, game: Game, agents: Sequence[str] | None, limit: float, spread: float) -> None:
        self.game = game
        self.agents = _known_agents(game, agents)
        _refuse(game)
        self.scaling = table_scaling(game.network, limit)
        self.size = len(game.table.entries)
        self.sizes = tuple(len(game.seen[agent]) for agent in self.agents)
        self.seen = np.full((len(self.agents), max(self.sizes)), self.size)
        for number, agent in enumerate(self.agents):
            self.seen[number, : self.sizes[number]] = game.seen[agent]
        self._read_actions(spread)

    def _read_actions(self, spread: float) -> None:
        actions = [self.game.actions[agent] for agent in self.agents]
        self.components = tuple(len(action.low) for action in actions)
        self.choices = np.ones((len(actions), max(self.components)), dtype=np.int64)
        self.low = np.zeros(self.choices.shape)
        self.step = np.array([action.step for action in actions])
        for number, action in enumerate(actions):
            self.choices[number, : len(action.low)] = action.choices
            self.low[number, : len(action.low)] = action.low
        self.width = int(self.choices.max())
        exists = np.arange(self.width) < self.choices[:, :, None]
        self.prior = np.where(exists, 0.0, CLOSED)
        self.starts_near_demand = self.game.action_kind == "demand_plus"
        if self.starts_near_demand:
            value = self.low[:, :, None] + self.step[:, None, None] * np.arange(self.width)
            deviation = spread * np.maximum(-self.low, self.step[:, None])[:, :, None]
            self.prior = np.where(exists, -0.5 * (value / deviation) ** 2, CLOSED)

    @property
    def parties(self) -> int:
        """Number of different rewards: 1 if all agents share one."""
        return 1 if self.game.own_weight == 0 else len(self.agents)

    @property
    def reward_scale(self) -> float:
        """Money: mean demand x mean holding cost of the rows, or 1 where that is 0."""
        network = self.game.network
        scale = float(network.mean_demand.mean() * network.holding_cost.mean())
        return scale if scale > 0 else 1.0

    def of(self, number: int) -> Scaling:
        """The scaling of one agent's own observation vector."""
        return self.scaling.part(self.seen[number, : self.sizes[number]])


def _known_agents(game: Game, agents: Sequence[str] | None) -> tuple[str, ...]:
    for agent in agents or ():
        if agent not in game.agents:
            raise InputError(f"{game.topology.name}: no agent '{agent}'{nearest(agent, game.agents)}.")
    learning = tuple(agent for agent in game.agents if agents is None or agent in agents)
    if not learning:
        raise InputError(f"{game.topology.name}: every seat has a fixed policy; leave at least one agent to learn.")
    return learning


def _refuse(game: Game) -> None:
    name = game.topology.name
    if not game.network.integer:
        raise InputError(f"{name}: units: learners choose among whole units; set units: integer.")
    if len(game.stages) > 1:
        raise InputError(
            f"{name}: game.actions: quantities under downstream_first are decided in several stages, which learners "
            "not play; use order_up_to or demand_plus."
        )
    for agent in game.agents:
        if np.ndim(game.actions[agent].step):
            raise InputError(
                f"{name}: '{agent}' decides more than orders ({', '.join(game.actions[agent].labels)}), which learners "
                "do not play yet; give the rest to nobody: leave out price_range and allocation: decided."
            )
    widest = max(int(game.actions[agent].choices.max()) for agent in game.agents)
    if widest > MOST_CHOICES:
        raise InputError(
            f"{name}: game.actions: {widest} choices are too many to learn; give a larger `step`, so that there are "
            f"{MOST_CHOICES} at most."
        )
