"""One graph network for many chains: trained on a list of games, one at each update, and seated on any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.differentiable.episode import relaxation
from marl_supply.learning.differentiable.graph import GraphActor, check_graph
from marl_supply.learning.differentiable.trainer import DifferentiableTrainer, cost_scale
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.streams import TRAINING
from marl_supply.learning.trained.graph_policy import GraphPolicy, graph_policies
from marl_supply.topology import load
from marl_supply.topology.generators import one_warehouse, serial


class GeneralTrainer(DifferentiableTrainer):
    """K copies of a graph network that play the same game of a list at each update, on demand of their own.

    Parameters
    ----------
    games
        Under shared reward, seen in full, with one kind of actions.
    learner, seeds, env_steps
        As for `DifferentiableTrainer`; ``actor: graph``.
    held_out
        The games whose costs `greedy_costs` reports; the first eight of `games` if None.

    Raises
    ------
    InputError
        If a game is not one for graph networks, or kinds of actions differ.
    """

    def __init__(
        self,
        games: Sequence[Game],
        learner: Differentiable,
        seeds: Sequence[int],
        env_steps: int,
        held_out: Sequence[Game] | None = None,
    ) -> None:
        if learner.actor != "graph":
            raise InputError(f"actor: '{learner.actor}' plays one chain; set actor: graph to learn for several.")
        self.games = tuple(games)
        self.held_out = self.games[:8] if held_out is None else tuple(held_out)
        for game in (*self.games, *self.held_out):
            check_graph(game)
            if game.action_kind != self.games[0].action_kind:
                raise InputError(f"{game.topology.name}: game.actions: '{game.action_kind}' differs from the others'.")
        self._relaxed = {id(game): relaxation(game) for game in (*self.games, *self.held_out)}
        super().__init__(self.games[0], learner, seeds, env_steps)

    def identity(self) -> dict[str, Any]:
        """What makes a checkpoint belong to this training."""
        described = {"topologies": [game.topology.to_dict() for game in self.games]}
        return {**super().identity(), **described}

    def turn_to(self, game: Game) -> None:
        """Play this one of the games from now on."""
        self.game, self.relaxed = game, self._relaxed[id(game)]
        assert isinstance(self.actor, GraphActor)
        self.actor.play_on(game)

    def update(self) -> None:
        """One update on a game drawn from the list; which one depends on the number of updates done alone."""
        drawn = np.random.default_rng([TRAINING, self.done]).integers(len(self.games))
        self.turn_to(self.games[int(drawn)])
        super().update()

    def greedy_costs(self) -> NDArray[np.float64]:
        """(held-out games, K) cost a period of all agents, in what it costs to hold a period's mean demand."""
        relative = []
        for game in self.held_out:
            self.turn_to(game)
            relative.append(super().greedy_costs().sum(0) / cost_scale(game))
        return np.stack(relative)


def seat_everybody(
    game: Game, snapshot: Mapping[str, Any], learner: Differentiable, record: Mapping[str, Any] | None = None
) -> dict[str, GraphPolicy]:
    """A trained graph network in every seat of any game that shows everything.

    Parameters
    ----------
    snapshot
        Of `GeneralTrainer.snapshot`, or of a `DifferentiableTrainer` with ``actor: graph``.

    Raises
    ------
    InputError
        If the game hides what the network reads.
    """
    check_graph(game)
    return graph_policies(game, snapshot, learner, record or {})


def serial_game(
    lead_times: Sequence[int],
    holding_costs: Sequence[float],
    backorder_cost: float,
    mean: float,
    deviation: float,
    horizon: int = 400,
    warm_up: int = 100,
) -> Game:
    """A serial chain with normal demand in continuous units, seen in full; sequences state stage 1 first."""
    chain = serial(lead_times, holding_costs, backorder_cost, _normal(mean, deviation))
    return _seen_in_full(chain, {"game.horizon": horizon, "game.warm_up": warm_up})


def random_serial_games(count: int, stages: tuple[int, int], seed: int) -> list[Game]:
    """Serial chains with drawn lengths, lead times, costs and demand, the same for the same arguments.

    Lead times are 1 to 4 periods; each stage adds .1 to 1 to the holding cost of the one above it; backorders cost 4
    to 40 times as much as stock at stage 1, evenly on a logarithmic scale; demand is normal with mean 5 and a
    coefficient of variation of .2 to .5, cut at 0.
    """
    draw = np.random.default_rng([seed, count, *stages])
    return [_drawn(draw, int(draw.integers(stages[0], stages[1] + 1))) for _ in range(count)]


def random_two_store_games(count: int, seed: int) -> list[Game]:
    """One warehouse and two stores, drawn as in `random_serial_games`; each store has its own lead time and demand.

    The stores share costs of holding and backorders; what is short at the warehouse is shared in proportion.
    """
    draw = np.random.default_rng([seed, count])
    return [_two_stores(draw) for _ in range(count)]


def _drawn(draw: np.random.Generator, length: int) -> Game:
    lead_times, holding, backorder = _chain(draw, length)
    return serial_game(lead_times, holding, backorder, 5.0, _deviation(draw))


def _two_stores(draw: np.random.Generator) -> Game:
    (store, warehouse), holding, backorder = _chain(draw, 2)
    chain = one_warehouse(2, warehouse, store, holding, backorder, _normal(5.0, _deviation(draw)))
    second = {
        "nodes.store_2.demand.sd": _deviation(draw),
        "edges.warehouse-store_2.lead_time": int(draw.integers(1, 5)),
    }
    return _seen_in_full(chain, {"game.horizon": 400, "game.warm_up": 100, **second})


def _chain(draw: np.random.Generator, length: int) -> tuple[list[int], list[float], float]:
    """Lead times and holding costs by stage, stage 1 first, and the cost of a backorder."""
    lead_times = [int(lead) for lead in draw.integers(1, 5, length)]
    added = draw.uniform(0.1, 1, length)
    holding = [round(float(value), 3) for value in added[::-1].cumsum()[::-1]]
    return lead_times, holding, round(float(holding[0] * np.exp(draw.uniform(np.log(4), np.log(40)))), 3)


def _deviation(draw: np.random.Generator) -> float:
    return round(float(5 * draw.uniform(0.2, 0.5)), 3)


def _normal(mean: float, deviation: float) -> dict[str, Any]:
    return {"process": "normal", "mean": mean, "sd": deviation, "round": False}


def _seen_in_full(chain: Any, changes: Mapping[str, Any]) -> Game:
    """The game of a chain in continuous units, by average cost, where everybody sees everything."""
    settings = {"units": "continuous", "game.observe": "full", "game.criterion": "average"}
    return Game(load(chain, {**settings, **changes}))
