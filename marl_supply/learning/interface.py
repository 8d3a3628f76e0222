"""What learners see of a game and what they choose: numbers scaled to about one, and whole units as choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.quantities import QUANTITIES, forecast_periods
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.learning.residual import Base, bases_of
from marl_supply.learning.signals import signals_of_chain, signals_of_seat
from marl_supply.topology.network import Network

Array = NDArray[np.float64]

FLOWS = ("pipeline", "travelling", "receipts", "incoming_orders", "last_order", "market_demand", "forecast")
POSITIONS = ("on_order", "inventory_position", "echelon_inventory_position")
CLOSED = -1e9
"""Logit of a choice that does not exist."""
MOST_CHOICES = 512
"""Widest categorical action."""
SHARED_ACTOR = "everybody"
"""Name of the one actor of all agents."""


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

    def and_flows(self, means: Array) -> Scaling:
        """With more numbers at the end, each seen relative to its mean (n,), units."""
        means = np.where(means > 0, means, 1.0)
        return Scaling(np.concatenate([self.shift, means]), np.concatenate([self.scale, means]), self.limit)


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
    demand = {
        "memory": _starting_memory(network),
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


def _starting_memory(network: Network) -> Array:
    """(n,) size of what markets show of their memory before anything happens; 1 where that is 0."""
    processes: list[Any] = list(network.processes.values())
    starts = [np.ravel(processes[market].start()[name]) for market, name, _ in network.public_memory]
    sizes = np.abs(np.concatenate([*starts, np.zeros(0)]))
    return np.where(sizes > 0, sizes, 1.0)


def _edges_of(slots: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(slots, dtype=np.int64).reshape(-1, 2)[:, 0]


class Interface:
    """The learning agents' side of a game. Axes: A learning agents, C components, n choices, o numbers seen, F state.

    The state is the table of everything, then what is remembered of it (`signals`), then what the agents' bases
    would do. An agent sees its own numbers of the table, its own signals, its own base and, where agents share an
    actor, whose seat it plays.

    Parameters
    ----------
    game
        The game; its units must be whole, so that actions are choices.
    agents
        The agents that learn, in the order of the game; None for all. The others are played by fixed policies.
    learner
        What actors see, and what their choices mean.

    Attributes
    ----------
    agents : tuple of str
    modules, module_of : tuple of str, mapping of str to str
        Names of the actors, and each agent's.
    bases : dict of str to Base
        What choices are added to, by agent; empty where choices are the actions of the game.
    seen : (A, o) int
        Positions of each agent's observation in the state, filled up with F, the position of a zero; F + 1 is that of a
        one.
    choices : (A, C) int
        Number of choices of each component; 1 where an agent has fewer components than others.
    prior : (A, C, n) float
        Logits before anything is learned, `CLOSED` where a choice does not exist.
    values : (A, C, n) float
        What choices mean, in standard deviations of the first ones.

    Raises
    ------
    InputError
        For a game that learners cannot play: units that are not whole, or orders placed in several stages; and for
        agents that cannot share an actor.
    """

    def __init__(self, game: Game, agents: Sequence[str] | None, learner: ChoosingLearner) -> None:
        self.game = game
        self.learner = learner
        self.agents = _known_agents(game, agents)
        _refuse(game)
        self.signals = signals_of_chain(game, learner.smoothing, learner.history)
        self.bases: dict[str, Base] = bases_of(game, self.agents, learner) if learner.base else {}
        self._read_state(learner.observation_clip)
        self._read_actions(learner.spread)
        shared = learner.share == "all"
        if shared and len(set(map(tuple, self.choices.tolist()))) > 1:
            raise InputError(f"share: agents of {game.topology.name} have different choices; use share: none.")
        self.modules = (SHARED_ACTOR,) if shared else self.agents
        self.module_of = dict.fromkeys(self.agents, SHARED_ACTOR) if shared else {a: a for a in self.agents}

    def _read_state(self, limit: float) -> None:
        game, table = self.game, len(self.game.table.entries)
        scaling = table_scaling(game.network, limit)
        forms = len(self.learner.smoothing) + self.learner.history
        scaling = scaling.and_flows(np.tile(np.array(self.signals.means), forms))
        signals, own = len(self.signals.members), []
        for agent in self.agents:
            remembered = [table + form * signals + signals_of_seat(game, agent) for form in range(forms)]
            base = np.arange(self.bases[agent].size if agent in self.bases else 0) + len(scaling.shift)
            if agent in self.bases:
                scaling = scaling.and_flows(self.bases[agent].means)
            own.append(np.concatenate([game.seen[agent], *remembered, base]).astype(np.int64))
        self.scaling, self.size = scaling, len(scaling.shift)
        self.sizes = tuple(map(len, own))
        names = len(self.agents) if self.learner.share == "all" else 0
        self.seen = np.full((len(own), max(self.sizes) + names), self.size)
        for number, positions in enumerate(own):
            self.seen[number, : len(positions)] = positions
            if names:
                self.seen[number, max(self.sizes) + number] += 1

    def _read_actions(self, spread: float) -> None:
        actions = [self.bases.get(agent) or self.game.actions[agent] for agent in self.agents]
        self.components = tuple(len(action.low) for action in actions)
        self.choices = np.ones((len(actions), max(self.components)), dtype=np.int64)
        self.low, self.steps = np.zeros(self.choices.shape), np.ones(self.choices.shape)
        near = np.zeros(self.choices.shape, dtype=bool)
        for number, action in enumerate(actions):
            self.choices[number, : len(action.low)] = action.choices
            self.low[number, : len(action.low)] = action.low
            self.steps[number, : len(action.low)] = action.steps
            if isinstance(action, Base):
                near[number, : action.size] = action.added
            elif action.ordering is not None and self.game.action_kind == "demand_plus":
                near[number, : len(action.ordering.low)] = True
        self.width = int(self.choices.max())
        exists = np.arange(self.width) < self.choices[:, :, None]
        value = self.low[:, :, None] + self.steps[:, :, None] * np.arange(self.width)
        middle = np.where(near, 0.0, self.low + self.steps * (self.choices - 1) / 2)
        deviation = spread * np.maximum(middle - self.low, self.steps)
        self.values = np.where(exists, (value - middle[:, :, None]) / deviation[:, :, None], 0.0)
        nearness = np.where(near[:, :, None], -0.5 * self.values**2, 0.0)
        self.prior = np.where(exists, nearness, CLOSED)
        self.starts_near_demand = bool(near.any())

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
        """The scaling of what one agent sees."""
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
    widest = max(int(game.actions[agent].choices.max()) for agent in game.agents)
    if widest > MOST_CHOICES:
        raise InputError(
            f"{name}: game.actions: {widest} choices are too many to learn; give a larger `step`, so that there are "
            f"{MOST_CHOICES} at most."
        )
